"""Chance and identifiers that come out the same on every run."""

import base64
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Dice:
    """Seeded chance; built on `random()` alone, the one method whose sequence Python promises to keep."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.between(0, len(options) - 1)]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """All options in another order."""
        order = sorted((self._random.random(), place) for place in range(len(options)))
        return [options[place] for _, place in order]

    def hex(self, digits: int) -> str:
        """Hexadecimal digits."""
        return "".join(self.pick("0123456789abcdef") for _ in range(digits))

    def uuid(self) -> str:
        """A UUID in the shape of version 4."""
        return f"{self.hex(8)}-{self.hex(4)}-4{self.hex(3)}-{self.pick('89ab')}{self.hex(3)}-{self.hex(12)}"

    def name(self, prefix: str, length: int = 22) -> str:
        """An identifier such as `msg_01...`."""
        return prefix + "".join(self.pick(_ALPHABET) for _ in range(length))

    def signature(self) -> str:
        """The opaque text that stands in for a thinking block's content."""
        return base64.b64encode(bytes(self.between(0, 255) for _ in range(120))).decode()
