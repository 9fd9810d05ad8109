"""The HTML report of logs full of markup, scripts and escapes: a valid page that executes none of it."""

import json
from pathlib import Path
from typing import Any, Final

import html5lib
import pytest
from playwright.sync_api import Browser

from browser import DRAWN, UNFIT, shown
from costscan.cli.app import run
from costscan.reports.html.page import embedded
from logs import Json, at, message, pair, tool_result, tool_use, usage
from logs import write as log
from made_rules import made
from page_data import data_of

pytestmark = pytest.mark.usefixtures("kept_analyses")

HIT: Final = "<img src=x onerror='window.hit=1'>"
NAMES: Final = {
    "script": "<script>window.hit=1</script>",
    "end": f"</script><script>window.hit=1</script>{HIT}",
    "comment": f"<!--<script>{HIT}",
    "attribute": '"onload="window.hit=1" onfocus=\'window.hit=1\' autofocus',
    "address": "javascript:window.hit=1",
    "template": "${window.hit=1} $data {{constructor.constructor('window.hit=1')()}} `",
    "escapes": "\x1b[31mred\x1b]8;;http://x.test\x07\r\n\x9b2J\x00\u202eabc\u2066\u2028\u2029\u200b\ufeff\ud800",
    "entities": "&lt;script&gt;window.hit=1&lt;/script&gt;&#60;b&#62;",
    "svg": f"]]><svg onload=window.hit=1><style>*{{display:none}}</style>{HIT}",
}
ADDRESS_KEYS: Final = ("run", "task", "find", "thread", "turn", "at", "action", "findings.rule", "unit")
PRESS_ALL: Final = """() => {
  for (const name of ['.units button', 'th button', '.opener button', 'summary', '.copy'])
    for (const button of document.querySelectorAll(`#run ${name}`)) button.click();
}"""
HUGE: Final = "<b>" + "y" * 10_000_000


def calls(kind: str) -> list[Json]:
    """A run of four calls of a tool; everything that has a name has this one."""
    name, messages, lines = NAMES[kind], list[Json](), list[Json]()
    for i in range(4):
        call = tool_use(f"t-{kind}-{i}", name, skill=name, x=name)
        answer = message(
            f"msg_{kind}_{i}", usage(20_000 * i + 50, out=5), content=[call], stop_reason=name[:99]
        )
        told = {"run_id": f"{kind}/{name[:300]}", "task": name, "agent": name, "session_id": name}
        lines.append(pair(answer, list(messages), timestamp=at(i), system=name, **told))
        messages += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [tool_result(f"t-{kind}-{i}", name * 3 + "word " * 9000)]},
        ]
    other = message(f"msg_{kind}_x", usage(50, out=5), model=name[:300])
    return [*lines, pair(other, run_id=f"other {name[:300]}", model=name[:300], timestamp=at(9))]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of hostile logs, by a rule whose prose is hostile too."""
    folder = tmp_path_factory.mktemp("hostile")
    for kind in NAMES:
        log(folder / "logs" / f"{kind} <img src=x onerror=window.hit=1>.jsonl", *map(json.dumps, calls(kind)))
    log(
        folder / "logs" / "huge.jsonl",
        pair(message("msg_huge", content=[tool_use("t", HUGE)]), task=HUGE, run_id=HUGE),
    )
    sql = "SELECT run_id, turn_in AS turn, block, tokens, tool FROM blocks WHERE kind = 'tool_result'"
    made(folder, {"block": sql}, message="{tool}|{task}", fix=NAMES["end"].replace("'", ""))
    report = folder / "report.html"
    assert run(["analyze", str(folder / "logs"), "-o", str(report), "--rules", str(folder)]) == 0
    return report


def test_hostile_logs_make_a_valid_page(hostile: Path) -> None:
    text = hostile.read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(text)
    assert text.lower().count("<script") == text.lower().count("</script") == 3
    assert text.count("<!--") == 0
    inside = text.partition('id="data">')[2].partition("</script>")[0]
    assert not set("<>&\u2028\u2029\u202e\u2066\x1b\x00\x9b\x07") & set(inside)
    assert len(text.encode()) < 1_500_000

    def inert(value: Any) -> None:
        if isinstance(value, str):
            assert value.isprintable(), value
            assert len(value) <= 1000
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            inert(part)

    inert(data_of(text))


@pytest.mark.parametrize("width", [360, 1600])
def test_nothing_of_a_hostile_log_is_executed(chromium: Browser, hostile: Path, width: int) -> None:
    """Neither when the page is shown, nor whatever is pressed, opened or pointed at."""
    with shown(chromium, hostile, width=width) as seen:
        for name in ("th button", ".opener button"):
            for button in seen.page.locator(f"#table-runs {name}, #table-findings {name}").all()[:30]:
                if button.is_visible():
                    button.click()
        for chart in seen.page.locator("svg.plot").all():
            chart.hover()
        seen.page.get_by_label("Only model").select_option(index=1)
        said = seen.page.locator("main").inner_text()
        assert NAMES["script"] in said
        assert NAMES["comment"][:20] in said
        seen.nothing_happened(hostile)
        assert seen.script("document.documentElement.scrollWidth") <= width


def test_nothing_of_a_hostile_run_is_executed_on_its_page(chromium: Browser, hostile: Path) -> None:
    """Each page is opened by its link, everything on it pressed and pointed at, and it fits a phone."""
    pages = data_of(hostile.read_text(encoding="utf-8"))["pages"]["runs"]
    assert len(pages) == 2 * len(NAMES) + 1
    with shown(chromium, hostile, width=360) as seen:
        run = seen.page.locator("#run")
        for page in pages:
            seen.script("(id) => address.go(toRun(id, '1'))", page["id"])
            assert run.locator("dd").count() > 3
            seen.script(PRESS_ALL)
            seen.until(DRAWN)
            assert seen.script(UNFIT) == []
            seen.nothing_happened(hostile)
        said = run.inner_text()
        for name in (*NAMES.values(), "__proto__", "constructor", "%E0%A4%A"):
            sent = name.encode("utf-8", "replace").decode()
            for keys in (ADDRESS_KEYS, ADDRESS_KEYS[1:]):
                state = {key: sent if key in keys else None for key in ADDRESS_KEYS}
                seen.script("(state) => address.go(state)", state)
        seen.nothing_happened(hostile)
    assert "Findings" in said
    with shown(chromium, hostile, f"#run={HIT}") as seen:
        assert "No page for this run" in seen.page.locator("#run").inner_text()
        seen.nothing_happened(hostile)
    with shown(chromium, hostile, "#%E0%A4%A&run=%E0%A4%A") as seen:
        seen.nothing_happened(hostile)


def test_embedded_data_is_what_went_in() -> None:
    data = {"a": [*NAMES.values()][:6], "b": "&amp;\u2028<"}
    told = embedded(data)
    assert json.loads(told) == data
    assert not set("<>&\u2028\u2029") & set(told)
