"""What the log proves of recorded costs: an exact part of the bill, or told beside it and never added."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from logs import (
    HAIKU,
    OPUS,
    SONNET,
    Json,
    assistant,
    at,
    cost_state,
    result,
    streamed,
    totals,
    usage,
    usd,
    user,
)
from recording import LOGGED, SIDE, SIDE_TOTAL, STEPS, STEPS_USD, TRUE, ended, main_total, own, stream, used
from seen import Case, see_each

NONE = Decimal(0)
ONE, ONE_USD = STEPS[1], STEPS_USD[1]


class Proof(NamedTuple):
    """What a log is billed, what is recorded beyond that, and whether the dollars prove what was added."""

    usd: Decimal
    unproven: Decimal = NONE
    is_proven: bool = True


def proves(folder: Path, cases: Mapping[str, tuple[Case, Proof]]) -> None:
    told = see_each(folder, {name: case for name, (case, _) in cases.items()})
    totals = {total.session: total for total in told.seen.analysis.recorded}
    for n, (name, (_, expected)) in enumerate(cases.items()):
        total = totals[f"s1-{n}"]
        billed = Decimal(told[name]["usd"].sum() or 0)
        unproven = total.unproven_usd.quantize(Decimal("1e-9"))
        assert Proof(billed, unproven, total.is_proven) == expected, name


def calls(*steps: Mapping[str, int]) -> list[Json]:
    """Return calls as a stream shows them: the prompt as it is, one token of the output."""
    return [
        streamed(
            f"msg_{n}",
            usage(s["in"], read=s.get("read", 0), w1h=s.get("w1h", 0), out=1),
            timestamp=at(10 * n),
        )
        for n, s in enumerate(steps)
    ]


def without(entry: Json, *names: str) -> Json:
    return {k: v for k, v in entry.items() if k not in names}


def price(tokens: Mapping[str, int]) -> Decimal:
    return usd(OPUS, **dict(tokens))


def both(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {name: a.get(name, 0) + b.get(name, 0) for name in (*a, *b)}


def test_results_alone_are_processes_of_their_own(tmp_path: Path) -> None:
    lines = [
        ended(step, cost, uuid=f"r{n}") for n, (step, cost) in enumerate(zip(STEPS, STEPS_USD, strict=True))
    ]
    whole = Proof(Decimal("0.81459"))
    unnamed = [without(line, "uuid") for line in lines]
    cases: dict[str, tuple[Case, Proof]] = {
        "a line each": (lines, whole),
        "without ids": (unnamed, whole),
        "a file each": ({f"step-{n}.json": [line] for n, line in enumerate(lines)}, whole),
        "files that overlap": ({"a.jsonl": lines[:2], "b.jsonl": [lines[0], lines[2]]}, whole),
        "without usage": ([without(line, "usage") for line in lines], whole),
        "another session between": ([lines[0], ended(ONE, ONE_USD, session="other"), *lines[1:]], whole),
        "the same work twice": ([lines[1], lines[1] | {"uuid": "again"}], Proof(2 * ONE_USD)),
        "one line copied": ([*unnamed, unnamed[-1]], whole),
        "a failure between": ([lines[0], result(0, {}, usage=usage()), *lines[1:]], whole),
        "numbered from zero": ([line | {"result_index": 0} for line in lines], whole),
        "each without models": ([lines[0] | {"modelUsage": {}}, *lines[1:]], Proof(sum(STEPS_USD[1:], NONE), STEPS_USD[0])),
    }  # fmt: skip
    proves(tmp_path, {name: case for name, case in cases.items() if name != "another session between"})
    alone = {"between": cases["another session between"][0]}
    turns = see_each(tmp_path / "two", alone)["between"]
    assert turns["usd"].sum() == whole.usd + ONE_USD


def test_running_totals_without_calls(tmp_path: Path) -> None:
    # The lines of the calls may have been left out of a stream: then the totals say that they count on.
    first, second = STEPS[:2]
    cost = STEPS_USD[0] + ONE_USD
    grown = result(cost, {OPUS: own(both(first, second), cost)}, usage=used(second), uuid="b")
    begun = ended(first, STEPS_USD[0], uuid="a")
    with_side = result(
        cost + SIDE, {OPUS: own(both(first, second), cost), HAIKU: SIDE_TOTAL}, usage=used(second)
    )
    proves(
        tmp_path,
        {
            "to the token": ([begun, grown], Proof(cost)),
            "numbered": ([begun | {"result_index": 0}, grown | {"result_index": 1, "usage": None}], Proof(cost)),
            "with a side call": ([begun, with_side], Proof(cost + SIDE)),
            "nothing but a side call": (
                [*calls(first), begun, with_side | {"usage": usage()}], Proof(cost + SIDE),
            ),
        },
    )  # fmt: skip


def test_totals_of_several_times_the_usage(tmp_path: Path) -> None:
    # A client that counts its calls twice records twice their tokens, at the right price of these.
    cases: dict[str, tuple[Case, Proof]] = {}
    for times in (2, 3, 10):
        wrong = ended(ONE, times * ONE_USD, times=times)
        more = (times - 1) * ONE_USD
        bare = without(wrong, "usage")
        shown = ONE_USD - usd(out=499)
        cases |= {
            f"{times} alone": ([wrong], Proof(ONE_USD, more, is_proven=False)),
            f"{times} in a stream": ([*calls(ONE), wrong], Proof(ONE_USD, more, is_proven=False)),
            f"{times} without usage": (
                [*calls(ONE), bare], Proof(shown, times * ONE_USD - shown, is_proven=False),
            ),
            f"{times} with a side call": (
                [wrong | result(times * ONE_USD + SIDE, wrong["modelUsage"] | {HAIKU: SIDE_TOTAL})],
                Proof(ONE_USD, more + SIDE, is_proven=False),
            ),
            f"{times} in one of two processes": (
                [wrong, ended(STEPS[2], STEPS_USD[2], uuid="b")],
                Proof(ONE_USD + STEPS_USD[2], more, is_proven=False),
            ),
        }  # fmt: skip
    twice = [
        user("go"),
        assistant("msg_1", usage(6, read=20_000, w1h=22_000, out=500)),
        cost_state(2 * ONE_USD, {OPUS: own(ONE, 2 * ONE_USD, times=2)}),
    ]
    cases["a transcript"] = (twice, Proof(ONE_USD, ONE_USD, is_proven=False))
    # The first of two turns that used just as much left no result; the log has both.
    cases["two turns alike"] = (
        [*calls(ONE, ONE), ended(ONE, 2 * ONE_USD, times=2)], Proof(2 * ONE_USD),
    )  # fmt: skip
    # Half of the calls may be missing: the usage says how many there were.
    cases["half of the calls logged"] = (
        [*calls(ONE), ended(both(ONE, ONE), 2 * ONE_USD)], Proof(2 * ONE_USD),
    )  # fmt: skip
    # Some multiple of a few tokens is met by chance.
    few = {"in": 2, "out": 9}
    hidden = {"in": 8, "out": 400}
    cases["few tokens"] = (
        [
            *calls(few),
            result(price(both(few, hidden)), {OPUS: own(both(few, hidden), price(both(few, hidden)))}),
        ],
        Proof(price(both(few, hidden))),
    )
    proves(tmp_path, cases)


def test_usage_stands_for_missing_models(tmp_path: Path) -> None:
    def told(cost: Decimal, tokens: Mapping[str, int] = ONE, **more: Any) -> Json:
        return result(cost, usage=used(dict(tokens)), **more)

    shown = ONE_USD - usd(out=499)
    init = {"type": "system", "subtype": "init", "session_id": "s1", "model": OPUS}
    running = [
        *calls(*STEPS[:2])[:1], told(STEPS_USD[0], STEPS[0]), calls(*STEPS[:2])[1], told(STEPS_USD[0] + ONE_USD)
    ]  # fmt: skip
    two_models = [*calls(ONE), streamed("msg_9", usage(5, out=1), model=SONNET)]
    proves(
        tmp_path,
        {
            "its dollars prove it": ([*calls(ONE), told(ONE_USD)], Proof(ONE_USD)),
            "an empty list of models": ([*calls(ONE), told(ONE_USD) | {"modelUsage": {}}], Proof(ONE_USD)),
            "beside side calls": ([*calls(ONE), told(ONE_USD + SIDE)], Proof(ONE_USD, SIDE, is_proven=False)),
            "no calls but the model": ([init, told(ONE_USD)], Proof(ONE_USD)),
            "of two turns": (running, Proof(STEPS_USD[0] + ONE_USD)),
            "no model at all": ([told(ONE_USD)], Proof(NONE, ONE_USD)),
            "no usage either": ([*calls(ONE), result(ONE_USD)], Proof(shown, ONE_USD - shown)),
            "two models": (
                [*two_models, told(ONE_USD)], Proof(shown + usd(SONNET, **{"in": 5}, out=1), ONE_USD - shown - usd(SONNET, **{"in": 5}, out=1)),
            ),
            "of a sub-agent": (
                [*calls(ONE), told(Decimal("0.01"), {"in": 3}) | {"parent_tool_use_id": "toolu_1"}, told(ONE_USD)],
                Proof(ONE_USD),
            ),
        },
    )  # fmt: skip


def test_usage_stands_for_missing_counters(tmp_path: Path) -> None:
    cache = ("cacheReadInputTokens", "cacheCreationInputTokens")

    def told(cost: Any, **more: Any) -> Json:
        return result(cost, {OPUS: without(own(ONE, cost), *cache)}, usage=used(ONE)) | more

    side = {OPUS: without(own(ONE, ONE_USD), *cache), HAIKU: SIDE_TOTAL}
    dear = ONE_USD + Decimal("0.0101")
    proves(
        tmp_path,
        {
            "as recorded": ([told(ONE_USD)], Proof(ONE_USD)),
            "beside another model": ([told(ONE_USD + SIDE, modelUsage=side)], Proof(ONE_USD + SIDE)),
            "after its calls": ([*calls(ONE), told(ONE_USD)], Proof(ONE_USD)),
            "no counter at all": (
                [told(ONE_USD, modelUsage={OPUS: {"costUSD": float(ONE_USD)}})], Proof(ONE_USD),
            ),
            # Nothing else is known of the cache: 20,200 more tokens read are what the dollars ask for.
            "more dollars than tokens": ([told(dear)], Proof(dear, is_proven=False)),
            "twice the dollars": ([told(2 * ONE_USD)], Proof(ONE_USD - usd(w1h=22_000) + usd(w5m=22_000), ONE_USD + usd(w1h=22_000) - usd(w5m=22_000), is_proven=False)),
        },
    )  # fmt: skip


def test_prices_are_those_that_give_the_dollars(tmp_path: Path) -> None:
    mixed = {"in": 6, "read": 20_000, "w5m": 7_001, "w1h": 14_999, "out": 500}
    split = {"cacheCreationEphemeral5mInputTokens": 7_001, "cacheCreationEphemeral1hInputTokens": 14_999}
    cost = price(mixed)
    short = price({"in": 6, "read": 20_000, "w5m": 22_000, "out": 500})
    nothing = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}
    odd = short + Decimal("0.0160015")
    plain = {"in": 90_000, "read": 30_000, "out": 1_000}
    # Haiku 5.5: 0.10, 0.01 and 0.50 USD per million tokens up to 100,000 tokens of a prompt, five times that above.
    small, large = Decimal("0.0098"), Decimal("0.049")

    def fast(factor: int | str, **mode: str) -> Case:
        dear = ONE_USD * Decimal(factor)
        return [ended(ONE, dear) | {"usage": used(ONE, **mode), "timestamp": at()}]

    proves(
        tmp_path,
        {
            "lifetimes that are told": ([result(cost, {OPUS: own(mixed, cost) | split})], Proof(cost)),
            "lifetimes that are not": ([result(cost, {OPUS: own(mixed, cost)})], Proof(cost)),
            # A split that comes within 1e-6 USD is no proof: some split always does.
            "at another price": (
                [result(odd, {OPUS: own(STEPS[1], odd)})],
                Proof(short, odd - short, is_proven=False),
            ),
            "at another price, lifetimes beside it": (
                [ended(ONE, 2) | {"usage": usage(6, read=20_000, w1h=22_000, out=500)}],
                Proof(ONE_USD, 2 - ONE_USD, is_proven=False),
            ),
            "lifetimes beside it that tell nothing": (
                [*calls({"in": 6}), result(ONE_USD, usage=used(ONE) | {"cache_creation": nothing})],
                Proof(ONE_USD),
            ),
            "told, at another price": (
                [result(cost + 1, {OPUS: own(mixed, cost + 1) | split})],
                Proof(cost, Decimal(1), is_proven=False),
            ),
            "fast": (fast(2, speed="fast"), Proof(2 * ONE_USD)),
            "in the US": (fast("1.1", inference_geo="us"), Proof(ONE_USD * Decimal("1.1"))),
            "a batch": (fast("0.5", service_tier="batch"), Proof(ONE_USD / 2)),
            "short prompts": ([ended(plain, small, model="claude-haiku-5-5")], Proof(small)),
            "a long prompt": ([ended(plain, large, model="claude-haiku-5-5")], Proof(large)),
            "prompts of no size": (
                [ended(plain, 1, model="claude-haiku-5-5")], Proof(small, 1 - small, is_proven=False),
            ),
        },
    )  # fmt: skip


def test_dollars_that_do_not_follow_from_the_tokens(tmp_path: Path) -> None:
    # A proxy bills at prices of its own, a client does not know a price or is wrong: list prices stay the bill.
    def told(cost: Any, total: Any = None, **more: Any) -> Case:
        entry = own({"in": 6, "read": 20_000, "out": 500}, None) | {"costUSD": cost} | more
        return [result(0, {OPUS: entry}) | {"total_cost_usd": cost if total is None else total}]

    listed = price({"in": 6, "read": 20_000, "out": 500})
    right, low = float(listed), float(listed) * 0.7
    off = Proof(listed, is_proven=False)
    tenth = Decimal("0.1")
    whole = totals(10, read=1000, write=200, out=3, cost=0.7 * float(LOGGED))
    proves(
        tmp_path,
        {
            "a discount": (told(low, costBasis="managed"), off),
            "a premium": (told(right + 0.1, costBasis="unknown"), off._replace(unproven=tenth)),
            "no price": (told(0), off),
            "no dollars": (told(None, right), Proof(listed)),
            "no dollars at all": (told(None, "?"), off),
            "absurd dollars": (told(-1, right), Proof(listed)),
            "endless dollars": (told(1e300, right), Proof(listed)),
            "far too many dollars": (told(100), off._replace(unproven=100 - listed)),
            "a total above its models": (told(right, right + 0.1), Proof(listed, tenth)),
            "a total below its models": (told(right, 0.001), Proof(listed)),
            "a discount on calls that are all logged": ([*stream(1), result(0.7 * float(LOGGED), {OPUS: whole})], Proof(LOGGED)),
            "an unknown model": (
                [*stream(1), result(TRUE + tenth, {OPUS: main_total(), "my-model": totals(50, cost=tenth)})],
                Proof(TRUE, tenth, is_proven=False),
            ),
            "less than was logged": ([*stream(3), result(LOGGED, {OPUS: totals(10, cost=LOGGED)})], Proof(3 * LOGGED)),
        },
    )  # fmt: skip


def test_a_cleared_conversation_takes_its_total_along(tmp_path: Path) -> None:
    first, second = STEPS[:2]
    cost = STEPS_USD[0] + ONE_USD
    lines = [
        *calls(first),
        ended(first, STEPS_USD[0]),
        *[line | {"session_id": "s2"} for line in calls(first, second)[1:]],
        result(cost, {OPUS: own(both(first, second), cost)}, session="s2", usage=used(second)),
    ]
    turns = see_each(tmp_path, {"cleared": lines})["cleared"]
    assert dict(turns.group_by("root_run_id").agg(pl.col("usd").sum()).iter_rows()) == {
        "s1-0": STEPS_USD[0],
        "s2-0": ONE_USD,
    }
