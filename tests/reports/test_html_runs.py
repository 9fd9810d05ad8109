"""The pages of runs in the data of the HTML report: what they say is what was billed, carried, found and saved."""

from collections.abc import Iterator
from contextlib import chdir
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billed import ROOT
from command import logs_of
from costscan.reports.html import run_pages
from costscan.reports.html.contents import contents
from costscan.rulebook import Diagnosis
from costscan.schema.frames import PROMPT
from costscan.summary import Summary
from logs import at, message, pair, usage
from logs import write as log

pytestmark = pytest.mark.usefixtures("kept_analyses")


@pytest.fixture(scope="module")
def sample() -> Iterator[tuple[Diagnosis, Summary]]:
    with chdir(ROOT), logs_of("sample_logs") as found:
        yield found


@pytest.fixture(scope="module")
def pages(sample: tuple[Diagnosis, Summary]) -> Any:
    return contents(sample[1], sample[0])["pages"]


def own(table: Any, span: list[int]) -> dict[str, list[Any]]:
    first, many = span
    return {column["title"]: column["values"][first : first + many] for column in table["columns"]}


def threads(pages: Any) -> Iterator[tuple[Any, Any]]:
    for page in pages["runs"]:
        for thread in page["threads"]:
            yield page, thread


def test_the_most_expensive_runs_have_a_page(sample: tuple[Diagnosis, Summary], pages: Any) -> None:
    runs = sample[1].runs.sort("usd", descending=True, maintain_order=True)
    assert [page["id"] for page in pages["runs"]] == runs["run_id"].head(50).to_list()
    for page in pages["runs"]:
        assert sample[1].runs["run_id"][page["row"]] == page["id"]


def test_classes_of_a_turn_add_up_to_its_usage_and_its_cost(
    sample: tuple[Diagnosis, Summary], pages: Any
) -> None:
    x, _ = sample
    checked = 0
    for page, thread in threads(pages):
        run = page["id"] if not thread["agent"] else f"{page['id']}/{thread['name'].rpartition('/')[2]}"
        turns = x.turns.filter(run_id=run).sort("turn").with_columns(prompt=PROMPT)
        told = own(pages["turns"], thread["turns"])
        assert told["turn"] == turns["turn"].to_list()
        sent = zip(*(told[name] for name in ("cache read", "cache write", "fresh input")), strict=True)
        assert list(map(sum, sent)) == turns["prompt"].to_list()
        assert told["output"] == turns["output_tokens"].to_list()
        costs = zip(*(told[f"{name} cost"] for name in pages["classes"]), strict=True)
        for parts, usd, shown in zip(costs, turns["usd"], told["cost"], strict=True):
            assert sum(parts) == pytest.approx(float(usd), abs=2e-6)
            assert shown == pytest.approx(float(usd), abs=1e-6)
        checked += turns.height
    assert checked > 200


def test_bands_of_a_turn_add_up_to_its_prompt(pages: Any) -> None:
    """Whatever came, stayed and left: the bands that lie on one another are the prompt."""
    carried = pages["carried"]
    for _, thread in threads(pages):
        first, many = thread["carried"]
        bands = [
            (carried["from"][n], carried["to"][n], carried["tokens"][n]) for n in range(first, first + many)
        ]
        told = own(pages["turns"], thread["turns"])
        for n, turn in enumerate(told["turn"]):
            prompt = sum(told[name][n] for name in ("cache read", "cache write", "fresh input"))
            assert sum(size for came, left, size in bands if came <= turn < left) == prompt


def test_the_large_result_is_a_band_of_its_own(pages: Any) -> None:
    """The search that returned 40,325 tokens at turn 3, re-sent in 27 calls, by its finding."""
    page = next(page for page in pages["runs"] if page["id"].startswith("6ba15ea5"))
    first, many = page["threads"][0]["carried"]
    carried = {name: values[first : first + many] for name, values in pages["carried"].items()}
    n = max(range(many), key=lambda n: carried["tokens"][n])
    assert pages["bands"][carried["kind"][n]] == "tool results"
    assert carried["message"][n] == 1
    assert carried["from"][n] == 3
    assert carried["to"][n] - carried["from"][n] == 27
    assert carried["tokens"][n] >= 40_325


def test_what_actions_save_of_a_run(sample: tuple[Diagnosis, Summary], pages: Any) -> None:
    summary = sample[1]
    for page in pages["runs"]:
        after = summary.after_actions.get(page["id"])
        saved = sum(usd for _, usd in page["saved"])
        assert saved == pytest.approx(float(after.saved_usd if after else 0), abs=1e-5)
    every = {rank for page in pages["runs"] for rank, _ in page["saved"]}
    assert every <= {row["rank"] for row in summary.actions}
    assert len(every) > 3


def test_findings_of_a_run(sample: tuple[Diagnosis, Summary], pages: Any) -> None:
    for page in pages["runs"]:
        found = sample[1].findings.filter(root_run_id=page["id"])
        told = own(pages["findings"], page["findings"])
        assert told["turn"] == found["turn"].to_list()
        assert page["found"] == found.height


def test_what_actions_change_is_found_by_its_task(sample: tuple[Diagnosis, Summary]) -> None:
    x, summary = sample
    data = contents(summary, x)
    tasks = data["pools"]["task"]
    names = [[tasks[n] for n in some] for some in data["facets"]["task"]["actions"]]
    of_catalogue = [row["rank"] for row in summary.actions if row["subject"] == "catalogue-text"]
    assert len(of_catalogue) > 1
    for rank in of_catalogue:
        assert names[rank - 1] == ["catalogue-text"]
    models = data["facets"]["model"]
    assert [models["texts"][n] for n in models["actions"][of_catalogue[0] - 1]] == ["claude-sonnet-5-5"]
    assert data["facets"]["agent"]["texts"] == ["general-purpose"]


def test_pages_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose turns find no room is left out, a long thread is cut, and one that is less expensive may fit."""
    monkeypatch.setattr(run_pages, "MOST_TURNS", 8)
    monkeypatch.setattr(run_pages, "TURNS_OF_THREAD", 5)
    monkeypatch.setattr(run_pages, "MOST_PAGES", 4)
    lines = [
        pair(message(f"{run}{turn}", usage(size, out=1)), run_id=run, timestamp=at(turn), task="t")
        for run, turns, size in (
            ("long", 7, 9000),
            ("next", 4, 8000),
            ("tiny", 2, 70),
            ("last", 1, 9),
            ("no", 1, 1),
        )
        for turn in range(turns)
    ]
    with logs_of(str(log(tmp_path / "a.jsonl", *lines))) as (x, summary):
        pages = contents(summary, x)["pages"]
    assert [page["id"] for page in pages["runs"]] == ["long", "tiny", "last"]
    assert [page["threads"][0]["turns"][1] for page in pages["runs"]] == [5, 2, 1]
    assert pages["runs"][0]["threads"][0]["calls"] == 7
    assert max(pages["carried"]["from"]) < 7


def test_no_dollar_is_made_up(tmp_path: Path) -> None:
    """Calls without a price have none in any class."""
    line = pair(message("m1", usage(50, out=5), model="mystery-9"), model="mystery-9", run_id="r", task="t")
    with logs_of(str(log(tmp_path / "a.jsonl", line))) as (x, summary):
        pages = contents(summary, x)["pages"]
    told = own(pages["turns"], pages["runs"][0]["threads"][0]["turns"])
    assert told["cost"] == told["output cost"] == [None]
    assert told["fresh input"] == [50]
    assert summary.totals.usd in {None, Decimal(0)}
