"""Which runs a user means by what was typed."""

from typing import TYPE_CHECKING, Final

from costscan.errors import CostscanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from costscan.summary import Summary

WORST: Final = "worst"
_SHOWN: Final = 5


def ids(summary: "Summary") -> "tuple[list[str], list[str]]":
    """Return the ids of all runs and sub-agents, and those of the runs as `analyze` lists them."""
    roots: list[str] = summary.runs["run_id"].to_list()
    return list(dict.fromkeys([*roots, *summary.threads["run_id"]])), roots


def run_named(name: str, summary: "Summary", originals: "Mapping[str, str]") -> str:
    """Return the id of the run or sub-agent that is meant: an id, its beginning, or `worst`.

    Where hashes stand for ids, the ids themselves are understood too: `originals` has them.

    Raises:
        CostscanError: there is none, or there are several.
    """
    from costscan.reports.text.run_names import meant  # noqa: PLC0415

    every, roots = ids(summary)
    if name == WORST and every and name not in every:
        return every[0]
    matches = meant(name, every, set(roots))
    if not matches and originals:
        own = {originals.get(run, run): run for run in every}
        told = meant(name, list(own), {originals.get(run, run) for run in roots})
        matches = [own[run] for run in told]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise CostscanError(
            f"{name}: no run of this name in these logs", "costscan analyze PATH --by run lists them"
        )
    more = "" if len(matches) <= _SHOWN else f" and {len(matches) - _SHOWN} more"
    raise CostscanError(
        f"{name}: {len(matches)} runs begin so", f"which: {', '.join(matches[:_SHOWN])}{more}?"
    )
