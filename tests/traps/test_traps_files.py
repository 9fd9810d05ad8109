"""Files in every wrapping: compressed, cut off, on standard input, badly named, empty, of another kind."""

import gzip
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import zstandard

from costscan.cli import progress
from costscan.errors import CostscanError
from costscan.ingest import pool, read
from logs import OPUS, assistant, at, joined, message, pair, streamed, text, usage, usd, user, write
from seen import each_of, own_ids, see

NOISE = Random(1)
LINES = [assistant(f"msg_{i}", usage(10, read=100, out=5), timestamp=at(i), content=[text(NOISE.randbytes(300).hex())])
         for i in range(60)]  # fmt: skip
EACH = usd(OPUS, **{"in": 10}, read=100, out=5)
WHOLE = joined(LINES)


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


PACKED = {"gz": gzip.compress(WHOLE), "zst": zst(WHOLE)}


def in_two(pack: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Pack the first half of the data and the second, one behind the other."""

    def packed(data: bytes) -> bytes:
        middle = data.index(b"\n", len(data) // 2) + 1
        return pack(data[:middle]) + pack(data[middle:])

    return packed


NAMED: list[tuple[str, Callable[[bytes], bytes]]] = [
    *((name, bytes) for name in ("s.jsonl", "s.ndjson", "s.json", "s", "s.txt", "s.log.1", "s.gz", "s.zst")),
    *((name, gzip.compress) for name in ("s.jsonl.gz", "s", "s.jsonl", "s.zst")),
    *((name, zst) for name in ("s.jsonl.zst", "s")),
    ("s.gz", in_two(gzip.compress)),
    ("s.zst", in_two(zst)),
]


def test_content_decides_and_not_the_name(tmp_path: Path) -> None:
    cases, paths = [own_ids(WHOLE, n) for n in range(len(NAMED))], []
    for n, (name, pack) in enumerate(NAMED):
        paths.append(tmp_path / f"case-{n:03d}" / name)
        paths[-1].parent.mkdir()
        paths[-1].write_bytes(pack(cases[n]))
    seen = see(*paths)
    for name, turns in each_of(seen, tmp_path, [f"{n} {name}" for n, (name, _) in enumerate(NAMED)]).items():
        assert (turns["usd"].sum(), turns.height) == (60 * EACH, 60), name
    assert (seen.reading.lines, seen.reading.skipped_lines) == (60 * len(NAMED), 0)
    assert seen.reading.bytes == sum(map(len, cases))


SHARES = (0.5, 0.9, 0.99)


def test_a_file_cut_off_keeps_what_is_readable_and_says_so(tmp_path: Path) -> None:
    lines = [
        assistant(f"msg_{i}", usage(10, read=100, out=5), content=[text(NOISE.randbytes(600).hex())])
        for i in range(900)
    ]
    cases = {f"{pack.__name__} {share}": (pack, share) for pack in (gzip.compress, zst) for share in SHARES}
    for n, (pack, share) in enumerate(cases.values()):
        packed = pack(own_ids(joined(lines), n))
        path = tmp_path / f"case-{n:03d}" / "s.jsonl"
        path.parent.mkdir()
        path.write_bytes(packed[: int(len(packed) * share)])
    told = each_of(see(tmp_path), tmp_path, list(cases))
    for name, turns in told.items():
        assert turns.height > 900 * cases[name][1] - 250, name
        assert turns["usd"].sum() == turns.height * EACH, name
        assert any("cannot be read to its end" in reason for _, reason in told.skips[name]), name


def test_a_small_file_cut_off_at_its_last_byte(tmp_path: Path) -> None:
    path = tmp_path / "s.gz"
    path.write_bytes(PACKED["gz"][:-1])
    seen = see(path)
    assert (seen.usd, seen.reading.skipped_lines) == (60 * EACH, 1)
    # All of so small a file is one block of zstd, of which nothing can be read.
    path.write_bytes(PACKED["zst"][:-1])
    with pytest.raises(CostscanError, match="no usable line"):
        read([str(path)])


def test_a_gz_file_with_other_bytes_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "s.gz"
    path.write_bytes(PACKED["gz"] + b"trailing garbage")
    seen = see(path)
    assert seen.usd == 60 * EACH


def test_a_gz_file_damaged_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "s.gz"
    data = bytearray(gzip.compress(WHOLE * 2))
    data[len(data) * 2 // 3] ^= 0xFF
    path.write_bytes(data)
    seen = see(path)
    assert seen.n_turns >= 20
    assert seen.reading.skipped_lines >= 1


@pytest.mark.parametrize("data", [WHOLE, PACKED["gz"], PACKED["zst"], WHOLE[:-1]])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    seen = see("-")
    assert seen.usd == 60 * EACH
    assert seen.runs["path"].to_list() == ["-"]


def test_a_pipe_given_as_a_path(tmp_path: Path) -> None:
    # What a shell makes of `costscan analyze <(zcat log.gz)`.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_bytes(WHOLE), daemon=True).start()
    assert progress._total([str(pipe)]) is None  # nothing of it is read only to see how much there is
    assert see(pipe).usd == 60 * EACH


def test_a_first_line_longer_than_what_is_sniffed(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", user("x" * 6_000_000), *LINES[:2])
    assert see(path).usd == 2 * EACH
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert see(path).usd == 2 * EACH


def test_folders_globs_and_files_together(tmp_path: Path) -> None:
    for i, name in enumerate(("a/x.jsonl", "a/deep/er/y.ndjson", "b/z.jsonl.gz", "c/w", "b/notes.txt")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = joined(LINES[i * 10 : i * 10 + 10])
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    # In folders only files named like logs are taken; "w" is named itself.
    assert see(tmp_path / "a", tmp_path / "*" / "*.gz", tmp_path / "c" / "w").usd == 40 * EACH
    assert see(tmp_path).usd == 30 * EACH
    assert see(tmp_path / "**" / "*.ndjson").usd == 10 * EACH
    assert see(tmp_path / "?").usd == 30 * EACH


def test_names_with_pattern_letters_are_names(tmp_path: Path) -> None:
    path = write(tmp_path / "run[1] *.jsonl", LINES[0])
    assert see(path).usd == EACH


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"")
    with pytest.raises(CostscanError) as found:
        read([str(path)])
    assert found.value.what == f"{path}: no usable line"


@pytest.mark.parametrize(
    "data",
    [
        b"\n\n \n",
        b"hello world\n",
        b"a,b,c\n1,2,3\n",
        b"<html></html>",
        b"%PDF-1.7\n\x00\x01\x02",
        b"[]",
        b"{}",
        b"null\n",
        b'{"hello": "world"}\n',
        b'[{"role": "user", "content": "hi"}]',
        NOISE.randbytes(5000),
        gzip.compress(b"", mtime=0),
        gzip.compress(b"plain", mtime=0),
        b"\x1f\x8b",
        b"\x28\xb5\x2f\xfd",
        b"\x1f\x8b\x08\x00broken",
        b"{" * 100_000,
        b"[" * 100_000,
        b'{"type": [], "session_id": {}}\n',
    ],
)
def test_a_file_of_another_kind_names_what_was_expected(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other.jsonl"
    path.write_bytes(data)
    with pytest.raises(CostscanError) as found:
        read([str(path)])
    assert found.value.what == f"{path}: no usable line"
    for word in ("claude_code", "claude_stream", "messages_api", "--format NAME"):
        assert word in found.value.hint
    with pytest.raises(CostscanError):
        read([str(tmp_path)])


def test_a_folder_with_a_good_and_a_bad_file(tmp_path: Path) -> None:
    write(tmp_path / "good.jsonl", *LINES)
    bad = write(tmp_path / "bad.json", '{"name": "package", "version": "1.0.0"}')
    (tmp_path / "empty.jsonl").touch()
    seen = see(tmp_path)
    assert seen.usd == 60 * EACH
    assert [s["path"] for s in seen.reading.skipped] == [str(bad), str(tmp_path / "empty.jsonl")]
    assert seen.reading.files == 1
    with pytest.raises(CostscanError, match=r"bad\.json: no usable line"):
        read([str(tmp_path / "good.jsonl"), str(bad)])


@pytest.mark.parametrize("path", ["nowhere.jsonl", "no/where", "*.nothing"])
def test_paths_that_do_not_exist(tmp_path: Path, path: str) -> None:
    with pytest.raises(CostscanError, match="no such file"):
        read([str(tmp_path / path)])


def test_a_folder_without_logs(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(CostscanError, match="no log in this folder"):
        read([str(tmp_path)])


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "s.jsonl", *LINES)

    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(CostscanError, match="Permission denied"):
        read([str(path)])


def test_every_format_is_told_by_its_content(tmp_path: Path) -> None:
    write(tmp_path / "a.json", assistant("msg_1"))
    write(tmp_path / "b.json", streamed("msg_2"))
    write(tmp_path / "c.json", pair(message("msg_3")))
    write(
        tmp_path / "d.json", {"custom_id": "x", "result": {"type": "succeeded", "message": message("msg_4")}}
    )
    seen = see(tmp_path)
    assert seen.reading.formats == {"claude_code": 1, "claude_stream": 1, "messages_api": 2}
    assert seen.n_turns == 4


def test_a_format_that_is_forced(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", *LINES)
    assert see(path, source="claude_code").n_turns == 60
    with pytest.raises(CostscanError, match="no usable line") as found:
        read([str(path)], source="messages_api")
    assert "request/response" in found.value.hint
    with pytest.raises(CostscanError, match="unknown format 'cobol'"):
        read([str(path)], source="cobol")


def test_the_folder_of_the_tables_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    path = write(tmp_path / "s.jsonl", *LINES)
    see(path)
    for bad in ([str(tmp_path / "gone")], [str(write(tmp_path / "bad", "x"))]):
        with pytest.raises(CostscanError):
            read(bad)
    assert list((tmp_path / "temp").iterdir()) == []


def test_many_workers_give_the_same_bill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "ALONE_BYTES", 0)
    monkeypatch.setattr(pool, "TASK_BYTES", 1)
    for i in range(6):
        write(tmp_path / f"{i}.jsonl", *LINES[i * 10 : i * 10 + 15], user("end", sessionId=f"s{i}"))
    seen = see(tmp_path, workers=2)
    assert (seen.usd, seen.n_turns) == (60 * EACH, 60)
    assert (seen.reading.files, seen.reading.lines) == (6, 6 + 5 * 15 + 10)
