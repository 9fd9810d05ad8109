"""The arithmetic of attribution against slow, obvious references."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from costscan.attribution import carried_cost, token_split
from costscan.reading.content import block as content
from costscan.reading.content.block import Block
from costscan.reading.content.measure import measure, text
from costscan.reading.conversation.request_thread import match
from hypothesis_profile import examples

CLASSES = ("cache_read", "cache_write_1h", "cache_write_5m", "input")
UNITS = ("cache_read_tokens", "cache_write_1h_tokens", "cache_write_5m_tokens", "input_tokens")


@dataclass(frozen=True)
class Call:
    """A call of an epoch: the blocks that enter with it, how its prompt is billed, at what unit prices."""

    entered: tuple[int, ...]
    shares: tuple[int, int, int, int]
    pico: tuple[int, int, int, int]


amount = st.integers(0, 9)
CALLS = st.builds(
    Call,
    entered=st.lists(st.integers(0, 12), max_size=4).map(tuple),
    shares=st.tuples(amount, amount, amount, amount),
    pico=st.one_of(st.tuples(amount, amount, amount, amount), st.just((0, 0, 0, 0))),
)
EPOCHS = st.lists(st.lists(CALLS, min_size=1, max_size=6), min_size=1, max_size=4)


def billed(call: Call, prompt: int) -> list[int]:
    """Split a prompt into tokens read, written for an hour, written for five minutes, and plain."""
    whole = sum(call.shares) or 1
    split = [prompt * share // whole for share in call.shares[:3]]
    return [*split, prompt - sum(split)]


def frames(epochs: Sequence[Sequence[Call]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows: list[Any] = []
    placed: list[Any] = []
    for epoch, calls in enumerate(epochs):
        prompt = 0
        for call in calls:
            placed += [{"epoch": epoch, "start": len(rows), "tokens": n} for n in call.entered]
            prompt += sum(call.entered)
            units = dict(zip(UNITS, billed(call, prompt), strict=True))
            prices = {f"pico_{name}": p for name, p in zip(CLASSES, call.pico, strict=True)}
            rows.append({"epoch": epoch, "prompt_tokens": prompt} | units | prices)
    schema = dict.fromkeys(("epoch", "start", "tokens"), pl.Int64)
    found = pl.DataFrame(placed, schema=schema).with_columns(id=pl.int_range(pl.len(), dtype=pl.Int64))
    return found, pl.DataFrame(rows)


def slow_costs(epochs: Sequence[Sequence[Call]]) -> list[tuple[int, int]]:
    """The cost of every block, turn by turn and token by token; and that of its first turn."""
    out: list[tuple[int, int]] = []
    for calls in epochs:
        blocks: list[list[int]] = []
        for call in calls:
            new = [[n, 0, 0] for n in call.entered]
            blocks += new
            prices = [
                p
                for p, n in zip(call.pico, billed(call, sum(b[0] for b in blocks)), strict=True)
                for _ in range(n)
            ]
            at = 0
            for block in blocks:
                cost = sum(prices[at : at + block[0]])
                at += block[0]
                block[1] += cost
                block[2] += cost if any(block is b for b in new) else 0
        out += [(b[1], b[2]) for b in blocks]
    return out


@examples(40)
@given(EPOCHS)
def test_costs_of_carried_blocks(epochs: list[list[Call]]) -> None:
    placed, calls = frames(epochs)
    costs = carried_cost.costs(carried_cost.positioned(placed, ["id"]), calls).sort("id")
    assert costs.select("pico_usd", "entry_pico_usd").rows() == slow_costs(epochs)


def _times(pico: tuple[int, int, int, int], factor: int) -> tuple[int, int, int, int]:
    a, b, c, d = pico
    return a * factor, b * factor, c * factor, d * factor


@examples(50)
@given(st.lists(CALLS, min_size=1, max_size=5), st.integers(10**6, 10**9))
def test_costs_at_real_sizes_cost_what_the_calls_cost(calls: list[Call], times: int) -> None:
    # Prompts of up to 10^9 tokens at dollars a token: sums over all epochs may pass 2^63, differences may not.
    big = [Call(tuple(n * times // 200 for n in c.entered), c.shares, _times(c.pico, 10**6)) for c in calls]
    placed, rows = frames([big] * 3)
    whole = sum(
        sum(n * p for n, p in zip(row[:4], row[4:], strict=True))
        for row in rows.select(*UNITS, *(f"pico_{c}" for c in CLASSES)).iter_rows()
    )
    if whole < 2**62:
        assert carried_cost.costs(carried_cost.positioned(placed, ["id"]), rows)["pico_usd"].sum() == whole


groups = st.lists(
    st.tuples(st.integers(0, 10**5), st.lists(st.integers(1, 10**4), min_size=1, max_size=8)), min_size=1
)


def allocated(
    found: Sequence[tuple[int, Sequence[int]]], order: Sequence[int] | None = None
) -> list[tuple[int, ...]]:
    rows = [(n, i, g, b) for g, (b, weights) in enumerate(found) for i, n in enumerate(weights)]
    frame = pl.DataFrame(rows, schema=["weight", "i", "group", "budget"], orient="row")
    shuffled = frame[list(order)] if order is not None else frame
    split = token_split.allocated(shuffled, "weight", "budget", "group").sort("group", "i")
    return split.select("group", "i", "weight", "tokens").rows()


@examples(50)
@given(groups)
@example([(5, [1, 1, 1]), (0, [3]), (1, [7, 7])])
def test_allocation_sums_to_its_budget_and_is_monotone(found: list[tuple[int, list[int]]]) -> None:
    rows = allocated(found)
    for group, (budget, weights) in enumerate(found):
        own = [(w, n) for g, _, w, n in rows if g == group]
        assert sum(n for _, n in own) == budget
        assert all(n >= 0 for _, n in own)
        by_weight = sorted(own)
        assert [n for _, n in by_weight] == sorted(n for _, n in own)
        for weight, n in own:
            assert abs(n - budget * weight / sum(weights)) < 1


@examples(50)
@given(groups, st.randoms(use_true_random=False))
def test_allocation_does_not_depend_on_the_order_of_rows(
    found: list[tuple[int, list[int]]], random: object
) -> None:
    count = sum(len(weights) for _, weights in found)
    order = list(range(count))
    random.shuffle(order)  # type: ignore[attr-defined]

    def shared(rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
        return sorted((group, weight, n) for group, _, weight, n in rows)

    assert shared(allocated(found)) == shared(allocated(found, order))


decode_block = msgspec.json.Decoder(Block).decode
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(texts, st.booleans())
@example('\U0001f600 é \u2028 \\ " \x7f', True)
@example('\U0001f600 é \u2028 \\ " \x7f', False)
def test_characters_are_those_of_the_decoded_text(said: str, ascii_only: bool) -> None:
    raw = json.dumps({"type": "text", "text": said}, ensure_ascii=ascii_only).encode()
    found = measure(decode_block(raw))
    assert found is not None
    assert found.chars == len(json.loads(raw)["text"]) == len(said)
    assert found == text(said)
    result = json.dumps(
        {"type": "tool_result", "content": [{"type": "text", "text": said}] * 2}, ensure_ascii=ascii_only
    )
    parts = measure(decode_block(result.encode()))
    assert parts is not None
    assert parts.chars == 2 * len(said)


@given(st.text(st.characters(), max_size=20))
def test_half_characters_are_counted_and_hashed(said: str) -> None:
    block = content.from_dict({"type": "text", "text": said})
    found = measure(block)
    assert found is not None
    assert (found.chars, found.content_hash) == (len(said), text(said).content_hash)


@given(texts, texts)
def test_other_texts_have_other_hashes(one: str, other: str) -> None:
    assert (text(one).content_hash == text(other).content_hash) == (one == other)


def key(n: int) -> tuple[str, str, str, int | None, str | None]:
    return ("messages", "user", "text", n, None)


keys = st.lists(st.integers(0, 4).map(key), max_size=12)


@given(keys, keys)
def test_matched_blocks_are_equal_and_in_order(before: list[object], after: list[object]) -> None:
    found = match(before, after)  # type: ignore[arg-type]
    pairs = sorted(found.items())
    assert all(before[b] == after[a] for a, b in pairs)
    assert [b for _, b in pairs] == sorted({b for _, b in pairs})
    same = next(
        (i for i, (b, a) in enumerate(zip(before, after, strict=False)) if b != a),
        min(len(before), len(after)),
    )
    assert all(found[i] == i for i in range(same))
    for position, wanted in enumerate(after):
        if position not in found:
            last = max((b for a, b in pairs if a < position), default=-1)
            assert wanted not in before[last + 1 :]


@given(keys, st.integers(0, 12), keys)
def test_what_was_only_added_to_is_matched_whole(before: list[object], at: int, added: list[object]) -> None:
    assert match(before, before + added) == {i: i for i in range(len(before))}  # type: ignore[arg-type]
    cut = before[: min(at, len(before))]
    assert match(before, cut) == {i: i for i in range(len(cut))}  # type: ignore[arg-type]
