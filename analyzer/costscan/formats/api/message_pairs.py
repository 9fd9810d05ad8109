"""Requests and responses of the Messages API become calls of runs."""

from msgspec import UNSET

from costscan.formats.api.cache_key import salt_of, settings_of
from costscan.formats.api.message import Message, word
from costscan.formats.api.pair import Pair, is_free, is_message, request_of, response_of
from costscan.formats.api.request import Definitions, Request, asks_of, blocks_of
from costscan.formats.api.runs import Names, PairRun, PairRuns
from costscan.formats.api.user import user_of
from costscan.formats.api.when import end_of, seconds_of
from costscan.formats.claude import people, task_names
from costscan.formats.interface import LogFile
from costscan.reading.content.block import hash_of, text_block
from costscan.reading.conversation import refusals
from costscan.reading.conversation.call import Call, make_call, miss_reason
from costscan.reading.conversation.usage import of_raw as usage_of_raw
from costscan.reading.io.rows import Rows
from costscan.reading.prompt_diff.prompt import Sent


class MessagePairs:
    """The pairs of a file as they are being read."""

    def __init__(self, file: LogFile, rows: Rows) -> None:
        self._runs = PairRuns(file, rows)
        self._definitions = Definitions()

    def take(self, number: int, pair: Pair) -> bool:
        """Add one pair; False when it is none of the Messages API."""
        answer = response_of(pair)
        if answer is None or not is_message(answer):
            return is_free(pair, answer)
        request = request_of(pair)
        self.add(number, pair, request, answer, call_of(number, pair, request, answer))
        return True

    def add(
        self,
        number: int,
        pair: Pair,
        request: Request,
        answer: Message,
        call: Call,
        *,
        user: str | None = None,
    ) -> None:
        """Add a call.

        Args:
            number: its line.
            pair: what the line says of its run.
            request: what was asked.
            answer: what came back.
            call: the call that they are, from `call_of`.
            user: whose it is, where the request does not say.
        """
        blocks = blocks_of(request, self._definitions)
        call.settings = settings_of(request, blocks)
        run = self._run_of(number, pair, request, blocks)
        run.user = run.user or user_of(request.metadata) or user
        wrote = [text_block(answer.content)] if isinstance(answer.content, str) else answer.content or []
        n, first = run.add(number, blocks, call, wrote, salt_of(request, blocks))
        thread = run.thread
        if wrote and wrote[0].type == "compaction" and first < thread.n_blocks:
            thread.went_on_from_summary(n, first)
        refusals.note(thread.calls[n], answer.stop_reason, answer.stop_details)

    def _run_of(self, number: int, pair: Pair, request: Request, blocks: list[Sent]) -> PairRun:
        own = Names(pair.run_id, pair.task, pair.agent, pair.parent_run_id)
        return self._runs.of(number, own, blocks, _first_request(request) or word(pair.custom_id))

    def finish(self, source: str) -> None:
        """Write the runs to the rows; `source` is the name of the format."""
        self._runs.write(source)


def _first_request(request: Request) -> str | None:
    """Return the name of what a person or a program asks for first, without what the client adds."""
    for message in request.messages or ():
        if message.role != "user":
            continue
        content = message.content
        texts = [content] if isinstance(content, str) else [b.text for b in content or () if b.type == "text"]
        for text in texts:
            if text and (wanted := people.asked(text)):
                return task_names.template(wanted)
    return None


def call_of(number: int, pair: Pair, request: Request, answer: Message) -> Call:
    """Return the call that a pair is."""
    at = pair.timestamp
    start = word(at) or (str(at) if isinstance(at, int | float) else None)
    config = request.output_config
    call = make_call(
        line=number,
        end_at=end_of(start, pair.duration_ms),
        model=answer.model or request.model,
        usage=usage_of_raw(bytes(answer.usage)),
        message_id=answer.id,
        request_id=None,
        stop_reason=answer.stop_reason,
        effort=config.get("effort") if isinstance(config, dict) else None,
    )
    call.at, call.first_token_s = start, seconds_of(pair.ttft_ms)
    call.miss_reason = miss_reason(answer.diagnostics)
    call.asks = asks_of(request)
    call.says_unfinished = answer.stop_reason is None and answer.stop_reason is not UNSET
    if pair.custom_id is not None:
        call.tier = "batch"
    if call.message_id is None:
        # What tells a copy of this line in another file from another call.
        identity = repr((number, start, pair.response_sse)).encode("utf-8", "replace")
        call.request_id = f"pair {hash_of(identity + bytes(pair.request) + bytes(pair.response))}"
    return call
