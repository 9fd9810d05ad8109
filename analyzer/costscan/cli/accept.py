"""`costscan accept`: findings that are as they should be are not listed any more."""

import os
from pathlib import Path
from typing import Annotated

import typer

from costscan.errors import CostscanError
from costscan.reports.outputs import whole


def accept(
    fingerprint: Annotated[
        list[str],
        typer.Argument(
            metavar="FINGERPRINT",
            show_default=False,
            help="What `findings` shows with a finding, the same in every run of the task; FINGERPRINT@RUN "
            "accepts it in one run.",
        ),
    ],
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="The settings file to write to, instead of the one that holds in this folder; costscan.toml "
            "here, where there is none.",
        ),
    ] = None,
) -> None:
    """Accept findings that are as they should be: they are not listed any more, and count for no limit.

    \b
    Examples:
      costscan findings runs.jsonl
      costscan accept 3f0a52c19be07d44
      costscan accept 3f0a52c19be07d44@run-7 --file costscan.toml

    They are added to findings.accepted; the rest of the file stays as it is.
    Exit codes: 0 fine, 2 cannot run (no fingerprint, a file that cannot be written).
    """  # noqa: D301 - \b keeps the lines apart
    from costscan.settings import accepted  # noqa: PLC0415 - imports a parser of TOML

    accepted.refuse_wrong(fingerprint)
    path = file or accepted.file_of(Path.cwd())
    if not path.parent.is_dir():
        raise CostscanError(f"--file {path}: no folder {path.parent}", "make it first, or write elsewhere")
    text, new = accepted.accept(path, fingerprint)
    if text is not None:
        content = text.encode()
        whole(path, lambda unfinished: unfinished.write_bytes(content))
    shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    _tell(shown, new, len(dict.fromkeys(fingerprint)) - len(new))


def _tell(path: str, new: list[str], known: int) -> None:
    from costscan.reports.text.sanitize import inert, unheeded  # noqa: PLC0415 - only to tell

    lines = [f"{path}: accepted {name}" for name in new]
    lines += [f"{path}: {known} accepted before, nothing to do"] if known else []
    for line in lines:
        typer.echo(unheeded(inert(line)))
