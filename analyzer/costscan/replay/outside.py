"""What calls outside the log had cached, as requests just before the first one that reads it."""

import polars as pl


def read_outside(
    windows: pl.DataFrame, steps: pl.DataFrame, turns: pl.DataFrame, first_req: int
) -> pl.DataFrame:
    """Give a request for each prefix that the first prompt of a run read and nothing in the log had written.

    Args:
        windows: what was marked, or can be found, in prompts in the log, with req.
        steps: the requests of the turns, with ttl_us.
        turns: the turns by req, with cache_read_tokens.
        first_req: the number of the first such request; the next ones count down.

    Returns:
        `windows` with one marked position of each request, and the columns of requests.
    """
    timed = windows.drop("ttl_us").join(
        steps.select("req", "domain", "at_us", "is_first", "ttl_us"), on="req", how="inner"
    )
    read = timed.join(turns.select("req", "cache_read_tokens"), on="req", how="inner").filter(
        "is_first", pl.col("tokens") == pl.col("cache_read_tokens")
    )
    marks = windows.filter(pl.col("ttl_us").is_not_null()).select("req", "key")
    wrote = timed.join(marks, on=["req", "key"], how="semi").select("domain", "key", by="req", by_us="at_us")
    written = read.join(wrote, on=["domain", "key"], how="inner").filter(
        (pl.col("by") != pl.col("req")) & (pl.col("by_us") <= pl.col("at_us"))
    )
    found = (
        read.join(written, on=["req", "key"], how="anti")
        .sort("at_us", "req")
        .unique(["domain", "key"], keep="first", maintain_order=True)
        .unique("req", keep="first", maintain_order=True)
    )
    before = pl.col("at_us") - 1
    return found.with_columns(
        req=first_req - pl.int_range(pl.len(), dtype=pl.Int64),
        at_us=before,
        ready_us=before,
        prompt_tokens="tokens",
        min_tokens=pl.lit(0, pl.Int64),
    )
