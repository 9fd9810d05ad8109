"""Logs read by a Ray cluster come to the same report as on this machine, whatever becomes of its workers."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import costscan
from buckets import BUCKET, Bucket, bucket
from command import Capture, said
from costscan import ingest
from costscan.errors import CostscanError
from costscan.ingest import pool, ray_cluster
from costscan.report import Report

needs_ray = pytest.mark.skipif(
    not ray_cluster.is_installed(), reason="the extra `ray` is not installed; CI installs it"
)
CLUSTER = ray_cluster.cluster
LOGS = ["sample_logs/idle-hour", "sample_logs/loop-of-twelve", "sample_formats"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Bucket]:
    """One cluster of two cores for all tests: to start one takes seconds. Its workers reach a store, too."""
    with pytest.MonkeyPatch.context() as patch, bucket() as store:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        with ray_cluster.cluster(None, 2) as ray:

            @contextmanager
            def running(*_: Any) -> Iterator[Any]:
                yield ray

            patch.setattr(ray_cluster, "cluster", running)
            yield store


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have some files a task, so that there are many tasks, and none read in this process."""
    monkeypatch.setattr(pool, "ALONE_BYTES", 0)
    monkeypatch.setattr(pool, "TASK_BYTES", 1 << 15)


def told(report: Report) -> Any:
    """Return the whole JSON report but for its time."""
    return {name: value for name, value in report.to_dict().items() if name != "generated_at"}


@pytest.fixture(scope="module")
def alone() -> Any:
    """What this process makes of the logs by itself."""
    return told(costscan.analyze(LOGS, workers=1))


@needs_ray
@pytest.mark.usefixtures("cluster", "in_repository", "small_tasks")
def test_the_report_is_the_same_to_the_digit(alone: Any) -> None:
    assert told(costscan.analyze(LOGS, workers=2)) == alone
    assert told(costscan.analyze(LOGS, engine="ray")) == alone


@needs_ray
@pytest.mark.usefixtures("cluster", "in_repository", "small_tasks")
def test_a_worker_that_is_killed_loses_and_doubles_nothing(
    alone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = ray_cluster.answered_with_tables, tmp_path / "killed"

    def killed_once(order: Any) -> Any:
        answer = whole(order)
        if not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    monkeypatch.setattr(ray_cluster, "answered_with_tables", killed_once)
    assert told(costscan.analyze(LOGS, engine="ray")) == alone
    assert killed.exists()


@needs_ray
@pytest.mark.usefixtures("cluster", "in_repository", "small_tasks")
def test_a_file_that_kills_every_worker_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ray_cluster.answered_with_tables

    def deadly(order: Any) -> Any:
        if any("codex" in path for path, *_ in order["files"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(order)

    monkeypatch.setattr(ray_cluster, "answered_with_tables", deadly)
    monkeypatch.setattr(ray_cluster, "TRIES", 0)
    with ingest.read(["sample_formats"], keep=False) as every:
        files = every.files
    with ingest.read(["sample_formats"], engine="ray", keep=False) as reading:
        (why,) = [reason for path, reason in reading.unread.items() if "codex" in path]
        assert len(reading.unread) == 1
        assert reading.files == files - 1
    assert why.startswith("the cluster gave up on it: ")


@needs_ray
@pytest.mark.usefixtures("cluster", "in_repository", "small_tasks")
def test_totals_are_the_same(capsys: Capture) -> None:
    ways = [[], ["--engine", "ray"]]
    here, there = (json.loads(said(capsys, "usage", *LOGS, "--json", "--no-cache", *way)) for way in ways)
    here.pop("generated_at", None)
    there.pop("generated_at", None)
    assert here == there
    assert here["totals"]["turns"] > 100


@needs_ray
@pytest.mark.usefixtures("in_repository", "small_tasks")
def test_logs_in_a_store_are_fetched_by_its_workers(cluster: Bucket) -> None:
    cluster.upload(Path("sample_logs/sub-agents"), "agents")
    ways = [costscan.analyze(f"s3://{BUCKET}/agents/", engine=name) for name in ("local", "ray")]
    here, there = map(told, ways)
    assert here == there
    assert here["totals"]["turns"] == costscan.read("sample_logs/sub-agents").turns.height


@pytest.mark.usefixtures("in_repository")
def test_a_cluster_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setattr(ray_cluster, "cluster", CLUSTER)
    with pytest.raises(CostscanError, match=r"--engine ray:127\.0\.0\.1:9: ") as error:
        costscan.analyze("sample_logs/idle-hour", engine="ray:127.0.0.1:9")
    assert error.value.hint == "see that the cluster runs, with the same Ray"


@pytest.mark.usefixtures("in_repository")
def test_what_is_not_installed_or_not_known_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "is_installed", lambda: False)
    with pytest.raises(CostscanError, match="Ray is not installed") as error:
        costscan.analyze("sample_logs/idle-hour", engine="ray")
    assert error.value.hint == "pip install 'costscan[ray]'"
    for name in ("dask", "", "local:9", "rayon"):
        with pytest.raises(CostscanError, match=f"--engine {name}: there is no such engine"):
            costscan.analyze("sample_logs/idle-hour", engine=name)


@pytest.mark.usefixtures("in_repository")
def test_what_comes_through_a_pipe_is_read_here(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """It lies on this machine alone; no cluster is started for it."""
    monkeypatch.setattr(ray_cluster, "is_installed", lambda: True)
    log = next(Path("sample_logs/idle-hour").rglob("*.jsonl"))
    with log.open(encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        piped = json.loads(said(capsys, "usage", "-", "--json", "--engine", "ray"))
    assert piped["totals"]["turns"] == 23
