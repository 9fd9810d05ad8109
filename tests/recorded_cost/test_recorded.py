"""Sessions whose client records what they cost: the bill is what really ran, whatever the log shows of it."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hypothesis_profile import examples
from logs import HAIKU, OPUS, SONNET, Json, assistant, at, result, streamed, totals, usage, usd, user
from seen import TOKENS, Case, Each, see_each

CANONICAL = {OPUS: OPUS, SONNET: SONNET, HAIKU: "claude-haiku-4-5"}
MISSED_BY_THE_LOG = 20


@dataclass(frozen=True)
class Call:
    """A call as it ran: its prompt, its output and what the stream shows of that, at most all; who made it."""

    model: str
    plain: int
    read: int
    w5m: int
    w1h: int
    out: int
    shown: int
    maker: str = "main"

    @property
    def usd(self) -> Decimal:
        return usd(self.model, read=self.read, w5m=self.w5m, w1h=self.w1h, out=self.out, **{"in": self.plain})

    @property
    def tokens(self) -> tuple[int, ...]:
        return self.plain, self.read, self.w5m, self.w1h, self.out

    def used(self, out: int) -> Json:
        return usage(self.plain, read=self.read, w5m=self.w5m, w1h=self.w1h, out=out)


few = st.integers(0, MISSED_BY_THE_LOG)
many = st.integers(0, 5000)
MAIN = st.builds(Call, model=st.sampled_from((OPUS, SONNET)), plain=st.integers(1000, 4000), read=many, w5m=st.just(0),
                 w1h=many, out=st.integers(3, 900), shown=st.integers(0, 3))  # fmt: skip
SUB = st.builds(Call, model=st.sampled_from((OPUS, HAIKU)), plain=many, read=many, w5m=many, w1h=st.just(0),
                out=st.integers(3, 900), shown=st.integers(0, 3), maker=st.just("sub"))  # fmt: skip
HIDDEN = st.builds(Call, model=st.sampled_from((OPUS, HAIKU)), plain=few, read=few, w5m=few, w1h=few, out=few,
                   shown=st.just(0), maker=st.just("hidden"))  # fmt: skip


@dataclass(frozen=True)
class Process:
    """The calls of one client process, between the totals that it recorded."""

    stretches: tuple[tuple[Call, ...], ...]

    @property
    def calls(self) -> list[Call]:
        return [call for stretch in self.stretches for call in stretch]


STRETCHES = st.tuples(MAIN, st.lists(st.one_of(MAIN, SUB, HIDDEN), max_size=4)).map(lambda s: (s[0], *s[1]))
PROCESSES = st.lists(STRETCHES, min_size=1, max_size=3).map(lambda s: Process(tuple(s)))
SESSIONS = st.lists(PROCESSES, min_size=1, max_size=3)


def model_usage(calls: list[Call]) -> Json:
    """What the client knows of its calls, by model, the lifetimes of cache writes not told apart."""
    own: dict[str, list[Call]] = {}
    for call in calls:
        own.setdefault(call.model, []).append(call)
    return {
        model: totals(
            sum(c.plain for c in made),
            read=sum(c.read for c in made),
            write=sum(c.w5m + c.w1h for c in made),
            out=sum(c.out for c in made),
            cost=sum(c.usd for c in made),
        )
        for model, made in own.items()
    }


def stream_of(process: Process, ids: str, start: int) -> list[Json]:
    lines: list[Json] = []
    done: list[Call] = []
    for stretch in process.stretches:
        for call in stretch:
            place = {"timestamp": at(start + 10 * len(done))}
            if call.maker != "hidden":
                parent = {"parent_tool_use_id": "toolu_sub"} if call.maker == "sub" else {}
                name = f"msg_{ids}_{len(done)}"
                lines.append(
                    streamed(name, call.used(call.shown), model=call.model, content=[], **parent, **place)
                )
            done.append(call)
        lines.append(result(sum(c.usd for c in done), model_usage(done)))
    return lines


def transcript_of(session: list[Process]) -> list[Json]:
    """The main calls as a transcript has them: finished, without sub-agents and hidden calls."""
    lines = [user("go", timestamp=at(0))]
    for p, process in enumerate(session):
        for n, call in enumerate(process.calls):
            if call.maker == "main":
                place = {"timestamp": at(5000 * p + 10 * n), "requestId": f"req_{p}_{n}"}
                lines.append(
                    assistant(f"msg_{p}_{n}", call.used(call.out), model=call.model, content=[], **place)
                )
    return lines


def told(
    session: list[Process], *, apart: bool, copied: bool, with_transcript: bool
) -> dict[str, list[Json]]:
    """Tell a session: a stream or one of each process, perhaps with a copy of it and the transcript."""
    streams = [stream_of(process, str(p), 5000 * p) for p, process in enumerate(session)]
    whole = [line for lines in streams for line in lines]
    # The names are in no order of time.
    files = (
        {f"{'zma'[p]}.jsonl": lines for p, lines in enumerate(streams)} if apart else {"stream.jsonl": whole}
    )
    if copied:
        files["copy.jsonl"] = streams[0] if apart else whole
    if with_transcript:
        files["transcript.jsonl"] = transcript_of(session)
    return files


def see_sessions(cases: Sequence[Case]) -> Each:
    with tempfile.TemporaryDirectory() as folder:
        return see_each(Path(folder), {f"{n}": case for n, case in enumerate(cases)})


def tokens_of(calls: list[Call]) -> list[int]:
    return [sum(n) for n in zip(*(call.tokens for call in calls), strict=True)]


WAYS = st.fixed_dictionaries({name: st.booleans() for name in ("apart", "copied", "with_transcript")})
MANY = 8
"""Sessions of one analysis, each with ids of its own."""


@examples(8)
@given(st.lists(st.tuples(SESSIONS, WAYS), min_size=1, max_size=MANY))
def test_the_bill_is_what_ran(sessions: list[tuple[list[Process], dict[str, bool]]]) -> None:
    each = see_sessions([told(session, **way) for session, way in sessions])
    recorded = {found.session: found.usd for found in each.seen.analysis.recorded}
    for n, (turns, (session, _)) in enumerate(zip(each.values(), sessions, strict=True)):
        ran = [call for process in session for call in process.calls]
        bill = sum((call.usd for call in ran), Decimal(0))
        assert turns["usd"].sum() == bill
        for model in {call.model for call in ran}:
            own = turns.filter(model=CANONICAL[model])
            want = tokens_of([call for call in ran if call.model == model])
            assert [int(own[name].sum()) for name in TOKENS] == want, model
        known = recorded[f"s1-{n}"]
        assert known is not None
        assert abs(known - bill) < Decimal("1e-9")
    assert all(found.is_proven and not found.unproven_usd for found in each.seen.analysis.recorded)
    assert len(recorded) == len(sessions)
    assert set(each.seen.runs["root_run_id"]) == {f"s1-{n}" for n in range(len(sessions))}


@examples(4)
@given(st.lists(st.tuples(SESSIONS, st.lists(MAIN, max_size=3)), min_size=1, max_size=MANY))
def test_what_ran_after_the_last_total_is_added(sessions: list[tuple[list[Process], list[Call]]]) -> None:
    cases = []
    for session, later in sessions:
        more = [
            streamed(f"msg_late_{n}", call.used(call.shown), model=call.model, timestamp=at(50_000 + n))
            for n, call in enumerate(later)
        ]
        cases.append(
            [*told(session, apart=False, copied=False, with_transcript=False)["stream.jsonl"], *more]
        )
    for turns, (session, later) in zip(see_sessions(cases).values(), sessions, strict=True):
        known = sum((call.usd for process in session for call in process.calls), Decimal(0))
        shown = sum((c.usd - usd(c.model, out=c.out - c.shown) for c in later), Decimal(0))
        assert turns["usd"].sum() == known + shown
