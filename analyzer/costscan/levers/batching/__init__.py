"""Batching: requests nobody waits for, at half price, and many items in one context."""

from costscan.levers.batching.async_requests import batched
from costscan.levers.batching.pack_items import contexts, packed
from costscan.levers.batching.single_shots import single_shots

__all__ = ["batched", "contexts", "packed", "single_shots"]
