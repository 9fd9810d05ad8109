"""`costscan prices`: what models cost, when, and who says so."""

from typing import Annotated

import typer

from costscan.cli.options import Options, with_options


@with_options("set", "config")
def prices(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", show_default=False, help="A model, in any spelling.")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
    options: Options,
) -> None:
    """Show what models cost: all of them today, or one with dates and sources.

    \b
    Examples:
      costscan prices
      costscan prices claude-opus-4-8
      costscan prices us.anthropic.claude-opus-4-8 --json

    Own prices from the settings are shown as "override"; a discount is not taken off here.
    """  # noqa: D301 - \b keeps the lines apart
    from costscan.reports.listings.prices import show  # noqa: PLC0415 - imports Polars

    show(model, options.settings(), as_json=json)
