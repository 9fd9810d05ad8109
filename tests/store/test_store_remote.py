"""A store in an object store is a store: the same reports, and nothing lost where two write at once."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import obstore
import pytest
from polars.testing import assert_frame_equal

from buckets import BUCKET, Bucket, bucket
from command import NO_LEVERS, Capture, said
from costscan.errors import CostscanError
from costscan.remote import objects
from costscan.store import committing, reading
from costscan.store.manifest import Manifest, committed
from costscan.store.places import Place, is_store, place
from costscan.store.upkeep import compact
from logs import assistant, at, usage, write
from reading_tables import age
from stores import assert_holds, documents, fill, opened, rows_of, turns, turns_of_logs


@pytest.fixture(scope="module")
def served() -> Iterator[Bucket]:
    with bucket() as made, patch.dict(os.environ, made.environment):
        objects.object_store.cache_clear()
        yield made
    objects.object_store.cache_clear()


@pytest.fixture
def store(served: Bucket, request: pytest.FixtureRequest) -> str:
    """The address of a store of the test's own."""
    return f"s3://{BUCKET}/{request.node.name}/costs"


def talk(path: Path, first: int, calls: int) -> Path:
    write(path, *(
        assistant(f"msg_{n:022}", usage(100 + n, out=5), sessionId=path.stem, timestamp=at(60 * n), cwd="/home/me/a b")
        for n in range(first, first + calls)
    ))  # fmt: skip
    age(path)
    return path


def test_reports_are_those_of_the_logs(sample_copy: Path, store: str, capsys: Capture) -> None:
    assert "43 new" in said(capsys, "ingest", str(sample_copy), "--store", store)
    assert_holds(store, sample_copy)
    options = ("--json", "--since", "2026-11-05", *NO_LEVERS)
    one, other = documents(*(said(capsys, "analyze", path, *options) for path in (str(sample_copy), store)))
    assert one == other
    one, other = documents(*(said(capsys, "usage", path, "--json") for path in (str(sample_copy), store)))
    assert one == other
    assert json.loads(said(capsys, "store", "info", store, "--json"))["files"] == 43
    names = said(capsys, "store", "files", store).split()
    assert all(name.startswith(f"{store}/turns/day=") for name in names)


def test_new_logs_are_added_and_small_files_merged(tmp_path: Path, store: str) -> None:
    logs = [talk(tmp_path / "logs" / f"{n}.jsonl", 2 * n, 4) for n in range(4)]
    for log in logs:
        assert fill(store, log).new == 1
    assert fill(store, tmp_path / "logs").unchanged == 4
    assert compact(opened(store)[0]).after < 8
    talk(logs[1], 2, 9)
    assert fill(store, tmp_path / "logs").grown == 1
    assert_holds(store, tmp_path / "logs")


def test_logs_that_are_remote_too(served: Bucket, tmp_path: Path, store: str) -> None:
    talk(tmp_path / "logs" / "a.jsonl", 0, 3)
    served.upload(tmp_path / "logs", "some-logs")
    assert fill(store, f"s3://{BUCKET}/some-logs/").new == 1
    assert fill(store, f"s3://{BUCKET}/some-logs/").unchanged == 1
    talk(tmp_path / "logs" / "a.jsonl", 0, 4)
    served.upload(tmp_path / "logs", "some-logs")
    assert fill(store, f"s3://{BUCKET}/some-logs/").grown == 1
    assert_frame_equal(
        turns(rows_of(store, "turns")).drop("path"), turns_of_logs(tmp_path / "logs").drop("path")
    )


def test_another_commits_first(tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = [talk(tmp_path / "logs" / f"{n}.jsonl", 2 * n, 4) for n in range(3)]
    waiting = [logs[1:]]

    def late(where: Place, manifest: Manifest) -> bool:
        if waiting:
            fill(store, *waiting.pop())
        return committed(where, manifest)

    monkeypatch.setattr(committing, "committed", late)
    fill(store, *logs[:2])
    assert_holds(store, *logs)


def test_an_upload_that_was_torn(served: Bucket, tmp_path: Path, store: str, capsys: Capture) -> None:
    talk(tmp_path / "logs" / "a.jsonl", 0, 3)
    fill(store, tmp_path / "logs")
    where, manifest = opened(store)
    name = manifest.parts.filter(table="calls")["name"][0]
    where.write(name, where.read(name)[:100])
    with pytest.raises(CostscanError, match="damaged"):
        reading.read(store)
    assert f"{store}/{name}" in said(capsys, "store", "check", store, code=1)
    said(capsys, "store", "check", store, "--repair")
    fill(store, tmp_path / "logs")
    assert_holds(store, tmp_path / "logs")


def test_what_is_no_store(served: Bucket, capsys: Capture) -> None:
    obstore.put(served.store, "plain/a.jsonl", b"{}")
    assert not is_store(f"s3://{BUCKET}/plain/")
    assert not is_store(f"s3://{BUCKET}/plain/*")
    assert not is_store("s3://no-such-bucket/x/")
    assert "no store" in said(capsys, "store", "info", f"s3://{BUCKET}/plain", code=2)


def test_a_bucket_that_is_not_there(served: Bucket, tmp_path: Path, capsys: Capture) -> None:
    log = talk(tmp_path / "a.jsonl", 0, 1)
    shown = said(capsys, "ingest", str(log), "--store", "s3://no-such-bucket/x", code=2)
    assert shown.startswith("error: s3://no-such-bucket/x")
    assert place("s3://no-such-bucket/x").shown == "s3://no-such-bucket/x"
