"""A log search whose result is big and mostly beside the point."""

import json

from generator.blocks import Json, dump
from generator.clock import iso, parse
from generator.dice import Dice

_HOSTS = ["shop.fennmark.example", "hooks.ostby.example", "in.kelpworks.example", "erp.strandhus.example"]
_SLOW = ["hooks.norrbank.example", "api.sjobank.example"]


def delivery_log(dice: Dice, lines: int) -> str:
    """A search in a delivery service's log: JSON lines, in which two pods sometimes post the same event."""
    at = parse("2026-10-27T06:00:02Z")
    found: list[str] = []
    while len(found) < lines:
        at += dice.between(900, 5200)
        event = f"evt_{dice.hex(12)}"
        if dice.between(1, 14) == 1:
            host = dice.pick(_SLOW)
            found += [
                dump(_entry(dice, at, event, host, 33_000)),
                dump(_entry(dice, at + 31_400, event, host, 34_100)),
            ]
        else:
            found.append(dump(_entry(dice, at, event, dice.pick(_HOSTS), dice.between(80, 900))))
    return "\n".join(found[:lines])


def first_double(log: str) -> str:
    """The first event that the log shows twice."""
    seen: set[str] = set()
    for line in log.split("\n"):
        event = str(json.loads(line)["event"])
        if event in seen:
            return event
        seen.add(event)
    raise ValueError("no event occurs twice")


def _entry(dice: Dice, at: int, event: str, host: str, took_ms: int) -> Json:
    return {
        "ts": iso(at),
        "level": "INFO",
        "svc": "gullwing",
        "pod": f"gullwing-7c9d5f-{dice.pick('bkmqx')}{dice.hex(4)}",
        "msg": "delivered",
        "event": event,
        "tenant": dice.between(1001, 1480),
        "endpoint": host,
        "attempt": 0,
        "status": 200,
        "took_ms": took_ms,
        "trace": dice.hex(16),
    }
