"""Where settings come from: `costscan.toml`, `[tool.costscan]` in pyproject.toml and `--set KEY=VALUE`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from costscan.errors import CostscanError, near
from costscan.settings.calibrated import calibration_of
from costscan.settings.keys import GROUPS, MODELS_KEY, OwnPrices, RuleSetting, Settings, keys
from costscan.settings.toml_file import parsed
from costscan.settings.values import Place, value_of

FILE_NAME: Final = "costscan.toml"
TABLE: Final = ("tool", "costscan")
"""The table of settings in a pyproject.toml."""
_RULES: Final = "rules."


def load(folder: Path, *, file: Path | None = None, assignments: Sequence[str] = ()) -> Settings:
    """Return the settings that hold in `folder`; `assignments` ("KEY=VALUE") win over the file.

    Without `file`, the nearest `costscan.toml`, or pyproject.toml with a `[tool.costscan]`, counts: in the
    folder or its parents up to the root of the repository.

    Raises:
        CostscanError: a file cannot be read, or a key or value is wrong.
    """
    place_and_table = _read(file) if file is not None else _nearest(folder)
    values: dict[str, Any] = {}
    prices: dict[str, dict[str, Decimal]] = {}
    rules: list[RuleSetting] = []
    if place_and_table is not None:
        place, table = place_and_table
        _take(_without_rules(table, place, rules), place, values, prices)
    for text in assignments:
        place = Place(f"--set {text}", from_text=True)
        _take(_without_rules(_assigned(text), place, rules), place, values, prices)
    settings = _settings(values, prices, tuple(rules), place_and_table[0].name if place_and_table else None)
    return replace(settings, calibrated=calibration_of(folder, settings.calibration, settings.file))


def nearest_file(folder: Path) -> Path | None:
    """Return the file whose settings hold in a folder where none is named, as `load` finds it.

    Raises:
        CostscanError: it cannot be read.
    """
    place_and_table = _nearest(folder)
    return Path(place_and_table[0].name) if place_and_table is not None else None


def _without_rules(table: Mapping[str, Any], place: Place, rules: list[RuleSetting]) -> dict[str, Any]:
    """Return the settings that are of no rule, and add those that are to `rules`."""
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
        for name, group in GROUPS.items()
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
            if path.is_file() and (place_and_table := _read(path, or_none=name != FILE_NAME)) is not None:
                return place_and_table
        if (parent / ".git").exists():
            break
    return None


def _read(path: Path, *, or_none: bool = False) -> tuple[Place, dict[str, Any]] | None:
    """Read a settings file; None when it is a pyproject.toml without a part for costscan and that is fine."""
    text, whole = parsed(
        path, "settings", "give a TOML file to --config", "mend that line; strings need quotes"
    )
    table: Any = whole
    if path.name == "pyproject.toml":
        tools = whole.get("tool")
        table = tools.get("costscan") if isinstance(tools, dict) else None
        if table is None and or_none:
            return None
    return Place(str(path), text, "tool.costscan." if path.name == "pyproject.toml" else ""), table or {}


def _take(
    table: Mapping[str, Any], place: Place, values: dict[str, Any], prices: dict[str, dict[str, Decimal]]
) -> None:
    by_name = {key.name: key for key in keys()}
    for name, value in _flat(table, place):
        key = by_name.get(name)
        if key is None:
            raise CostscanError(f"{place.of(name)}: unknown setting {name}", near(name, list(by_name)))
        if name == MODELS_KEY:
            for model, own in value_of(key, value, place).items():
                prices.setdefault(model, {}).update(own)
        else:
            values[name] = value_of(key, value, place)


def _flat(table: Mapping[str, Any], place: Place, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for part, value in table.items():
        name = prefix + part
        if name in GROUPS and not isinstance(value, dict):
            inside = [key.name for key in keys() if key.name.startswith(f"{name}.")]
            raise CostscanError(
                f"{place.of(name)}: {name} is a table, not a value", f"set {' or '.join(inside)}"
            )
        if isinstance(value, dict) and (value or name in GROUPS) and name not in {k.name for k in keys()}:
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
