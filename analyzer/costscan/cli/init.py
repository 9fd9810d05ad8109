"""`costscan init`: a settings file, and a job for the CI."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from costscan.errors import CostscanError
from costscan.reports.outputs import whole
from costscan.settings.load import FILE_NAME, nearest_file


class Ci(StrEnum):
    """Whose job is written."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


def init(
    *,
    ci: Annotated[Ci, typer.Option(help="Whose job to write beside the settings.")] = Ci.GITHUB,
    logs: Annotated[
        str, typer.Option(metavar="PATH", help="Where your suite leaves the logs that the job checks.")
    ] = "logs",
    grafana: Annotated[
        bool, typer.Option("--grafana", help="Write a Grafana dashboard for -o FILE.prom, too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Write a settings file with every key in it, and a job that checks pull requests.

    \b
    Examples:
      costscan init
      costscan init --ci gitlab --logs out/agent-logs
      costscan init --ci none --grafana

    All settings are commented out: the file changes nothing until you do. A file that is there is left as it
    is, unless --force is given.

    Exit codes: 0 fine, 2 cannot run (everything is there, settings are elsewhere, a file cannot be written).
    """  # noqa: D301 - \b keeps the lines apart
    if not logs.strip() or not logs.isprintable() or logs.startswith("-"):
        raise CostscanError(f"--logs {logs}: this is no path", "like --logs logs")
    from costscan.starter import PLACES, job_text, settings_text  # noqa: PLC0415 - not needed to start
    from costscan.starter.grafana import PLACE, dashboard_text  # noqa: PLC0415

    wanted = {FILE_NAME: settings_text()}
    if ci is not Ci.NONE:
        wanted[PLACES[ci.value]] = job_text(ci.value, logs)
    if grafana:
        wanted[PLACE] = dashboard_text()
    there = [] if force else [name for name in wanted if Path(name).exists()]
    if len(there) == len(wanted):
        raise CostscanError(f"{' and '.join(there)}: there already", "--force writes anew what is there")
    if FILE_NAME not in there:
        _refuse_hiding(force=force)
    for name, text in wanted.items():
        if name not in there:
            _write(Path(name), text)
    _tell(wanted, there, ci, logs)
    if grafana:
        typer.echo(
            f"Grafana: Dashboards, New, Import, {PLACE}; docs/dashboards.md says how the numbers get there"
        )


def _refuse_hiding(*, force: bool) -> None:
    """Let no new file take the place of settings that hold here.

    Raises:
        CostscanError: there are such settings.
    """
    holds = None if force else nearest_file(Path.cwd())
    if holds is not None:
        raise CostscanError(
            f"{holds}: these settings hold here, and a {FILE_NAME} would take their place",
            "--force writes it all the same",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CostscanError(f"{path.parent}: cannot be made: {error.strerror}", "check permissions") from None
    whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8", newline="\n"))


def _tell(wanted: dict[str, str], there: list[str], ci: Ci, logs: str) -> None:
    for name in wanted:
        typer.echo(f"{name}: there already, left as it is" if name in there else f"wrote {name}")
    steps = [f"costscan analyze {logs}   what your runs cost, and what to change first"]
    if ci is not Ci.NONE:
        steps = [
            f"suite.sh: have it run your agent on some cases, and leave the logs in {logs}",
            *(["add to .gitlab-ci.yml: include: [{local: .gitlab/costscan.yml}]"] if ci is Ci.GITLAB else []),
            *steps,
            f'{FILE_NAME}: set check.fail_on, like ["usd:+10%"]',
            "commit: the first run on main makes the baseline, later ones are checked against it",
        ]
    typer.echo("next:")
    for number, step in enumerate(steps, 1):
        typer.echo(f"  {number}. {step}")
