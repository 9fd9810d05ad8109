"""The reduce step: what the files told, put together into runs and turns in which each call stands once.

A call may be told by several copies of its run: a session resumed or forked into a new file, a transcript and
its stream, a sub-agent's own file and the progress lines of its parent, the log of a gateway. One copy keeps
it, with the largest output any copy shows.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from costscan.formats import available
from costscan.formats.interface import BESIDE
from costscan.ingest.retold import unified
from costscan.meters import MODALITY_TOKENS, PROMPT_TOKENS, TOKENS, WRITTEN_TOKENS
from costscan.reading.conversation.refusals import UNKNOWN
from costscan.reading.conversation.usage import PLACEHOLDER_OUTPUT_TOKENS

COPY_BITS: Final = 32
_COUNTERS: Final = (
    "usage_from",
    *TOKENS,
    "thinking_tokens",
    "web_searches",
    *MODALITY_TOKENS,
    "cache_write_ttl",
)
_AGREED: Final = (*_COUNTERS, "stop_reason", "recorded_usd", "refusal")
_KNOWN_BEST: Final = {"reported": 0, "placeholder": 1, "unreported": 2}


def table(folder: Path, name: str) -> pl.LazyFrame:
    """Return one table of all tasks, with copies numbered across tasks and rows in their order."""
    tasks = {int(path.stem.rsplit("-", 1)[1]): path for path in folder.glob(f"{name}-*.arrow")}
    return pl.concat([_numbered(pl.scan_ipc(tasks[task]), task) for task in sorted(tasks)])


def _numbered(frame: pl.LazyFrame, task: int) -> pl.LazyFrame:
    if "copy" not in frame.collect_schema():
        return frame
    return frame.with_columns(pl.col("copy") + (task << COPY_BITS))


def calls_and_copies(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the calls, each marked `kept` or not, and the copies.

    The calls that are not kept stay: they say what was in the prompt before the first kept one.
    """
    copies = table(folder, "copies").collect()
    calls = _identified(_timed(table(folder, "calls").collect()))
    copies = _ranked(_rooted(_named(copies, table(folder, "agents").collect())), calls)
    ranks = copies.select("copy", "run_id", "rank", "source")
    calls = calls.join(ranks, on="copy", how="left").sort("rank", "seq")
    return _kept(unified(calls)).drop("source", "call_id"), copies


def _timed(calls: pl.DataFrame) -> pl.DataFrame:
    """Fill the time of calls without one from their neighbours in the copy."""
    return calls.with_columns(
        pl.col("at")
        .fill_null(strategy="forward")
        .over("copy")
        .fill_null(pl.col("at").fill_null(strategy="backward").over("copy")),
    )


def _identified(calls: pl.DataFrame) -> pl.DataFrame:
    """Fill the message id of calls that tell their request alone, where another copy tells both."""
    lacking = pl.col("message_id").is_null() & pl.col("request_id").is_not_null()
    if not calls.select(lacking.any()).item():
        return calls
    known = calls.filter(pl.col("message_id").is_not_null() & pl.col("request_id").is_not_null())
    ids = known.select("request_id", known_id="message_id").unique(
        "request_id", keep="first", maintain_order=True
    )
    return (
        calls.join(ids, on="request_id", how="left", maintain_order="left")
        .with_columns(message_id=pl.coalesce("message_id", "known_id"))
        .drop("known_id")
    )


def _named(copies: pl.DataFrame, agents: pl.DataFrame) -> pl.DataFrame:
    """Name the sub-agents by what their parent said of them."""
    named_agents = agents.unique(["session", "agent_id"], keep="first", maintain_order=True).select(
        (pl.col("session") + "/agent-" + pl.col("agent_id")).alias("run_id"),
        pl.col("agent").alias("named_agent"),
    )
    agent = pl.coalesce(
        "agent",
        "named_agent",
        pl.when(pl.col("parent_run_id").is_not_null() & pl.col("task").is_null()).then(pl.lit("sub-agent")),
    )
    return (
        copies.join(named_agents, on="run_id", how="left", maintain_order="left")
        .with_columns(
            agent=agent,
            task=pl.coalesce("task", pl.lit("agent:") + agent, pl.lit("unnamed")),
        )
        .drop("named_agent")
    )


def _rooted(copies: pl.DataFrame) -> pl.DataFrame:
    """Return the runs under a run that has a parent itself the topmost run as their root."""
    parents = dict(
        copies.filter(pl.col("parent_run_id").is_not_null()).select("run_id", "parent_run_id").iter_rows()
    )
    roots = {run: _root(run, parents) for run, parent in parents.items() if parent in parents}
    return copies.with_columns(
        root_run_id=pl.coalesce(
            pl.col("run_id").replace_strict(roots, default=None, return_dtype=pl.String), "root_run_id"
        )
    )


def _root(run: str, parents: Mapping[str, str]) -> str:
    """Return the topmost run above one; of runs whose parents go in a circle, the first by name."""
    way = {run: 0}
    while (parent := parents.get(run)) is not None:
        if parent in way:
            return min(name for name, place in way.items() if place >= way[parent])
        way[parent] = len(way)
        run = parent
    return run


def _ranked(copies: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Rank the copies: where a call stands in several, the copy of the lowest rank keeps it.

    Clients' own logs keep calls before what stands beside them (gateways, traces), sessions before their
    sub-agents, transcripts before streams, runs that ended earlier before those that were forked from them;
    among copies of one run, the fullest keeps.
    """
    size = calls.group_by("copy").agg(
        pl.len().alias("n"),
        pl.col("output_tokens").sum().alias("out"),
        pl.col("end_at").max().alias("ended"),
    )
    precedence = {name: log_format.precedence for name, log_format in available().items()}
    told_by = pl.col("source").replace_strict(precedence, default=None)
    order = pl.struct(
        (told_by >= BESIDE).alias("is_beside"),
        pl.col("parent_run_id").is_not_null(),
        told_by,
        pl.col("ended").max().over("run_id").fill_null(pl.datetime(9999, 1, 1, time_zone="UTC")),
        pl.col("path").min().over("run_id"),
        pl.col("run_id"),
    )
    ranked = copies.join(size, on="copy", how="left").sort(
        order,
        pl.col("n"),
        pl.col("out"),
        "path",
        "copy",
        descending=[False, True, True, False, False],
        nulls_last=True,
    )
    return ranked.with_row_index("rank").with_columns(pl.col("rank").cast(pl.Int64)).drop("n", "out", "ended")


def _kept(calls: pl.DataFrame) -> pl.DataFrame:
    """Mark of each call the copy that keeps it, and give it the counters of the one that tells them best.

    Args:
        calls: sorted by rank: of what the copies say of a call, the first one's word counts.
    """
    # Few calls stand in several copies, and comparing copies takes ten times as long as finding those calls.
    alone = pl.col("call_id").is_not_null() & pl.struct("call_id", "part").hash().is_unique()
    several = calls.select(~alone).to_series()
    agreed = _of_copies(calls.filter(several))
    rows = several.arg_true()
    kept = pl.repeat(True, calls.height, dtype=pl.Boolean, eager=True).scatter(rows, agreed["kept"])
    return calls.with_columns(*(calls[n].scatter(rows, agreed[n]) for n in _AGREED), kept.alias("kept"))


def _of_copies(calls: pl.DataFrame) -> pl.DataFrame:
    """Return `kept` and the columns on which the copies of a call must agree.

    The counters are those of one copy: one that knows them, of these the one with the largest output, of
    these one that tells cache writes apart by their TTL; where none does, another tells how the same
    writes part. Of several that tell the same, one that tells audio and images counts.
    """
    w5m, w1h = (pl.col(name) for name in WRITTEN_TOKENS)
    knows_prompt = pl.all_horizontal(pl.col(PROMPT_TOKENS).is_not_null())
    prompt_key = pl.when(knows_prompt).then(pl.struct("input_tokens", "cache_read_tokens", w5m + w1h).hash())
    calls = calls.with_columns(side=prompt_key)
    # A copy that does not know its prompt is one of those that do.
    side = pl.coalesce("side", pl.col("side").min().over("call_id", "part"), 0)
    calls = calls.with_columns(key=_same_call(side))
    tells_ttl = ((w5m + w1h > 0) & pl.col("cache_write_ttl").is_null()).any().over("key")
    best = calls.select("key", most_1h=w1h.max().over("key"), tells_ttl=tells_ttl).join(
        _best_copy(calls), on="key", how="left", maintain_order="left"
    )
    # A copy that does not tell the writes apart has them all as 5-minute ones.
    hour = pl.min_horizontal("most_1h", w5m + w1h)
    split = {
        "cache_write_5m_tokens": w5m + w1h - hour,
        "cache_write_1h_tokens": hour,
        "cache_write_ttl": pl.when(~pl.col("tells_ttl")).then("cache_write_ttl"),
    }
    return best.select(*(split.get(name, pl.col(name)).alias(name) for name in _COUNTERS)).hstack(
        calls.select(
            stop_reason=pl.col("stop_reason").drop_nulls().first().over("key"),
            recorded_usd=pl.col("recorded_usd").drop_nulls().first().over("key"),
            refusal=pl.when((best["output_tokens"] <= PLACEHOLDER_OUTPUT_TOKENS).fill_null(False)).then(
                _category().over("key")
            ),
            kept=pl.col("key").is_first_distinct(),
        )
    )


def _same_call(side: pl.Expr) -> pl.Expr:
    """Return what the copies of one call have in common; `side` names its prompt.

    Gateways reuse ids: the same id with another prompt is another call, unless its request id says it is
    the same. Calls without any id are the same only in copies of the same run.
    """
    same_request = side.min().over("call_id", "part", "request_id")
    prompt = pl.when(pl.col("request_id").is_null()).then(side).otherwise(same_request)
    return (
        pl.when(pl.col("call_id").is_not_null())
        .then(pl.struct("call_id", "part", prompt).hash())
        .when(pl.col("request_id").is_not_null())
        .then(pl.struct("request_id", "part").hash())
        .otherwise(pl.struct("run_id", "seq", "at", side.alias("side")).hash())
    )


def _best_copy(calls: pl.DataFrame) -> pl.DataFrame:
    """Return, for each key, the counters of the copy that tells them best."""
    order = (
        "key",
        pl.col("usage_from").replace_strict(_KNOWN_BEST, return_dtype=pl.Int64),
        -pl.col("output_tokens").fill_null(-1),
        -pl.col("cache_write_1h_tokens").fill_null(-1),
        -pl.sum_horizontal(MODALITY_TOKENS),
    )
    ordered = calls.sort(*order, maintain_order=True)
    return ordered.unique("key", keep="first", maintain_order=True).select("key", *_COUNTERS)


def _category() -> pl.Expr:
    """What copies say of a refusal before any output: the category, where one of them has it."""
    category = pl.col("refusal").drop_nulls()
    return pl.coalesce(category.filter(category != UNKNOWN).first(), category.first())


def numbered(calls: pl.DataFrame) -> pl.DataFrame:
    """Number the kept calls of a run: `kept_before` counts them in the copy, `base` in the copies before."""
    calls = calls.sort("rank", "seq")
    before = pl.col("kept").cast(pl.Int64).cum_sum() - pl.col("kept").cast(pl.Int64)
    calls = calls.with_columns(kept_before=before.over("copy"), turn=before.over("run_id"))
    return calls.with_columns(base=pl.col("turn") - pl.col("kept_before"))
