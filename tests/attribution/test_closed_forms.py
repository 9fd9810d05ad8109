"""What caching costs and saves, by formula, against scenarios and bills.

With p the price of an input token, w = 1.25 or 2 the price of a written one and r = 0.1 that of a read one,
both in p, and P the tokens of the prompts of a loop:

- sent plain, a loop costs p * sum(P); cached, p * (w * P[-1] + r * sum(P[:-1]))
- k reads of a prefix pay for its write when w + k * r < 1 + k: one read in five minutes, two in an hour
- an hour instead of five minutes costs 0.75 * W - (2 - r) * S more, W all that was written and S what of
  that was written again 5 to 60 minutes after its last use
"""

from decimal import Decimal

import pytest

from applied import Told, read
from slow_cache import positions_of
from workloads import MODELS, SONNET46, Calls, loops, marked, unit

W5, W1H, R = Decimal("1.25"), Decimal(2), Decimal("0.1")
SYSTEM_ONLY = {"cache_control": {"type": "ephemeral"}}


def fan_out(name: str, runs: int, apart_s: float) -> Calls:
    """Single requests on one prefix, which is marked."""
    calls = loops(name, runs=runs, turns=1, apart_s=apart_s, system=4000)
    return [call.told(system=[call.request["system"][0] | SYSTEM_ONLY]) for call in calls]


def unmarked(calls: Calls) -> Calls:
    plain = [{"type": "text", "text": call.request["system"][0]["text"]} for call in calls]
    return [call.told(system=[system]) for call, system in zip(calls, plain, strict=True)]


READS = (0, 1, 2, 5)
WORKLOADS: dict[str, Calls] = {
    **{model: loops(model, model=model, runs=1, system=5000) for model in MODELS},
    "six minutes": marked(loops("six minutes", runs=1, gap_s=360, system=4000)),
    "some pauses": marked(loops("some pauses", runs=1, gap_s=298, turns=20)),
    **{f"{k} at once": fan_out(f"{k} at once", k + 1, 0.0001) for k in READS},
    **{f"{k} in five minutes": unmarked(fan_out(f"{k} in five minutes", k + 1, 100)) for k in READS},
    **{f"{k} in an hour": unmarked(fan_out(f"{k} in an hour", k + 1, 900)) for k in READS},
    **{f"{k} every 15 minutes": fan_out(f"{k} every 15 minutes", k + 1, 900) for k in READS},
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return read(tmp_path_factory.mktemp("forms"), WORKLOADS)


def counts(told: Told, task: str, name: str) -> list[int]:
    return [line["response"]["usage"][name] for line in told.logs[task]]


def prompts(told: Told, task: str) -> list[int]:
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return [sum(row) for row in zip(*(counts(told, task, name) for name in names), strict=True)]


def output_usd(told: Told, task: str, model: str) -> Decimal:
    return unit(model)["output"] * sum(counts(told, task, "output_tokens"))


@pytest.mark.parametrize("model", MODELS)
def test_a_loop_plain_and_cached(told: Told, model: str) -> None:
    p, sent, out = unit(model)["input"], prompts(told, model), output_usd(told, model, model)
    assert told.usd(model, "as_billed") == p * sum(sent) + out
    assert told.usd(model, "caching/breakpoints") == p * (W5 * sent[-1] + R * sum(sent[:-1])) + out
    assert told.usd(model, "caching") == told.usd(model, "caching/breakpoints")


@pytest.mark.parametrize("task", ["six minutes", "some pauses"])
def test_an_hour_instead_of_five_minutes(told: Told, task: str) -> None:
    p, sent = unit(SONNET46)["input"], prompts(told, task)
    written, reads = (
        counts(told, task, "cache_creation_input_tokens"),
        counts(told, task, "cache_read_input_tokens"),
    )
    again = sum(before - now for before, now in zip(sent, reads[1:], strict=False))
    more = p * (Decimal("0.75") * sum(written) - (2 - R) * again)
    assert more < 0
    assert told.usd(task, "caching/ttl", "saved_usd") == -more
    # The formula's break-even: what is written again must be more than 0.75 / (2 - r) of what is written.
    assert again / sum(written) > Decimal("0.75") / (2 - R)


def shared(task: str) -> int:
    """The tokens of the prefix that the requests of a fan-out share."""
    positions, _ = positions_of(fan_out(task, 1, 0)[0].request, 0)
    return int(positions[-1]["tokens"])


@pytest.mark.parametrize("k", READS)
def test_parallel_requests_all_write_and_would_not_by_another_mark(told: Told, k: int) -> None:
    task = f"{k} at once"
    p, sent, size = unit(SONNET46)["input"], prompts(told, task), shared(task)
    plain = p * sum(sent) + output_usd(told, task, SONNET46)
    assert told.usd(task, "as_billed") == plain + (W5 - 1) * p * size * (k + 1)
    assert told.usd(task, "caching/ttl", "saved_usd") == 0


@pytest.mark.parametrize("k", READS)
def test_one_read_pays_for_five_minutes_and_two_for_an_hour(told: Told, k: int) -> None:
    p = unit(SONNET46)["input"]
    for when, write, pays in (("five minutes", W5, k > 0), ("an hour", W1H, k > 1)):
        task = f"{k} in {when}"
        saved = told.usd(task, "caching", "saved_usd")
        gain = p * shared(task) * (1 + k - write - k * R)
        assert (gain > 0) is pays
        # No bill tells how long the prefix is that was never marked: its tokens are estimated.
        assert saved == (pytest.approx(gain, rel=Decimal("0.01")) if pays else 0)


@pytest.mark.parametrize("k", READS)
def test_a_marked_prefix_that_is_read_every_15_minutes(told: Told, k: int) -> None:
    """Five minutes were paid each time for nothing; the hour is written once, its size is known."""
    task = f"{k} every 15 minutes"
    p, size = unit(SONNET46)["input"], shared(task)
    gain = p * size * (W5 * (k + 1) - W1H - k * R)
    assert told.usd(task, "caching/ttl", "saved_usd") == max(gain, 0)
