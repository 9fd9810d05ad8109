"""The settings there are: the dataclasses below are the one table of keys.

Each field holds its default, its meaning and its limits; `keys()` lists them for help texts, documentation
and error messages. `config` reads their values.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal
from typing import Any, Final

from costscan.calibration import Calibration
from costscan.levers.catalogue import BATCHING, CACHING, ROUTING, SUMMARY_TOKENS, TRIMMING, Lever
from costscan.settings.values import TEXT, Key, Place

OUTCOMES: Final = ("pass", "fail")
EFFORTS: Final = ("low", "medium", "high")
MODELS_KEY: Final = "prices.models"
_NO_DISCOUNT: Final = Decimal(0)
_FALSE_ALARM: Final = Decimal("0.05")


def _key(kind: str, default: Any, meaning: str, *, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"kind": kind, "help": meaning, "choices": choices})


def _lever(lever: Lever) -> Any:
    return _key("flag", True, f"Price what {lever.name} would save.")


@dataclass(frozen=True, slots=True)
class Caching:
    """Settings of the caching lever."""

    enabled: bool = _lever(CACHING)
    storage_usd_per_mtok_hour: Decimal | None = _key(  # noqa: RUF009 - makes a field
        "usd",
        None,
        "What a cache that clients make (Gemini) costs to keep, a million tokens an hour; by default what is "
        "known of each model.",
    )


@dataclass(frozen=True, slots=True)
class Trimming:
    """Settings of the trimming lever."""

    enabled: bool = _lever(TRIMMING)
    parts: tuple[str, ...] = _key(
        "words",
        tuple(part.name for part in TRIMMING.parts if part.is_on),
        "The parts of trimming to price.",
        choices=TRIMMING.part_names,
    )
    tool_result_max_tokens: int | None = _key(
        "count", None, "Cut all tool results to so many tokens; by default what is best for each tool."
    )
    clear_at_tokens: int | None = _key(
        "count",
        None,
        "Clear old tool results of prompts that pass so many tokens; by default what is best for each task.",
    )
    compact_at_tokens: int | None = _key(
        "count", None, "Compact prompts that pass so many tokens; by default what is best for each task."
    )
    summary_tokens: int = _key("count", SUMMARY_TOKENS, "How long the summary of a history is.")


@dataclass(frozen=True, slots=True)
class Routing:
    """Settings of the routing lever."""

    enabled: bool = _lever(ROUTING)
    force: str | None = _key("name", None, "Move every turn to this model.")
    effort: str | None = _key(
        "choice",
        None,
        "Price what less effort would save, by what the catalog of the client says of it.",
        choices=EFFORTS,
    )


@dataclass(frozen=True, slots=True)
class Batching:
    """Settings of the batching lever."""

    enabled: bool = _lever(BATCHING)
    items_per_context: int = _key("count", 25, "Pack so many single-item runs into a context.")


@dataclass(frozen=True, slots=True)
class Findings:
    """Settings of findings."""

    accepted: tuple[str, ...] = _key(
        "fingerprints", (), "Fingerprints of findings that are fine; FINGERPRINT@RUN accepts one run's."
    )


@dataclass(frozen=True, slots=True)
class Check:
    """Settings of `costscan check`."""

    fail_on: tuple[tuple[str, str], ...] = _key(
        "limits", (), 'What fails a check, like ["usd:+10%", "usd_per_run.p95:2"]; usd:+5% where none is set.'
    )
    undecided: str | None = _key(
        "choice",
        None,
        "What to make of a check that cannot decide; exit code 3 if not set.",
        choices=OUTCOMES,
    )
    false_alarm: Decimal = _key(  # noqa: RUF009 - makes a field
        "share", _FALSE_ALARM, "How often chance alone may fail a check."
    )


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """Negotiated prices."""

    discount: Decimal = _key(  # noqa: RUF009 - makes a field
        "share", _NO_DISCOUNT, "What your contract takes off list prices: 0.1 is 10% off."
    )
    models: Mapping[str, Mapping[str, Decimal]] = field(
        default_factory=dict,
        metadata={
            "kind": "prices",
            "choices": (),
            "help": f'Own prices in [prices.models."MODEL"], USD per million tokens: {", ".join(TEXT)}, '
            "audio_input ….",
        },
    )

    @property
    def share_paid(self) -> Decimal:
        """The share of the list price that is left to pay."""
        return 1 - self.discount


RuleSetting = tuple[Place, str, Mapping[str, Any]]
"""Where a rule is set, its name, and what is set; the rulebook knows what may be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, the file they were read from, and the calibration that holds."""

    caching: Caching = field(default_factory=Caching)
    trimming: Trimming = field(default_factory=Trimming)
    routing: Routing = field(default_factory=Routing)
    batching: Batching = field(default_factory=Batching)
    prices: OwnPrices = field(default_factory=OwnPrices)
    findings: Findings = field(default_factory=Findings)
    check: Check = field(default_factory=Check)
    tz: str = _key(
        "zone", "UTC", "The time zone of days and dates: a name like Europe/Berlin, or local. Files hold UTC."
    )
    calibration: str | None = _key(
        "file",
        None,
        "A file of costscan calibrate, or off; by default the nearest calibration.toml, in the folder or its "
        "parents or beside the settings.",
    )
    redact: bool = _key("flag", True, "Leave out of excerpts what looks like a secret or personal.")
    rules: tuple[RuleSetting, ...] = ()
    file: str | None = None
    calibrated: Calibration | None = None


GROUPS: Final[dict[str, Any]] = {
    CACHING.name: Caching,
    TRIMMING.name: Trimming,
    ROUTING.name: Routing,
    BATCHING.name: Batching,
    "prices": OwnPrices,
    "findings": Findings,
    "check": Check,
}


def keys() -> tuple[Key, ...]:
    """Return every key with its default and meaning, in the order of the documentation."""
    grouped = [
        Key(f"{name}.{f.name}", *_described(f)) for name, group in GROUPS.items() for f in fields(group)
    ]
    return (*grouped, *(Key(f.name, *_described(f)) for f in fields(Settings) if f.metadata))


def _described(setting: Any) -> tuple[str, object, str, tuple[str, ...]]:
    default = setting.default_factory() if setting.default is MISSING else setting.default
    return setting.metadata["kind"], default, setting.metadata["help"], setting.metadata["choices"]
