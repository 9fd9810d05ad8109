"""Settings: `costscan.toml`, `[tool.costscan]` in pyproject.toml and `--set KEY=VALUE`.

The dataclasses below are the one table of keys: each field holds its default, its meaning and its limits, and
`keys()` lists them for help texts, documentation and error messages.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from costscan.config_values import Key, Place, near, value_of
from costscan.errors import CostscanError

FILE_NAME: Final = "costscan.toml"
TRIMMING_PARTS: Final = (
    "cap-tool-results",
    "defer-unused-tools",
    "drop-repeated-results",
    "resize-images",
    "prune-at-task-boundary",
    "compact-history",
)
EFFORTS: Final = ("low", "medium", "high")
MODELS_KEY: Final = "prices.models"
_NO_DISCOUNT: Final = Decimal(0)


def _key(kind: str, default: Any, meaning: str, *, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"kind": kind, "help": meaning, "choices": choices})


def _lever(name: str) -> Any:
    return _key("flag", True, f"Price what {name} would save.")


@dataclass(frozen=True, slots=True)
class Caching:
    """Settings of the caching lever."""

    enabled: bool = _lever("caching")


@dataclass(frozen=True, slots=True)
class Trimming:
    """Settings of the trimming lever."""

    enabled: bool = _lever("trimming")
    parts: tuple[str, ...] = _key(
        "words", TRIMMING_PARTS[:2], "The parts of trimming to price.", choices=TRIMMING_PARTS
    )
    tool_result_max_tokens: int = _key("count", 2000, "Cut tool results to so many tokens.")


@dataclass(frozen=True, slots=True)
class Routing:
    """Settings of the routing lever."""

    enabled: bool = _lever("routing")
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

    enabled: bool = _lever("batching")
    items_per_context: int = _key("count", 25, "Pack so many single-item runs into a context.")


@dataclass(frozen=True, slots=True)
class Findings:
    """Settings of findings."""

    accepted: tuple[str, ...] = _key(
        "fingerprints", (), "Fingerprints of findings that are fine; FINGERPRINT@RUN accepts one run's."
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
            "help": 'Own prices in a table [prices.models."MODEL"]: input, output, cache_read, '
            "cache_write_5m, cache_write_1h in USD per million tokens.",
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
    """All settings, and the file they were read from."""

    caching: Caching = field(default_factory=Caching)
    trimming: Trimming = field(default_factory=Trimming)
    routing: Routing = field(default_factory=Routing)
    batching: Batching = field(default_factory=Batching)
    prices: OwnPrices = field(default_factory=OwnPrices)
    findings: Findings = field(default_factory=Findings)
    redact: bool = _key("flag", True, "Leave out of excerpts what looks like a secret or personal.")
    rules: tuple[RuleSetting, ...] = ()
    file: str | None = None


_GROUPS: Final[dict[str, Any]] = {
    "caching": Caching,
    "trimming": Trimming,
    "routing": Routing,
    "batching": Batching,
    "prices": OwnPrices,
    "findings": Findings,
}
_RULES: Final = "rules."


def keys() -> tuple[Key, ...]:
    """Give every key with its default and meaning, in the order of the documentation."""
    grouped = [
        Key(f"{name}.{f.name}", *_described(f)) for name, group in _GROUPS.items() for f in fields(group)
    ]
    return (*grouped, *(Key(f.name, *_described(f)) for f in fields(Settings) if f.metadata))


def _described(found: Any) -> tuple[str, object, str, tuple[str, ...]]:
    default = found.default_factory() if found.default is MISSING else found.default
    return found.metadata["kind"], default, found.metadata["help"], found.metadata["choices"]


def load(folder: Path, *, file: Path | None = None, assignments: Sequence[str] = ()) -> Settings:
    """Give the settings that hold in `folder`; `assignments` ("KEY=VALUE") win over the file.

    Without `file`, the nearest `costscan.toml`, or pyproject.toml with a `[tool.costscan]`, counts: in the
    folder or its parents up to the root of the repository.

    Raises:
        CostscanError: a file cannot be read, or a key or value is wrong.
    """
    found = _read(file) if file is not None else _nearest(folder)
    values: dict[str, Any] = {}
    prices: dict[str, dict[str, Decimal]] = {}
    rules: list[RuleSetting] = []
    if found is not None:
        place, table = found
        _take(_without_rules(table, place, rules), place, values, prices)
    for text in assignments:
        place = Place(f"--set {text}", from_text=True)
        _take(_without_rules(_assigned(text), place, rules), place, values, prices)
    return _settings(values, prices, tuple(rules), found[0].name if found else None)


def _without_rules(table: Mapping[str, Any], place: Place, rules: list[RuleSetting]) -> dict[str, Any]:
    """Give the settings that are of no rule, and add those that are to `rules`."""
    rest = {}
    for name, value in table.items():
        if name.startswith(_RULES):
            rule, _, key = name.removeprefix(_RULES).rpartition(".")
            rules.append((place, rule, {key: value}))
        elif name == _RULES[:-1]:
            tables = value if isinstance(value, dict) else {}
            if not isinstance(value, dict) or not all(isinstance(own, dict) for own in tables.values()):
                raise CostscanError(
                    f"{place.of(name)}: rules are set in tables", "[rules.bloated-tool-result]"
                )
            rules += [(place, rule, own) for rule, own in tables.items()]
        else:
            rest[name] = value
    return rest


def _settings(
    values: Mapping[str, Any],
    prices: Mapping[str, Mapping[str, Decimal]],
    rules: tuple[RuleSetting, ...],
    file: str | None,
) -> Settings:
    groups = {
        name: group(**{key.partition(".")[2]: v for key, v in values.items() if key.startswith(f"{name}.")})
        for name, group in _GROUPS.items()
        if name != "prices"
    }
    discount = {"discount": values["prices.discount"]} if "prices.discount" in values else {}
    own = OwnPrices(**discount, models=prices)
    alone = {key: value for key, value in values.items() if "." not in key}
    return Settings(**groups, prices=own, rules=rules, file=file, **alone)


def _nearest(folder: Path) -> tuple[Place, dict[str, Any]] | None:
    for parent in (folder, *folder.parents):
        for name in (FILE_NAME, "pyproject.toml"):
            path = parent / name
            if path.is_file() and (found := _read(path, or_none=name != FILE_NAME)) is not None:
                return found
        if (parent / ".git").exists():
            break
    return None


def _read(path: Path, *, or_none: bool = False) -> tuple[Place, dict[str, Any]] | None:
    """Read a settings file; None when it is a pyproject.toml without a part for costscan and that is fine."""
    import tomllib  # noqa: PLC0415 - only where there is a file

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise CostscanError(f"{path}: cannot read settings: {why}", "give a TOML file to --config") from None
    try:
        table: Any = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise CostscanError(*_broken(path, str(error))) from None
    if path.name == "pyproject.toml":
        tools = table.get("tool")
        table = tools.get("costscan") if isinstance(tools, dict) else None
        if table is None and or_none:
            return None
    return Place(str(path), text, "tool.costscan." if path.name == "pyproject.toml" else ""), table or {}


def _broken(path: Path, message: str) -> tuple[str, str]:
    what, _, where = message.partition(" (at line ")
    line = where.split(",", 1)[0]
    at = f"{path}:{line}" if line.isdigit() else str(path)
    return f"{at}: this is not TOML: {what[:1].lower()}{what[1:]}", "mend that line; strings need quotes"


def _take(
    table: Mapping[str, Any], place: Place, values: dict[str, Any], prices: dict[str, dict[str, Decimal]]
) -> None:
    known = {key.name: key for key in keys()}
    for name, value in _flat(table, place):
        key = known.get(name)
        if key is None:
            raise CostscanError(f"{place.of(name)}: unknown setting {name}", near(name, list(known)))
        if name == MODELS_KEY:
            for model, own in value_of(key, value, place).items():
                prices.setdefault(model, {}).update(own)
        else:
            values[name] = value_of(key, value, place)


def _flat(table: Mapping[str, Any], place: Place, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for part, value in table.items():
        name = prefix + part
        if name in _GROUPS and not isinstance(value, dict):
            inside = [key.name for key in keys() if key.name.startswith(f"{name}.")]
            raise CostscanError(
                f"{place.of(name)}: {name} is a table, not a value", f"set {' or '.join(inside)}"
            )
        if isinstance(value, dict) and (value or name in _GROUPS) and name not in {k.name for k in keys()}:
            yield from _flat(value, place, f"{name}.")
        else:
            yield name, value


def _assigned(text: str) -> dict[str, Any]:
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise CostscanError(f"--set {text}: not KEY=VALUE", "like --set trimming.tool_result_max_tokens=1000")
    if name.startswith(f"{MODELS_KEY}."):
        # The names of models hold dots themselves.
        model, _, meter = name.removeprefix(f"{MODELS_KEY}.").rpartition(".")
        return {"prices": {"models": {model.strip("\"'"): {meter: value.strip()}}}}
    return {name: value.strip()}


__all__ = ["FILE_NAME", "TRIMMING_PARTS", "Key", "Settings", "keys", "load"]
