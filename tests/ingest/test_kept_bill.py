"""What a bill needs of all files is kept together: whatever becomes of one of them, none is another's."""

import os
from pathlib import Path

import pytest

from costscan import cache_folder
from logs import message, pair, usage, write
from reading_tables import age, assert_same, names_read, session, tables


@pytest.fixture
def read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, not taken from what is kept in a folder of the test's own."""
    monkeypatch.delenv(cache_folder.OFF)
    monkeypatch.setenv(cache_folder.DIR, str(tmp_path / "cache"))
    return names_read(monkeypatch)


def test_a_bill_follows_files_that_come_and_go(tmp_path: Path, read_anew: list[str]) -> None:
    """All of them are kept together: whatever becomes of one, the others stand where they would."""
    folder = tmp_path / "logs"
    paths = [
        session(folder / f"{name}.jsonl", calls) for name, calls in zip("abcde", (9, 7, 5, 3, 1), strict=True)
    ]

    def same() -> list[str]:
        plain = tables(folder, keep=False, bill_only=True)
        read_anew.clear()
        assert_same(tables(folder, bill_only=True), plain)
        anew = sorted(read_anew)
        assert_same(tables(folder, bill_only=True), plain)
        assert sorted(read_anew) == anew
        return anew

    assert len(same()) == 5
    paths[1].unlink()
    assert same() == []
    session(paths[3], 12)  # it is the first to be read now
    session(folder / "f.jsonl", 4)
    assert same() == ["d.jsonl", "f.jsonl"]
    for path in paths[2:]:
        path.unlink()
    write(folder / "g.jsonl", b"no line of a log")
    age(folder / "g.jsonl")
    assert same() == ["g.jsonl"]


def test_a_bill_of_files_that_may_not_be_kept(tmp_path: Path, read_anew: list[str]) -> None:
    """One is still written to, another is read with others."""
    folder = tmp_path / "logs"
    for name in "abc":
        session(folder / f"{name}.jsonl", 3)
    os.utime(folder / "b.jsonl")
    asked = [{"role": "user", "content": "go on"}]
    age(write(folder / "d.jsonl", pair(message("msg_9", usage(900, out=5)), asked)))
    plain = tables(folder, keep=False, bill_only=True)
    assert_same(tables(folder, bill_only=True), plain)
    read_anew.clear()
    os.utime(folder / "b.jsonl")
    assert_same(tables(folder, bill_only=True), plain)
    assert sorted(read_anew) == ["b.jsonl", "d.jsonl"]
