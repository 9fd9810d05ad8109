"""The levers: each turns a plan into another one; where that pays is for the scenarios to say."""

from typing import Final

LEVERS: Final = ("caching", "trimming", "routing", "batching")
ALL: Final = "all"
"""The scenario of all levers together."""
