"""What an HTML report holds: its data, and the tables in them."""

import json
import re
from typing import Any


def data_of(text: str) -> Any:
    """Return the data that a page holds."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def table_of(data: Any, name: str) -> dict[str, list[Any]]:
    """Return the columns of a table, with texts for their numbers."""
    found = next(table for table in data["tables"] if table["name"] == name)
    columns = {}
    for column in found["columns"]:
        texts = column.get("texts") or data["pools"].get(column.get("pool"))
        columns[column["title"]] = [texts[n] for n in column["values"]] if texts else column["values"]
    return columns
