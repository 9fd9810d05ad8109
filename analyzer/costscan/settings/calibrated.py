"""The calibration that holds in a folder: found as settings are, read and checked."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import nan
from pathlib import Path
from typing import Any, Final

from costscan.calibration import FILE_NAME, KINDS, MOST, VERSION, Calibration, Interval
from costscan.errors import CostscanError, near
from costscan.settings.toml_file import parsed
from costscan.settings.values import Place
from costscan.tokenizers import FAMILIES

OFF: Final = "off"
_ANEW: Final = "make it anew with costscan calibrate, or take none: --set calibration=off"
_ENDS: Final = ("low", "high")


def calibration_of(folder: Path, chosen: str | None, settings_file: str | None) -> Calibration | None:
    """Return the calibration that holds in a folder, None where there is none.

    Args:
        folder: the nearest file counts, in it or its parents up to the root of the repository; where none is
            there, one beside the settings.
        chosen: the file that was chosen instead, or `OFF`.
        settings_file: where the settings were read from.

    Raises:
        CostscanError: it cannot be read, is damaged, or is of a newer costscan.
    """
    if chosen == OFF:
        return None
    if chosen is not None:
        return read(folder / chosen)
    beside = [Path(settings_file).parent / FILE_NAME] if settings_file else []
    path = next((path for path in [*_upwards(folder), *beside] if path.is_file()), None)
    return read(path) if path is not None else None


def _upwards(folder: Path) -> Sequence[Path]:
    places = []
    for parent in (folder, *folder.parents):
        places.append(parent / FILE_NAME)
        if (parent / ".git").exists():
            break
    return places


def read(path: Path) -> Calibration:
    """Return what a file of `costscan calibrate` says.

    Raises:
        CostscanError: it cannot be read, is damaged, or is of a newer costscan.
    """
    place, table = _parsed(path)
    version = _typed(place, table, "version", int)
    if version > VERSION:
        raise CostscanError(
            f"{place.of('version')}: made by a newer costscan (version {version}, not {VERSION})",
            "install the newest costscan, or " + _ANEW,
        )
    families = _tables(place, table, "families")
    if (unknown := next((name for name in families if name not in FAMILIES), None)) is not None:
        at = ".".join(["families", unknown, *list(families[unknown])[:1]])
        raise CostscanError(f"{place.of(at)}: unknown family {unknown}", near(unknown, [*FAMILIES]))
    factors = {
        family: _intervals(place, own, f"families.{family}", "factor") for family, own in families.items()
    }
    models = _tables(place, table, "models", str)
    ratios = _tables(place, table, "ratios")
    spreads = {kind: _figure(place, own, f"ratios.{kind}", "spread", 0) for kind, own in ratios.items()}
    return Calibration(
        file=str(path),
        day=_typed(place, table, "date", date),
        samples=_typed(place, table, "samples", int),
        models=models,
        factors=factors,
        ratios=_intervals(place, ratios, "ratios", "ratio"),
        spreads=spreads,
    )


def _parsed(path: Path) -> tuple[Place, dict[str, Any]]:
    text, table = parsed(path, "the calibration", _ANEW, _ANEW)
    return Place(str(path), text), table


def _typed(place: Place, table: Mapping[str, Any], name: str, kind: type) -> Any:
    value = table.get(name)
    if not isinstance(value, kind) or isinstance(value, bool | datetime):
        raise CostscanError(f"{place.of(name)}: {name} is missing, or no {kind.__name__}", _ANEW)
    return value


def _tables(place: Place, table: Mapping[str, Any], name: str, kind: type = dict) -> Mapping[str, Any]:
    value = table.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(own, kind) for own in value.values()):
        raise CostscanError(f"{place.of(name)}: {name} is damaged", _ANEW)
    return value


def _intervals(place: Place, table: Mapping[str, Any], prefix: str, name: str) -> dict[str, Interval]:
    out = {}
    for kind, own in table.items():
        at = f"{prefix}.{kind}"
        if kind not in KINDS:
            raise CostscanError(f"{place.of(at)}: unknown kind of block {kind}", near(kind, KINDS))
        if not isinstance(own, dict):
            raise CostscanError(f"{place.of(at)}: {at} is damaged", _ANEW)
        value, low, high = (_figure(place, own, at, key) for key in (name, *_ENDS))
        if not low <= value <= high:
            raise CostscanError(f"{place.of(f'{at}.{name}')}: {name} is not from low to high", _ANEW)
        samples = own.get("samples")
        out[kind] = Interval(value, low, high, samples if isinstance(samples, int) else 0)
    return out


def _figure(place: Place, table: Mapping[str, Any], at: str, name: str, least: float = 1 / MOST) -> float:
    value = table.get(name)
    figure = float(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else nan
    if not least <= figure <= MOST:
        raise CostscanError(
            f"{place.of(f'{at}.{name}')}: {name} must be a number from {least:g} to {MOST:.0f}", _ANEW
        )
    return figure


__all__ = ["OFF", "calibration_of", "read"]
