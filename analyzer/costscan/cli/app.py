"""The commands, and how each of them ends.

Starting must be quick, so nothing here or in the modules of the commands imports Polars, PyArrow or rich
before a command runs.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from costscan import __version__
from costscan.cli.accept import accept
from costscan.cli.analyze import analyze
from costscan.cli.cache import cache
from costscan.cli.calibrate import calibrate
from costscan.cli.capture import capture
from costscan.cli.check import check
from costscan.cli.compare import compare
from costscan.cli.explain import explain
from costscan.cli.findings import findings
from costscan.cli.ingest import ingest
from costscan.cli.init import init
from costscan.cli.prices import prices
from costscan.cli.rules import rules
from costscan.cli.schema import schema
from costscan.cli.store import store
from costscan.cli.trend import trend
from costscan.cli.trial import trial
from costscan.cli.usage import usage
from costscan.cli.whatif import whatif
from costscan.defects import DEFECT, PANIC, TRACEBACK
from costscan.errors import CostscanError

USAGE, INTERRUPTED = 2, 130
RECENT: Final = "30d"
"""How far back `costscan` alone looks."""
_HELP: Final = ["--help"]
_CLIENT: Final = "--client"
_UsageError: type[Exception] = typer.BadParameter.__base__ or Exception
"""The error of a wrong command line, wherever this version of typer has it from."""

app = typer.Typer(
    name="costscan",
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 a check failed, 2 cannot run (usage, unreadable input, no usable line), "
    "3 a check could not decide.",
)
for command in (
    analyze,
    usage,
    check,
    compare,
    trend,
    explain,
    findings,
    accept,
    whatif,
    trial,
    prices,
    schema,
    init,
    ingest,
    capture,
    calibrate,
):
    app.command()(command)
app.add_typer(rules, name="rules")
app.add_typer(cache, name="cache")
app.add_typer(store, name="store")


def _version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        typer.echo(f"costscan {__version__}")
        raise typer.Exit


@app.callback()
def costscan(
    *,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Read logs of LLM agent runs and say, in dollars, where the money went.

    \b
    costscan
    costscan analyze runs.jsonl --by tool
    costscan analyze logs/ -o report.html -o report.json
    costscan check new-logs/ --baseline report.parquet

    Without arguments it analyzes the last 30 days of what clients keep on this machine, with --client NAME
    of that one.
    """  # noqa: D301 - \b keeps the lines apart


def run(arguments: Sequence[str]) -> int:
    """Run a command line and give its exit code; every expected failure ends as `error:` and `hint:`.

    Without arguments that is an analysis of what clients keep on this machine; help where they keep none.
    """
    asked = _unasked(arguments) if _is_bare(arguments) else list(arguments)
    try:
        code = app(args=asked, prog_name="costscan", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        return _unread()
    except SystemExit as end:
        # This is how typer ends where nobody reads what it writes.
        if isinstance(end.__context__, BrokenPipeError):
            return _unread()
        raise
    except BaseException as error:
        if os.environ.get(TRACEBACK) or not (isinstance(error, Exception) or type(error).__name__ == PANIC):
            raise
        return _failed(error)
    return USAGE if not arguments and asked == _HELP else code if isinstance(code, int) else 0


def _is_bare(arguments: Sequence[str]) -> bool:
    """Whether no command is named, but perhaps clients."""
    return not arguments or arguments[0].partition("=")[0] == _CLIENT


def _unasked(arguments: Sequence[str]) -> list[str]:
    if not arguments:
        try:
            from costscan.ingest.discover import default_folders  # noqa: PLC0415 - readers are slow

            default_folders()
        except CostscanError:
            return _HELP
    return ["analyze", "--since", RECENT, *arguments]


def _failed(error: BaseException) -> int:
    if isinstance(error, CostscanError):
        return _fail(error.what, error.hint, error.exit_code)
    if isinstance(error, _UsageError):
        return _usage(error)
    if isinstance(error, OSError):
        _forget_output()
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", "check space and permissions")
    what = str(error).strip().partition("\n")[0]
    hint = f"please report it; {TRACEBACK}=1 shows where"
    return _fail(f"{DEFECT}: {type(error).__name__}: {what}", hint)


def _usage(error: Exception) -> int:
    shown = getattr(error, "format_message", lambda: str(error))().replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "costscan"
    text = shown[:1].lower() + shown[1:].rstrip(".")
    return _fail(" ".join(text.split()), f"{path} --help")


def _fail(what: str, hint: str, code: int = USAGE) -> int:
    from costscan.reports.text.sanitize import inert, unheeded  # noqa: PLC0415 - only to fail

    lines = [unheeded(f"error: {inert(what)}"), *([unheeded(f"hint: {inert(hint)}")] if hint else [])]
    try:
        print(*lines, sep="\n", file=sys.stderr, flush=True)  # noqa: T201 - the one place that tells of failure
    except OSError:
        _forget_output()
    return code


def _unread() -> int:
    """End well where the reader of the output went away."""
    _forget_output()
    return 0


def _forget_output() -> None:
    """Let nothing more be written where nobody reads, not even at the end of the process."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            try:
                os.dup2(nowhere, stream.fileno())
            except (OSError, ValueError, AttributeError):
                continue
