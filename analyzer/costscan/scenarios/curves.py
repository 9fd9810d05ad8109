"""What a cap on the results of a tool would save, and what it costs to pack many items into a context."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from costscan.levers import batching
from costscan.levers.replaying import Replaying, replay
from costscan.levers.trimming.cap_tool_results import CAPS
from costscan.prices import usd_of
from costscan.scenarios.workspace import Workspace
from costscan.schema.frames import USD

if TYPE_CHECKING:
    from costscan.analysis import Analysis


def _schema(columns: Mapping[str, Any]) -> pl.Schema:
    return pl.Schema(columns)


ITEMS: Final = (1, 2, 5, 10, 25, 50, 100)
CAP_CURVE: Final = _schema(
    {
        "tool": pl.String,
        **dict.fromkeys(("cap_tokens", "results", "runs", "cut_tokens"), pl.Int64),
        "saved_usd": USD,
        "used_again_share": pl.Float64,
        "is_chosen": pl.Boolean,
    }
)
"""By tool and cap: results over it, the runs they are in, what they have over it, what leaving that out would
save, in which share of them later text refers to what lies behind the cap (of those that tell), and
whether the settings have this cap."""
PACK_CURVE: Final = _schema(
    {"items": pl.Int64, "contexts": pl.Int64, "runs": pl.Int64, "context_tokens": pl.Int64, "usd": USD}
)
"""By items to a context: contexts, the runs in them, the mean length of a context, what the runs cost."""


def cap_curve(analysis: "Analysis", cap: pl.Expr, fixed: int | None = None) -> pl.DataFrame:
    """Return `CAP_CURVE` of the tools with results over a cap.

    What is cut is priced as it was: written when it entered, carried by each later turn.

    Args:
        analysis: the analysis.
        cap: what the results of a `tool` are cut to, null where they are not.
        fixed: the cap of all tools, if that is set.
    """
    caps = sorted({*CAPS, *([] if fixed is None else [fixed])})
    costs = analysis.block_costs.select("entry_usd", "carried_usd", "used_to")
    results = (
        pl.concat([analysis.blocks.select("run_id", "kind", "tool", "tokens"), costs], how="horizontal")
        .filter((pl.col("kind") == "tool_result") & (pl.col("tokens") > caps[0]))
        .collect()
    )
    share = (pl.col("tokens") - pl.col("cap_tokens")) / pl.col("tokens")
    usd = (pl.col("entry_usd") + pl.col("carried_usd")).cast(pl.Float64) * share
    each = [
        results.with_columns(cap_tokens=pl.lit(cap, pl.Int64)).filter(pl.col("tokens") > cap) for cap in caps
    ]
    return (
        analysis.rooted(pl.concat(each))
        .with_columns(pl.col("tool").fill_null("unnamed"), usd=usd)
        .group_by("tool", "cap_tokens")
        .agg(
            results=pl.len().cast(pl.Int64),
            runs=pl.col("root_run_id").n_unique().cast(pl.Int64),
            cut_tokens=(pl.col("tokens") - pl.col("cap_tokens")).sum(),
            saved_usd=pl.col("usd").sum().cast(USD),
            used_again_share=(pl.col("used_to") * pl.col("tokens") > pl.col("cap_tokens")).mean(),
        )
        .with_columns(is_chosen=(pl.col("cap_tokens") == cap).fill_null(value=False))
        .sort("tool", "cap_tokens")
        .select(*CAP_CURVE)
    )


def pack_curve(workspace: Workspace) -> pl.DataFrame:
    """Return `PACK_CURVE` of the runs that can be packed; none where there are no such runs."""
    runs = workspace.contexts(max(ITEMS))["run_id"]
    tasks = [_packed_row(workspace, items, runs) for items in ITEMS] if len(runs) else []
    return pl.DataFrame(workspace.done(tasks), schema=PACK_CURVE, orient="row")


def _packed_row(workspace: Workspace, items: int, runs: pl.Series) -> Replaying[tuple[Any, ...]]:
    together = workspace.contexts(items)
    outcome = yield from replay(batching.packed(workspace.plan, together))
    costs, steps = (
        frame.filter(pl.col("run_id").is_in(runs.implode())) for frame in (outcome.runs, outcome.plan.steps)
    )
    contexts = len(runs) - together.height + int(together["is_first"].sum())
    usd = costs.select(usd_of(pl.col("known_pico_usd")).sum()).item()
    return items, contexts, steps.height, int(steps["prompt_tokens"].sum()) // contexts, usd
