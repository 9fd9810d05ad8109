"""How commands end: a document for programs on standard output, a word on the files they wrote."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from costscan.reports.outputs import Target


def print_document(encoded: bytes) -> None:
    """Print a document as it is, behind what was printed before."""
    sys.stdout.flush()
    sys.stdout.buffer.write(encoded)


def tell_written(targets: "Sequence[Target]") -> None:
    """Tell of the files that were written, on standard error: prose belongs there."""
    for target in targets:
        print(f"wrote {target.path}", file=sys.stderr)  # noqa: T201
