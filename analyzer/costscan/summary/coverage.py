"""Which incomplete usage a recorded total fills, and what the rest of it is worth.

A log may hold the output count of a message that had only begun, or a call without any usage. Where the
client recorded its total, the gap is billed as an unlogged turn; elsewhere the bill is a lower bound, and the
visible text says by how much. A total that the log does not prove leaves the bill a lower bound too.
"""

from typing import Final

import polars as pl

from costscan.billing import Selection
from costscan.prices import usd_of
from costscan.recorded_cost import Recorded
from costscan.recorded_cost.unlogged import SUFFIX
from costscan.rulebook import Diagnosis
from costscan.schema.frames import TIME
from costscan.tokenizers import FAMILIES, UNKNOWN
from costscan.usage import KNOWS_PROMPT

_TOTALS: Final = pl.Schema(
    {
        "root_run_id": pl.String(),
        "model": pl.String(),
        "total_path": pl.String(),
        "total_line": pl.Int64(),
        "total_at": TIME,
    }
)
MAX_USD: Final = 10**9
"""A recorded total above this is damage."""


def filled_turns(analysis: Diagnosis, selection: Selection | None) -> pl.DataFrame:
    """Return run_id and turn of the logged turns whose output a recorded total of session and model fills.

    With a selection only those whose unlogged rest was selected too.
    """
    unlogged = pl.col("run_id").str.ends_with(SUFFIX)
    logged = (
        analysis.turns.filter(~unlogged)
        .join(
            analysis.runs.select("run_id", "path"),
            on="run_id",
            how="left",
            maintain_order="left",
        )
        .join(_totals(analysis), on=["root_run_id", "model"], how="inner", maintain_order="left")
    )
    same_file = pl.col("path") == pl.col("total_path")
    later = (same_file & (pl.col("line") > pl.col("total_line"))) | (
        ~same_file & (pl.col("at") > pl.col("total_at")).fill_null(False)
    )
    covered = logged.filter(~later)
    rest = analysis.turns.filter(unlogged)
    if selection is not None and selection != Selection():
        covered = covered.join(
            rest.select("root_run_id", "model").unique(), on=["root_run_id", "model"], how="semi"
        )
    return covered.select("run_id", "turn")


def _totals(analysis: Diagnosis) -> pl.DataFrame:
    rows = [(t.session, model, t.path, t.line, t.at) for t in analysis.recorded for model in t.filled]
    return pl.DataFrame(rows, schema=_TOTALS, orient="row")


def open_turns(analysis: Diagnosis, filled: pl.DataFrame) -> pl.DataFrame:
    """Return the turns whose usage is not complete and not filled: run_id, turn, usage_from, missing_usd.

    `missing_usd` prices the tokens that their visible text has beyond the counts; null where the price is
    unknown. A prompt of unknown size is worth what the text of it that stands in the log is.
    """
    price = analysis.turns.select(
        "run_id", "turn", "output_tokens", "usd", "usage_from", knows_prompt=KNOWS_PROMPT
    ).hstack(analysis.unit.select("pico_output", "pico_input"))
    joined = analysis.unfinished.join(filled, on=["run_id", "turn"], how="anti").join(
        price, on=["run_id", "turn"], how="inner"
    )
    wrote = pl.max_horizontal(_tokens("visible_chars") - pl.col("output_tokens").fill_null(0), 0)
    sent = pl.when("knows_prompt").then(0).otherwise(_tokens("shown_chars"))
    missing = wrote * pl.col("pico_output") + sent * pl.col("pico_input")
    return joined.select("run_id", "turn", "usage_from", missing_usd=usd_of(missing))


def _tokens(chars: str) -> pl.Expr:
    """Estimate the tokens of so many characters by the tokenizer family."""
    rates = {name: family.chars_per_token for name, family in FAMILIES.items()}
    rate = pl.col("family").replace_strict(rates, default=UNKNOWN.chars_per_token, return_dtype=pl.Float64)
    return (pl.col(chars) / rate).ceil().cast(pl.Int64)


def recorded_totals(analysis: Diagnosis) -> dict[str, Recorded]:
    """Return the recorded total of every session that has a sane one."""
    return {
        t.session: t
        for t in analysis.recorded
        if (t.usd is not None or t.model_usd) and t.amount.is_finite() and 0 <= t.amount <= MAX_USD
    }


def unproven(analysis: Diagnosis, selection: Selection | None) -> list[Recorded]:
    """Return the totals that the log does not prove, with a selection those of the selected sessions."""
    totals = [t for t in analysis.recorded if not t.is_proven or t.unproven_usd]
    if selection is None or selection == Selection():
        return totals
    sessions = set(analysis.turns["root_run_id"])
    return [t for t in totals if t.session in sessions]
