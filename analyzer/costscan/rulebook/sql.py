"""The SQL of rules: what is let through, how parameters get in, and what it runs on.

Polars SQL can open files and URLs and change its own context, so a rule may only select, names no such
function, and gets a fresh context of the frames it names. Every rule is compiled on empty frames when it is
loaded: a wrong column is an error before any log is read.
"""

import re
import string
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import polars as pl

from costscan.defects import first_line
from costscan.errors import CostscanError, near
from costscan.levers.trimming.defer_unused_tools import unused_definitions
from costscan.rulebook.pricing import WAYS
from costscan.rulebook.rule import ParamValue, Rule
from costscan.schema.frames import NULLABLE, OF_LOGS, SCHEMAS

RUN_COSTS: Final = pl.Schema(
    {
        "run_id": pl.String,
        "root_run_id": pl.String,
        "parent_run_id": pl.String,
        "task": pl.String,
        "agent": pl.String,
        "n_turns": pl.Int64,
        "prompt_tokens": pl.Int64,
        "output_tokens": pl.Int64,
        "tool_calls": pl.Int64,
        "micro_usd": pl.Int64,
        "tree_micro_usd": pl.Int64,
    }
)
"""One row a run: its cost in millionths of a dollar (null: unknown), alone and with all its sub-agents."""
FRAMES: Final[Mapping[str, pl.Schema]] = {
    **{name: SCHEMAS[name] for name in OF_LOGS if name not in {"findings", "actions"}},
    "run_costs": RUN_COSTS,
}
"""What a rule may query, beside `VIEWS`."""
VIEWS: Final[Mapping[str, tuple[Callable[..., pl.LazyFrame], tuple[str, ...]]]] = {
    "unused_tools": (unused_definitions, ("blocks", "tool_calls", "runs")),
}
"""What is worked out from other frames, by the query that a lever goes by too."""
MAY_BE_UNKNOWN: Final[Mapping[str, frozenset[str]]] = {
    **NULLABLE,
    "run_costs": frozenset({"parent_run_id", "agent", "micro_usd", "tree_micro_usd"}),
}
"""The columns of them that may hold nulls."""
_PLACES: Final[Mapping[str, type[pl.DataType]]] = {"path": pl.String, "char_offset": pl.Int64}
"""The columns it may give for the place of a finding."""
_FORBIDDEN: Final = re.compile(r"""\b(?:read|scan)_\w+["`]?\s*\(|;\s*\S|\bcopy\b|\binto\b""", re.IGNORECASE)
"""A function that opens files or URLs, its name quoted or not; a second statement; what writes."""
_PARAM: Final = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")
_WORD: Final = re.compile(r"\w+")
_STRING: Final = re.compile(r"'(?:[^']|'')*'")
_COUNTED: Final = re.compile(r"(?:[a-z -]+(?:/[a-z -]+)?)?")
"""What a number counts, where a text says so: one of them, or `one/many`."""
REFUSALS: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
_COMMENT: Final = re.compile(rf"({_STRING.pattern})|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""A comment, or a string, in which nothing is one."""


def sql_of(rule: Rule) -> str:
    """Return the SQL of a rule with its parameters put in.

    Raises:
        CostscanError: it does more than select, or names a parameter that there is not.
    """
    text = _COMMENT.sub(lambda comment: comment[1] or " ", rule.sql).strip().rstrip(";")
    bare = _STRING.sub("''", text)
    bad = _FORBIDDEN.search(bare)
    if bad or not re.match(r"(?i)(select|with)\b", bare):
        clause = f": {bad[0].strip()}" if bad else ""
        raise CostscanError(
            f"{rule.path}: the query may only select from frames{clause}", "use SELECT or WITH"
        )

    def literal(match: re.Match[str]) -> str:
        if match[1] not in rule.params:
            raise CostscanError(
                f"{rule.path}: the query names :{match[1]}", near(match[1], list(rule.params))
            )
        return _literal(rule.value(match[1]))

    return "".join(
        piece if piece.startswith("'") else _PARAM.sub(literal, piece)
        for piece in re.split(r"('(?:[^']|'')*')", text)
    )


def _literal(value: ParamValue) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def lazy(rule: Rule, frames: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Return the query of a rule over some frames, not run yet.

    Raises:
        CostscanError: Polars refuses it.
    """
    text = sql_of(rule)
    words = words_of(text)
    every = {**frames, **views(text, frames)}
    named = {name: frame for name, frame in every.items() if name in words}
    try:
        return pl.SQLContext(frames=named).execute(text, eager=False)
    except REFUSALS as error:
        raise _refused(rule, error) from None


def views(text: str, frames: Mapping[str, pl.LazyFrame]) -> dict[str, pl.LazyFrame]:
    """Return the `VIEWS` that a query names, over some frames."""
    words = words_of(text)
    return {
        name: view(*(frames[need] for need in needs))
        for name, (view, needs) in VIEWS.items()
        if name in words
    }


def words_of(text: str) -> frozenset[str]:
    """Return the words of queries: the frames that they name are among them."""
    return frozenset(_WORD.findall(text))


def compile_rule(rule: Rule) -> pl.Schema:
    """Try a rule on empty frames and give the columns of its findings.

    Raises:
        CostscanError: the query, its columns or the texts of the rule do not fit together.
    """
    try:
        schema = lazy(rule, _empty()).collect().schema
    except REFUSALS as error:
        raise _refused(rule, error) from None
    _check_columns(rule, schema)
    placeholders = {*schema, *rule.params, "usd", "tokens", "task"}
    for text in (rule.message, rule.evidence, rule.fix):
        for name in _names(rule, text):
            if name not in placeholders:
                raise CostscanError(f"{rule.path}: a text names {{{name}}}", near(name, sorted(placeholders)))
    for name in rule.identity:
        if name not in schema:
            raise CostscanError(f"{rule.path}: identity names {name}", near(name, list(schema)))
    for name in rule.summed:
        if not schema.get(name, pl.String).is_numeric():
            numbers = [column for column, kind in schema.items() if kind.is_numeric()]
            raise CostscanError(f"{rule.path}: summed names {name}, no number", near(name, numbers))
    return schema


@cache
def _empty() -> Mapping[str, pl.LazyFrame]:
    """Return what a rule may query, without rows."""
    return {name: pl.LazyFrame(schema=schema) for name, schema in FRAMES.items()}


def _check_columns(rule: Rule, schema: pl.Schema) -> None:
    needed = WAYS[rule.price].columns
    for column, kind in needed.items():
        if schema.get(column) != kind:
            actual = f"is {schema[column]}" if column in schema else "is missing"
            raise CostscanError(
                f"{rule.path}: the query must give {column} ({kind.__name__}); it {actual}",
                f"rules priced by {rule.price} give {', '.join(needed)}",
            )
    for column, kind in _PLACES.items():
        if schema.get(column, kind) != kind:
            raise CostscanError(
                f"{rule.path}: {column} is {schema[column]}",
                f"it must be {kind.__name__}: the place of a text",
            )


def _names(rule: Rule, text: str) -> list[str]:
    try:
        placeholders = [
            (name, spec, how) for _, name, spec, how in string.Formatter().parse(text) if name is not None
        ]
    except ValueError as error:
        raise CostscanError(
            f"{rule.path}: a text has a stray brace: {error}", "write {{ for a brace"
        ) from None
    for name, spec, how in placeholders:
        if not name.isidentifier() or how or not _COUNTED.fullmatch(spec or ""):
            raise CostscanError(
                f"{rule.path}: a text names {{{name}}} in another way",
                "only {column} is allowed, and {column:thing} for a number with what it counts",
            )
    return [name for name, _, _ in placeholders]


def _refused(rule: Rule, error: BaseException) -> CostscanError:
    message = str(error).strip()
    first = message.splitlines()[0] if message else type(error).__name__
    return CostscanError(f"{rule.path}: {first}", "costscan schema shows the frames and their columns")


def why_not(rule: Rule, error: BaseException) -> str:
    """Say in a line why Polars could not run the query of a rule over the logs."""
    what = error.what.removeprefix(f"{rule.path}: ") if isinstance(error, CostscanError) else None
    return f"{rule.path}: its query cannot be run: {what or first_line(error) or type(error).__name__}"
