"""The cheapest way to serve a run is the cheapest of all ways to serve it."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from costscan.levers.routing.cheapest_path import Stretch, best
from hypothesis_profile import examples

MINUTE = 60_000_000


@st.composite
def runs(draw: st.DrawFn) -> list[Stretch]:
    """Short runs whose prompts grow, with pauses that outlive the cache, cuts of the context and odd prices."""
    models = draw(st.integers(2, 3))
    prices = draw(st.lists(st.integers(1, 12), min_size=models, max_size=models))
    out: list[Stretch] = []
    at, blocks, tokens, context = 0, 0, 0, 0
    for nth in range(draw(st.integers(1, 6))):
        cut = nth > 0 and draw(st.integers(0, 5)) == 0
        context += cut
        found = 0 if cut or nth == 0 else tokens
        news = draw(st.integers(1, 40))
        tokens = news if cut else tokens + news
        turns_us = draw(st.sampled_from([0, MINUTE]))
        blocks += draw(st.integers(1, 9))
        begins_block = blocks
        blocks += draw(st.integers(0, 4))
        shared = draw(st.integers(0, 30)) if nth == 0 else 0
        odd = draw(st.lists(st.integers(0, 60), min_size=models, max_size=models))
        warm = [price * (found + 10 * news) + more for price, more in zip(prices, odd, strict=True)]
        per_read = [11 * price for price in prices]
        read = found + shared
        out.append(Stretch(
            begins_us=at, ends_us=at + turns_us, context=context, begins_block=begins_block, ends_block=blocks,
            ttl_us=5 * MINUTE, usable=[True, *draw(st.lists(st.booleans(), min_size=models - 1, max_size=models - 1))],
            warm=warm, cold=[w + read * p for w, p in zip(warm, per_read, strict=True)], per_read=per_read,
            read=[read] * models, shared=[shared] * models, cached=[tokens] * models,
        ))  # fmt: skip
        at += turns_us + draw(st.sampled_from([MINUTE // 2, 4 * MINUTE, 6 * MINUTE]))
    return out


def cost(run: list[Stretch], served: tuple[int, ...], *, shares: bool) -> int:
    """What a way to serve a run costs: each stretch warm after its own model, else cold but for what still lives."""
    total = 0
    for nth, model in enumerate(served):
        now = run[nth]
        before = served[nth - 1] if nth else 0
        if model == before:
            total += now.warm[model]
            continue
        earlier = [n for n in range(nth) if served[n] == model]
        credit = now.shared[model] if shares and not earlier else 0
        if earlier:
            then = run[earlier[-1]]
            lives = now.begins_us - then.ends_us <= then.ttl_us
            near = now.begins_block - then.ends_block <= 19
            if lives and near and now.context == then.context:
                credit = min(then.cached[model], now.read[model])
            elif shares and _forgotten(run, served, nth, model):
                credit = 0
        total += now.cold[model] - credit * now.per_read[model]
    return total


def _forgotten(run: list[Stretch], served: tuple[int, ...], nth: int, model: int) -> bool:
    return any(served[n] == model for n in range(nth))


@examples(400)
@given(runs(), st.booleans())
def test_no_other_way_is_cheaper(run: list[Stretch], shares: bool) -> None:
    ways = product(*([m for m, usable in enumerate(stretch.usable) if usable] for stretch in run))
    cheapest = min(cost(run, way, shares=shares) for way in ways)
    chosen = tuple(best(run, shares=shares))
    assert all(stretch.usable[model] for stretch, model in zip(run, chosen, strict=True))
    assert cost(run, chosen, shares=shares) == cheapest
