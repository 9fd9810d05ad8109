"""What was read is not read again, and whatever is wrong with what is kept, nothing of it shows in a result."""

import os
import shutil
import time
from pathlib import Path
from random import Random

import polars as pl
import pytest

import mutants
from command import Capture, said
from costscan import cache_folder, ingest
from costscan.formats import available
from logs import assistant, message, pair, text, tool_result, usage, user, write
from reading_tables import age, assert_same, names_read, session, tables
from samples import SAMPLES

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The sample logs, last written to an hour ago."""
    shutil.copytree(SAMPLES, tmp_path / "logs", ignore=shutil.ignore_patterns("generator", "*.py", "*.md"))
    age(tmp_path / "logs")
    return tmp_path / "logs"


def kept(cache: Path) -> list[Path]:
    """Return the entries of logs: prices are kept, too."""
    return [path for path, _ in cache_folder.entries(cache) if path.suffix != ".arrow"]


@pytest.fixture
def read_anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, not taken from what is kept."""
    return names_read(monkeypatch)


@pytest.mark.parametrize("bill_only", [False, True])
def test_a_second_look_reads_nothing_and_sees_the_same(
    logs: Path, read_anew: list[str], bill_only: bool
) -> None:
    transcripts = logs / "sub-agents"
    first = tables(transcripts, bill_only=bill_only)
    assert len(read_anew) == first[1]["files"] > 2
    read_anew.clear()
    assert_same(tables(transcripts, bill_only=bill_only), first)
    assert read_anew == []
    assert_same(tables(transcripts, keep=False, bill_only=bill_only), first)
    assert read_anew != []


def test_pairs_are_kept_where_no_other_file_is_read_with_them(logs: Path, read_anew: list[str]) -> None:
    """What a prompt is compared with may stand in another file."""
    plain = tables(logs, keep=False)
    for _ in range(2):
        assert_same(tables(logs), plain)
    pairs = next((logs / "timestamp-in-system-prompt").rglob("*.jsonl"))
    read_anew.clear()
    for _ in range(2):
        assert_same(tables(pairs), tables(pairs, keep=False))
    assert read_anew.count(pairs.name) == 3  # twice without what is kept, once to keep it
    assert_same(tables(logs), plain)


@pytest.mark.parametrize("bill_only", [False, True])
@pytest.mark.parametrize("seed", [31, 32])
def test_damaged_logs(tmp_path: Path, seed: int, bill_only: bool) -> None:
    made = mutants.some_mutants(Random(seed), 0, 100)
    mutants.write_logs(tmp_path / "logs", {m.window: m.of for m in made}, made)
    age(tmp_path / "logs")
    plain = tables(tmp_path / "logs", keep=False, bill_only=bill_only)
    for _ in range(2):
        assert_same(tables(tmp_path / "logs", bill_only=bill_only), plain)


@pytest.mark.parametrize("bill_only", [False, True])
def test_what_changed_is_read_anew(tmp_path: Path, read_anew: list[str], bill_only: bool) -> None:
    folder = tmp_path / "logs"
    paths = [session(folder / f"{name}.jsonl", 3) for name in "abcd"]
    tables(folder, bill_only=bill_only)
    read_anew.clear()
    session(paths[1], 4)  # it grew
    age(paths[2], by_s=7200)  # it has another time
    stat = paths[3].stat()  # nothing but what it says is another
    paths[3].write_bytes(paths[3].read_bytes().replace(b"102", b"907"))
    os.utime(paths[3], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (paths[3].stat().st_size, paths[3].stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    found = tables(folder, bill_only=bill_only)
    assert sorted(read_anew) == ["b.jsonl", "c.jsonl", "d.jsonl"]
    assert 907 in found[0]["calls-0"]["input_tokens"].to_list()
    assert_same(found, tables(folder, keep=False, bill_only=bill_only))
    assert found[0]["calls-0"].height == 13
    read_anew.clear()
    assert_same(tables(folder, bill_only=bill_only), found)
    assert read_anew == []


def test_what_stands_beside_a_log_counts(tmp_path: Path, read_anew: list[str]) -> None:
    log = tmp_path / "logs" / "s" / "subagents" / "agent-a1.jsonl"
    write(log, assistant("msg_1", usage(10, out=5), sessionId="s", isSidechain=True, agentId="a1"))
    age(log)
    assert tables(tmp_path / "logs")[0]["copies-0"]["agent"].to_list() == [None]
    log.with_suffix(".meta.json").write_text('{"agentType": "Explore"}')
    assert tables(tmp_path / "logs")[0]["copies-0"]["agent"].to_list() == ["Explore"]
    assert read_anew == ["agent-a1.jsonl"] * 2


def test_a_log_that_may_still_be_written_to_is_not_kept(tmp_path: Path, cache: Path) -> None:
    log = session(tmp_path / "a.jsonl", 2)
    os.utime(log)
    tables(log)
    assert kept(cache) == []
    age(log)
    tables(log)
    assert len(kept(cache)) == 1


def test_a_file_of_which_not_every_skip_is_named_is_not_kept(tmp_path: Path, cache: Path) -> None:
    log = tmp_path / "a.jsonl"
    write(log, assistant("msg_1", sessionId="s"), *(b'{"type": "assistant", "mess' for _ in range(101)))
    age(log)
    for _ in range(2):
        assert_same(tables(log), tables(log, keep=False))
    assert kept(cache) == []


@pytest.mark.parametrize("bill_only", [False, True])
@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "other", "folder"])
def test_a_damaged_entry_is_as_if_it_were_not_there(
    tmp_path: Path, cache: Path, damage: str, bill_only: bool
) -> None:
    log = session(tmp_path / "a.jsonl", 3)
    plain = tables(log, keep=False, bill_only=bill_only)
    tables(log, bill_only=bill_only)
    (entry,) = kept(cache)
    content = entry.read_bytes()
    middle = len(content) // 2
    if damage == "folder":
        entry.unlink()
        entry.mkdir()
    else:
        entry.write_bytes(
            {
                "cut": content[:middle],
                "empty": b"",
                "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
                "other": os.urandom(200),
            }[damage]
        )
    assert_same(tables(log, bill_only=bill_only), plain)


@pytest.mark.parametrize("bill_only", [False, True])
def test_a_folder_that_cannot_be_used_is_no_error(tmp_path: Path, cache: Path, bill_only: bool) -> None:
    log = session(tmp_path / "a.jsonl", 3)
    cache.write_text("a file, no folder")
    assert_same(tables(log, bill_only=bill_only), tables(log, keep=False, bill_only=bill_only))
    assert cache.read_text() == "a file, no folder"


def test_several_processes_keep_at_once(logs: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costscan.ingest.pool.ALONE_BYTES", 0)
    monkeypatch.setattr("costscan.ingest.pool.TASK_BYTES", 1 << 16)
    sums = []
    for _ in range(2):
        with ingest.read([str(logs)], workers=2) as reading:
            frames = [pl.read_ipc(path) for path in reading.folder.glob("calls-*.arrow")]
            sums.append(pl.concat(frames).select(pl.col("output_tokens").sum(), n=pl.len()).row(0))
    assert sums[0] == sums[1]
    assert not list(cache.rglob("*.tmp"))


def test_no_text_of_a_log_is_kept(tmp_path: Path, cache: Path) -> None:
    # The first words of a request are the name of its task, which reports show.
    secret = (
        "Summarise this for the board, please, in a few plain words. "
        + "The launch is on the ninth of May. " * 40
    )
    log = write(
        tmp_path / "a.jsonl",
        user([text(secret)]),
        assistant(
            "msg_1", content=[{"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": secret}}]
        ),
        user([tool_result("t", secret)]),
        assistant("msg_2", content=[text(secret)]),
    )
    pairs = write(
        tmp_path / "b.jsonl",
        pair(message("msg_3", usage(900, out=5)), [{"role": "user", "content": secret}], system=secret),
    )
    for path in (log, pairs):
        age(path)
        tables(path)
        tables(path, bill_only=True)
    contents = [path.read_bytes() for path in kept(cache)]
    assert len(contents) == 4
    assert not any(b"ninth of May" in content for content in contents)


def test_the_longest_unused_goes_first(tmp_path: Path, cache: Path) -> None:
    logs = [session(tmp_path / f"{name}.jsonl", 3) for name in "abc"]
    for number, log in enumerate(logs):
        tables(log)
        for path in kept(cache):
            if path.stat().st_mtime > time.time() - 100:
                age(path, by_s=1000 * (3 - number))
    tables(logs[0])  # used again: it is the newest now
    size = sum(path.stat().st_size for path in kept(cache))
    assert cache_folder.prune(cache, size - 1) < size
    assert len(kept(cache)) == 2
    newest = max(kept(cache), key=lambda path: path.stat().st_mtime)
    assert newest.stat().st_mtime > time.time() - 100


def test_only_what_is_costscans_own_is_removed(tmp_path: Path, cache: Path, capsys: Capture) -> None:
    tables(session(tmp_path / "a.jsonl", 3))
    own = ["notes.txt", "reading/ab/notes", "photo.arrow", "reading/ab/" + "b" * 32]
    for name in own:
        write(cache / name, b"mine")
    assert "1 files" in said(capsys, "cache", "info")
    assert "removed 1 files" in said(capsys, "cache", "clear")
    assert cache_folder.prune(cache, 0) == 0
    assert [(cache / name).read_bytes() for name in own] == [b"mine\n"] * len(own)


def test_nothing_is_kept_where_that_is_not_wanted(
    tmp_path: Path, cache: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = session(tmp_path / "a.jsonl", 3)
    said(capsys, "usage", str(log), "--no-cache")
    assert kept(cache) == []
    monkeypatch.setenv(cache_folder.OFF, "off")
    said(capsys, "usage", str(log))
    assert kept(cache) == []
    assert "(off)" in said(capsys, "cache", "info")
    monkeypatch.delenv(cache_folder.OFF)
    said(capsys, "usage", str(log))
    assert len(kept(cache)) == 1


def test_formats_say_whether_their_files_stand_alone() -> None:
    together = [name for name, known in available().items() if not known.reads_files_alone]
    # Pairs of one run may lie in several files.
    assert together == ["bedrock", "gemini_api", "messages_api", "openai_api"]
