"""Several ingests of one store at once: each call is there, and once."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from polars.testing import assert_frame_equal

from costscan.store import committing
from costscan.store.manifest import Manifest, committed
from costscan.store.places import Place
from logs import assistant, at, usage, write
from reading_tables import age
from stores import assert_holds, fill, globbed, opened, turns, turns_of_logs

Meanwhile: TypeAlias = Callable[[Callable[[], object]], list[Callable[[], object]]]


def talk(path: Path, first: int, calls: int) -> Path:
    """Write a session that tells calls from one on; those of other sessions among them are the same calls."""
    write(path, *(
        assistant(f"msg_{n:022}", usage(100 + n, out=5), sessionId=path.stem, timestamp=at(60 * n))
        for n in range(first, first + calls)
    ))  # fmt: skip
    age(path)
    return path


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have something happen once, just before the next commit; what is returned is empty once it has."""

    def planned(happens: Callable[[], object]) -> list[Callable[[], object]]:
        waiting = [happens]

        def late(place: Place, manifest: Manifest) -> bool:
            if waiting:
                waiting.pop()()
            return committed(place, manifest)

        monkeypatch.setattr(committing, "committed", late)
        return waiting

    return planned


@pytest.mark.parametrize(("mine", "others"), [
    (["a"], ["a"]),
    (["a", "b"], ["b", "c"]),
    (["a"], ["c"]),
    (["b", "d"], ["a", "c"]),
    (["a", "b", "c", "d"], ["a", "b", "c", "d"]),
])  # fmt: skip
@pytest.mark.parametrize("earlier", [[], ["a"], ["d"]])
def test_another_commits_first(
    tmp_path: Path, meanwhile: Meanwhile, mine: list[str], others: list[str], earlier: list[str]
) -> None:
    logs = {name: talk(tmp_path / "logs" / f"{name}.jsonl", n, 4) for n, name in enumerate("abcd")}
    store = tmp_path / "store"
    if earlier:
        fill(store, *(logs[name] for name in earlier))
    waiting = meanwhile(lambda: fill(store, *(logs[name] for name in others)))
    fill(store, *(logs[name] for name in mine))
    assert bool(waiting) == (mine == earlier)  # with nothing new, there is no commit
    there = [logs[name] for name in sorted({*mine, *([] if waiting else others), *earlier})]
    assert_holds(store, *there)
    assert_frame_equal(turns(globbed(store, "turns")), turns_of_logs(*there))
    _, manifest = opened(store)
    assert (
        len([path for path in store.rglob("*.parquet") if "_manifest" not in path.parts])
        == manifest.parts.height
    )


def test_a_file_that_grew_between_two_readers(tmp_path: Path, meanwhile: Meanwhile) -> None:
    """What was read later counts, whoever commits first."""
    log, store = tmp_path / "logs" / "a.jsonl", tmp_path / "store"
    talk(log, 0, 2)

    def grown() -> None:
        talk(log, 0, 5)
        fill(store, log)

    meanwhile(grown)
    fill(store, log)
    assert_holds(store, log)


def test_a_number_that_is_free_again_is_not_taken(tmp_path: Path, meanwhile: Meanwhile) -> None:
    """Old manifests are removed: a commit that comes very late finds its number free."""
    logs = [talk(tmp_path / "logs" / f"{n}.jsonl", 10 * n, 2) for n in range(12)]
    store = tmp_path / "store"

    def many() -> None:
        for log in logs[2:]:
            fill(store, log)

    fill(store, logs[0])
    meanwhile(many)
    fill(store, logs[1])
    assert_holds(store, *logs)
    assert len(list((store / "_manifest").glob("*.json"))) <= 5


def test_processes(tmp_path: Path) -> None:
    logs = [talk(tmp_path / "logs" / f"{n}.jsonl", n, 4) for n in range(6)]
    commands = [
        [
            sys.executable,
            "-m",
            "costscan",
            "ingest",
            *map(str, logs[first : first + 4]),
            "--store",
            str(tmp_path / "store"),
        ]
        for first in range(3)
    ]
    started = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert_holds(tmp_path / "store", *logs)
