"""A dashboard of Grafana for what `-o report.prom` writes: cost and latency beside each other.

Its data source is chosen in Grafana. Every query names gauges and summaries of the report and nothing else.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

PLACE: Final = "grafana/costscan.json"
"""Where it is written."""
_WIDTH: Final = 24
_SOURCE: Final = {"type": "prometheus", "uid": "${source}"}
_USD, _SECONDS, _SHARE, _NUMBER = "currencyUSD", "s", "percentunit", "short"


class Query(NamedTuple):
    """An expression, what its values are called, and their unit."""

    expression: str
    legend: str
    unit: str


class Panel(NamedTuple):
    """A panel: its title, how it shows, its size on a grid of 24, and what it asks."""

    title: str
    kind: str
    width: int
    height: int
    queries: Sequence[Query]


def _number(title: str, expression: str, unit: str) -> Panel:
    return Panel(title, "stat", 4, 4, [Query(expression, title, unit)])


def _line(title: str, expression: str, legend: str, unit: str) -> Panel:
    return Panel(title, "timeseries", 12, 8, [Query(expression, legend, unit)])


def _ranks(name: str) -> Iterator[Query]:
    """Yield how long calls took by something, and until their first tokens."""
    for metric, called in (("call", "call"), ("first_token", "first token")):
        for quantile in ("0.5", "0.9", "0.99"):
            expression = f'max by ({name}) (costscan_{name}_{metric}_seconds{{quantile="{quantile}"}})'
            yield Query(expression, f"{called} p{float(quantile) * 100:g}", _SECONDS)


def _table(name: str, counted: str, more: Sequence[Query]) -> Panel:
    queries = [
        Query(f"topk(20, sum by ({name}) (costscan_{name}_usd))", "cost", _USD),
        Query(f"sum by ({name}) (costscan_{name}_{counted})", counted, _NUMBER),
        *more,
    ]
    return Panel(f"By {name}", "table", _WIDTH, 9, queries)


def _hits(name: str) -> Query:
    return Query(f"avg by ({name}) (costscan_{name}_cache_hit_ratio)", "cache hits", _SHARE)


PANELS: Final = (
    _number("Cost", "sum(costscan_billed_usd)", _USD),
    _number("All levers would save", "sum(costscan_levers_saved_usd)", _USD),
    _number("Cache hits", "avg(costscan_cache_hit_ratio)", _SHARE),
    _number("Calls", "sum(costscan_turns)", _NUMBER),
    _number("A call, p90", 'max(costscan_call_seconds{quantile="0.9"})', _SECONDS),
    _number("Age of the report", "time() - min(costscan_report_timestamp_seconds)", _SECONDS),
    _table("task", "runs", [_hits("task"), *_ranks("task")]),
    _table("model", "turns", [_hits("model"), *_ranks("model")]),
    _table(
        "tool", "calls", [Query("sum by (tool) (costscan_tool_errors)", "errors", _NUMBER)]
    ),
    _line("Cost by task", "topk(10, sum by (task) (costscan_task_usd))", "{{task}}", _USD),
    _line(
        "A call by task, p90",
        'topk(10, max by (task) (costscan_task_call_seconds{quantile="0.9"}))',
        "{{task}}",
        _SECONDS,
    ),
    _line("Cost by model", "sum by (model) (costscan_model_usd)", "{{model}}", _USD),
    _line(
        "First token by model, p90",
        'max by (model) (costscan_model_first_token_seconds{quantile="0.9"})',
        "{{model}}",
        _SECONDS,
    ),
    _line("Tokens by class", "sum by (class) (costscan_billed_tokens)", "{{class}}", _NUMBER),
    _line("Cost by meter", "sum by (meter) (costscan_meter_usd)", "{{meter}}", _USD),
    _line("A run, by rank", "max by (quantile) (costscan_run_usd)", "p{{quantile}}", _USD),
    _line("Levers save together", "sum by (lever) (costscan_lever_saved_together_usd)", "{{lever}}", _USD),
    _line("Findings by rule", "topk(10, sum by (rule) (costscan_findings_usd))", "{{rule}}", _USD),
    _line(
        "Tokens by model", "sum by (model, class) (costscan_model_tokens)", "{{model}} {{class}}", _NUMBER
    ),
)  # fmt: skip


def dashboard_text() -> str:
    """Return the dashboard as Grafana imports it."""
    source = {"name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"}
    return json.dumps(
        {
            "uid": "costscan",
            "title": "costscan: cost and latency of agents",
            "tags": ["costscan"],
            "schemaVersion": 39,
            "editable": True,
            "refresh": "5m",
            "time": {"from": "now-30d", "to": "now"},
            "templating": {"list": [source]},
            "panels": list(_placed(PANELS)),
        },
        indent=2,
    ) + "\n"  # fmt: skip


def _placed(panels: Sequence[Panel]) -> Iterator[dict[str, Any]]:
    """Yield panels in rows, from left to right."""
    x = y = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > _WIDTH:
            x, y = 0, y + panels[number - 2].height
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        yield {"id": number, "title": panel.title, "type": panel.kind, "gridPos": place, **_shown(panel)}
        x += panel.width


def _shown(panel: Panel) -> dict[str, Any]:
    is_table = panel.kind == "table"
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": _SOURCE,
            "expr": query.expression,
            "legendFormat": query.legend,
            **({"instant": True, "range": False, "format": "table"} if is_table else {}),
        }
        for number, query in enumerate(panel.queries)
    ]
    shown: dict[str, Any] = {"datasource": _SOURCE, "targets": targets}
    if is_table:
        return shown | _columns(panel)
    return shown | {"fieldConfig": {"defaults": {"unit": panel.queries[0].unit}, "overrides": []}}


def _columns(panel: Panel) -> dict[str, Any]:
    """Return what makes one table of the queries of a panel: a row per name, a column per query."""
    names = {f"Value #{chr(ord('A') + number)}": query.legend for number, query in enumerate(panel.queries)}
    organize = {"excludeByName": {"Time": True}, "renameByName": names}
    units: Mapping[str, str] = {query.legend: query.unit for query in panel.queries}
    overrides = [
        {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": unit}]}
        for name, unit in units.items()
    ]
    return {
        "fieldConfig": {"defaults": {}, "overrides": overrides},
        "options": {"sortBy": [{"displayName": "cost", "desc": True}]},
        "transformations": [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": organize},
        ],
    }


__all__ = ["PANELS", "PLACE", "Panel", "Query", "dashboard_text"]
