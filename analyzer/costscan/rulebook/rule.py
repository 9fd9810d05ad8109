"""A rule: what it is about, its parameters, its query and its cases, read from a TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from costscan import levers
from costscan.errors import CostscanError, near
from costscan.rulebook.pricing import WAYS
from costscan.settings.values import Place

LEVERS: Final = (*levers.LEVERS, "loops", "sub-agents", "spend")
"""What rules are about: a lever, or what none of these changes."""
ERROR: Final = "error"
SEVERITIES: Final = (ERROR, "warning", "info")
CONFIDENCES: Final = ("high", "medium", "low")

ParamValue = int | float | str


@dataclass(frozen=True, slots=True)
class Param:
    """A number or word that a user may set; written `:name` in the SQL."""

    value: ParamValue
    help: str


@dataclass(frozen=True, slots=True)
class Case:
    """Rows of frames, and the findings they must give by the columns named; none: it stays quiet.

    `params` are those that the case sets otherwise than their defaults.
    """

    name: str
    frames: Mapping[str, list[dict[str, Any]]]
    expect: list[dict[str, Any]]
    params: Mapping[str, ParamValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fix:
    """How a client is set: text to paste, where that is documented, and the version it needs."""

    text: str
    source: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the rulebook; `fix` is in words, `fixes` are settings by client.

    Where columns are `summed`, findings with one fingerprint are told once, with these as sums.
    What stands in the turns that a rule found that it `leaves_to` is not told.
    """

    id: str
    name: str
    lever: str
    severity: str
    confidence: str
    summary: str
    why: str
    fix: str
    false_positives: str
    sql: str
    price: str
    message: str
    evidence: str
    identity: tuple[str, ...]
    summed: tuple[str, ...]
    leaves_to: tuple[str, ...]
    params: Mapping[str, Param]
    cases: tuple[Case, ...]
    path: Path
    fixes: Mapping[str, Fix] = field(default_factory=dict)
    enabled: bool = True
    values: Mapping[str, ParamValue] = field(default_factory=dict)

    def value(self, param: str) -> ParamValue:
        """Return the value of a parameter: as set, else its default."""
        return self.values.get(param, self.params[param].value)


_PROSE: Final = ("summary", "why", "false_positives")
_WORDS: Final = ("id", "name", "lever", "severity", "confidence", *_PROSE)
_KEYS: Final = (*_WORDS, "fix", "params", "query", "test")
_FIX: Final = ("text", "source", "needs")
_DEFAULT: Final = "default"
FIX_NAMES: Final = ("task", "agent", "tool", "subject", "value", "shown", "tenth", "variable", "limit")
"""What the text of a fix for a client may name in braces."""
_CASE: Final = ("case", "expect", "params")
_QUERY: Final = ("sql", "price", "message", "evidence", "identity", "summed", "leaves_to")


def read_rule(path: Path, *, cases: bool = True) -> Rule:
    """Read a rule file.

    Args:
        path: the file.
        cases: whether its cases are needed; they stand last, and are most of it.

    Raises:
        CostscanError: it is no rule; says the file and the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text if cases else text.partition("\n[[test]]")[0])
    except (OSError, UnicodeDecodeError) as error:
        raise CostscanError(f"{path}: cannot be read: {error}", "a rule is a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise CostscanError(f"{path}: this is not TOML: {error}", "mend that line") from None
    place = Place(str(path), text)
    _refuse_unknown(place, "", table, _KEYS)
    words: dict[str, Any] = {name: _text(place, table, name) for name in _WORDS}
    for name, allowed in (("lever", LEVERS), ("severity", SEVERITIES), ("confidence", CONFIDENCES)):
        _one_of(place, name, words[name], allowed)
    fix, fixes = _fixes(place, table)
    return Rule(
        **words,
        **_query(place, table),
        fix=fix,
        fixes=fixes,
        params=_params(place, table),
        cases=_cases(place, table),
        path=path,
    )


def _fixes(place: Place, table: Mapping[str, Any]) -> tuple[str, dict[str, Fix]]:
    """Return the fix in words, and those of clients: `fix` is a text, or a table with one of each."""
    given = table.get("fix")
    if not isinstance(given, dict):
        return _text(place, table, "fix"), {}
    fixes = {}
    for client in given:
        entry = _table(place, given, client, "fix.")
        _refuse_unknown(place, f"fix.{client}.", entry, _FIX)
        if client != _DEFAULT:
            texts = {name: _text(place, entry, name, f"fix.{client}.") for name in _FIX if name in entry}
            fixes[client] = Fix(**{"source": "", **texts})
            _check_fix(place, client, fixes[client])
    default = _table(place, given, _DEFAULT, "fix.")
    return _text(place, default, "text", f"fix.{_DEFAULT}."), fixes


def _check_fix(place: Place, client: str, fix: Fix) -> None:
    where = f"fix.{client}"
    if not fix.source:
        raise CostscanError(f"{place.of(where)}: {where} needs a source", "where the setting is documented")
    try:
        fix.text.format(**dict.fromkeys(FIX_NAMES, ""))
    except (KeyError, ValueError, IndexError) as error:
        raise CostscanError(
            f"{place.of(where)}: {where}.text: {error}",
            f"it may name {', '.join(FIX_NAMES)}; {{{{ is a brace",
        ) from None


def _query(place: Place, table: Mapping[str, Any]) -> dict[str, Any]:
    query = _table(place, table, "query")
    _refuse_unknown(place, "query.", query, _QUERY)
    price = query.get("price", next(iter(WAYS)))
    _one_of(place, "query.price", price, tuple(WAYS))
    return {
        "sql": _text(place, query, "sql", "query."),
        "price": price,
        "message": _text(place, query, "message", "query."),
        "evidence": _text(place, query, "evidence", "query.") if "evidence" in query else "",
        "identity": _columns(place, query, "identity"),
        "summed": _columns(place, query, "summed"),
        "leaves_to": _columns(place, query, "leaves_to"),
    }


def _columns(place: Place, query: Mapping[str, Any], name: str) -> tuple[str, ...]:
    columns = query.get(name, [])
    if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
        raise CostscanError(f"{place.of(f'query.{name}')}: {name} must be a list of names", 'like ["tool"]')
    return tuple(columns)


def _params(place: Place, table: Mapping[str, Any]) -> dict[str, Param]:
    params = {}
    for name, entry in (_table(place, table, "params") if "params" in table else {}).items():
        where = f"params.{name}"
        if not isinstance(entry, dict) or set(entry) != {"value", "help"}:
            raise CostscanError(
                f"{place.of(where)}: {where} needs value and help", '{ value = 4000, help = "…" }'
            )
        value = entry["value"]
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise CostscanError(f"{place.of(where)}: {where}.value must be a number or a word", "like 4000")
        params[name] = Param(value, str(entry["help"]))
    return params


def _cases(place: Place, table: Mapping[str, Any]) -> tuple[Case, ...]:
    tables = table.get("test", [])
    if not isinstance(tables, list) or not all(isinstance(case, dict) for case in tables):
        raise CostscanError(f"{place.of('test')}: cases are written as [[test]] tables", "[[test]]")
    return tuple(
        Case(
            name=str(case.get("case", f"case {number}")),
            frames={name: rows for name, rows in case.items() if name not in _CASE},
            expect=case.get("expect", []),
            params=case.get("params", {}),
        )
        for number, case in enumerate(tables, 1)
    )


def _table(place: Place, table: Mapping[str, Any], name: str, prefix: str = "") -> dict[str, Any]:
    subtable = table.get(name)
    if not isinstance(subtable, dict):
        raise CostscanError(
            f"{place.of(prefix + name)}: a rule needs a table [{prefix}{name}]",
            "see costscan rules show NAME",
        )
    return subtable


def _text(place: Place, table: Mapping[str, Any], name: str, prefix: str = "") -> str:
    text = table.get(name)
    if not isinstance(text, str) or not text.strip():
        raise CostscanError(f"{place.of(prefix + name)}: a rule needs {prefix}{name}", f'{name} = "…"')
    return text.strip()


def _one_of(place: Place, name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise CostscanError(
            f"{place.of(name)}: {name} {value!r} is not one of them", f"one of {', '.join(allowed)}"
        )


def _refuse_unknown(place: Place, prefix: str, table: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    for name in table:
        if name not in allowed:
            raise CostscanError(
                f"{place.of(prefix + name)}: unknown key {prefix}{name}", near(name, list(allowed))
            )
