"""Logs read for their bill alone: files that did not change are taken from what was kept, others read."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from costscan.errors import CostscanError
from costscan.ingest import bill_tables, kept_bill
from costscan.ingest.kept_bill import KeptBill, KeptFile
from costscan.ingest.kept_readings import key_of, read_alone
from costscan.ingest.pool import Answer, in_order, size_bytes
from costscan.ingest.wanted import Wanted

if TYPE_CHECKING:
    from costscan.ingest.bill_frames import Part

_COUNTS: Final = ("lines", "bytes", "skipped", "repaired")
OnAnswer = Callable[[Answer], None]


def read(wanted: Wanted, out: Path, on_answer: OnAnswer) -> bool:
    """Have files read and their tables written to `out`; say whether more is kept now.

    `on_answer` gets the counts of what was read.

    Raises:
        CostscanError: the tables cannot be written, or not be read again.
    """
    bill = _Bill(wanted, out)
    if bill.taken:
        on_answer(_answer(bill.taken))
    try:
        if bill.is_kept():
            bill.write(bill.kept.tables)
            return False
        return bill.add(bill.answers(on_answer))
    except OSError as error:
        reason = f"{error.filename or out}: {error.strerror or error}"
        raise CostscanError(reason, "check space and permissions") from error


def _answer(taken: Mapping[str, KeptFile]) -> Answer:
    """Return what a task would answer that had read the files that were kept."""
    counts = [sum(file.counts[n] for file in taken.values()) for n in range(len(_COUNTS))]
    return {
        "files": len(taken),
        "formats": Counter(name for file in taken.values() for name in file.formats),
        "unusable": [(path, file.unusable) for path, file in taken.items() if file.unusable is not None],
        "unread": {},
        "kept": 0,
        **dict(zip(_COUNTS, counts, strict=True)),
    }


class _Bill:
    """The tables of files that were kept and of files that are read."""

    def __init__(self, wanted: Wanted, out: Path) -> None:
        self._wanted, self._out = wanted, out
        self._place = wanted.kept_in and kept_bill.place(wanted.kept_in, wanted.source, wanted.paths)
        self._keys: Mapping[str, bytes | None] = {}
        self.kept = KeptBill([], {})
        if self._place is not None:
            self._keys = wanted.keys or {file.path: key_of(file) for file in wanted.files}
            self.kept = kept_bill.take(self._place)
        by_key = {file.key: file for file in self.kept.files}
        self.taken = {path: by_key[key] for path, key in self._keys.items() if key in by_key and key}
        sizes = {file: size_bytes(file) for file in wanted.files}
        self._order = [file.path for file in in_order(wanted.files, sizes)]

    def is_kept(self) -> bool:
        """Whether what is kept is just what is wanted."""
        keys = [self._keys.get(path) for path in self._order]
        return bool(keys) and keys == [file.key for file in self.kept.files]

    def write(self, tables: Mapping[str, bytes]) -> None:
        """Write tables to where they are wanted.

        Raises:
            OSError: that cannot be written.
        """
        for name, content in tables.items():
            (self._out / f"{name}-0.arrow").write_bytes(content)

    def answers(self, on_answer: OnAnswer) -> list[Answer]:
        """Have the files read that are not kept.

        Raises:
            CostscanError: the tables cannot be written.
        """
        answers: list[Answer] = []

        def add(answer: Answer) -> None:
            answers.append(answer)
            on_answer(answer)

        files = [file for file in self._wanted.files if file.path not in self.taken]
        kind = {"source": self._wanted.source, "bill_only": True, "kept_in": None}
        self._wanted.read_all(files, kind, self._out, on_answer=add)
        return answers

    def add(self, answers: Sequence[Answer]) -> bool:
        """Write the tables of what was read and of what was kept, and keep them; say whether that was done.

        Raises:
            OSError: that cannot be written, or the tables of a task cannot be read.
        """
        from costscan.ingest.bill_frames import as_bytes, together  # noqa: PLC0415 - imports Polars

        parts = list(self._parts(answers))
        tables = as_bytes(together(parts, self._order))
        self.write(tables)
        if self._place is None:
            return False
        files = self.taken | dict(self._to_keep(answers))
        own = [path for path in self._order if path in files]
        if [files[path].key for path in own] == [file.key for file in self.kept.files]:
            return False
        if own != self._order:
            tables = as_bytes(together(parts, own))
        return kept_bill.keep(self._place, [files[path] for path in own], tables)

    def _parts(self, answers: Sequence[Answer]) -> "Iterator[Part]":
        from costscan.ingest.bill_frames import Part, of_bytes, of_columns  # noqa: PLC0415

        paths = {file.key: path for path, file in self.taken.items()}
        if paths:
            sizes = [(paths.get(file.key), file.sizes) for file in self.kept.files]
            yield Part(sizes, of_bytes(self.kept.tables))
        for answer in answers:
            if answer["read"]:
                columns = bill_tables.take(self._out, answer["task"])
                yield Part([(path, sizes) for path, *_, sizes in answer["read"]], of_columns(columns))

    def _to_keep(self, answers: Sequence[Answer]) -> Iterator[tuple[str, KeptFile]]:
        """Yield the files that were read and did not change meanwhile, and depend on no other."""
        files = {file.path: file for file in self._wanted.files}
        for path, formats, unusable, counts, sizes in (read for answer in answers for read in answer["read"]):
            key = self._keys[path]
            if key and key == key_of(files[path]) and (len(files) == 1 or read_alone(formats)):
                yield path, KeptFile(key, formats, unusable, counts, sizes)
