"""`costscan compare`: what changed between two logs, and why."""

from costscan.cli import parameters as p
from costscan.cli.comparison import show, write
from costscan.cli.options import READING, Options, with_options
from costscan.cli.printing import tell_written
from costscan.cli.session import diagnosed
from costscan.gate_pipeline import compared, read_whole, side, with_promises
from costscan.reports.outputs import comparison_target


@with_options("task", "project", "format", "rules", "tz", "set", "config", *READING)
def compare(
    before: p.Before,
    after: p.After,
    *,
    output: p.ComparisonOutput = None,
    actions: p.Promised = None,
    json: p.Json = False,
    top: p.Top = None,
    options: Options,
) -> None:
    """Say what changed between two logs, and why it costs more or less.

    \b
    Examples:
      costscan compare before/ after/
      costscan compare baseline.parquet after/ -o change.md
      costscan compare before/ after/ --actions report.json

    --actions takes what an earlier report advised, and says which of it is done and how much came true.

    Each side is logs, or a report of some (.parquet). The change of the bill is split by cause: prices,
    models, turns, tokens per turn by tool and kind, cache, output. The parts add up to it.

    Exit codes: 0 fine, 2 cannot run (usage, unreadable input).
    """  # noqa: D301 - \b keeps the lines apart
    request = options.request((after,))
    targets = [comparison_target(name) for name in output or ()]
    old = read_whole(request, before, diagnosed)
    with side(request, diagnosed) as read:
        comparison = with_promises(compared(old, read.side, (), request), actions, read)
        write(targets, comparison, read)
    show(comparison, as_json=json, github=False, top=top)
    tell_written(targets)
