"""What all tests share: no price cache, no colours, the repository as the current folder, goldens."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

import pytest

import memory_folder
import one_core
from bill_alone import bill_alone
from billed import ROOT, Billed, sample_logs
from command import logs_of
from costscan import cache_folder
from costscan.actions import Advised
from kept import Kept, keeping
from model_server import Server, model_server
from stores import copied, fill
from trial_server import TrialServer, trial_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

GOLDEN = Path(__file__).parent / "golden"
os.environ["COSTSCAN_CACHE"] = "off"
MEMORY = memory_folder.use()
one_core.stay()
# What is compiled once is neither compiled by each process that tests start nor by the next run.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    """Remove the temporary files of a run that passes."""
    if MEMORY is not None and exitstatus == pytest.ExitCode.OK:
        rmtree(MEMORY, ignore_errors=True)


def pytest_collection_finish() -> None:
    """Leave the tests and their modules, which stay, out of the search for garbage: an eighth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the terminal of whoever runs the tests out of them."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "COSTSCAN_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def samples() -> Billed:
    """What is made of the sample logs; no test changes it."""
    return sample_logs()


@pytest.fixture(scope="session")
def sample_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples of stories and of formats, last written to an hour ago."""
    return copied(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="session")
def sample_store(sample_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of them; no test changes it."""
    store = tmp_path_factory.mktemp("store") / "costs"
    fill(store, sample_copy)
    return store


@pytest.fixture(scope="session")
def _kept() -> Iterator[Kept]:
    kept = Kept()
    yield kept
    kept.close()


@pytest.fixture(scope="session")
def advised_samples(_kept: Kept) -> Advised:
    """What commands make of the sample logs: scenarios, findings and actions; no test changes it."""
    with chdir(ROOT), keeping(_kept), logs_of("sample_logs") as (advised, _):
        return advised


@pytest.fixture(scope="module")
def kept_analyses(_kept: Kept) -> Iterator[None]:
    """Have the commands of a module work out what the same logs come to once."""
    with keeping(_kept):
        yield


@pytest.fixture
def bill_only(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have analyses end with the bill, or the replay of a test that is marked `replayed`."""
    with bill_alone(replay=request.node.get_closest_marker("replayed") is not None):
        yield


@pytest.fixture(autouse=True)
def _bill_of_formats(request: pytest.FixtureRequest) -> None:
    """Leave what comes after the bill out of the tests of formats, but those marked `whole`."""
    if request.path.parent.name == "formats" and request.node.get_closest_marker("whole") is None:
        request.getfixturevalue("bill_only")


@pytest.fixture
def kept_here(_kept: Kept) -> Iterator[None]:
    """Have the commands of one test work out what the same logs come to once."""
    with keeping(_kept):
        yield


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.delenv(cache_folder.OFF)
    monkeypatch.setenv(cache_folder.DIR, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def _price_cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def price_cache(_price_cache_folder: Path) -> Iterator[None]:
    """Let the processes that a module starts share a price cache, as those of a user do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(_price_cache_folder))
        patch.delenv("COSTSCAN_CACHE", raising=False)
        yield


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """A browser for all pages."""
    from browser import browser  # noqa: PLC0415 - few tests need it

    with browser() as found:
        yield found


@pytest.fixture
def in_repository(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the repository the current folder, so that shown paths are the same everywhere."""
    monkeypatch.chdir(ROOT)
    return ROOT


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with `golden/<name>.txt`; COSTSCAN_GOLDEN=write makes the file anew."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / f"{name}.txt"
        if os.environ.get("COSTSCAN_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name}: COSTSCAN_GOLDEN=write takes the new text"

    return check


@pytest.fixture
def server() -> Iterator[Server]:
    """A stand-in for the Messages API on this machine."""
    with model_server() as told:
        yield told


@pytest.fixture
def api() -> Iterator[TrialServer]:
    """A stand-in for the API that trials ask."""
    with trial_server() as told:
        yield told


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where calls are logged."""
    return tmp_path / "runs.jsonl"
