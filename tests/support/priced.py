"""Turns to be priced, a row at a time."""

from datetime import UTC, datetime
from typing import Any

from costscan.schema.tables.runs import TURNS

NOVEMBER = datetime(2026, 11, 21, tzinfo=UTC)
TOKENS = {
    "input": "input_tokens", "read": "cache_read_tokens", "w5m": "cache_write_5m_tokens",
    "w1h": "cache_write_1h_tokens", "out": "output_tokens", "searches": "web_searches",
}  # fmt: skip


def turn(model: str, at: datetime | None = NOVEMBER, **fields: Any) -> dict[str, Any]:
    blank = dict.fromkeys(TURNS.columns) | dict.fromkeys(TOKENS.values(), 0)
    given = {TOKENS.get(name, name): value for name, value in fields.items()}
    plain = {"run_id": "r", "turn": 0, "line": 1, "provider": "", "model": "", "usage_from": "reported"}
    plain |= {"tier": "standard", "speed": "standard"}
    return blank | plain | {"model_raw": model, "at": at} | given


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
