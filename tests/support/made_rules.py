"""Rules made for tests: one for each way of pricing, with queries that find much in any log."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from costscan.rulebook import Rule, load_rules

QUERIES: Final[Mapping[str, str]] = {
    "block": "SELECT run_id, turn_in AS turn, turn_out - 1 AS turn_end, block, tool, CAST(tokens / 2 AS BIGINT) AS tokens "
    "FROM blocks WHERE turn_in < turn_out",
    "ride": "SELECT run_id, turn_in + 2 AS turn, block, tool, tokens FROM blocks WHERE turn_in < turn_out",
    "turns": "SELECT run_id, turn, turn + 2 AS turn_end FROM turns WHERE output_tokens > :least",
    "prompt": "SELECT run_id, turn, turn + 1 AS turn_end, carried_tokens AS tokens FROM growth",
    "output": "SELECT run_id, turn, output_tokens * 2 AS tokens FROM turns",
    "unread": "SELECT run_id, turn, turn + 2 AS turn_end, prompt_tokens AS tokens FROM growth",
    "written": "SELECT run_id, turn, prompt_tokens AS tokens FROM growth",
    "run": "SELECT run_id, CAST(0.5 AS DOUBLE) AS share FROM runs",
}
"""A query by its way of pricing; some ask for more than there is."""


def toml(price: str, sql: str, **more: str) -> str:
    """Return a rule file; `more` are texts of the rule."""
    said = {
        "message": "{task}: $",
        "fix": "do less",
        "name": f"made-{price}",
        "id": f"Z{len(price)}{price[0]}",
    }
    said |= {"lever": "spend", "severity": "warning", "confidence": "low", "summary": "s", "why": "w"}
    said |= {"false_positives": "f"} | more
    query = {"message": said.pop("message"), "sql": sql, "price": price}
    return (
        "".join(f"{name} = '''{text}'''\n" for name, text in said.items())
        + "[params]\nleast = { value = 0, help = 'At least so many.' }\n[query]\n"
        + "".join(f"{name} = '''{text}'''\n" for name, text in query.items())
        + "[[test]]\nexpect = []\n"
    )


def made(folder: Path, queries: Mapping[str, str] = QUERIES, **more: str) -> list[Rule]:
    """Write rules of these queries and load them, without those that come with costscan."""
    folder.mkdir(parents=True, exist_ok=True)
    for price, sql in queries.items():
        (folder / f"made-{price}.toml").write_text(toml(price, sql, **more), encoding="utf-8")
    return [rule for rule in load_rules([folder]) if rule.path.parent == folder]
