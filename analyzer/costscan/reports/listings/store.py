"""What a store holds, and what became of it, in words or as JSON."""

from dataclasses import asdict
from typing import Any

import msgspec
import polars as pl

from costscan.reports.text.numbers import count, plural, usd
from costscan.reports.text.plain import plain
from costscan.reports.text.sanitize import inert, unheeded
from costscan.store.ingesting import Ingested
from costscan.store.layout import IDS, SCHEMA_VERSION, TURNS
from costscan.store.manifest import Manifest
from costscan.store.places import Place

MOST_NAMED = 5
"""So many files that were not read are named; the JSON has them all."""


def ingested(done: Ingested, *, as_json: bool) -> str:
    """Return what an ingest did."""
    if as_json:
        told = asdict(done) | {
            "unusable": [{"path": path, "reason": why} for path, why in done.unusable],
            "unread": [{"path": path, "reason": why} for path, why in done.unread.items()],
        }
        return document(told)
    sizes = f"{megabytes(done.read_bytes)} of logs read"
    news = [f"{count(done.new)} new", f"{count(done.grown)} changed", f"{count(done.unchanged)} as they were"]
    gone = f"; {plural(done.gone, 'file')} no more among the logs stay in the store" if done.gone else ""
    bad = [*done.unread.items(), *done.unusable]
    lines = [
        f"{inert(done.store)}: {', '.join(news)}{gone}",
        f"{sizes}; the store has {plural(done.calls, 'call')}, {usd(done.usd)}, in {megabytes(done.bytes)}",
        *(f"not read: {inert(path)}: {inert(why)}" for path, why in bad[:MOST_NAMED]),
        *([f"not read: {len(bad) - MOST_NAMED} more, in --json"] if len(bad) > MOST_NAMED else []),
    ]
    return "".join(f"{unheeded(line)}\n" for line in lines)


def info(place: Place, manifest: Manifest, *, as_json: bool) -> str:
    """Return what a store holds."""
    told = _held(place, manifest)
    if as_json:
        return document(told)
    days = f"{told['first_day'] or '?'} to {told['last_day'] or '?'}"
    logs = f"{plural(told['files'], 'log')} ({megabytes(told['log_bytes'])})"
    left = f"{plural(told['pruned_files'], 'log')} pruned, {plural(len(told['unread']), 'path')} not read"
    lines = [
        f"{inert(place.shown)}: schema version {SCHEMA_VERSION}, manifest {manifest.number}",
        f"{logs}, {plural(told['calls'], 'call')}, {usd(told['usd'])}, {days}",
        f"{plural(told['parts'], 'part')}, {megabytes(told['bytes'])}; {left}",
        *(
            f"  {table['table']:<10} {table['parts']:>9,} parts {table['rows']:>13,} rows "
            f"{megabytes(table['bytes']):>12}"
            for table in told["tables"]
        ),
    ]
    return "".join(f"{unheeded(line)}\n" for line in lines)


def _held(place: Place, manifest: Manifest) -> dict[str, Any]:
    live, parts = manifest.live, manifest.parts
    turns = parts.filter(pl.col("table") == TURNS)
    tables = parts.group_by("table").agg(
        parts=pl.len().cast(pl.Int64), rows=pl.col("rows").sum(), bytes=pl.col("bytes").sum()
    )
    return {
        "store": place.shown,
        "schema_version": SCHEMA_VERSION,
        "manifest": manifest.number,
        "files": live.height,
        "pruned_files": manifest.files.height - live.height,
        "log_bytes": int(live["bytes"].sum()),
        "first_day": turns["day"].min(),
        "last_day": turns["day"].max(),
        "calls": int(turns["rows"].sum()),
        "usd": turns["usd"].sum() or pl.Series([0]).sum(),
        "parts": parts.height,
        "bytes": int(parts["bytes"].sum()),
        "tables": tables.filter(pl.col("table") != IDS).sort("table").to_dicts(),
        "unread": [{"path": path, "reason": why} for path, why in manifest.unread.items()],
    }


def document(told: dict[str, Any]) -> str:
    """Return plain values as a JSON document."""
    return msgspec.json.format(msgspec.json.encode(plain(told)), indent=1).decode() + "\n"


def megabytes(size: int) -> str:
    """Return bytes in words."""
    return f"{size / 1e6:,.1f} MB"


__all__ = ["document", "info", "ingested", "megabytes"]
