"""`costscan prices`: what models cost, when, and who says so."""

from typing import Annotated

import typer

from costscan.cli.parameters import Config, Set


def prices(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", show_default=False, help="A model, in any spelling.")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
    settings: Set = None,
    config: Config = None,
) -> None:
    """Show what models cost: all of them today, or one with dates and sources.

    \b
    Examples:
      costscan prices
      costscan prices claude-opus-4-8
      costscan prices us.anthropic.claude-opus-4-8 --json

    Own prices from the settings are shown as "override"; a discount is not taken off here.
    """  # noqa: D301 - \b keeps the lines apart
    from pathlib import Path  # noqa: PLC0415

    from costscan.reports.listings.prices import show  # noqa: PLC0415 - imports Polars
    from costscan.settings.load import load  # noqa: PLC0415

    show(model, load(Path.cwd(), file=config, assignments=settings or ()), as_json=json)
