"""`costscan whatif`: every run on other models."""

import sys
from typing import Annotated

import typer

from costscan.cli import parameters as p
from costscan.cli.options import READING, Options, with_options
from costscan.cli.printing import print_document
from costscan.cli.session import analyzed
from costscan.errors import CostscanError


@with_options("since", "until", "task", "project", "format", "tz", "set", "config", *READING)
def whatif(
    path: p.Paths,
    *,
    model: Annotated[
        list[str],
        typer.Option("--model", metavar="A,B,C", help="The models to price every run on. Repeatable."),
    ],
    json: p.Json = False,
    top: Annotated[int | None, typer.Option(metavar="N", min=1, help="Show at most N runs.")] = None,
    options: Options,
) -> None:
    """Price every run as if one model had served all of it, for each of some models.

    Each run is replayed, with its sub-agents, on the model: its prices, its shortest cacheable prefix, its
    tokenizer. The same turns and the same output are taken for granted, which no log can promise: try a
    model before you move.

    \b
    Examples:
      costscan whatif runs.jsonl --model haiku,sonnet
      costscan whatif logs/ --model claude-haiku-4-5 --model claude-sonnet-5 --json
    """  # noqa: D301 - \b keeps the lines apart
    request = options.request(path)
    names = [name.strip() for some in model for name in some.split(",") if name.strip()]
    if not names:
        raise CostscanError("--model: no model named", "like --model haiku,sonnet")
    with analyzed(request) as analysis:
        from costscan.levers.routing.candidates import model_named  # noqa: PLC0415 - imports Polars
        from costscan.scenarios.whatif import what_if  # noqa: PLC0415

        models = list(dict.fromkeys(model_named(name) for name in names))
        runs = what_if(analysis, models)
    if json:
        from costscan.reports.listings.model_matrix import encoded  # noqa: PLC0415

        print_document(encoded(runs, models))
        return
    from costscan.reports.listings.model_matrix import matrix  # noqa: PLC0415
    from costscan.reports.text.console import printed, width_of  # noqa: PLC0415

    printed(matrix(runs, models, top=top, width=width_of(sys.stdout)))
