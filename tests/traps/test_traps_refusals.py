"""Refusals in every format: free before any output from 2026-06-02 on, by category from 2026-09-24 on.

Fable 5 costs 10 USD a million tokens of input, 12.50 written, 1 read, 50 of output; Opus 4.8 half of that.
"""

import json
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from costscan.rulebook import load_rules
from costscan.scenarios import price_scenarios
from diagnosed import findings_of
from logs import OPUS, Json, Line, assistant, message, pair, sse, streamed, text, usage, user, write
from seen import Seen, analyzed, see, see_each

FABLE = "claude-fable-5"
ASKED = usage(2, read=150_000, w5m=9000, out=1)
ASKED_USD = Decimal("0.00002") + Decimal("0.15") + Decimal("0.1125") + Decimal("0.00005")
BEFORE, FREE, BY_CATEGORY = "2026-06-01", "2026-09-23", "2026-09-24"
NAMED = ("cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms")
BILLED = {"bio", "frontier_llm", "reasoning_extraction"}
LOST = object()
"""No `stop_details` in the log."""


def details(category: Any) -> Json:
    if category is LOST:
        return {}
    told = (
        None if category == "no details" else {"type": "refusal", "category": category, "explanation": None}
    )
    return {"stop_details": told}


def refused(category: Any = "cyber", used: Json | None = None, **more: Any) -> Json:
    """Return a refused response; by default one before any output."""
    plain = {"model": FABLE, "stop_reason": "refusal", "content": []}
    return message("msg_1", used or ASKED, **(plain | details(category) | more))


def costs(seen: Seen) -> list[Decimal | None]:
    return seen.analysis.turns["usd"].to_list()


def as_line(line: Json, answer: Json) -> Json:
    return line | {"message": line["message"] | answer}


def told(answer: Json, day: str) -> dict[str, list[Line]]:
    """Return the logs that tell of a response: one of every format."""
    now = {"timestamp": f"{day}T12:00:00Z"}
    unfinished = answer | {"stop_reason": None} | ({"stop_details": None} if "stop_details" in answer else {})
    end = {"stop_reason": answer["stop_reason"]}
    if "stop_details" in answer:
        end["stop_details"] = answer["stop_details"]
    delta = {
        "type": "message_delta",
        "delta": end,
        "usage": {"output_tokens": answer["usage"]["output_tokens"]},
    }
    begin = {"type": "message_start", "message": unfinished | {"content": []}}
    blocks = [
        {"type": "content_block_start", "index": i, "content_block": b}
        for i, b in enumerate(answer["content"])
    ]
    events = [{"type": "stream_event", "session_id": "s1", "event": e} for e in (begin, delta)]
    shown = {**answer, "content": answer["content"] or [text("")]}
    return {
        "transcript": [user() | now, as_line(assistant(), shown) | now],
        "transcript, told twice": [as_line(assistant(uuid=u), shown) | now for u in "ab"],
        "stream": [as_line(streamed(), shown) | now],
        "stream of events": [events[0], as_line(streamed(), shown | {"stop_reason": None}) | now, events[1]],
        "pair": [pair(answer) | now],
        "pair, streamed": [pair() | now | {"response": None, "response_sse": sse(begin, *blocks, delta)}],
        "batch": [{"custom_id": "c", "result": {"type": "succeeded", "message": answer}} | now],
    }  # fmt: skip


def test_what_a_refusal_before_output_costs(tmp_path: Path) -> None:
    cases: dict[str, list[Line]] = {}
    wanted: dict[str, Decimal] = {}
    for category, day in product([*NAMED, None, "no details", "new kind"], [BEFORE, FREE, BY_CATEGORY]):
        for form, lines in told(refused(category), day).items():
            name = f"{form} {day} {category}"
            cases[name] = lines
            billed = day == BEFORE or (day == BY_CATEGORY and category in BILLED)
            half = form == "batch"
            wanted[name] = (ASKED_USD / 2 if half else ASKED_USD) if billed else Decimal(0)
    found = see_each(tmp_path, cases)
    assert {name: turns["usd"].to_list() for name, turns in found.items()} == {
        n: [u] for n, u in wanted.items()
    }
    for name, turns in found.items():
        row = turns.row(0, named=True)
        assert (row["cache_read_tokens"], row["cache_write_5m_tokens"]) == (150_000, 9000), name
        assert (row["tier"] == "unbilled") == (wanted[name] == 0), name
        assert row["usage_from"] == "reported", name
    meters = found.seen.bill.filter(found.seen.bill["usd"] == 0)
    assert set(meters["meter"]) == {"input", "cache_read", "cache_write_5m", "output"}


def test_a_refusal_after_some_output_is_billed(tmp_path: Path) -> None:
    half = refused("cyber", usage(1000, out=40), content=[text("Sure, the first step is")])
    few = refused("cyber", usage(1000, out=5), content=[text("Sure,")])
    unseen = refused("cyber", usage(1000, out=40))
    thought = refused(
        "cyber", usage(1000, out=5), content=[{"type": "thinking", "thinking": "", "signature": "c2ln" * 9}]
    )
    cases = {
        f"{name} {form}": lines
        for name, answer in {"half": half, "few": few, "unseen": unseen, "thought": thought}.items()
        for form, lines in told(answer, FREE).items()
        if form != "batch"
    }
    for name, turns in see_each(tmp_path, cases).items():
        out = 5 if name.startswith(("few", "thought")) else 40
        assert turns["usd"].to_list() == [Decimal("0.01") + out * Decimal("0.00005")], name


def test_a_category_that_was_not_logged(tmp_path: Path) -> None:
    lost = refused(LOST)
    cases = {f"{day} {form}": lines for day in (FREE, BY_CATEGORY) for form, lines in told(lost, day).items()}
    for name, turns in see_each(tmp_path, cases).items():
        row = turns.row(0, named=True)
        # It may have been billed: a lower bound.
        doubtful = name.startswith(BY_CATEGORY)
        assert (row["usd"], row["usage_from"]) == (0, "placeholder" if doubtful else "reported"), name


def test_the_end_of_a_process_tells_of_a_refusal(tmp_path: Path) -> None:
    now = {"timestamp": f"{FREE}T12:00:00Z"}
    end = {"type": "result", "session_id": "s1", "stop_reason": "refusal"}
    silent = as_line(streamed(), refused() | {"content": [text("")], "stop_reason": None}) | now
    spoke = as_line(streamed(), refused() | {"content": [text("Yes")], "stop_reason": None}) | now
    found = see_each(tmp_path, {"silent": [silent, end], "spoke": [spoke, end]})
    assert [found[name]["usd"].to_list() for name in ("silent", "spoke")] == [[0], [ASKED_USD]]


def attempt(model: str, kind: str = "message", **used: int) -> Json:
    return usage(used.pop("plain", 0), **used) | {"type": kind, "model": model}


def hand_over(category: Any = LOST, to: str = OPUS) -> Json:
    why = {} if category is LOST else {"trigger": {"type": "refusal", "category": category}}
    return {"type": "fallback", "from": {"model": FABLE}, "to": {"model": to}} | why


def fallback(content: list[Json], *attempts: Json, **more: Any) -> Json:
    top = {k: v for k, v in attempts[-1].items() if k not in {"type", "model"}}
    return message("msg_1", top | {"iterations": list(attempts)}, content=content, model=OPUS, **more)


DECLINED = attempt(FABLE, plain=30_000)
ANSWERED = attempt(OPUS, "fallback_message", plain=2, read=54_112, out=136)
DECLINED_USD, ANSWERED_USD = Decimal("0.3"), Decimal("0.030466")


def test_what_a_declined_attempt_costs(tmp_path: Path) -> None:
    cases: dict[str, list[Line]] = {}
    wanted: dict[str, list[Decimal]] = {}
    for category, day in product([*NAMED, None, LOST], [BEFORE, FREE, BY_CATEGORY]):
        answer = fallback([hand_over(category), text("yes")], DECLINED, ANSWERED)
        for form, lines in told(answer, day).items():
            if form != "batch":
                name = f"{form} {day} {category}"
                cases[name] = lines
                billed = day == BEFORE or (day == BY_CATEGORY and category in BILLED)
                wanted[name] = [DECLINED_USD if billed else Decimal(0), ANSWERED_USD]
    found = see_each(tmp_path, cases)
    assert {name: turns["usd"].to_list() for name, turns in found.items()} == wanted
    for name, turns in found.items():
        assert turns["input_tokens"].to_list() == [30_000, 2], name
        assert turns["model"].to_list() == [FABLE, OPUS], name
        doubtful = BY_CATEGORY in name and str(LOST) in name
        assert turns["usage_from"].to_list()[0] == ("placeholder" if doubtful else "reported"), name


def test_each_attempt_has_its_own_category(tmp_path: Path) -> None:
    opus5 = attempt("claude-opus-5", plain=1000)
    last = attempt(OPUS, "fallback_message", plain=1000)
    handed = [hand_over("bio", "claude-opus-5"), hand_over("cyber")]
    end = {"stop_reason": "refusal", **details("frontier_llm")}
    answer = fallback(handed, DECLINED, opus5, last, **end)
    wanted = [Decimal("0.3"), Decimal(0), Decimal("0.005")]
    split = [as_line(assistant(uuid=str(n)), answer | {"content": [block]}) for n, block in enumerate(handed)]
    now = {"timestamp": f"{BY_CATEGORY}T12:00:00Z"}
    cases = told(answer, BY_CATEGORY) | {"a line a block": [line | now for line in split]}
    del cases["batch"]
    for form, turns in see_each(tmp_path, cases).items():
        assert turns["usd"].to_list() == wanted, form


def test_an_attempt_that_wrote_something_is_billed(tmp_path: Path) -> None:
    started = [text("First,"), hand_over("cyber"), text("yes")]
    cases = {
        # Five tokens, and the text they are.
        "seen": fallback(started, DECLINED | {"output_tokens": 5}, ANSWERED),
        "counted": fallback([hand_over("cyber"), text("yes")], DECLINED | {"output_tokens": 9}, ANSWERED),
        # It used a tool of the server before it declined.
        "a loop": fallback([hand_over("cyber"), text("yes")], attempt(FABLE, out=40), DECLINED, ANSWERED),
    }
    found = see_each(tmp_path, {name: told(answer, FREE)["pair"] for name, answer in cases.items()})
    out = {"seen": 5, "counted": 9, "a loop": 40}
    for name, turns in found.items():
        assert turns["usd"].sum() == DECLINED_USD + out[name] * Decimal("0.00005") + ANSWERED_USD, name


def test_calls_of_the_model_that_answers_are_billed(tmp_path: Path) -> None:
    loop = attempt(OPUS, plain=1000, out=3)
    answer = fallback([hand_over("cyber"), text("yes")], DECLINED, loop, ANSWERED)
    sticky = fallback([text("yes")], ANSWERED)
    found = see_each(tmp_path, {"loop": told(answer, FREE)["pair"], "sticky": told(sticky, FREE)["pair"]})
    assert found["loop"]["usd"].to_list() == [0, Decimal("0.005075"), ANSWERED_USD]
    assert found["sticky"]["usd"].to_list() == [ANSWERED_USD]


def test_a_transcript_tells_the_category_elsewhere(tmp_path: Path) -> None:
    now = {"timestamp": f"{BY_CATEGORY}T12:00:00Z"}
    answer = fallback([hand_over(), text("yes")], DECLINED, ANSWERED)
    line = as_line(assistant(), answer) | now | {"requestId": "req_1"}
    for category, usd in (("bio", DECLINED_USD), ("cyber", Decimal(0)), (None, Decimal(0))):
        notice = {"type": "system", "subtype": "model_refusal_fallback", "requestId": "req_1",
                  "sessionId": "s1", "apiRefusalCategory": category}  # fmt: skip
        seen = see(write(tmp_path / f"{category}.jsonl", line, notice))
        assert (costs(seen), seen.column("usage_from")[0]) == ([usd, ANSWERED_USD], "reported")


def test_a_redeemed_credit_is_in_the_usage_already(tmp_path: Path) -> None:
    # The API moves what it credits from the write counter to the read counter: both are billed as logged.
    cases: dict[str, list[Line]] = {}
    for status in ({"type": "redeemed"}, {"type": "not_applied", "reason": "expired"}, None):
        used = usage(100, read=50_000, w5m=700, out=10, fallback_credit=status and {"status": status})
        cases[str(status)] = told(message("msg_1", used), FREE)["pair"]
    wanted = Decimal("0.0005") + Decimal("0.025") + Decimal("0.004375") + Decimal("0.00025")
    assert {turns["usd"].item() for turns in see_each(tmp_path, cases).values()} == {wanted}


def test_copies_of_a_refusal_agree(tmp_path: Path) -> None:
    forms = told(refused("bio"), BY_CATEGORY)
    bare = as_line(streamed(), refused(LOST) | {"content": [text("")]}) | {
        "timestamp": f"{BY_CATEGORY}T12:00:00Z"
    }
    write(tmp_path / "a" / "s.jsonl", *forms["transcript"])
    write(tmp_path / "a" / "stream.jsonl", bare)
    late = refused("cyber", usage(2, read=150_000, w5m=9000, out=900), content=[text("so " * 900)])
    write(tmp_path / "b" / "s.jsonl", *told(late, FREE)["transcript"])
    write(tmp_path / "b" / "stream.jsonl", *told(refused("cyber"), FREE)["stream"])
    assert costs(see(tmp_path / "a")) == [ASKED_USD]
    assert costs(see(tmp_path / "b")) == [ASKED_USD + 899 * Decimal("0.00005")]


def test_other_models_and_hostile_words(tmp_path: Path) -> None:
    other = refused("cyber", model="house-model")
    tier = message("msg_1", usage(1000, service_tier="unbilled"))
    odd: list[Any] = [[], {}, 5, True, "x" * 9999, "bio\0", ["bio"]]
    cases = {"other": told(other, FREE)["pair"], "tier": told(tier, FREE)["pair"]}
    cases |= {f"odd {n}": told(refused(category), FREE)["transcript"] for n, category in enumerate(odd)}
    cases |= {
        f"block {n}": [as_line(assistant(), fallback([hand_over(o) | {"to": o}], DECLINED, ANSWERED))]
        for n, o in enumerate(odd)
    }
    found = see_each(tmp_path, cases)
    assert found["other"]["usd"].to_list() == [None]
    assert found["tier"]["usd"].to_list() != [0]
    assert {found[name]["usd"].to_list()[0] for name in cases if name.startswith(("odd", "block"))} == {
        Decimal(0)
    }


def test_a_free_turn_is_free_in_every_scenario_and_no_finding(tmp_path: Path) -> None:
    free: list[Line] = []
    for n in range(6):
        # A volatile prefix, written and never read, in fast mode, every night: all of it at no cost.
        system = [
            text(f"Today is 2026-11-1{n}. " + "word " * 20_000) | {"cache_control": {"type": "ephemeral"}}
        ]
        for turn in range(2):
            used = usage(2, w5m=30_000, speed="fast")
            answer = refused("cyber", used, id=f"msg_{n}_{turn}", model="claude-fable-5-2")
            when = {"timestamp": f"2026-11-1{n}T03:{turn * 9:02}:00Z", "run_id": f"r{n}", "task": "t"}
            free.append(pair(answer, [{"role": "user", "content": f"q{turn}"}], system=system, **when))
    billed = [json.loads(json.dumps(line).replace('"refusal"', '"end_turn"')) for line in free]
    rules = load_rules()
    with analyzed(write(tmp_path / "free.jsonl", *free)) as x:
        assert set(price_scenarios(x, None).scenarios["usd"]) == {Decimal(0)}
        assert findings_of(x, rules).is_empty()
    with analyzed(write(tmp_path / "billed.jsonl", *billed)) as x:
        assert findings_of(x, rules)["usd"].sum() > 0


def test_a_model_that_takes_over_is_no_switch_of_models(tmp_path: Path) -> None:
    when = [{"timestamp": f"{FREE}T12:0{n}:00Z"} for n in range(3)]
    begin = as_line(assistant(), message("msg_0", usage(2, w5m=30_000, out=9), model=FABLE)) | when[0]
    cold = {"plain": 2, "w5m": 30_000, "out": 136}
    inside = fallback(
        [hand_over("cyber"), text("yes")],
        attempt(FABLE, plain=2, read=30_000),
        attempt(OPUS, "fallback_message", **cold),
    )
    again = message("msg_2", usage(2, w5m=30_000, out=136), model=OPUS)
    retried = [refused("cyber", usage(2, read=30_000), content=[text("")]), again]
    logs: dict[str, tuple[list[Json], bool]] = {
        "fallback": ([inside], False),
        "retry": (retried, False),
        "switch": ([retried[0] | {"stop_reason": "end_turn"}, again], True),
    }
    for name, (answers, switched) in logs.items():
        lines = [as_line(assistant(), a) | t for a, t in zip(answers, when[1:], strict=False)]
        with analyzed(write(tmp_path / f"{name}.jsonl", begin, *lines)) as x:
            breaks = x.prefix_breaks.filter(cause="model-switched")
            assert [not f.is_empty() for f in (breaks, x.frame("model_switches"))] == [switched] * 2, name


@pytest.mark.parametrize("day", ["2026-06-02", "2026-09-23"])
def test_first_and_last_day_of_the_free_time(day: str, tmp_path: Path) -> None:
    cases = {"first": told(refused("bio"), day)["pair"]}
    assert see_each(tmp_path, cases)["first"]["usd"].to_list() == [0]
