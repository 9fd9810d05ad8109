"""The levers: each turns a plan into another one; where that pays is for the scenarios to say."""

from typing import Final

from costscan.levers.catalogue import ALL, CATALOGUE

LEVERS: Final = tuple(lever.name for lever in CATALOGUE)

__all__ = ["ALL", "LEVERS"]
