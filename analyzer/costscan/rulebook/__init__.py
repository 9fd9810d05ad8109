"""The rulebook: what waste looks like, as data, and the engine that finds and prices it.

A rule is one TOML file: prose, parameters, a query over the frames, and cases. Adding one is adding a file.
"""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any, Final

from costscan.errors import CostscanError, near
from costscan.native import without_panics
from costscan.rulebook.findings import Diagnosis, find
from costscan.rulebook.rule import SEVERITIES, Rule, read_rule
from costscan.rulebook.sql import compile_rule
from costscan.settings.values import Place

_OWN_KEYS: Final = ("enabled", "severity")


def own_folder() -> Path:
    """Return the folder of the rules that come with costscan."""
    packaged = Path(str(files("costscan"))) / "rules"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "rules"


def load_rules(
    folders: Sequence[Path] = (),
    settings: Sequence[tuple[Place, str, Mapping[str, Any]]] = (),
    *,
    cases: bool = True,
) -> list[Rule]:
    """Return the rules that come with costscan and those of other folders, as set and checked.

    Args:
        folders: more folders of rules; a rule in one replaces that of the same name.
        settings: where it is set, the name of a rule, and its settings.
        cases: whether the cases of the rules that come along are needed. Without them those rules, which the
            tests check, are not compiled either, unless they are set otherwise.

    Raises:
        CostscanError: a file is no rule, or a setting is wrong; says the file and what is near.
    """
    rules: dict[str, Rule] = {}
    own = own_folder()
    for folder in (own, *folders):
        if not folder.is_dir():
            raise CostscanError(
                f"{folder}: no such folder of rules", "give a folder with one TOML file a rule"
            )
        for path in sorted(folder.glob("*.toml")):
            rule = read_rule(path, cases=cases or folder != own)
            rules[rule.name] = rule
    for place, name, values in settings:
        if name not in rules:
            raise CostscanError(f"{place.of(f'rules.{name}')}: unknown rule {name}", near(name, list(rules)))
        rules[name] = _with_settings(rules[name], place, values)
    _refuse_same_ids(rules.values())
    with without_panics() if folders else nullcontext():
        for rule in rules.values():
            if cases or rule.path.parent != own or rule.values:
                compile_rule(rule)
    return sorted(rules.values(), key=lambda rule: rule.id)


def _with_settings(rule: Rule, place: Place, values: Mapping[str, Any]) -> Rule:
    own: dict[str, Any] = {}
    params = dict(rule.values)
    for key, value in values.items():
        where = f"{place.of(f'rules.{rule.name}.{key}')}: rules.{rule.name}.{key}"
        if key == "enabled":
            own[key] = _flag(where, value)
        elif key == "severity":
            if value not in SEVERITIES:
                raise CostscanError(f"{where} is not one of them", f"one of {', '.join(SEVERITIES)}")
            own[key] = value
        elif key in rule.params:
            params[key] = _param(where, value, rule.params[key].value)
        else:
            raise CostscanError(f"{where}: no such setting", near(key, [*_OWN_KEYS, *rule.params]))
    return replace(rule, **own, values=params)


def _flag(where: str, value: Any) -> bool:
    flag = {"true": True, "false": False}.get(str(value).lower())
    if flag is None:
        raise CostscanError(f"{where} must be true or false, not {_shown(value)}", "enabled = false")
    return flag


def _param(where: str, value: Any, default: float | str) -> float | str:
    if isinstance(default, str):
        return str(value)
    try:
        parsed = float(str(value))
    except ValueError:
        raise CostscanError(f"{where} must be a number, not {_shown(value)}", f"like {default}") from None
    whole = isinstance(default, int)
    if not isfinite(parsed) or (whole and not parsed.is_integer()):
        number = "a whole number" if whole else "a number"
        raise CostscanError(f"{where} must be {number}, not {_shown(value)}", f"like {default}")
    return int(parsed) if whole else parsed


def _shown(value: Any) -> str:
    """Return a value as it was written."""
    return str(value).lower() if isinstance(value, bool | Decimal) else repr(value)


def _refuse_same_ids(rules: Any) -> None:
    by_id: dict[str, Rule] = {}
    for rule in rules:
        if (other := by_id.setdefault(rule.id, rule)) is not rule:
            raise CostscanError(f"{rule.path}: id {rule.id} is that of {other.name} too", "choose another id")


__all__ = ["Diagnosis", "Rule", "find", "load_rules", "own_folder"]
