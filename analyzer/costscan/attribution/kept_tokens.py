"""Tokens of blocks where the context was cut: what stays in it is as long as it was.

Where an epoch begins in the middle of a copy, some blocks left and others came in their place. Those that
stay keep their tokens, what the model wrote takes its logged output, and what was sent shares the rest. Only
where that cannot be, all share alike.

What a request with tools takes beside their definitions stands in no block: the split of a whole prompt gives
it to all of them. `of_tool_use` says how much of the tokens of each block it is.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

import polars as pl

from costscan.attribution import token_split
from costscan.models import model_info
from costscan.schema.frames import PROMPT

LEAST, MOST, MORE_TOKENS = 0.5, 2.0, 100
"""What was sent takes so many times its estimate, and that many tokens more; else not all is as it was."""
_FINE: Final = 1000


class _Row(NamedTuple):
    """A placement, and what is known of the call that it begins with."""

    nr: int
    id: int
    copy: int
    start: int
    row_in: int
    side: int
    weight: int
    is_sized: bool | None
    tokens: int
    of_tool_use: float
    kind: str
    content_hash: int | None
    is_later: bool
    is_exact: bool
    prompt_tokens: int
    wrote: int | None
    added_tokens: int


_Split: TypeAlias = list[tuple[int, int, float]]


def kept(placed: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Return placements in which blocks that stay in a context that was cut keep their tokens.

    Args:
        placed: from `tokens.placements`.
        blocks: numbered by `id`, with row_in, kind, content_hash and is_sized.
        calls: from `growth.with_epochs`, with is_exact and model.

    Returns:
        `placed` with other tokens, and of_tool_use, how many of them tool use itself adds.
    """
    adds = _tool_use(placed, blocks, calls)
    at_start = calls["starts"].gather(placed["start"]) & placed["id"].is_not_null()
    share = pl.when(at_start & (pl.col("first_tokens") > 0)).then(
        pl.col("added_tokens") / pl.col("first_tokens")
    )
    with_added = placed.join(adds, on="epoch", how="left", maintain_order="left").with_columns(
        of_tool_use=pl.col("tokens") * share.fill_null(0.0), added_tokens=pl.col("added_tokens").fill_null(0)
    )
    later = calls.filter(pl.col("starts") & (pl.col("seq") > 0) & ~pl.col("resized")).select("row", "copy")
    stays = placed.filter(pl.col("start").is_in(later["row"].implode()) & pl.col("id").is_not_null())
    columns = [*placed.columns, "of_tool_use"]
    if not (blocks["row_in"].gather(stays["id"]) < stays["start"]).any():
        return with_added.select(columns)
    numbered = with_added.with_row_index("nr").with_columns(pl.col("nr").cast(pl.Int64))
    kept_split = pl.DataFrame(_split(_rows(numbered, blocks, calls, later)), schema=_SPLIT, orient="row")
    changed = numbered.join(kept_split, on="nr", how="left", maintain_order="left").select(
        *(n for n in placed.columns if n != "tokens"),
        tokens=pl.coalesce("kept_tokens", "tokens"),
        of_tool_use=pl.coalesce("kept_of_tool_use", "of_tool_use"),
    )
    return _with_hidden(changed.select(columns), calls, later["row"])


_SPLIT: Final = {"nr": pl.Int64, "kept_tokens": pl.Int64, "kept_of_tool_use": pl.Float64}


def _tool_use(placed: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Return what tool use itself adds to the prompts of epochs: epoch, first_tokens, added_tokens."""
    tools = blocks.filter(pl.col("kind") == "tool_def").select("id")
    with_tools = placed.join(tools, on="id", how="semi")["epoch"].unique()
    tool_use_tokens = {m: info.tool_use_tokens for m in calls["model"].unique() if (info := model_info(m))}
    added = pl.col("model").replace_strict(tool_use_tokens, default=0, return_dtype=pl.Int64) + pl.col(
        "forced_tokens"
    )
    return calls.filter(pl.col("starts") & pl.col("epoch").is_in(with_tools.implode())).select(
        "epoch", first_tokens=PROMPT, added_tokens=pl.min_horizontal(added, PROMPT)
    )


def forced_tokens(calls: pl.DataFrame) -> pl.Expr:
    """Return what a request that forces a tool takes beyond one that lets the model choose.

    Args:
        calls: with model; asks is what they ask for (`reading.prompt.asks_of`).
    """
    infos = {m: info for m in calls["model"].unique() if (info := model_info(m))}
    more = {m: max(info.forced_tool_tokens - info.tool_use_tokens, 0) for m, info in infos.items()}
    forced = pl.col("asks").str.split(" ").list.contains("forced-tool").fill_null(False)
    tokens = pl.col("model").replace_strict(more, default=0, return_dtype=pl.Int64)
    return pl.when(forced).then(tokens).otherwise(0)


def _rows(
    numbered: pl.DataFrame, blocks: pl.DataFrame, calls: pl.DataFrame, later: pl.DataFrame
) -> Iterable[_Row]:
    """Return the placements of the logged blocks of copies whose context was cut, in the order of calls."""
    shown = numbered.filter(pl.col("id").is_not_null())
    each = calls.select(
        "copy",
        "prompt_tokens",
        "is_exact",
        is_later=pl.col("row").is_in(later["row"].implode()),
        wrote=pl.when(pl.col("usage_from") == "reported").then("output_tokens").shift(1),
    ).select(pl.all().gather(shown["start"]))
    own = blocks.select("row_in", "is_sized", "kind", "content_hash").select(pl.all().gather(shown["id"]))
    return (
        _Row(*row)
        for row in pl.concat([shown, each, own], how="horizontal")
        .filter(pl.col("copy").is_in(later["copy"].unique().implode()))
        .sort("start", "nr")
        .select(*_Row._fields)
        .iter_rows()
    )


class _BlockSizes:
    """How long the blocks of a copy are, without what tool use adds to them."""

    def __init__(self) -> None:
        self.sizes: dict[int, float] = {}
        self.alike: dict[tuple[str, int], float] = {}
        self.bear: set[int] = set()

    def size(self, row: _Row) -> float | None:
        """Return the size of a block that stays, or of one that is re-sent."""
        if row.row_in < row.start:
            return self.sizes.get(row.id)
        return self.alike.get((row.kind, row.content_hash)) if row.content_hash is not None else None

    def note(self, row: _Row, size: float, of_tool_use: float) -> None:
        self.sizes[row.id] = size
        if of_tool_use:
            self.bear.add(row.id)
        if row.content_hash is not None and row.side == token_split.SENT:
            self.alike[row.kind, row.content_hash] = size


def _split(rows: Iterable[_Row]) -> _Split:
    """Split the prompts of the calls at which a context was cut."""
    block_sizes, copy = _BlockSizes(), -1
    out: _Split = []
    for _, group in groupby(rows, key=attrgetter("start")):
        now = list(group)
        if now[0].copy != copy:
            block_sizes, copy = _BlockSizes(), now[0].copy
        if now[0].is_later and any(row.row_in < row.start and row.id in block_sizes.sizes for row in now):
            sizes = _sizes(now, [block_sizes.size(row) for row in now])
            adds = _adds(now, sizes, block_sizes)
            whole = _whole(now[0], [a + b for a, b in zip(sizes, adds, strict=True)])
            out += [(row.nr, n, a) for row, n, a in zip(now, whole, adds, strict=True)]
        else:
            adds = [row.of_tool_use for row in now]
            sizes = [row.tokens - a for row, a in zip(now, adds, strict=True)]
        for row, size, added in zip(now, sizes, adds, strict=True):
            block_sizes.note(row, size, added)
    return out


def _sizes(now: Sequence[_Row], kept_sizes: Sequence[float | None]) -> list[float]:
    """Return how long each block is, without what tool use adds to the prompt."""
    first = now[0]
    sizes = [float(row.weight) if size is None else size for row, size in zip(now, kept_sizes, strict=True)]
    new = [n for n, size in enumerate(kept_sizes) if size is None]
    if first.wrote:
        _scale(sizes, [n for n in new if now[n].side == token_split.WRITTEN], first.wrote)
    if not first.is_exact:
        return sizes
    prompt = first.prompt_tokens - first.added_tokens
    sent = [n for n in new if now[n].side != token_split.WRITTEN]
    estimate = sum(sizes[n] for n in sent)
    rest = prompt - sum(sizes) + estimate
    if sent and LEAST * estimate <= rest <= MOST * estimate + MORE_TOKENS:
        is_open = any(now[n].is_sized is None for n in sent)
        others = [n for n in sent if (now[n].is_sized is None if is_open else not now[n].is_sized)]
        left = rest - estimate + sum(sizes[n] for n in others)
        _scale(sizes, *((others, left) if others and left > 0 else (sent, rest)))
    else:
        _scale(sizes, range(len(sizes)), prompt)
    return sizes


def _scale(sizes: list[float], places: Sequence[int], total: float) -> None:
    """Let the sizes at some places sum to a total."""
    before = sum(sizes[n] for n in places)
    for n in places:
        sizes[n] *= total / before if before else 0


def _adds(now: Sequence[_Row], sizes: Sequence[float], block_sizes: _BlockSizes) -> list[float]:
    """Return what of tool use each block has: that stays with the blocks that had it."""
    bear = [row.id in block_sizes.bear and row.row_in < row.start for row in now]
    if not any(bear):
        bear = [True] * len(now)
    total = sum(size for size, does in zip(sizes, bear, strict=True) if does)
    share = now[0].added_tokens / total if total else 0
    return [size * share if does else 0.0 for size, does in zip(sizes, bear, strict=True)]


def _whole(first: _Row, sizes: Sequence[float]) -> list[int]:
    """Return whole tokens that sum to the prompt, or in transcripts to what is shown of it."""
    budget = first.prompt_tokens if first.is_exact else min(round(sum(sizes)), first.prompt_tokens)
    weights = [max(round(size * _FINE), 1) for size in sizes]
    total = sum(weights)
    out = [budget * weight // total for weight in weights]
    by_rest = sorted(range(len(out)), key=lambda n: (-(budget * weights[n] % total), -weights[n]))
    for n in by_rest[: budget - sum(out)]:
        out[n] += 1
    return out


def _with_hidden(placed: pl.DataFrame, calls: pl.DataFrame, later: pl.Series) -> pl.DataFrame:
    """Say anew what no block explains of the prompts at which a context was cut."""
    at = pl.col("start").is_in(later.implode())
    shown = placed.filter(~(at & pl.col("id").is_null()))
    sums = shown.filter(at).group_by(row="start").agg(shown=pl.col("tokens").sum())
    hidden = (
        calls.filter(pl.col("row").is_in(later.implode()))
        .join(sums, on="row", how="left", maintain_order="left")
        .with_columns(hidden=pl.col("prompt_tokens") - pl.col("shown").fill_null(0))
        .filter(pl.col("hidden") > 0)
        .select(
            "epoch",
            start="row",
            weight="hidden",
            tokens="hidden",
            id=pl.lit(None, pl.Int64),
            side=pl.lit(token_split.HIDDEN_FIRST, pl.Int64),
            of_tool_use=pl.lit(0.0),
        )
    )
    return pl.concat([shown, hidden.select(shown.columns)])


__all__ = ["forced_tokens", "kept"]
