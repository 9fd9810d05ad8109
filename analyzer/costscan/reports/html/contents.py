"""All that the page shows, section by section; a further section is a further key here and in report.js."""

from typing import Any, Final

from costscan.reports.analysis.bill_lines import Pieces
from costscan.reports.analysis.headline import METER_WORDS, paragraphs, sizes
from costscan.reports.analysis.levers import cap_curve, together_sentence
from costscan.reports.html import charts
from costscan.reports.html.cache_chart import cache
from costscan.reports.html.columns import Pools, money, plain, text
from costscan.reports.html.facets import facets
from costscan.reports.html.run_pages import pages
from costscan.reports.html.tables import tables
from costscan.reports.text.headings import named, price_basis
from costscan.reports.text.sanitize import inert
from costscan.rulebook import Diagnosis
from costscan.summary import Summary

_DRAWN: Final = {"billed", "where"}
"""The paragraphs of the headline that have a place of their own."""
_RULES: Final = 6


def contents(summary: Summary, analysis: Diagnosis) -> dict[str, Any]:
    """Return the data of the page."""
    pools: Pools = {}
    shown = [table.encoded(pools) for table in tables(summary)]
    return {
        "heading": heading(summary),
        "first": first_screen(summary),
        "levers": charts.levers(summary)
        | {"order": together_sentence(summary), "caps": text(cap_curve(summary))},
        "assumptions": [[a.lever, a.assumption, a.source] for a in summary.assumptions],
        "rules": rules(summary),
        "spend": charts.spend(summary, analysis),
        "cache": cache(summary, analysis),
        "distribution": charts.distribution(summary),
        "growth": charts.growth(summary, analysis),
        "tables": shown,
        "facets": facets(summary, pools),
        "pages": pages(summary, analysis, pools),
        "pools": {title: list(pool) for title, pool in pools.items()},
    }


def heading(summary: Summary) -> dict[str, Any]:
    """Return what the report is about."""
    return {
        "paths": text(named(summary.paths)),
        "sizes": sizes(summary),
        "prices": price_basis(summary.prices),
        "made": f"costscan {summary.costscan_version}, {summary.generated_at:%Y-%m-%d %H:%M} UTC",
        "turns": summary.totals.turns,
    }


def first_screen(summary: Summary) -> dict[str, Any]:
    """Return the bill, what it went to, and what else the headline says."""
    pieces_of = {label: pieces for label, pieces, _ in paragraphs(summary)}
    apart = {label: separator for label, _, separator in paragraphs(summary)}
    bill = _bill(pieces_of["billed"])
    whole = summary.totals.usd
    spent = sorted(((m, v) for m, v in summary.meters.items() if v), key=lambda item: -item[1])
    return {
        "bill": bill,
        "meters": [[METER_WORDS[m], money(v), plain(float(v / whole)) if whole else None] for m, v in spent],
        "facts": [
            [label, apart[label].join(piece for piece, _ in pieces), any("yellow" in s for _, s in pieces)]
            for label, pieces in pieces_of.items()
            if label not in _DRAWN
        ],
    }


def _bill(pieces: Pieces) -> list[str]:
    """Part what is said of the bill: before the amount, the amount, and after it."""
    before, amount, after = "", "", ""
    for piece, style in pieces:
        if "bold" in style and not piece.endswith(" "):
            amount = piece
        elif "bold" in style:
            before = piece.strip()
        else:
            after += piece
    return [before, amount, after.strip()]


def rules(summary: Summary) -> dict[str, Any]:
    """Return the rules that found most, each with its most expensive finding and how to mend it."""
    by_rule = summary.breakdowns["rule"]
    rows = [
        {
            "name": inert(row["name"]),
            "usd": money(row["usd"]),
            "severity": row["severity"],
            "findings": row["findings"],
            "runs": row["runs"],
            "message": text(row["message"]),
            "fix": text(row["fix"]),
        }
        for row in by_rule.head(_RULES).to_dicts()
    ]
    return {"rows": rows, "more": by_rule.height - len(rows)}
