"""Sums that were worked out, kept for the same question about the same logs.

They hold what `costscan usage` prints: numbers, names of models, projects and sessions.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Final

import msgspec

from costscan import kept_answers
from costscan.ingest.kept_readings import digest_of
from costscan.kept_answers import Place
from costscan.totals import Row, Totals

_FOLDERS: Final = (".", "billing", "prices", "recorded_cost", "schema", "totals")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Totals).decode


def place(logs: bytes, question: object) -> Place:
    """Return where the answer to a question about logs is kept; arguments as for `kept_answers.place`."""
    return kept_answers.place(logs, ("sums", question), _code())


def take(at: Place, now: datetime) -> Totals | None:
    """Return the sums that are kept at a place, as of now; None where there are none of this state."""
    with suppress(msgspec.DecodeError, msgspec.ValidationError):
        if (kept := kept_answers.take(at)) is not None:
            found = _decode(kept)
            rows, models = list(map(_exact, found.rows)), list(map(_exact, found.models))
            return replace(found, generated_at=now, total=_exact(found.total), rows=rows, models=models)
    return None


def keep(at: Place, totals: Totals) -> None:
    """Keep sums at a place, if that can be."""
    kept_answers.keep(at, _encode(totals))


def _exact(row: Row) -> Row:
    return {**row, "usd": None if row["usd"] is None else Decimal(row["usd"])}


@cache
def _code() -> str:
    """Return a digest of all that decides what reading gives a bill, and a bill sums."""
    return digest_of(*(f"{folder}/{ending}" for folder in _FOLDERS for ending in ("*.py", "*.toml")))
