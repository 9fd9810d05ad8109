"""Reports that name nobody: what names of a log stand for is replaced by short hashes before any is written.

Everything is worked out with the names of the log, as rules and levers look at them. Texts are then made
with the hashes (`Names.in_text`), and the frames that reports are made of are given them (`hidden`): no
report is written from anything else. Numbers, models, rules, and tools that come with a client stay.
"""

from dataclasses import replace

from costscan.actions import Advised
from costscan.anonymous.columns import hidden
from costscan.anonymous.inputs import unnamed, without_places
from costscan.anonymous.names import Names
from costscan.attribution import PARTS
from costscan.attribution.parts import UNSHOWN
from costscan.scenarios import PricedAnalysis


def names_in(analysis: PricedAnalysis) -> Names:
    """Return what stands for the names in an analysis: all of them are met."""
    names = Names(analysis.prices["model"].unique(), [*PARTS.values(), UNSHOWN])
    hidden(analysis, names)
    return names


def without_names(analysis: Advised, names: Names) -> Advised:
    """Return a diagnosis with hashes for names in all that reports are made from."""
    unread = unnamed(analysis.reading, names)
    return replace(hidden(analysis, names), reading=unread, originals=names.originals)


__all__ = ["Names", "names_in", "without_names", "without_places"]
