"""What commands make of logs, kept: the same logs, settings and rules are worked out once in a process of tests.

For tests of what commands print, write and how they end: `pytestmark = pytest.mark.usefixtures("kept_analyses")`.
What is made of logs is tested where nothing is kept.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import fields, replace
from hashlib import blake2b
from pathlib import Path
from shutil import copytree
from tempfile import mkdtemp
from typing import Any, Final

import pytest

from costscan import actions, analysis, ingest, rulebook, scenarios
from costscan.settings.keys import Settings

NOT_PRICED: Final = {"rules", "findings", "check", "redact", "file", "tz"}
"""Settings that scenarios do not depend on."""


class Kept:
    """Results by what they were made from, which is held too, so that no other object takes its identity."""

    def __init__(self) -> None:
        self._found: dict[Any, tuple[Any, Any]] = {}
        self._open = ExitStack()

    def of(self, key: Any, held: Any, make: Callable[[], Any]) -> Any:
        """Return what was made for a key; what raises is not kept."""
        if key not in self._found:
            self._found[key] = make(), held
        return self._found[key][0]

    def close(self) -> None:
        """Remove the tables of all readings."""
        self._open.close()
        self._found.clear()

    def read(self, paths: Sequence[str], *, source: str | None = None, **how: Any) -> Any:
        logs = [contents(Path(path)) for path in paths]
        if None in logs:
            return _READ(paths, source=source, **how)
        key = ("read", tuple(paths), tuple(logs), source, bool(how.get("bill_only")))
        make = lambda: self._open.enter_context(_READ(paths, source=source, **how))  # noqa: E731
        return nullcontext(self.of(key, None, make))

    def analyze(self, reading: ingest.Reading, **how: Any) -> Any:
        key = ("analyze", id(reading), *(f"{name}={how[name]!r}" for name in sorted(how)))
        return self.of(key, reading, lambda: self._analyzed(reading, how))

    def _analyzed(self, reading: ingest.Reading, how: dict[str, Any]) -> Any:
        """Analyze a copy of the tables: an analysis writes its blocks beside them."""
        folder = Path(copytree(reading.folder, mkdtemp(prefix="costscan-"), dirs_exist_ok=True))
        own = self._open.enter_context(replace(reading, folder=folder))
        return _ANALYZE(own, **how)

    def price(self, x: analysis.Analysis, settings: Settings | None = None) -> Any:
        told = [
            repr(getattr(settings or Settings(), f.name))
            for f in fields(Settings)
            if f.name not in NOT_PRICED
        ]
        return self.of(("price", id(x.turns), *told), x, lambda: _PRICE(x, settings))

    def rules(self, folders: Sequence[Path] = (), settings: Any = (), *, cases: bool = True) -> Any:
        if folders:
            return _RULES(folders, settings, cases=cases)
        return list(
            self.of(("rules", repr(settings), cases), None, lambda: _RULES((), settings, cases=cases))
        )

    def find(
        self, x: scenarios.PricedAnalysis, rules: Any, accepted: frozenset[str] = frozenset(), name: Any = str
    ) -> Any:
        if name is not str:
            return _FIND(x, rules, accepted, name)
        key = ("find", id(x.turns), id(x.scenarios), repr(x.reasons), repr(rules), accepted)
        return self.of(key, (x.turns, x.scenarios), lambda: _FIND(x, rules, accepted))

    def advise(
        self,
        x: rulebook.Diagnosis,
        settings: Settings | None = None,
        name: Any = str,
        measurements: Any = None,
    ) -> Any:
        if name is not str or measurements:
            return _ADVISE(x, settings, name, measurements)
        told = [
            repr(getattr(settings or Settings(), f.name))
            for f in fields(Settings)
            if f.name not in NOT_PRICED
        ]
        key = ("advise", id(x.findings), id(x.scenarios), repr(x.reasons), *told)
        return self.of(key, (x.findings, x.scenarios), lambda: _ADVISE(x, settings))


def contents(path: Path) -> bytes | None:
    """Return a fingerprint of a log with its neighbours of the same name, or of a folder; None of anything else."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
    elif path.is_file():
        files = sorted(
            file for file in path.parent.glob("*") if file.name.startswith(path.name.split(".")[0])
        )
        files = [
            f for file in files for f in (sorted(file.rglob("*")) if file.is_dir() else [file]) if f.is_file()
        ]
    else:
        return None
    found = blake2b()
    for file in files:
        found.update(repr((str(file.relative_to(path.parent)), file.stat().st_size)).encode())
        found.update(file.read_bytes())
    return found.digest()


@contextmanager
def keeping(kept: Kept) -> Iterator[None]:
    """Have commands use what is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "read", kept.read)
        patch.setattr(analysis, "analyze", kept.analyze)
        patch.setattr(scenarios, "price_scenarios", kept.price)
        patch.setattr(rulebook, "load_rules", kept.rules)
        patch.setattr(rulebook, "find", kept.find)
        patch.setattr(actions, "advise", kept.advise)
        yield


_READ, _ANALYZE = ingest.read, analysis.analyze
_PRICE, _RULES, _FIND = scenarios.price_scenarios, rulebook.load_rules, rulebook.find
_ADVISE = actions.advise
