"""Values of settings: from TOML or the command line to the type a key wants, and where a wrong one stands."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from costscan.errors import CostscanError, near
from costscan.meters import ALL_METERS, MODALITY_METERS, SEARCHES

TEXT: Final = tuple(m.name for m in sorted(ALL_METERS, key=lambda m: m.is_cached) if m is not SEARCHES)
"""The prices of text that can be set, those without a cache first."""
PRICES: Final = (*TEXT, *(meter.name for meter in MODALITY_METERS))
"""The prices that can be set, in USD per million tokens."""
MAX_COUNT: Final = 10**9
_HEADER: Final = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]")
_KEY: Final = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
FINGERPRINT: Final = re.compile(r"[0-9a-f]{16}(@.+)?")
"""Of a finding, in all runs or in one."""
_PART: Final = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its dotted name, the kind and default of its value, its meaning, the words it takes."""

    name: str
    kind: str
    default: object
    help: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where settings come from: a file with its text, or one `--set` option."""

    name: str
    text: str = ""
    prefix: str = ""
    from_text: bool = False

    def of(self, key: str) -> str:
        """Return "FILE:LINE" of a key, "FILE" where the line is not found, or the option as given."""
        if self.from_text:
            return self.name
        line = _line_of(self.text, self.prefix + key)
        return f"{self.name}:{line}" if line else self.name


def value_of(key: Key, value: Any, place: Place) -> Any:
    """Return the value of a key in its own type.

    Raises:
        CostscanError: the value is of another type or out of bounds.
    """
    return _READERS[key.kind](key, value, place)


def _flag(key: Key, value: Any, place: Place) -> bool:
    if place.from_text and isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower(), value)
    if isinstance(value, bool):
        return value
    raise _wrong(key, value, place, "true or false", f"{key.name} = false")


def _count(key: Key, value: Any, place: Place) -> int:
    if place.from_text and isinstance(value, str) and value.replace("_", "").isdecimal():
        value = int(value.replace("_", ""))
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_COUNT:
        return value
    raise _wrong(key, value, place, "a whole number from 1", f"{key.name} = {key.default}")


def _words(key: Key, value: Any, place: Place) -> tuple[str, ...]:
    if place.from_text and isinstance(value, str):
        value = [word.strip(" \"'") for word in value.strip("[] ").split(",") if word.strip()]
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise _wrong(key, value, place, "a list of words", f'{key.name} = ["{key.choices[0]}"]')
    for word in value:
        if word not in key.choices:
            raise CostscanError(
                f"{place.of(key.name)}: {key.name}: unknown part {word}", near(word, list(key.choices))
            )
    return tuple(dict.fromkeys(value))


def _fingerprints(key: Key, value: Any, place: Place) -> tuple[str, ...]:
    if place.from_text and isinstance(value, str):
        value = [word.strip(" \"'") for word in value.strip("[] ").split(",") if word.strip()]
    if isinstance(value, list) and all(isinstance(w, str) and FINGERPRINT.fullmatch(w) for w in value):
        return tuple(value)
    raise _wrong(key, value, place, "a list of fingerprints", f'{key.name} = ["3f0a52c19be07d44"]')


def _limits(key: Key, value: Any, place: Place) -> tuple[tuple[str, str], ...]:
    """Return each limit with the place it was written in; the gate knows what it means."""
    if place.from_text and isinstance(value, str):
        value = [word.strip(" \"'") for word in value.strip("[] ").split(",") if word.strip()]
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple((place.of(key.name), word) for word in value)
    raise _wrong(key, value, place, "a list of limits", f'{key.name} = ["usd:+10%"]')


def _name(key: Key, value: Any, place: Place) -> str:
    if isinstance(value, str) and value.strip(" \"'"):
        return value.strip(" \"'")
    raise _wrong(key, value, place, "the name of a model", f'{key.name} = "claude-haiku-4-5"')


def _file(key: Key, value: Any, place: Place) -> str:
    """Return the path of a file, which is beside the settings that name it; off stays a word."""
    name = value.strip(" \"'") if isinstance(value, str) else ""
    if not name:
        raise _wrong(key, value, place, "a file, or off", f'{key.name} = "calibration.toml"')
    return name if place.from_text or name == "off" else str(Path(place.name).parent / name)


def _choice(key: Key, value: Any, place: Place) -> str:
    if isinstance(value, str) and value.strip(" \"'") in key.choices:
        return value.strip(" \"'")
    raise _wrong(key, value, place, f"one of {', '.join(key.choices)}", f'{key.name} = "{key.choices[0]}"')


def _zone(key: Key, value: Any, place: Place) -> str:
    if not isinstance(value, str) or not value.strip(" \"'"):
        raise _wrong(key, value, place, "a time zone", f'{key.name} = "Europe/Berlin"')
    from costscan.zones import zone_named  # noqa: PLC0415 - it takes its hints from here

    name = value.strip(" \"'")
    return zone_named(name, f"{place.of(key.name)}: {key.name} {name}" if not place.from_text else place.name)


def _share(key: Key, value: Any, place: Place) -> Decimal:
    share = _number(value, place)
    if share is None or not 0 <= share <= 1:
        raise _wrong(key, value, place, "a share from 0 to 1", f"{key.name} = 0.1")
    return share


def _usd(key: Key, value: Any, place: Place) -> Decimal:
    usd = _number(value, place)
    if usd is None or not 0 <= usd <= MAX_COUNT:
        raise _wrong(key, value, place, "an amount of USD from 0", f"{key.name} = 1.0")
    return usd


def _prices(key: Key, value: Any, place: Place) -> Mapping[str, Mapping[str, Decimal]]:
    example = f'[{key.name}."claude-opus-4-8"] with input = 4.0'
    if not isinstance(value, dict):
        raise _wrong(key, value, place, "tables of prices, one a model", example)
    for model, own in value.items():
        if not isinstance(own, dict) or not model:
            raise CostscanError(
                f"{place.of(f'{key.name}.{model}')}: {key.name} needs a model and a price", f"write {example}"
            )
    return {
        model: {meter: _price(f"{key.name}.{model}.{meter}", meter, usd, place) for meter, usd in own.items()}
        for model, own in value.items()
    }


def _price(name: str, meter: str, value: Any, place: Place) -> Decimal:
    if meter not in PRICES:
        raise CostscanError(f"{place.of(name)}: unknown price {meter}", near(meter, PRICES))
    price = _number(value, place)
    if price is None or price < 0:
        raise CostscanError(
            f"{place.of(name)}: {_shown(value)} is no price", "give USD per million tokens, like 4.0"
        )
    return price


def _number(value: Any, place: Place) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if isinstance(value, str) and not place.from_text:
        value = value.strip()
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _wrong(key: Key, value: Any, place: Place, wanted: str, example: str) -> CostscanError:
    return CostscanError(
        f"{place.of(key.name)}: {key.name} must be {wanted}, not {_shown(value)}", f"like {example}"
    )


def _shown(value: Any) -> str:
    shown = str(value) if isinstance(value, Decimal) else repr(value)
    return shown if len(shown) <= 40 else f"a long {type(value).__name__}"  # noqa: PLR2004 - fits a line


_READERS: Final[Mapping[str, Callable[[Key, Any, Place], Any]]] = {
    "flag": _flag,
    "count": _count,
    "words": _words,
    "fingerprints": _fingerprints,
    "limits": _limits,
    "name": _name,
    "file": _file,
    "choice": _choice,
    "zone": _zone,
    "share": _share,
    "usd": _usd,
    "prices": _prices,
}


def _line_of(text: str, name: str) -> int | None:
    """Return the line of a dotted key; where only its table is written, the line of that."""
    wanted = name.split(".")
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            here = table
        elif assignment := _KEY.match(line):
            here = [*table, *_parts(assignment[1])]
        else:
            continue
        flat = ".".join(here).split(".")
        if flat == wanted[: len(flat)] and (best is None or len(flat) > best[1]):
            best = (number, len(flat))
    return best[0] if best else None


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]
