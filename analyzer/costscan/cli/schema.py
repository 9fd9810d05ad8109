"""`costscan schema`: the tables of `-o DIR/`, for those who query them."""

from typing import Annotated

import typer


def schema(
    frame: Annotated[
        str | None, typer.Argument(metavar="[FRAME]", show_default=False, help="One frame, like turns.")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the tables that -o DIR/ writes.

    Each frame with its columns, their types, which may be null, and what they mean.

    \b
    Examples:
      costscan schema
      costscan schema turns
    """  # noqa: D301 - \b keeps the lines apart
    from costscan.reports.listings.schema import show  # noqa: PLC0415 - imports Polars

    show(frame, as_json=json)
