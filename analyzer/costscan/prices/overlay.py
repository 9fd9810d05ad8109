"""`prices.toml`: what costscan knows about prices beyond genai-prices."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

OVERLAY_PATH: Final = Path(__file__).parent.parent / "prices.toml"


@cache
def overlay() -> Mapping[str, Any]:
    """Return the content of `prices.toml`."""
    with OVERLAY_PATH.open("rb") as file:
        return tomllib.load(file)


@cache
def source_name() -> str:
    """Return the name and version of genai-prices, as they stand in the table's `source` column."""
    return f"genai-prices {version('genai-prices')}"
