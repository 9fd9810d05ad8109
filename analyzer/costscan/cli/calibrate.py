"""`costscan calibrate`: have the API count some texts of a log, and correct estimates by that."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from costscan.calibration import FILE_NAME
from costscan.cli import parameters as p
from costscan.cli.options import Options, with_options
from costscan.cli.progress import counting, progress
from costscan.errors import CostscanError

if TYPE_CHECKING:
    from costscan.calibrating.fitting import Fit
    from costscan.calibrating.sampling import Sampled
    from costscan.calibrating.state import State


_Output: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FILE", help="What is written; what was counted is kept beside it."
    ),
]
_MaxCalls: TypeAlias = Annotated[
    int, typer.Option("--max-calls", metavar="N", min=4, help="Have at most so many requests answered.")
]
_Model: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Count with this model for its family of tokenizers; by default the one these logs call "
        "most. Repeatable.",
    ),
]
_Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Send without asking.")]


@with_options("format", "client")
def calibrate(
    path: p.PathsOrDefault = None,
    *,
    output: _Output = Path(FILE_NAME),
    max_calls: _MaxCalls = 200,
    model: _Model = None,
    yes: _Yes = False,
    options: Options,
) -> None:
    """Count the tokens of some texts of a log, and correct estimates by that.

    \b
    Examples:
      costscan calibrate runs.jsonl
      costscan calibrate logs/ --max-calls 400 --yes
      costscan analyze runs.jsonl

    One of the few commands that send anything: the texts of some blocks, to be counted by the Messages API
    (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL). It says what goes where before, and asks. Counting is free of
    charge. Stopped, it goes on where it was. The analyses of a folder take the calibration.toml in it.

    Exit codes: 0 fine, 2 cannot run (nothing to count, no key, no answer, nobody to ask).
    """  # noqa: D301 - \b keeps the lines apart
    from costscan.calibrating.counting import counted  # noqa: PLC0415 - not needed to start
    from costscan.calibrating.fitting import fit  # noqa: PLC0415
    from costscan.calibrating.sampling import sampled  # noqa: PLC0415
    from costscan.calibrating.state import State  # noqa: PLC0415

    if not output.absolute().parent.is_dir():
        raise CostscanError(f"{output}: there is no such folder", "make it, or choose another with --output")
    paths = options.paths(path)
    with progress(paths) as watch:
        drawn = sampled(paths, most=max_calls, chosen=model or (), source=options.format, on_bytes=watch.read)
    state = State(output.with_name(f"{output.name}.counts"))
    if not _count(drawn, state, max_calls, yes=yes):
        typer.echo("nothing was sent", err=True)
        return
    some = counted(drawn, state)
    _write(output, fit(some), drawn, len(some))


def _count(drawn: "Sampled", state: "State", most: int, *, yes: bool) -> bool:
    """Ask for what is not counted yet; whether that was wanted."""
    from costscan import asking  # noqa: PLC0415 - not needed to start
    from costscan.calibrating.counting import count, open_requests  # noqa: PLC0415
    from costscan.calibrating.words import about_to_send  # noqa: PLC0415

    asks = open_requests(drawn, state, most)
    if not asks:
        return True
    client = asking.client("calibrate")
    typer.echo(about_to_send(asks, asking.address(client)), err=True)
    if not asking.confirm("calibrate", yes=yes):
        return False
    with client, counting("counting", len(asks)) as step:
        count(asks, client, state, step)
    return True


def _write(output: Path, fit: "Fit", drawn: "Sampled", samples: int) -> None:
    """Say what was found, and write it.

    Raises:
        CostscanError: there was too little to be counted, or the file cannot be written.
    """
    from costscan.calibrating.file import text_of  # noqa: PLC0415 - not needed to start
    from costscan.calibrating.words import found  # noqa: PLC0415
    from costscan.reports.outputs import whole  # noqa: PLC0415
    from costscan.reports.text.console import printed, width_of  # noqa: PLC0415

    printed(found(fit, width_of(sys.stdout)))
    if not fit.factors():
        raise CostscanError(
            f"calibrate: too few texts were counted ({samples}) to correct anything",
            "give more logs, or a larger --max-calls",
        )
    text = text_of(fit, drawn.models, datetime.now(UTC).date(), samples)
    whole(output, lambda unfinished: unfinished.write_text(text, encoding="utf-8", newline="\n"))
    typer.echo(f"wrote {output}", err=True)


__all__ = ["calibrate"]
