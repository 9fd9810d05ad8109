"""Why a file cannot be used, in the words in which workers answer."""

from typing import Final

NOTHING_KNOWN: Final = "no usable line"
