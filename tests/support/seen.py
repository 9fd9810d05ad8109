"""What costscan makes of some logs, and what must hold whatever the logs are."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from costscan import ingest
from costscan.analysis import Analysis, analyze
from costscan.ingest import merge
from costscan.schema.frames import check, empty
from logs import Line, joined

TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)
PROMPT = TOKENS[:4]
FRAMES = ("runs", "turns", "growth", "tool_calls", "bill", "blocks")
ONE_PICO = Decimal("1e-12")


@dataclass
class Seen:
    """The canonical frames of some logs and the counts of their reading."""

    runs: pl.DataFrame
    turns: pl.DataFrame
    growth: pl.DataFrame
    tool_calls: pl.DataFrame
    bill: pl.DataFrame
    blocks: pl.DataFrame
    parts: pl.DataFrame
    skipped: pl.DataFrame
    unknown: pl.DataFrame
    calls: pl.DataFrame
    reading: ingest.Reading
    analysis: Analysis

    @property
    def usd(self) -> Decimal:
        """The bill."""
        return Decimal(self.analysis.turns["usd"].sum())

    @property
    def tokens(self) -> tuple[int, ...]:
        """Uncached input, cache read, cache write of 5 minutes, of 1 hour, output."""
        return tuple(int(self.turns[name].sum()) for name in TOKENS)

    @property
    def n_turns(self) -> int:
        return self.turns.height

    def run_ids(self) -> list[str]:
        return sorted(self.runs["run_id"])

    def run(self, run_id: str) -> dict[str, Any]:
        return self.runs.row(by_predicate=pl.col("run_id") == run_id, named=True)

    def column(self, name: str, run_id: str | None = None) -> list[Any]:
        """A column of the turns, of all runs or of one."""
        turns = self.turns if run_id is None else self.turns.filter(run_id=run_id)
        return turns[name].to_list()

    def reasons(self) -> list[tuple[int | None, str]]:
        return [(line, reason) for _, line, reason, _ in self.skipped.iter_rows()]


def told_by(folder: Path) -> pl.DataFrame:
    """The calls as each file tells them, those that are told elsewhere too included."""
    copies = merge.table(folder, "copies").select("copy", "run_id", "path")
    return merge.table(folder, "calls").join(copies, on="copy").collect()


@contextmanager
def analyzed(*paths: Path | str, **options: Any) -> Iterator[Analysis]:
    """Read with `workers` and `source`, analyze with `pricing` and `selection`."""
    how = {name: options.pop(name) for name in ("pricing", "selection") if name in options}
    with ingest.read([str(p) for p in paths], **{"workers": 1} | options) as reading:
        yield analyze(reading, **how)


def see(*paths: Path | str, **options: Any) -> Seen:
    """Read and analyze logs, and check what must always hold; the blocks are left out (see `see_blocks`)."""
    with analyzed(*paths, **options) as found:
        seen = _seen(found, empty("blocks"))
    hold(seen)
    return seen


def see_blocks(*paths: Path | str, **options: Any) -> Seen:
    """Return what `see` gives, with the blocks."""
    with analyzed(*paths, **options) as found:
        seen = _seen(found, check("blocks", found.blocks.collect()))
    hold(seen)
    return seen


def _seen(found: Analysis, blocks: pl.DataFrame) -> Seen:
    return Seen(
        **{name: found.frame(name) for name in FRAMES if name != "blocks"},
        blocks=blocks,
        parts=found.parts,
        skipped=merge.table(found.reading.folder, "skipped").collect(),
        unknown=merge.table(found.reading.folder, "unknown").collect(),
        calls=told_by(found.reading.folder),
        reading=found.reading,
        analysis=found,
    )


def hold(seen: Seen) -> None:
    """Check that the bill is conserved by every breakdown, and that the frames are sound."""
    pico = int(seen.usd / ONE_PICO)
    assert sum(seen.bill["usd"].drop_nulls(), Decimal(0)) == seen.usd
    assert int(seen.parts.select(pl.col("pico_usd") + pl.col("output_pico_usd")).sum().item()) == pico
    assert seen.turns.select(pl.min_horizontal(TOKENS).min() >= 0).item() in {True, None}
    for name, frame in (("turn", seen.turns), ("block", seen.blocks)):
        numbers = frame.group_by("run_id").agg(pl.col(name).sort(), dense=pl.int_range(pl.len()))
        assert numbers[name].to_list() == numbers["dense"].to_list(), f"{name} not dense from 0"
    assert (seen.blocks["turn_in"] <= seen.blocks["turn_out"]).all()
    assert (seen.blocks["turn_in"] >= 0).all()
    assert (seen.blocks["tokens"] >= 0).all()
    assert set(seen.turns["run_id"]) == set(seen.runs["run_id"])
    assert set(seen.blocks["run_id"]) <= set(seen.runs["run_id"])
    grown = seen.growth.select(pl.col("carried_tokens") + pl.col("added_tokens") == pl.col("prompt_tokens"))
    assert grown.to_series().all()
    assert (
        seen.growth.select("carried_tokens", "added_tokens", "dropped_tokens").min_horizontal() >= 0
    ).all()
    both = seen.turns.join(seen.growth, on=["run_id", "turn"], how="inner", validate="1:1")
    known = seen.turns.filter(pl.all_horizontal(pl.col(PROMPT).is_not_null())).height
    assert both.height == seen.growth.height == known
    assert (both.select(pl.sum_horizontal(PROMPT)).to_series() == both["prompt_tokens"]).all()


def hold_prompts(seen: Seen) -> int:
    """Check that the blocks of each prompt sum to it, up to the first cut of each run; give how many were."""
    checked = 0
    logged = seen.turns.filter(~pl.col("run_id").str.ends_with("/unlogged"))
    rows = logged.join(seen.growth, on=["run_id", "turn"]).sort("run_id", "turn")
    for run_id, turns in rows.group_by("run_id", maintain_order=True):
        blocks = seen.blocks.filter(run_id=run_id[0])
        model = turns["model"][0]
        for row in turns.iter_rows(named=True):
            left = blocks.filter(turn_out=row["turn"]).filter(pl.col("turn_in") < pl.col("turn_out")).height
            if row["dropped_tokens"] or left or row["model"] != model:
                break
            inside = (pl.col("turn_in") <= row["turn"]) & (pl.col("turn_out") > row["turn"])
            assert int(blocks.filter(inside)["tokens"].sum()) == row["prompt_tokens"], (run_id, row["turn"])
            checked += 1
    return checked


Case: TypeAlias = "Sequence[Line] | bytes | Mapping[str, Sequence[Line]]"


class Each(dict[str, pl.DataFrame]):
    """The turns of each of many logs, with `usd`; `skips` are the lines of each that were not read as they stand."""

    skips: dict[str, list[tuple[int | None, str]]]
    unknown: dict[str, int]
    seen: Seen


def see_each(folder: Path, cases: Mapping[str, Case], *, blocks: bool = False) -> Each:
    """Read many small logs at once, each with ids of its own: a file's lines, its bytes, or several files' lines.

    An analysis takes a tenth of a second whatever the size of the log. The sessions "s1" and "s2" of the
    n-th case become "s1-n" and "s2-n".
    """
    for n, case in enumerate(cases.values()):
        files = case if isinstance(case, Mapping) else {f"log-{n:03d}.jsonl": case}
        for name, told in files.items():
            path = folder / f"case-{n:03d}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(own_ids(told if isinstance(told, bytes) else joined(told), n))
    return each_of((see_blocks if blocks else see)(folder), folder, list(cases))


def each_of(seen: Seen, folder: Path, names: Sequence[str]) -> Each:
    """Part what was seen of a folder by the folders `case-000`, `case-001`, ... in it."""
    numbers = {f"case-{n:03d}": name for n, name in enumerate(names)}

    def named(path: str) -> str:
        return numbers[Path(path).relative_to(folder).parts[0]]

    case = pl.col("path").map_elements(named, return_dtype=pl.String)
    cases = seen.runs.select("run_id", "path", case=case)
    turns = seen.analysis.turns.join(cases, on="run_id")
    each = Each({name: turns.filter(case=name) for name in names})
    each.skips = {name: [] for name in names}
    each.unknown = dict.fromkeys(names, 0)
    for path, n in seen.unknown.select("path", "lines").iter_rows():
        each.unknown[named(path)] += n
    for path, line, reason, _ in seen.skipped.iter_rows():
        each.skips[named(path)].append((line, reason))
    each.seen = seen
    return each


def own_ids(data: bytes, n: int) -> bytes:
    """Return lines as the n-th of many logs: its calls, its requests and its sessions are no other's."""
    for word in (b"msg_", b"req_"):
        data = data.replace(b'"' + word, b'"' + word + b"%d_" % n)
    for session in (b"s1", b"s2"):
        data = data.replace(b'"%s"' % session, b'"%s-%d"' % (session, n))
    return data
