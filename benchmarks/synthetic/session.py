"""One session: prompts, calls, tool results, compactions, sub-agents, and a resumed copy."""

import copy
import json
from dataclasses import dataclass
from random import Random
from typing import Final, Self

from synthetic.lines import Ids, LineWriter, Release
from synthetic.text import Texts, log_normal
from synthetic.tools import ToolUse, call_tool
from synthetic.usage import Context

AGENT_SHARE: Final = 0.008
CALLS_PER_PROMPT: Final = 9
DEFAULT_LIMIT_TOKENS: Final = 160_000
MILLION_LIMIT_TOKENS: Final = 930_000
_PROGRESS_KEYS: Final = ("type", "timestamp", "message", "requestId", "uuid")


@dataclass(frozen=True, slots=True)
class Setting:
    """What is given from outside for a session."""

    release: Release
    model: str
    cwd: str
    session_id: str
    start_s: float
    limit_tokens: int = DEFAULT_LIMIT_TOKENS
    agent_share: float = AGENT_SHARE
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A content block of an answer: its JSON, its size, and the tool call it holds."""

    json: str
    chars: int
    tool_id: str = ""
    use: ToolUse | None = None


class Session:
    """The state of one thread while its lines are written."""

    def __init__(self, rng: Random, texts: Texts, setting: Setting) -> None:
        self.rng = rng
        self.texts = texts
        self.setting = setting
        self.ids = Ids(rng)
        release, is_main = setting.release, setting.agent is None
        self.writer = LineWriter(self.ids, release, setting.session_id, setting.cwd, setting.agent)
        # Sub-agents write five-minute entries even where the main thread writes one-hour ones.
        one_hour = release.one_hour and is_main
        self.context = Context(rng, one_hour=one_hour, limit_tokens=setting.limit_tokens)
        self.at_s = setting.start_s
        self.gap_s = 0.0
        self.calls = 0
        self.backups: list[str] = []
        self.agents: dict[str, list[str]] = {}

    def run(self, calls: int) -> Self:
        """Write so many more calls."""
        target = self.calls + calls
        while self.calls < target:
            per_prompt = max(1, int(self.rng.expovariate(1 / CALLS_PER_PROMPT)))
            self._prompt(min(per_prompt, target - self.calls))
        return self

    def resume(self, session_id: str) -> "Session":
        """Return a session that starts with a copy of all lines, as `--resume` into a new file does."""
        resumed = copy.copy(self)
        old = self.setting.session_id
        resumed.writer = copy.copy(self.writer)
        resumed.writer.lines = [line.replace(old, session_id) for line in self.writer.lines]
        resumed.writer.head = self.writer.head.replace(old, session_id)
        resumed.writer.tail = self.writer.tail.replace(old, session_id)
        resumed.writer.session_id = session_id
        resumed.context = copy.copy(self.context)
        resumed.agents = {}
        return resumed

    def _wait(self, seconds: float) -> None:
        self.at_s += seconds
        self.gap_s += seconds

    def _take_in(self, chars: int) -> None:
        self.context.pending_tokens += 12 + int(chars / self.setting.release.chars_per_token)

    def _prompt(self, calls: int) -> None:
        writer, rng = self.writer, self.rng
        self._wait(log_normal(rng, 90, 1500, 200_000))
        if self.setting.agent is None:
            writer.file_snapshot(",".join(self.backups), self.at_s, is_update=False)
        text = self.texts.prose.cut(rng, log_normal(rng, 150, 4000, 20_000))
        writer.user(f'"{text}"', self.at_s)
        self._take_in(len(text))
        started_s = self.at_s
        for left in range(calls, 0, -1):
            if self.context.is_full:
                self._compact()
            self._call(is_last=left == 1)
        if self.setting.agent is None:
            self._close_prompt(self.at_s - started_s)

    def _close_prompt(self, duration_s: float) -> None:
        writer = self.writer
        writer.system(
            "stop_hook_summary",
            '"hookCount":1,"hookInfos":[{"command":"callback","durationMs":41}],"hookErrors":[],'
            '"preventedContinuation":false,"stopReason":"","hasOutput":false,"level":"suggestion"',
            self.at_s,
        )
        if self.rng.random() < 0.5:
            writer.system("turn_duration", f'"durationMs":{int(duration_s * 1000)},"isMeta":false', self.at_s)
        if self.setting.release.is_new:
            prompt = self.texts.prose.cut(self.rng, 100)
            writer.plain("last-prompt", f'"lastPrompt":"{prompt}","leafUuid":{writer.parent}')
            names = ",".join(f'"{self.texts.word(self.rng)}"' for _ in range(40))
            kind = f'"type":"deferred_tools_delta","addedNames":[{names}],"removedNames":[]'
            writer.attachment(kind, self.at_s)

    def _compact(self) -> None:
        context, writer = self.context, self.writer
        before = context.prompt_tokens
        summary = self.texts.prose.cut(self.rng, log_normal(self.rng, 7000, 14_000, 20_000))
        writer.parent = "null"
        writer.system(
            "compact_boundary",
            '"content":"Conversation compacted","isMeta":false,"level":"info",'
            f'"compactMetadata":{{"trigger":"auto","preTokens":{before}}}',
            self.at_s,
        )
        writer.user(f'"{summary}"', self.at_s, ',"isVisibleInTranscriptOnly":true,"isCompactSummary":true')
        context.compact(int(len(summary) / self.setting.release.chars_per_token))

    def _call(self, *, is_last: bool) -> None:
        rng, release = self.rng, self.setting.release
        blocks = self._blocks(is_last=is_last)
        chars = sum(block.chars for block in blocks)
        usage = self.context.bill(self.gap_s, 5 + int(chars / release.chars_per_token))
        self.gap_s = 0.0
        self._wait(log_normal(rng, 3, 20, 300))
        finished = rng.random() >= release.unfinished_share
        reason = "end_turn" if is_last else "tool_use"
        start = f'"model":"{self.setting.model}","id":"msg_01{self.ids.letters(22)}"'
        self.writer.request_id = f"req_011{self.ids.letters(21)}"
        sources: list[str] = []
        for number, block in enumerate(blocks, 1):
            # Before 2.1.60 only the last block of a call may know the final counts.
            is_final = finished and (number == len(blocks) or release.unfinished_share == 0)
            stop = f'"{reason}"' if is_final else "null"
            billed = usage.as_json(finished=is_final, full=release.is_new)
            end = f'"stop_reason":{stop},"stop_sequence":null,"usage":{billed}'
            sources.append(self.writer.assistant(start, block.json, end, self.at_s))
            self._wait(log_normal(rng, 1, 6, 60))
        self.calls += 1
        for block, source in zip(blocks, sources, strict=True):
            if block.use:
                self._result(block.use, block.tool_id, source)
        if rng.random() < 0.001:
            self._interrupted()

    def _blocks(self, *, is_last: bool) -> list[Block]:
        rng = self.rng
        blocks: list[Block] = []
        if rng.random() < 0.38:
            blocks.append(self._thinking())
        if is_last or rng.random() < 0.35:
            text = self.texts.prose.cut(rng, log_normal(rng, 90, 1500, 8000))
            blocks.append(Block(f'{{"type":"text","text":"{text}"}}', len(text)))
        if not is_last:
            parallel = 1 if rng.random() < 0.86 else 2 + int(rng.random() * 3)
            blocks += [self._tool_block() for _ in range(parallel)]
        return blocks

    def _thinking(self) -> Block:
        chars = log_normal(self.rng, 180, 1500, 9000)
        text = "" if self.setting.release.is_new else self.texts.prose.cut(self.rng, chars)
        signature = self.ids.letters(200 + 2 * chars)
        return Block(f'{{"type":"thinking","thinking":"{text}","signature":"{signature}"}}', chars)

    def _tool_block(self) -> Block:
        tool_id = f"toolu_01{self.ids.letters(22)}"
        if self.setting.agent is None and self.rng.random() < self.setting.agent_share:
            use = self._run_agent(tool_id)
        else:
            use = call_tool(self.rng, self.texts, self.setting.cwd)
        content = (
            f'{{"type":"tool_use","id":"{tool_id}","name":"{use.name}","input":{use.arguments},'
            '"caller":{"type":"direct"}}'
        )
        return Block(content, len(use.arguments), tool_id, use)

    def _run_agent(self, tool_id: str) -> ToolUse:
        """Run a sub-agent; newer releases give it a file, older ones put it in progress lines."""
        agent = self.ids.uuid().replace("-", "")[:17]
        setting = Setting(
            self.setting.release,
            self.setting.model,
            self.setting.cwd,
            self.setting.session_id,
            self.at_s,
            agent=agent,
        )
        child = Session(self.rng, self.texts, setting).run(2 + log_normal(self.rng, 8, 30, 60))
        prompt = self.texts.prose.cut(self.rng, 900)
        if self.setting.release.is_new:
            self.agents[agent] = child.writer.lines
        else:
            for line in child.writer.lines:
                self._agent_progress(line, prompt, agent, tool_id)
        return self._agent_result(child, agent, prompt)

    def _agent_progress(self, line: str, prompt: str, agent: str, tool_id: str) -> None:
        """Wrap a sub-agent's line as it appears in its parent: without `toolUseResult` and settings."""
        full = json.loads(line)
        kept = {key: full[key] for key in _PROGRESS_KEYS if key in full}
        message = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        data = (
            f'{{"message":{message},"normalizedMessages":[],"type":"agent_progress","prompt":"{prompt}",'
            f'"agentId":"{agent}"}}'
        )
        self.writer.progress(data, f"agent_msg_01{self.ids.letters(22)}", tool_id, self.at_s)

    def _agent_result(self, child: "Session", agent: str, prompt: str) -> ToolUse:
        report = self.texts.prose.cut(self.rng, log_normal(self.rng, 3500, 12_000, 30_000))
        content = f'[{{"type":"text","text":"{report}"}}]'
        return ToolUse(
            "Agent",
            f'{{"description":"Look around","prompt":"{prompt}","subagent_type":"Explore"}}',
            content,
            f'{{"status":"completed","prompt":"{prompt}","agentId":"{agent}","content":{content},'
            f'"totalDurationMs":{int((child.at_s - self.at_s) * 1000)},'
            f'"totalTokens":{child.context.prompt_tokens},"totalToolUseCount":{child.calls}}}',
        )

    def _result(self, use: ToolUse, tool_id: str, source: str) -> None:
        rng, writer = self.rng, self.writer
        is_main, is_new = self.setting.agent is None, self.setting.release.is_new
        if use.name == "Bash" and not is_new and rng.random() < 0.3:
            output = self.texts.terminal.cut(rng, 2000)
            data = f'{{"type":"bash_progress","output":"{output}","fullOutput":"{output}"}}'
            writer.progress(data, "bash-progress-0", tool_id, self.at_s)
        self._wait(log_normal(rng, 0.4, 15, 600))
        if is_main and not is_new:
            writer.hook_progress(use.name, tool_id, self.at_s)
        if is_main and use.name == "Edit":
            self._back_up(source)
        writer.tool_result(use, tool_id, source, self.at_s)
        self._take_in(len(use.content))
        if is_main and is_new and rng.random() < 0.06:
            writer.attachment('"type":"task_reminder","content":[],"itemCount":0', self.at_s)

    def _back_up(self, source: str) -> None:
        if len(self.backups) < 6:
            name = f"src/{self.texts.word(self.rng)}_{len(self.backups)}.py"
            self.backups.append(f'"{name}":{{"backupFileName":"{source[:16]}@v1","version":1}}')
        if self.rng.random() < 0.3:
            self.writer.file_snapshot(",".join(self.backups), self.at_s, is_update=True)

    def _interrupted(self) -> None:
        end = (
            '"stop_reason":"stop_sequence","stop_sequence":"","usage":{"input_tokens":0,"output_tokens":0,'
            '"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"service_tier":null}'
        )
        block = '{"type":"text","text":"No response requested."}'
        start = f'"model":"<synthetic>","id":"{self.ids.uuid()}"'
        self.writer.assistant(start, block, end, self.at_s)
