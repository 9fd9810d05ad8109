"""`costscan ingest`: logs into a store."""

import sys
from dataclasses import replace
from typing import Annotated

import typer

from costscan.cli import parameters as p
from costscan.cli.options import Options, with_options
from costscan.cli.progress import progress
from costscan.pipeline import pricing

Store = Annotated[
    str,
    typer.Option(metavar="STORE", help="The store: a folder, or an address like s3://bucket/costscan."),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="Of a path with {date:...} in it, the days from this one on, like 7d."
    ),
]


@with_options("format", "client", "tz", "set", "config", "engine", "workers")
def ingest(
    path: p.LogsOrDefault = None,
    *,
    store: Store,
    since: Since = None,
    json: p.Json = False,
    options: Options,
) -> None:
    """Keep what is read of logs in a store: Parquet by day and project, for reports and for queries.

    \b
    Examples:
      costscan ingest --store ~/costs
      costscan ingest logs/ --store s3://bucket/costs
      costscan analyze ~/costs --since 7d
      costscan usage ~/costs --by project

    Only files that are new or changed are read. What the logs no longer have stays in the store. It holds
    numbers, hashes, names and excerpts as reports do, and no text.

    Exit codes: 0 fine, 2 cannot run (usage, unreadable input, no usable line).
    """  # noqa: D301 - \b keeps the lines apart
    from costscan.ingest import Moments  # noqa: PLC0415 - not needed to start
    from costscan.reports.listings.store import ingested  # noqa: PLC0415 - imports Polars
    from costscan.store import ingesting  # noqa: PLC0415

    request = replace(options, since=since).request(options.paths(path))
    with progress(request.paths) as watch:
        wanted = ingesting.Wanted(
            paths=request.paths,
            pricing=pricing(request.settings),
            source=request.source,
            workers=request.workers,
            engine=request.engine,
            moments=Moments(request.since, request.now),
            on_bytes=watch.read,
        )
        done = ingesting.ingest(wanted, store)
    sys.stdout.write(ingested(done, as_json=json))
