"""The meters: what a maker of models bills by, each declared once with its columns and its words."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Meter:
    """What is counted and has a price.

    Attributes:
        name: its name in prices, bills and settings.
        units: the column of `turns` that it counts.
        words: what it is called on a bill.
        heading: what its price is called in a list.
        is_prompt: it counts tokens that were sent.
        is_cached: it counts tokens that the cache read or wrote.
        is_written: it counts tokens that the cache wrote.
        within: the meter whose units those of it are among, of one that counts a modality.
        modality: what it counts beside text.
    """

    name: str
    units: str
    words: str
    heading: str
    is_prompt: bool = False
    is_cached: bool = False
    is_written: bool = False
    within: str | None = None
    modality: str | None = None

    @property
    def unit_column(self) -> str:
        """The column of its price: pico-USD for each unit."""
        return f"pico_{self.name}"

    @property
    def cost_column(self) -> str:
        """The column of what a turn cost by it: pico-USD."""
        return f"{self.name}_pico_usd"


def _write(lifetime: str, words: str) -> Meter:
    name = f"cache_write_{lifetime}"
    return Meter(name, f"{name}_tokens", words, lifetime, is_prompt=True, is_cached=True, is_written=True)


SEARCHES: Final = Meter("web_search", "web_searches", "web search", "a search")
"""The one that counts no tokens."""
ALL_METERS: Final = (
    Meter("input", "input_tokens", "fresh input", "input", is_prompt=True),
    Meter("cache_read", "cache_read_tokens", "cache read", "read", is_prompt=True, is_cached=True),
    _write("5m", "cache write"),
    _write("1h", "1-hour cache write"),
    Meter("output", "output_tokens", "output", "output"),
    SEARCHES,
)
METERS: Final = tuple(meter.name for meter in ALL_METERS)
MODALITY_METERS: Final = tuple(
    Meter(
        f"{modality}_{name}",
        f"{modality}_{name}_tokens",
        words.format(plural),
        f"{modality} {heading}",
        within=name,
        modality=modality,
    )
    for modality, plural in (("audio", "audio"), ("image", "images"))
    for name, words, heading in (
        ("input", "{} in", "in"),
        ("cache_read", "cached {}", "read"),
        ("output", "{} out", "out"),
    )
)
"""Of what is not text, and of some models has other prices: its units are among those of the meter within
which it is."""
MODALITY_TOKENS: Final = tuple(meter.units for meter in MODALITY_METERS)
"""The columns of tokens that are told by modality."""
PRICED: Final = (*METERS, *(meter.name for meter in MODALITY_METERS))
"""All that may have a price."""
TOKEN_METERS: Final = tuple(meter.name for meter in ALL_METERS if meter is not SEARCHES)
PROMPT_METERS: Final = tuple(meter.name for meter in ALL_METERS if meter.is_prompt)
UNITS_OF: Final = {meter.name: meter.units for meter in ALL_METERS}
"""The column of `turns` that each meter counts."""
TOKENS: Final = tuple(UNITS_OF[name] for name in TOKEN_METERS)
"""The columns of tokens that are billed."""
PROMPT_TOKENS: Final = tuple(meter.units for meter in ALL_METERS if meter.is_prompt)
"""Those of them that were sent."""
CACHED_TOKENS: Final = tuple(meter.units for meter in ALL_METERS if meter.is_cached)
"""Those of them that the cache read or wrote."""
WRITTEN_TOKENS: Final = tuple(meter.units for meter in ALL_METERS if meter.is_written)
"""Those of them that the cache wrote, by their lifetime, the shorter first."""
