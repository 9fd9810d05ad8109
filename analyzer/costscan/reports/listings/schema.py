"""The frames as text or JSON: columns, types, which may be null, and what they mean."""

import json
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from costscan.errors import CostscanError, near
from costscan.reports.text.console import printed, width_of
from costscan.schema.tables import TABLES


def show(frame: str | None, *, as_json: bool) -> None:
    """Print one frame or all.

    Raises:
        CostscanError: there is no such frame.
    """
    if frame is not None and frame not in TABLES:
        raise CostscanError(f"{frame}: no such frame", near(frame, list(TABLES)))
    names = [frame] if frame else list(TABLES)
    if as_json:
        sys.stdout.write(json.dumps({name: _described(name) for name in names}, indent=1) + "\n")
        return
    width = width_of(sys.stdout)
    printed(["A ? marks columns that may be null; null always means unknown."])
    for name in names:
        printed(["", *_lines(name, width)])


def _described(name: str) -> dict[str, Any]:
    return {
        "rows": TABLES[name].meaning,
        "columns": [
            {
                "name": column,
                "type": str(declared.type),
                "may_be_null": declared.nullable,
                "meaning": declared.meaning,
            }
            for column, declared in TABLES[name].columns.items()
        ],
    }


def _lines(name: str, width: int) -> Iterator[str]:
    frame = _described(name)
    yield f"{name}: {frame['rows']}"
    for column in frame["columns"]:
        null = "?" if column["may_be_null"] else " "
        head = f"  {column['name']:<24}{_short(column['type']):<15}{null} "
        yield from textwrap.wrap(
            column["meaning"], width, initial_indent=head, subsequent_indent=" " * len(head)
        )


def _short(kind: str) -> str:
    words = {"Decimal(precision=38, scale=12)": "Decimal(38,12)"}
    return words.get(kind, "Datetime(us)" if kind.startswith("Datetime") else kind)
