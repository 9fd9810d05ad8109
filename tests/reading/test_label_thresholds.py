"""The limits of names and excerpts, each with a case just within it and one just beyond."""

from pathlib import Path

import msgspec
import pytest

from billed import ROOT
from costscan.formats import available
from costscan.formats.claude.lines import Line
from costscan.formats.claude.task_names import Labels, template
from costscan.reading.prompt_diff.divergence import excerpt
from logs import assistant, streamed, usage, user, write
from seen import see


def line(**more: object) -> Line:
    return msgspec.convert({"type": "user", "cwd": None} | more, type=Line)


@pytest.mark.parametrize(("before", "name"), [(19, "late"), (20, "unnamed")])
def test_twenty_lines_are_asked_where_a_session_runs(before: int, name: str) -> None:
    """It stands on each of them: to ask the thousands that follow would find nothing else."""
    labels = Labels()
    for _ in range(before):
        labels.context(line())
    labels.user(line(**user(None, cwd="/home/x/late")))
    assert labels.task() == name


@pytest.mark.parametrize(("chars", "name"), [(60, "w" * 60), (61, "w" * 59 + "…")])
def test_a_name_has_sixty_characters(chars: int, name: str) -> None:
    assert template("w" * chars) == name


def test_what_a_name_is_made_of_ends_after_two_thousand_characters() -> None:
    """White space before it counts: who pastes a file has no name at its end."""
    assert (template(" " * 1999 + "word"), template(" " * 2000 + "word")) == ("w", "")


@pytest.mark.parametrize("chars", [59, 60, 61, 500])
def test_an_excerpt_has_sixty_characters(chars: int) -> None:
    """As docs/privacy.md promises, however long the value is."""
    assert excerpt("before " + "w" * chars + " after", 7, 7 + chars).count("w") == min(chars, 60)
    assert len(excerpt("before " + "w" * chars + " after", 7, 7 + chars)) <= 60
    told = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert "**excerpts** before and after, at most 60 characters each" in told
    assert "**task name**, at most 60 characters" in told


def test_an_excerpt_has_sixteen_characters_around_a_short_value() -> None:
    """As docs/privacy.md promises; of a word that is cut, nothing."""
    shown = excerpt("a" * 30 + " " + "b" * 15 + "X" + "c" * 30, 46, 47)
    assert shown == "b" * 15 + "X" + "c" * 16
    shown = excerpt("a" * 30 + " " + "b" * 16 + "X" + "c" * 30, 47, 48)
    assert shown == "X" + "c" * 16
    assert "up to 16 characters around it" in (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")


def test_a_call_that_a_stream_tells_too_is_that_of_the_transcript(tmp_path: Path) -> None:
    """However much more the stream has: its lines are written before the output is finished."""
    told = [user(), assistant("msg_1", usage(10, out=40))]
    more = [streamed(f"msg_{n}", usage(10, out=50), stop_reason="end_turn") for n in (1, 2)]
    seen = see(write(tmp_path / "z.jsonl", *told), write(tmp_path / "a.jsonl", *more))
    kept = dict(seen.analysis.turns.select("message_id", "file").iter_rows())
    assert {name: Path(file).name for name, file in kept.items()} == {"msg_1": "z.jsonl", "msg_2": "a.jsonl"}
    assert seen.run("s1")["source"] == "claude_code"
    assert {name for name, known in available().items() if known.precedence} == {
        *("bedrock", "claude_stream", "langfuse", "litellm", "openrouter", "otel"),
    }
