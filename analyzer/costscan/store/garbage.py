"""What no manifest names: parts that were superseded, and those of an ingest that was killed."""

import time
from typing import Final

from costscan.store.layout import MANIFESTS, PENDING, TABLES_OF_STORE
from costscan.store.manifest import Manifest, earlier, forget_old
from costscan.store.places import Place

OLD_S: Final = 24 * 3600
"""What is younger may be of an ingest that goes on."""


def note(name: str) -> str:
    """Return the name of the note of an ingest that goes on."""
    return f"{PENDING}/{name}"


def remove_superseded(place: Place, before: Manifest, after: Manifest) -> None:
    """Remove the parts that a commit superseded, and manifests that are long superseded."""
    place.remove(_superseded(before, after))
    forget_old(place, after.number)


def tidy(place: Place, manifest: Manifest, own_note: str) -> None:
    """Remove what processes that were killed left: what they superseded now, all else when it is old."""
    notes = [entry for entry in place.entries(PENDING) if entry.name != own_note]
    if not notes:
        return
    for before in earlier(place, manifest.number):
        place.remove(_superseded(before, manifest))
    if any(time.time() - entry.written_s > OLD_S for entry in notes):
        collect(place, manifest)


def _superseded(before: Manifest, after: Manifest) -> list[str]:
    return before.parts.join(after.parts, on="name", how="anti")["name"].to_list()


def collect(place: Place, manifest: Manifest, *, older_than_s: float = OLD_S) -> int:
    """Remove what no manifest names and is old; return how many files that were."""
    named = set(manifest.parts["name"])
    before = time.time() - older_than_s
    old = [
        entry.name
        for entry in place.entries("")
        if entry.name not in named
        and entry.written_s < before
        and not entry.name.startswith(f"{MANIFESTS}/")
        and _is_own(entry.name)
    ]
    place.remove(old)
    return len(old)


def _is_own(name: str) -> bool:
    """Whether a file may be removed by its name: others may have put theirs into the folder."""
    return name.partition("/")[0] in {*TABLES_OF_STORE, PENDING}


__all__ = ["OLD_S", "collect", "note", "remove_superseded", "tidy"]
