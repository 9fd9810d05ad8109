"""Attribution of all logs, batch by batch, with the blocks on disk: they are most of what a log holds."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from costscan import ingest
from costscan.attribution import PARTS, Attributed, attribute, blocks_of
from costscan.attribution.apart import attribute_apart
from costscan.attribution.growth import GROWN
from costscan.attribution.known_prompts import without_unknown
from costscan.attribution.parts import KEYS, SUMS
from costscan.cache.logged_prompts import DEPARTURES, WINDOWS, Prompts
from costscan.cache.logged_prompts import TABLES as PROMPT_TABLES
from costscan.cache.prefix_chains import CHAINS
from costscan.calibration import Calibration
from costscan.ingest import Reading, merge
from costscan.meters import PROMPT_TOKENS
from costscan.native import CAUGHT
from costscan.prices import COST_COLUMNS
from costscan.recorded_cost.unlogged import SUFFIX
from costscan.schema.frames import PROMPT, SCHEMAS, check, empty
from costscan.schema.tables.context import BLOCKS, TOOL_CALLS
from costscan.usage import KNOWS_PROMPT, counted

AT_A_TIME: Final = 2
"""One leaves a core idle: most of the work on a batch is too small to be split."""
_PARTS_COLUMNS: Final = (*KEYS, *SUMS)


@dataclass
class Batches:
    """What attribution gives of all batches; the blocks stand in files, a run's in one.

    `reasons` says by run why what it sent is in no block.
    """

    done: list[Attributed]
    block_files: list[Path]
    reasons: dict[str, str]

    def blocks(self, name: str) -> pl.LazyFrame:
        """Return the `blocks` or the `block_costs` frame, read from disk where it is used."""
        if not self.block_files:
            return empty(name).lazy()
        return pl.concat([pl.scan_ipc(path) for path in self.block_files]).select(*SCHEMAS[name])

    def tool_calls(self) -> pl.DataFrame:
        """Return the canonical `tool_calls` frame."""
        return _concat([d.tool_calls for d in self.done], TOOL_CALLS.schema).sort(
            "run_id", "turn", maintain_order=True
        )

    def chains(self) -> pl.DataFrame:
        """Return what each turn extends, for the replay."""
        return _concat([d.readable.chains for d in self.done], CHAINS)

    def windows(self) -> pl.DataFrame:
        """Return what was marked in prompts that stand in the log, for the replay."""
        return _concat([d.readable.windows for d in self.done], WINDOWS)

    def departures(self) -> pl.DataFrame:
        """Return where prompts that stand in the log depart from those before."""
        return _concat([d.readable.departures for d in self.done], DEPARTURES)

    def growth(self, turns: pl.DataFrame) -> pl.DataFrame:
        """Return how the prompts of all turns grew that are known; an unlogged turn stands alone."""
        rest = turns.filter(pl.col("run_id").str.ends_with(SUFFIX) & KNOWS_PROMPT).select(
            "run_id",
            "turn",
            prompt_tokens=PROMPT,
            carried_tokens=pl.lit(0, pl.Int64),
            added_tokens=PROMPT,
            dropped_tokens=pl.lit(0, pl.Int64),
        )
        logged = _concat([d.growth for d in self.done], GROWN)
        return pl.concat([logged, rest.select(*GROWN)]).sort("run_id", "turn")

    def parts(self, turns: pl.DataFrame) -> pl.DataFrame:
        """Return the cost of each part of each run; `turns` have their costs.

        What no log line shows, and what is known of calls that tell too little to be split, are parts.
        """
        costs = pl.sum_horizontal(*(pl.col(c).fill_null(0) for c in COST_COLUMNS.values()))
        zero = pl.lit(0, pl.Int64)
        unlogged = pl.col("run_id").str.ends_with(SUFFIX)
        name = pl.when(unlogged).then(pl.lit(PARTS["unlogged"])).otherwise(pl.lit(PARTS["incomplete"]))
        rest = (
            turns.filter(unlogged | (~KNOWS_PROMPT & pl.col("usd").is_not_null()))
            .group_by("run_id", part=name)
            .agg(output_pico_usd=costs.sum(), sent_tokens=pl.sum_horizontal(PROMPT_TOKENS).sum())
            .with_columns(
                kind="part",
                skill=pl.lit(None, pl.String),
                pico_usd=zero,
                entry_pico_usd=zero,
            )
        )
        return pl.concat([frame.select(_PARTS_COLUMNS) for frame in (*(d.parts for d in self.done), rest)])


def attribute_all(reading: Reading, calls: pl.DataFrame, calibration: Calibration | None = None) -> Batches:
    """Attribute the calls of all copies to their blocks.

    Args:
        reading: where the blocks are.
        calls: of all copies, as `attribute` wants them.
        calibration: what was counted of how far estimates are off.
    """
    groups = [_tasks(paths) for paths in ingest.batches(reading)]
    split = _in_several(groups, calls)

    reasons: dict[str, str] = {}

    def one(number: int) -> tuple[Attributed, pl.DataFrame, Path]:
        attributed = _one_batch(reading.folder, groups[number], calls, reasons, calibration)
        blocks = attributed.numbered_blocks()
        check("blocks", blocks.select(*BLOCKS.columns))
        path = reading.folder / f"frame-blocks-{number}.arrow"
        blocks.filter(~pl.col("run_id").is_in(split.implode())).write_ipc(path)
        rest = blocks.filter(pl.col("run_id").is_in(split.implode()))
        return (
            replace(attributed, blocks=attributed.blocks.clear(), calls=attributed.calls.clear()),
            rest,
            path,
        )

    with ThreadPoolExecutor(AT_A_TIME) as threads:
        batches = list(threads.map(one, range(len(groups))))
    files = [path for _, _, path in batches]
    if not split.is_empty():
        files.append(reading.folder / "frame-blocks-rest.arrow")
        _numbered_anew([rest for _, rest, _ in batches]).write_ipc(files[-1])
    return Batches([done for done, _, _ in batches], files, reasons)


def _tasks(paths: Sequence[Path]) -> dict[int, Path]:
    return {int(path.stem.rsplit("-", 1)[1]): path for path in paths}


def _in_several(groups: Sequence[dict[int, Path]], calls: pl.DataFrame) -> pl.Series:
    """Return the runs whose copies are in more than one batch."""
    batch = {task: number for number, group in enumerate(groups) for task in group}
    task = pl.col("copy") // (1 << merge.COPY_BITS)
    return (
        calls.select("run_id", "copy")
        .unique()
        .group_by("run_id")
        .agg(n=task.replace_strict(batch, default=-1, return_dtype=pl.Int64).n_unique())
        .filter(pl.col("n") > 1)["run_id"]
    )


def _one_batch(
    folder: Path,
    tasks: dict[int, Path],
    calls: pl.DataFrame,
    reasons: dict[str, str],
    calibration: Calibration | None,
) -> Attributed:
    own = calls.filter((pl.col("copy") // (1 << merge.COPY_BITS)).is_in(list(tasks))).sort("copy", "seq")
    prompt_tables = [blocks_of([folder / f"{name}-{task}.arrow" for task in tasks]) for name in PROMPT_TABLES]
    blocks, *prompt_tables = without_unknown(own, [blocks_of(list(tasks.values())), *prompt_tables])
    own, prompts = _renumbered(counted(own)), Prompts(*prompt_tables)
    try:
        return attribute(blocks, own, prompts, calibration)
    except CAUGHT:
        return attribute_apart(blocks, own, prompts, reasons, calibration)


def _renumbered(calls: pl.DataFrame) -> pl.DataFrame:
    """Number the calls of each copy anew, where some were left out."""
    return calls.with_columns(seq=pl.int_range(pl.len(), dtype=pl.Int64).over("copy"))


def _numbered_anew(parts: list[pl.DataFrame]) -> pl.DataFrame:
    ordered = pl.concat(parts).sort("run_id", "turn_in", "block", "line")
    return ordered.with_columns(block=pl.int_range(pl.len(), dtype=pl.Int64).over("run_id"))


def _concat(frames: list[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)
