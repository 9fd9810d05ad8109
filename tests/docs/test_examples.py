"""The worked examples in modules whose frames are not obvious say what is so."""

import doctest
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import costscan

WITH_EXAMPLES = sorted(
    module.name
    for module in walk_packages(costscan.__path__, "costscan.")
    if not module.ispkg
    and ">>> " in Path(*costscan.__path__, *module.name.split(".")[1:]).with_suffix(".py").read_text("utf-8")
)


def test_modules_whose_frames_are_not_obvious_have_an_example() -> None:
    assert {
        "costscan.attribution.blocks",
        "costscan.attribution.carried_cost",
        "costscan.attribution.token_split",
        "costscan.cache.prefix_tokens",
        "costscan.levers.routing.cache_links",
        "costscan.levers.routing.known",
        "costscan.levers.trimming.defer_unused_tools",
        "costscan.levers.shortening",
        "costscan.scenarios.shapley",
    } <= set(WITH_EXAMPLES)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str) -> None:
    outcome = doctest.testmod(import_module(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0
