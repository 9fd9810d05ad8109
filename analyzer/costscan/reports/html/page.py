"""The pages: own files and the chart library around the data, under a policy that lets in nothing else."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import Any, Final

import msgspec

LIBRARY: Final = ("vendor/d3.min.js", "vendor/plot.umd.min.js")
SHARED: Final = ("format.js", "address.js", "copy.js", "table.js", "charts.js", "page.js")
"""The scripts of every page."""
_ESCAPED: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
"""What could end the element that holds the data, or a line of a script."""
_STYLE_OF_PLOT: Final = re.compile(r"text\(`(:where\(\.\$\{\w+\}\) \{\\n  --plot-background.*?)`\)")
PLOT_CLASS: Final = "plot"
"""What charts.js calls the charts: the library writes it into the style that each of them brings along."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A kind of page: its title, the file with its sections, and its scripts."""

    title: str
    sections: str
    scripts: tuple[str, ...]


REPORT: Final = Layout(
    "costscan report",
    "report.html",
    (*SHARED, "cache_chart.js", "filters.js", "run_charts.js", "run.js", "report.js"),
)
COMPARISON: Final = Layout("costscan comparison", "comparison.html", (*SHARED, "comparison.js"))
LAYOUTS: Final = (REPORT, COMPARISON)


def page(data: Mapping[str, Any], layout: Layout = REPORT) -> str:
    """Return a page with the data in it, the same for the same data."""
    library, script, style = _joined(LIBRARY), _joined(layout.scripts), _file("report.css")
    rules = {
        "default-src": "'none'",
        "script-src": f"{_hash(library)} {_hash(script)}",
        "style-src": f"{_hash(style)} {_hash(_style_of_plot(library))}",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return Template(_file("page.html")).substitute(
        policy="; ".join(f"{name} {value}" for name, value in rules.items()),
        title=layout.title,
        style=style,
        sections=_file(layout.sections),
        data=embedded(data),
        library=library,
        script=script,
    )


def embedded(data: Mapping[str, Any]) -> str:
    """Return the data as JSON that no parser of HTML takes for anything but text."""
    return msgspec.json.encode(data).decode().translate(_ESCAPED)


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join(map(_file, names))


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _style_of_plot(library: str) -> str:
    match = _STYLE_OF_PLOT.search(library)
    return re.sub(r"\$\{\w+\}", PLOT_CLASS, match[1]).replace("\\n", "\n") if match else ""
