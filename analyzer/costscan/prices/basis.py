"""Whose prices a report is at, for what imports prices anyway."""

from costscan.price_basis import PriceBasis

__all__ = ["PriceBasis"]
