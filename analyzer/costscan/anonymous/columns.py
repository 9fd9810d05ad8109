"""The frames of an analysis with hashes for names: every column of texts is declared, or it is a defect."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any, Final, TypeVar

import polars as pl

from costscan.anonymous.inputs import reasons
from costscan.anonymous.names import Names

T = TypeVar("T")
KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("run_id", "root_run_id", "parent_run_id", "against"), "run"),
    **dict.fromkeys(("path", "file"), "file"),
    **dict.fromkeys(("task", "root_task"), "task"),
    **{name: name for name in ("agent", "project", "branch", "user", "tool", "part", "skill", "server")},
    **dict.fromkeys(("model", "model_raw", "to_model", "from_model"), "model"),
    **dict.fromkeys(("tier", "speed", "geo", "effort", "stop_reason", "cache_write_ttl"), "word"),
    **dict.fromkeys(("before", "after"), "text"),
    "call_id": "call",
    "message_id": "message",
}
"""What the names in a column are; those of a column that is not here are costscan's own words."""
OWN: Final = frozenset((
    "policy",
    "asks", "breakpoint", "cause", "cheaper", "client", "confidence", "content", "disagreement",
    "evidence", "family", "findings", "fingerprint", "fix", "how", "id", "kind", "label", "layer",
    "lever", "message", "meter", "miss_reason", "model_class", "name", "provider", "reason", "risk",
    "role", "rule", "scenario", "setting", "severity", "source", "subject", "title", "ttl",
    "usage_from", "value",
))  # fmt: skip
"""Columns of costscan's own words, and of texts that were written with the hashes."""
_PLACES: Final = frozenset({"prefix_breaks", "findings", "actions"})
"""The frames whose `path` is a place in a request."""
_SET: Final = frozenset({"expired", "setting-changed", "model-switched"})
"""The causes of breaks at which what was before and after is no text: a pause, an effort, a model."""


def hidden(analysis: T, names: Names) -> T:
    """Return a stage of the work with hashes for names in all of its frames; numbers are the same.

    Raises:
        KeyError: a column of texts is not declared: nobody knows what it may hold.
    """
    new = {f.name: _of(getattr(analysis, f.name), f.name, names) for f in fields(analysis) if f.init}  # type: ignore[arg-type]
    return replace(analysis, **new)  # type: ignore[type-var]


def _of(value: Any, name: str, names: Names) -> Any:
    """Return a value of a stage as reports may have it."""
    if isinstance(value, pl.DataFrame):
        return frame(value, name, names)
    if isinstance(value, pl.LazyFrame):
        return value.with_columns(_lazily(value, name, names))
    own: dict[str, Callable[[], Any]] = {
        "reasons": lambda: reasons(value, names),
        "without_rules": lambda: tuple(names.name("model", model) for model in value),
        "recorded": lambda: [_total(one, names) for one in value],
        **dict.fromkeys(("reading", "rules"), lambda: value),
    }
    return own[name]() if name in own else hidden(value, names) if is_dataclass(value) else value


def frame(values: pl.DataFrame, name: str, names: Names) -> pl.DataFrame:
    """Return a frame with hashes for names."""
    new = [names.series(kind, values[column]) for column, kind in _kinds(values.schema, name).items()]
    shown = values.with_columns(new)
    if name == "prefix_breaks":
        is_set = values["cause"].is_in(sorted(_SET))
        own = [names.series("set", values[column]) for column in ("before", "after")]
        both = pl.DataFrame(own).select(pl.all().name.prefix("own_")).with_columns(is_set=is_set)
        picked = [pl.when("is_set").then(f"own_{n}").otherwise(n).alias(n) for n in ("before", "after")]
        shown = shown.hstack(both).with_columns(picked).drop(both.columns)
    return shown


def _lazily(values: pl.LazyFrame, name: str, names: Names) -> list[pl.Expr]:
    kinds = _kinds(values.collect_schema(), name)
    return [
        pl.col(column).map_batches(partial(names.series, kind), return_dtype=pl.String)
        for column, kind in kinds.items()
    ]


def _kinds(schema: pl.Schema, frame_name: str) -> dict[str, str]:
    """Return what the names of each column of texts are, those of costscan's own words left out."""
    kinds = {}
    for column, dtype in schema.items():
        if dtype != pl.String or column in OWN:
            continue
        kinds[column] = "place" if column == "path" and frame_name in _PLACES else KINDS[column]
    return kinds


def _total(total: Any, names: Names) -> Any:
    """Return a recorded total under the hash of its session; of several processes those too."""
    spelling = {
        names.name("model", model): names.name("model", word) for model, word in total.spelling.items()
    }
    by_model = {
        name: {names.name("model", model): value for model, value in getattr(total, name).items()}
        for name in ("models", "model_usd")
    }
    return replace(
        total,
        session=names.name("run", total.session),
        path=names.name("file", total.path),
        uuid=None,
        ends={names.name("file", file): line for file, line in total.ends.items()},
        spelling=spelling,
        usage_model=total.usage_model and names.name("model", total.usage_model),
        mode=total.mode and tuple(word and names.name("word", word) for word in total.mode),
        lacking={names.name("model", model) for model in total.lacking},
        filled={names.name("model", model) for model in total.filled},
        processes=[_total(one, names) for one in total.processes],
        **by_model,
    )
