"""The run report: a row per run with all that later runs are compared by. It is what `.parquet` holds."""

from typing import Final

import polars as pl

from costscan.prices import COST_COLUMNS, UNITS_OF, usd_of
from costscan.rulebook import Diagnosis
from costscan.schema.frames import PROMPT, USD
from costscan.summary.model import Summary
from costscan.summary.runs import CONTRACT, SCENARIOS

CELL: Final = ("provider", "model", "tier", "speed", "geo", "over_prompt_tokens")
"""What decides the price of a token, beside the price table: the last is the size limit a prompt was over."""
SPEND: Final = pl.Schema(
    {
        **dict.fromkeys(CELL[:-1], pl.String()),
        **dict.fromkeys((CELL[-1], "turns", *UNITS_OF.values()), pl.Int64()),
        **{f"{meter}_usd": USD for meter in UNITS_OF},
    }
)
PARTS: Final = pl.Schema({"part": pl.String(), "kind": pl.String(), "sent_tokens": pl.Int64(), "usd": USD})
FOUND: Final = pl.Schema(
    {"name": pl.String(), "fingerprint": pl.String(), "usd": USD, "message": pl.String()}
)
NESTED: Final = {"spend": SPEND, "parts": PARTS, "found": FOUND}
"""The columns that hold a list of rows per run, its sub-agents included, and the columns of these."""


def run_report(summary: Summary, analysis: Diagnosis) -> pl.DataFrame:
    """Return the runs with a cost per scenario (null where it is not known), and what it is made of.

    Beside the columns of the table of runs: `spend`, per model and what else decides a price, the turns with
    a price, their tokens and what each meter cost; `parts`, per tool or other part and kind of content, the
    tokens sent in all prompts together and what they and their output cost; `found`, the findings.
    """
    others = [name for name in summary.runs.columns if name not in {*CONTRACT, *SCENARIOS}]
    report = summary.runs.select(*CONTRACT, *others, pl.col("usd").alias("usd_as_billed"), *SCENARIOS)
    nested = (
        ("spend", _spend(analysis)),
        ("parts", _parts(analysis)),
        ("found", _of_roots(analysis, analysis.findings)),
    )
    for name, rows in nested:
        report = report.join(_nested(name, rows), on="run_id", how="left", maintain_order="left")
    return report.with_columns(pl.col(*NESTED).fill_null([]))


def basis(summary: Summary) -> dict[str, str]:
    """Return what a report says of itself: versions, and the date and source of the prices."""
    return {
        "schema_version": str(summary.schema_version),
        "costscan_version": summary.costscan_version,
        "prices_as_of": summary.prices.as_of,
        "prices_source": summary.prices.source,
        "prices_discount": str(summary.prices.discount),
        "prices_own": " ".join(summary.prices.own),
        "generated_at": summary.generated_at.isoformat(),
    }


def _of_roots(analysis: Diagnosis, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of agent threads as those of the runs that they count in."""
    return analysis.rooted(rows).drop("run_id").rename({"root_run_id": "run_id"})


def _nested(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return a row per run with a list of the rows that are its own."""
    schema = NESTED[name]
    own = rows.cast(schema).select("run_id", pl.struct(*schema).alias(name))
    return own.group_by("run_id", maintain_order=True).agg(name)


def _spend(analysis: Diagnosis) -> pl.DataFrame:
    turns = analysis.turns.with_columns(_over(analysis), run_id="root_run_id").filter(
        pl.col("usd").is_not_null()
    )
    costs = (usd_of(pl.col(pico).sum()).alias(f"{meter}_usd") for meter, pico in COST_COLUMNS.items())
    return (
        turns.group_by("run_id", *CELL)
        .agg(pl.col(*UNITS_OF.values()).sum(), *costs, turns=pl.len())
        .sort("run_id", *CELL)
    )


def _over(analysis: Diagnosis) -> pl.Series:
    """Return, per turn, the largest size limit in the price table that its prompt is over; 0 for none."""
    limits = (
        analysis.prices.filter(pl.col("over_prompt_tokens") > 0)
        .select("model", "over_prompt_tokens")
        .unique()
    )
    sizes = analysis.turns.select("model", prompt_tokens=PROMPT).with_row_index("row")
    passed = (
        sizes.join(limits, on="model")
        .filter(pl.col("prompt_tokens") > pl.col("over_prompt_tokens"))
        .group_by("row")
        .agg(pl.col("over_prompt_tokens").max())
    )
    return sizes.join(passed, on="row", how="left", maintain_order="left")["over_prompt_tokens"].fill_null(0)


def _parts(analysis: Diagnosis) -> pl.DataFrame:
    """Return what was sent and what it cost, per run, part and kind."""
    by = ("run_id", "part", "kind")
    pico = pl.col("pico_usd") + pl.col("output_pico_usd")
    return (
        _of_roots(analysis, analysis.parts)
        .group_by(by)
        .agg(pl.col("sent_tokens").sum(), usd=usd_of(pico.sum()))
        .sort(by)
    )
