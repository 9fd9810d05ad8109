"""What CONTRIBUTING promises: a log format is one file, and everything else follows from what it declares."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import costscan
from costscan import formats
from costscan.report import Report

TOY = '''
"""Toy logs: what was asked and what was answered, a call a line. Nothing of the cache is told."""

from typing import Any

from msgspec import Struct

from costscan.formats.interface import Format
from costscan.reading.content.measure import text
from costscan.reading.conversation.call import make_call
from costscan.reading.conversation.thread import Thread
from costscan.reading.conversation.usage import Usage
from costscan.reading.io.files import open_log
from costscan.reading.io.json_lines import Reader
from costscan.reading.io.row_types import CopyRow
from costscan.reading.content.block import text_block


class Line(Struct):
    toy: str | None = None
    run: str = "run"
    model: str = ""
    at: str | None = None
    asked: str = ""
    answered: str = ""
    prompt_tokens: Any = None
    answer_tokens: Any = None


def lenient(line):
    return None


def read(file, rows):
    threads = {}

    def take(number, line):
        if line.toy is None:
            return False
        thread = threads.setdefault(line.run, Thread())
        thread.sent(number, text(line.asked))
        usage = Usage(input_tokens=line.prompt_tokens, output_tokens=line.answer_tokens)
        call = make_call(
            line=number, end_at=line.at, model=line.model, usage=usage, message_id=line.toy,
            request_id=None, stop_reason="end_turn",
        )
        call.at = line.at
        made = thread.call(call, key=line.toy)
        thread.wrote(made, number, [text_block(line.answered)])
        return True

    with open_log(file.on_disk) as stream:
        Reader(Line, lenient, rows).feed(stream, file.path, take)
    for run, thread in threads.items():
        copy = len(rows.copies)
        rows.copies.append(
            CopyRow(
                copy=copy, run_id=run, root_run_id=run, parent_run_id=None, source=FORMAT.name, path=file.path,
                task="toy", agent=None, interactive=False, begins_late=False,
            )
        )
        thread.flush(rows, copy)


FORMAT = Format(
    name="toy",
    expected='toy lines such as {"toy":"id","model":…,"asked":…}',
    sniff=lambda objects: any("toy" in line for line in objects),
    read=read,
)
'''

MODEL = "claude-sonnet-5-5"
CALLS = [
    {"toy": "c1", "at": "2026-11-02T10:00:00Z", "asked": "List the ports.", "answered": "Porto, Hamburg."},
    {"toy": "c2", "at": "2026-11-02T10:01:00Z", "asked": "Which is larger?", "answered": "Hamburg."},
]
TOKENS = [{"prompt_tokens": 1_000, "answer_tokens": 100}, {"prompt_tokens": 1_500, "answer_tokens": 20}]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of logs, with one more file among the formats."""
    folder = tmp_path / "formats"
    folder.mkdir()
    (folder / "toy.py").write_text(TOY.strip() + "\n", "utf-8")
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(folder)])
    formats.available.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    formats.available.cache_clear()


def analyzed(folder: Path, *lines: dict[str, object]) -> Report:
    log = folder / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return costscan.analyze(log, workers=1)


def test_a_format_of_one_file_is_billed(toy: Path) -> None:
    report = analyzed(
        toy, *({**call, **used, "model": MODEL} for call, used in zip(CALLS, TOKENS, strict=True))
    )
    assert report.summary.inputs.formats == {"toy": 1}
    assert report.summary.totals.usd == 2_500 * Decimal("0.000002") + 120 * Decimal("0.00001")
    assert report.turns["run_id"].to_list() == ["run", "run"]
    assert report.growth["carried_tokens"].to_list() == [0, 1_000]


def test_its_bill_is_split_over_what_it_tells(toy: Path) -> None:
    report = analyzed(
        toy, *({**call, **used, "model": MODEL} for call, used in zip(CALLS, TOKENS, strict=True))
    )
    costs = report.block_costs
    assert (
        costs.select("entry_usd", "carried_usd", "output_usd").sum().sum_horizontal()[0]
        == report.summary.totals.usd
    )
    said = report.blocks.filter(role="assistant", kind="text")
    assert said["tokens"].to_list() == [100, 20]


@pytest.mark.whole
def test_what_it_does_not_declare_is_unknown_and_never_zero(toy: Path) -> None:
    """Its prompts are not taken to be whole, a counter that it leaves out is null, and so are its levers."""
    first = {**CALLS[0], **TOKENS[0], "model": "own-model"}
    report = analyzed(
        toy, first, {**CALLS[1], "prompt_tokens": None, "answer_tokens": 20, "model": "own-model"}
    )
    assert (report.blocks["kind"] == "hidden").any()
    assert report.turns["input_tokens"].to_list() == [1_000, None]
    assert report.turns["usage_from"].to_list() == ["reported", "unreported"]
    for name in ("caching", "trimming", "routing", "batching", "all"):
        scenario = report.summary.scenario(name)
        assert scenario is not None
        assert (scenario.saved_usd, scenario.risk) == (None, None)
        assert scenario.reason == "not worked out for the run: no known cache rules for own-model"


def test_it_is_named_where_formats_are_named(toy: Path) -> None:
    assert "toy" in formats.names()
    assert formats.named("toy").about.startswith("Toy logs:")
    (toy / "other.jsonl").write_text('{"nothing": 1}\n', "utf-8")
    with pytest.raises(costscan.CostscanError) as error:
        costscan.analyze(toy / "other.jsonl", workers=1)
    assert ", toy, " in str(error.value)
    assert "; --format NAME" in str(error.value)
