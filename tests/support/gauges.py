"""OpenMetrics text as Prometheus reads it."""

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as older_format


def families(text: str) -> dict[str, Metric]:
    """Read a report strictly; the older format, which node_exporter reads, has the same numbers."""
    found = list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    older = list(older_format(text))
    assert [sample for family in found for sample in family.samples] == [s for f in older for s in f.samples]
    assert {family.type for family in found} <= {"gauge", "summary"}
    assert all(family.name.startswith("costscan_") and family.documentation for family in found)
    return {family.name.removeprefix("costscan_"): family for family in found}
