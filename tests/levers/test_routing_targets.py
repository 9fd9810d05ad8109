"""Which models a turn may go to: what exists, is not about to go, takes the request, and holds it."""

from datetime import date

import polars as pl
import pytest

from costscan.errors import CostscanError
from costscan.levers.routing.candidates import candidates, cheapest_of_classes, class_of, model_named, refuses
from costscan.levers.routing.eligible import fitting

SUMMER, NOVEMBER = date(2026, 7, 1), date(2026, 11, 20)


def test_only_what_had_been_released_and_stays_is_a_target() -> None:
    small = candidates("claude-opus-4-8", SUMMER, "haiku")
    assert "claude-haiku-4-5" in small
    assert "claude-haiku-5-5" not in small
    assert "claude-haiku-5-5" in candidates("claude-opus-4-8", NOVEMBER, "haiku")
    # Sonnet 4.5 is served until 2026-11-30, Haiku 3.5 was until February.
    assert not {"claude-sonnet-4-5", "claude-3-5-haiku"} & set(small)


def test_never_a_model_of_its_own_class_or_above_nor_below_what_is_enough() -> None:
    assert {class_of(m) for m in candidates("claude-opus-4-8", SUMMER, "sonnet")} == {"sonnet"}
    assert {class_of(m) for m in candidates("claude-fable-5", SUMMER, "haiku")} == {"haiku", "sonnet", "opus"}
    assert candidates("claude-haiku-4-5", SUMMER, "haiku") == ()
    assert candidates("gemini-2.5-pro", SUMMER, "haiku") == ()


def test_the_cheapest_of_each_class_and_the_newest_of_equal_ones() -> None:
    usd = {"claude-sonnet-5": 2, "claude-sonnet-4-6": 3, "claude-haiku-4-5": 1}
    models = ("claude-sonnet-5", "claude-sonnet-4-6", "claude-haiku-4-5")
    assert cheapest_of_classes(models, usd) == ("claude-sonnet-5", "claude-haiku-4-5")
    assert cheapest_of_classes(models, usd | {"claude-sonnet-5": 3})[0] == "claude-sonnet-5"


@pytest.mark.parametrize(
    ("model", "asks", "refused"),
    [
        ("claude-haiku-5-5", "sampling", True),
        ("claude-haiku-5-5", "prefill thinking-budget", True),
        ("claude-haiku-5-5", "forced-tool", False),
        ("claude-sonnet-5-5", "forced-tool", True),
        ("claude-opus-5-5", "thinking-off", True),
        ("claude-haiku-4-5", "sampling prefill forced-tool thinking-budget thinking-off", False),
        ("claude-haiku-5-5", "", False),
        ("claude-haiku-5-5", None, False),
    ],
)
def test_what_a_request_asks_for_may_be_refused(model: str, asks: str | None, *, refused: bool) -> None:
    assert refuses(model, asks) is refused


def fits(model: str, to_model: str, prompt: int, output: int = 100, ratio: float = 1.3) -> bool:
    moves = pl.DataFrame({
        "model": [model], "to_model": [to_model], "prompt_tokens": [prompt], "output_tokens": [output],
        "size_ratio": [ratio], "output_ratio": [ratio],
    })  # fmt: skip
    return bool(fitting(moves).height)


def test_a_prompt_that_is_too_long_stays() -> None:
    assert fits("claude-sonnet-4-6", "claude-haiku-4-5", 199_900)
    assert not fits("claude-sonnet-4-6", "claude-haiku-4-5", 199_901)
    # The other family of tokenizers makes 0.8 times as much of it.
    assert fits("claude-opus-4-8", "claude-haiku-4-5", 249_900, ratio=0.8)
    assert not fits("claude-opus-4-8", "claude-haiku-4-5", 250_000, ratio=0.8)


def test_an_output_that_is_too_long_stays() -> None:
    assert fits("claude-opus-4-6", "claude-haiku-4-5", 1000, 64_000)
    assert not fits("claude-opus-4-6", "claude-haiku-4-5", 1000, 64_001)


def test_a_model_goes_by_many_names() -> None:
    assert model_named("haiku") == "claude-haiku-5-5"
    assert model_named("haiku-4-5") == model_named("claude-haiku-4-5-20251001") == "claude-haiku-4-5"
    with pytest.raises(CostscanError, match="no model that calls can be moved to"):
        model_named("gemini-2.0-flash")
