"""`costscan cache`: what is kept between runs."""

import typer

from costscan import cache_folder

cache = typer.Typer(help="Show or remove what is kept of logs that were read.", no_args_is_help=True)


@cache.command("info")
def info() -> None:
    """Say where it is, and how much.

    What reading made of each file is kept, so that a file that did not change is not read again: numbers,
    hashes, names and excerpts as reports hold them, no text. COSTSCAN_CACHE_DIR names another folder,
    COSTSCAN_CACHE=off keeps nothing, and --no-cache leaves it alone once.
    """
    folder = cache_folder.folder()
    sizes = [stat.st_size for _, stat in cache_folder.entries(folder)]
    state = " (off)" if cache_folder.is_off() else ""
    typer.echo(f"{folder}{state}")
    typer.echo(
        f"{len(sizes):,} files, {sum(sizes) / 1e6:,.1f} MB of at most {cache_folder.MOST_BYTES / 1e6:,.0f} MB"
    )


@cache.command("clear")
def clear() -> None:
    """Remove all of it."""
    folder = cache_folder.folder()
    removed = cache_folder.clear(folder)
    typer.echo(f"removed {removed:,} files from {folder}")
