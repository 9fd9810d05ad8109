"""The OpenMetrics report, read by the parser of Prometheus: its numbers are those of the summary."""

from collections.abc import Callable, Iterable
from contextlib import chdir
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric

import hypothesis_profile  # noqa: F401 - the settings of every property
from billed import ROOT, Billed, billed
from command import logs_of
from costscan import __version__
from costscan.prices import as_of
from costscan.reports.analysis.openmetrics import MOST_NAMES, document
from costscan.reports.outputs import target
from costscan.reports.text.openmetrics import Family
from costscan.summary import Summary
from gauges import families
from logs import assistant, message, pair, streamed, text, usage, user, write

pytestmark = pytest.mark.usefixtures("kept_analyses")

Samples = dict[tuple[str, ...], Decimal]


def values(found: dict[str, Metric], name: str) -> dict[str, float]:
    return {",".join(sample.labels.values()): sample.value for sample in found[name].samples}


@pytest.fixture(scope="module")
def summed() -> Summary:
    with chdir(ROOT), logs_of("sample_logs") as (_, summary):
        return summary


def test_the_report_of_the_sample_logs(summed: Summary, golden: Callable[[str, str], None]) -> None:
    shown = document(summed)
    found = families(shown)
    seconds = f"{int(summed.generated_at.timestamp())}"
    stamped = shown.replace(as_of()["as_of"], "2026-00-00").replace(seconds, "0").replace(__version__, "0")
    golden("report-openmetrics", stamped)
    assert values(found, "billed_usd") == {"": float(summed.totals.usd or 0)}
    assert values(found, "turns") == {"": 249}
    assert found["billed_usd"].unit == "usd"
    for name, frame in (("model", summed.by_model), ("task", summed.by_task), ("tool", summed.by_tool)):
        assert sum(values(found, f"{name}_usd").values()) == pytest.approx(float(summed.totals.usd or 0))
        assert values(found, f"{name}_usd") == {k: float(v) for k, v in frame.select(name, "usd").iter_rows()}
    for name, frame in (("model", summed.by_model), ("task", summed.by_task)):
        shares = dict(frame.select(name, "cache_hit_rate").iter_rows())
        assert values(found, f"{name}_cache_hit_ratio") == shares
    caching = summed.scenario("caching")
    assert caching is not None
    assert values(found, "lever_saved_alone_usd")["caching"] == float(caching.saved_usd or 0)
    assert values(found, "lever_saved_together_usd")["caching"] == float(caching.saved_joint_usd or 0)
    ranks = summed.distribution.usd_per_run
    assert values(found, "run_usd") == {
        "0.5": float(ranks["p50"] or 0), "0.9": float(ranks["p90"] or 0),
        "0.99": float(ranks["p99"] or 0), "1": float(ranks["max"] or 0),
        "": float(summed.totals.usd or 0),
    }  # fmt: skip
    assert sum(values(found, "findings").values()) == summed.findings.height


def test_no_label_is_a_run(summed: Summary) -> None:
    shown = document(summed)
    assert not any(run in shown for run in summed.runs["run_id"])


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    found = families(
        document(billed([write(tmp_path / "a.jsonl", user(), assistant(model="nova-9"))]).summary)
    )
    assert values(found, "unpriced_turns") == {"": 1}
    assert values(found, "billed_is_exact") == {"": 0}
    assert not {
        "billed_usd",
        "estimated_usd",
        "recorded_usd",
        "meter_usd",
        "run_usd",
        "model_usd",
        "tool_usd",
    } & set(found)
    assert not {"unlogged_usd", "levers_saved_usd", "findings"} & set(found)
    assert values(found, "model_turns") == {"nova-9": 1}


def test_a_bill_that_is_not_exact_says_so(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", streamed("msg_1", usage(100, out=1), content=[text("word " * 300)]))
    found = families(document(billed([log]).summary))
    assert values(found, "billed_is_exact") == {"": 0}
    assert values(found, "billed_usd")[""] < values(found, "estimated_usd")[""]


def test_nothing_read_is_a_document_too(tmp_path: Path) -> None:
    found = families(document(billed([write(tmp_path / "a.jsonl", user())]).summary))
    assert values(found, "turns") == {"": 0}
    assert values(found, "billed_usd") == {"": 0}
    assert "cache_hit_ratio" not in found


def named(frame: pl.DataFrame, column: str, names: Iterable[str]) -> pl.DataFrame:
    one = frame.head(1).with_columns(usd=pl.lit(Decimal("0.5"), frame.schema["usd"]))
    return pl.concat([one.with_columns(pl.lit(name).alias(column)) for name in names])


def test_too_many_names_share_one(samples: Billed) -> None:
    summary = samples.summary
    tasks = named(summary.by_task, "task", (f"task {n}" for n in range(MOST_NAMES + 40)))
    tools = named(summary.by_tool, "tool", (f"tool {n}" for n in range(MOST_NAMES)))
    found = families(document(replace(summary, by_task=tasks, by_tool=tools)))
    assert len(values(found, "task_usd")) == MOST_NAMES + 1
    assert values(found, "task_usd")["(others)"] == 20
    assert values(found, "task_cache_hit_ratio")["(others)"] == pytest.approx(tasks["cache_hit_rate"][0])
    assert len(values(found, "tool_usd")) == MOST_NAMES


def test_names_that_look_alike_are_one(samples: Billed) -> None:
    """No label stands twice, whatever a log names its tools."""
    tools = named(samples.summary.by_tool, "tool", ["a\nb", "a b", "a\tb", "x" * 9000, "x" * 9001, 'q"\\'])
    found = values(families(document(replace(samples.summary, by_tool=tools))), "tool_usd")
    assert [found["a b"], found['q"\\'], len(found)] == [1.5, 0.5, 3]


def test_unknown_costs_of_the_rest_are_not_zero(samples: Billed) -> None:
    tools = named(samples.summary.by_tool, "tool", (f"{n}" for n in range(MOST_NAMES + 2)))
    unknown = tools.with_columns(usd=pl.when(pl.int_range(pl.len()) < MOST_NAMES).then("usd"))
    found = families(document(replace(samples.summary, by_tool=unknown)))
    assert "(others)" not in values(found, "tool_usd")


def test_it_is_a_file(tmp_path: Path) -> None:
    found = billed([write(tmp_path / "a.jsonl", pair(message(), task='say "\\" to\n<b>'))])
    target(str(tmp_path / "r.prom")).write(found.summary, found.x)
    text = (tmp_path / "r.prom").read_bytes().decode()
    assert text == document(found.summary, found.x)
    assert text.endswith("\n# EOF\n")
    assert 'costscan_task_runs{task="say \\"\\\\\\" to <b>"} 1' in text


@given(st.text(max_size=30).filter(lambda text: text.isprintable()), st.decimals(-(10**9), 10**9, places=12))
def test_labels_and_numbers_are_read_as_they_were(label: str, number: Decimal) -> None:
    family = Family("x_usd", 'a "b" \\ c', {(("a", label), ("b", "")): number, (("a", "-"),): Decimal("NaN")})
    (found,) = families("\n".join([*family.lines(), "# EOF"]) + "\n").values()
    (sample,) = found.samples
    assert sample.labels == {"a": label, "b": ""}
    assert sample.value == float(number)
    assert found.documentation == 'a "b" \\ c'
