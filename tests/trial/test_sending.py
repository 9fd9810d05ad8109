"""What trials send, what that may cost, and what becomes of it when the API is busy or answers nothing."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costscan.errors import CostscanError
from costscan.trial.plan import ITSELF, TARGET
from trial_server import TrialServer, words
from trials import LABEL, MAX_TOKENS, OWN, TARGET_MODEL, logged, pair, prices, run, session, wanted

CACHED: dict[str, Any] = {
    "system": [{"type": "text", "text": "You label.", "cache_control": {"type": "ephemeral"}}]
}
"""A request with a breakpoint."""
HAIKU_OUT_USD = Decimal("0.0000005")
OPUS_IN_USD, OPUS_OUT_USD = Decimal("0.000004"), Decimal("0.00002")


def right(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Answer every tenth message with another label."""
    number = int(body["messages"][0]["content"].split()[1].strip("."))
    return words("other" if number % 10 == 0 else LABEL)


@pytest.mark.parametrize("is_live", [False, True])
def test_requests_go_as_they_were_logged(api: TrialServer, tmp_path: Path, is_live: bool) -> None:
    extra: dict[str, Any] = {
        **CACHED,
        "stream": True,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "me"},
    }
    calls = logged(tmp_path / "log.jsonl", [pair(n, **extra) for n in range(20)])
    api.answer = right
    found = run(api, tmp_path / "state", calls, wanted(itself=5, is_live=is_live))
    asked = [{"model": TARGET_MODEL, **_sent(n)} for n in range(20)]
    of_target = [body for body in api.bodies if body["model"] == TARGET_MODEL]
    assert sorted(of_target, key=str) == sorted(asked, key=str)
    assert [body["model"] for body in api.bodies].count(OWN) == 5
    assert {str(key).removeprefix("Bearer ") for key in api.keys} == {"sk-ant-test"}
    share = found.of_role(TARGET)
    assert (share.share, share.n) == (0.9, 20)
    assert found.of_role(ITSELF).n == 5
    # 100 tokens in and 10 out each, at half price in a batch.
    full = 20 * (100 * HAIKU_OUT_USD / 5 + 10 * HAIKU_OUT_USD) + 5 * (100 * OPUS_IN_USD + 10 * OPUS_OUT_USD)
    assert found.usd == (full if is_live else full / 2)
    assert all((row.duration_s is not None) == is_live for row in found.rows)


def _sent(number: int) -> dict[str, Any]:
    return {
        "max_tokens": MAX_TOKENS,
        "messages": [{"role": "user", "content": f"Message {number}. Which label?"}],
        "system": [{"type": "text", "text": "You label."}],
        "stop_sequences": ["END"],
    }


def test_it_stops_as_soon_as_it_is_clear(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(90)])
    api.answer = lambda _: words("other")
    found = run(api, tmp_path / "state", calls, wanted(sample=90))
    assert found.of_role(TARGET)[0::3] == (0.0, 30)
    assert found.stopped == "agreement is surely below 90%"
    assert len(api.bodies) == 30


@pytest.mark.parametrize("is_live", [False, True])
def test_it_never_spends_more_than_it_may(api: TrialServer, tmp_path: Path, is_live: bool) -> None:
    """Each answer is as long as it may be; the prompt is as long as it was, and what tool use may add is not."""
    calls = logged(tmp_path / "log.jsonl", [pair(n, max_tokens=20_000) for n in range(60)])
    api.usage = lambda _: {"input_tokens": 100, "output_tokens": 20_000}
    full = Decimal("0.0100") / (1 if is_live else 2)
    limit = 7 * full
    found = run(api, tmp_path / "state", calls, wanted(max_usd=limit, is_live=is_live))
    assert found.usd <= limit
    assert found.usd == len(api.bodies) * (20_000 * HAIKU_OUT_USD + 100 * HAIKU_OUT_USD / 5) / (
        1 if is_live else 2
    )
    # One more would not have fit: what it may cost is what it costs, and tool use.
    assert len(api.bodies) == 6
    assert found.stopped.startswith("the next request may cost $0.0")


def test_what_was_not_used_up_is_spent_on_more(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n, max_tokens=20_000) for n in range(10)])
    api.answer = lambda _: words(LABEL)
    # Three at a time may cost no more than this; answers are short.
    found = run(api, tmp_path / "state", calls, wanted(max_usd=Decimal("0.0155"), sample=10))
    assert found.stopped == "all of the sample was asked"
    assert [len(batch.requests) for batch in api.batches.values()] == [3, 3, 3, 1]


def test_nothing_is_sent_that_may_cost_too_much(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(1)])
    found = run(api, tmp_path / "state", calls, wanted(max_usd=Decimal("0.000001")))
    assert (found.rows, api.paths) == ([], [])


@pytest.mark.parametrize("status", [429, 529])
@pytest.mark.parametrize("is_live", [False, True])
def test_a_busy_api_is_asked_again(api: TrialServer, tmp_path: Path, is_live: bool, status: int) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(3)])
    api.failures.extend([status, status])
    found = run(api, tmp_path / "state", calls, wanted(is_live=is_live))
    assert found.of_role(TARGET).n == 3
    assert set(api.asked.values()) == {1}


def test_an_answer_that_failed_is_no_disagreement(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(10)])
    api.answer, api.errs = (lambda _: words(LABEL)), "Message 7."
    found = run(api, tmp_path / "state", calls)
    assert found.of_role(TARGET)[0::3] == (1.0, 9)
    assert [(row.state, row.why) for row in found.rows if row.agrees is None] == [("failed", "No such thing")]
    assert found.usd == 9 * (100 * HAIKU_OUT_USD / 5 + 10 * HAIKU_OUT_USD) / 2


def test_a_key_that_is_refused_ends_it(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(3)])
    for is_live in (False, True):
        api.failures.extend([401] * 3)
        with pytest.raises(CostscanError, match="the API answers 401: Busy") as told:
            run(api, tmp_path / f"state {is_live}", calls, wanted(is_live=is_live))
        assert told.value.hint == "check ANTHROPIC_API_KEY"
        api.failures.clear()
    assert run(api, tmp_path / "state True", calls, wanted(is_live=True)).of_role(TARGET).n == 3


def test_a_live_answer_that_may_have_been_billed_counts_as_billed(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(3)])
    api.failures.append(504)
    found = run(api, tmp_path / "state", calls, wanted(is_live=True))
    lost = [row for row in found.rows if row.state == "lost"]
    assert len(lost) == 1
    # 100 tokens and what tool use may add, and all that may be answered.
    assert lost[0].usd == prices(is_live=True).most_usd(TARGET_MODEL, 1100, MAX_TOKENS)
    assert len(api.bodies) == 2


@pytest.mark.parametrize("is_live", [False, True])
def test_where_there_is_no_connection_nothing_was_sent(
    api: TrialServer, tmp_path: Path, is_live: bool
) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(9)])
    nobody = TrialServer("http://127.0.0.1:1")
    with pytest.raises(CostscanError, match="no connection to the API"):
        run(nobody, tmp_path / "state", calls, wanted(is_live=is_live))
    with session(tmp_path / "state", calls, wanted(is_live=is_live)) as one:
        assert one.state.spent_usd == 0
    assert run(api, tmp_path / "state", calls, wanted(is_live=is_live)).of_role(TARGET).n == 9


def test_an_api_that_is_down_is_asked_later(api: TrialServer, tmp_path: Path) -> None:
    calls = logged(tmp_path / "log.jsonl", [pair(n) for n in range(3)])
    api.failures.extend([503] * 60)
    with pytest.raises(CostscanError, match="the API answers 503"):
        run(api, tmp_path / "state", calls, wanted(is_live=True))
    api.failures.clear()
    found = run(api, tmp_path / "state", calls, wanted(is_live=True))
    assert found.of_role(TARGET).n == 3
    assert set(api.asked.values()) == {1}


def test_of_one_answer_that_is_several_calls_nothing_is_asked(tmp_path: Path) -> None:
    """What its line says now is not what was billed: the id of the answer is another one."""
    pairs = [pair(n) for n in range(3)]
    calls = logged(tmp_path / "log.jsonl", pairs)
    pairs[1]["response"]["id"] = "msg_another"
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, pairs)), encoding="utf-8")
    with session(tmp_path / "state", calls) as one:
        assert len(one.sample.items) == 2
        assert one.sample.left_out == {"its request is not in the log any more, or not whole": 1}
