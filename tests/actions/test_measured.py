"""What a trial measured takes the place of what the log shows: of the risk, and of what is made again."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from billed import ROOT
from costscan.actions import Advised, advise
from costscan.actions.candidates import candidates
from costscan.actions.composed import Composer
from costscan.actions.measured import Measured, Moved
from costscan.actions.moved_calls import moved_calls
from costscan.levers.catalogue import is_to_be_tested
from costscan.rulebook import Diagnosis, find
from costscan.scenarios import price_scenarios
from costscan.scenarios.workspace import Workspace
from costscan.settings.keys import Settings
from seen import analyzed

LABELS = Moved("ticket-label", None, "single-shot-label", "claude-haiku-5-5")
MEASURED = Measured(0.75, 0.6, 0.9, 0.8, 40)
LOG = ROOT / "sample_logs/dearest-model-for-everything"


@pytest.fixture(scope="module")
def found() -> Iterator[Diagnosis]:
    with analyzed(LOG) as x:
        yield find(price_scenarios(x), ())


@pytest.fixture(scope="module")
def plain(found: Diagnosis) -> Advised:
    return advise(found)


def action(advised: Advised, subject: str = "ticket-label") -> dict[str, Any]:
    return next(row for row in advised.actions.to_dicts() if row["subject"] == subject)


def costs(found: Diagnosis) -> tuple[Decimal, Decimal]:
    """Return what the labels cost where they were made, and on the other model: they have no cache and no tools.

    Haiku costs $0.10 and $0.50 a million tokens, in and out; what it thinks is not known, as it is not asked to. Its
    tokens are those of Opus 4.8.
    """
    turns = found.turns.join(moved_calls(found, _labels(found)), on=["run_id", "turn"], how="semi")
    tokens_in, tokens_out = (int(turns[name].sum()) for name in ("input_tokens", "output_tokens"))
    assert tokens_in == turns.select(pl.sum_horizontal("input_tokens", "cache_read_tokens")).sum().item()
    there = tokens_in * Decimal("0.0000001") + tokens_out * Decimal("0.0000005")
    return Decimal(turns["usd"].sum()), there


def _labels(found: Diagnosis) -> Any:
    return next(
        one for one in candidates(found) if one.task == "ticket-label" and one.part.startswith("routing")
    )


def test_a_quarter_is_made_again(found: Diagnosis) -> None:
    own, there = costs(found)
    row = action(advise(found, measurements={LABELS: MEASURED}))
    # Three quarters save the difference, of one quarter the attempt is paid in vain.
    expected = Decimal("0.75") * own - there
    assert row["saved_usd"] == pytest.approx(expected, abs=Decimal("1e-9"))
    assert row["saved_alone_usd"] == pytest.approx(expected, abs=Decimal("1e-9"))
    # At least 60 % and at most 90 % agree: 15 % of what the calls cost to both sides.
    assert row["saved_usd"] - row["saved_low_usd"] >= Decimal("0.15") * own - Decimal("1e-9")
    assert row["saved_high_usd"] - row["saved_usd"] >= Decimal("0.15") * own - Decimal("1e-9")


def test_the_risk_says_what_was_measured(found: Diagnosis, plain: Advised) -> None:
    measured = advise(found, measurements={LABELS: MEASURED})
    assert action(measured)["risk"] == "measured: 75% (60 to 90), itself 80%"
    assert is_to_be_tested(action(measured)["risk"])
    assert MEASURED._replace(itself=None).risk == "measured: 75% (60 to 90)"
    assert action(plain)["risk"] == "needs-eval"
    for subject in ("invoice-fields", "rename-config-key"):
        assert action(measured, subject)["risk"] == "needs-eval"
        assert action(measured, subject)["saved_usd"] == action(plain, subject)["saved_usd"]
    left = Decimal(measured.turns["usd"].sum()) - sum(measured.actions["saved_usd"], Decimal(0))
    assert measured.actions["usd_after"][-1] == left


def test_what_all_agrees_saves_all(found: Diagnosis) -> None:
    own, there = costs(found)
    row = action(advise(found, measurements={LABELS: Measured(1.0, 0.9, 1.0, None, 40)}))
    assert row["saved_usd"] == pytest.approx(own - there, abs=Decimal("1e-9"))


def test_what_saves_nothing_is_no_action(found: Diagnosis) -> None:
    advised = advise(found, measurements={LABELS: Measured(0.0, 0.0, 0.1, None, 40)})
    assert "ticket-label" not in advised.actions["subject"].to_list()
    assert advised.reasons == advise(found).reasons


@pytest.mark.parametrize(
    "moved", [LABELS._replace(to_model="claude-sonnet-5-5"), LABELS._replace(task="other"),
              LABELS._replace(evidence="simple-run")],
)  # fmt: skip
def test_another_trial_changes_nothing(found: Diagnosis, plain: Advised, moved: Moved) -> None:
    assert advise(found, measurements={moved: MEASURED}).actions.equals(plain.actions)


def test_it_lies_between_all_and_none(found: Diagnosis) -> None:
    """By hand, from the outcomes of the log as it is, with all calls there, and what the calls cost there."""
    workspace, setting = Workspace(found, Settings()), _labels(found)
    composer = Composer(workspace, found.routes)
    shares = [replace(setting, measured=Measured(p, p, p, None, 1)) for p in (1.0, 0.0, 0.4)]
    moved, none, some = workspace.done([composer.outcome_of([one]) for one in shares])
    sums = [int(one.runs["known_pico_usd"].sum()) for one in (moved, none, some)]
    assert sums[2] == pytest.approx(0.4 * sums[0] + 0.6 * sums[1], abs=20)
    own, there = costs(found)
    assert Decimal(sums[1] - sums[0]) / 10**12 == pytest.approx(own, abs=Decimal("1e-9"))
    assert sums[1] - int(workspace.logged.runs["known_pico_usd"].sum()) == pytest.approx(
        there * 10**12, abs=20
    )
