"""System prompts of invented houses that other stories tell of, for logs that show the whole prompt."""

import json

from generator.blocks import Json
from generator.props import Props


def garden() -> str:
    """Return the guide of Kelda Garden, by which product texts are written."""
    prop = Props.load("one-item-per-run")
    return f"{prop['guide']}\n{prop['groups']}"


def parcels() -> str:
    """Return what the parcel desk of Halden is told."""
    return Props.load("timestamp-in-system-prompt")["system"]


def parcel_tools(*names: str) -> list[Json]:
    """Return tools of the parcel desk, as the Messages API has them."""
    told = [json.loads(line) for line in Props.load("timestamp-in-system-prompt")["tools"].split("\n")]
    return [tool for tool in told if tool["name"] in names]
