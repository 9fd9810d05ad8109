"""What a reading counts, to hold one against another."""

from typing import Any

from costscan.ingest import Reading

_COUNTS = ("files", "bytes", "lines", "skipped_lines", "repaired_lines", "formats", "unusable", "unread")


def counts_of(reading: Reading) -> dict[str, Any]:
    """Return all that a reading says of itself, beside its tables."""
    return {name: getattr(reading, name) for name in _COUNTS}
