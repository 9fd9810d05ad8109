"""How much of what actions promise comes true: each is chosen on earlier runs, and applied to the later ones.

    python benchmarks/backtest.py LOGS [LOGS ...]

Prints a Markdown table by kind of action. The share that came true is a mean, weighted by dollars; an action
of fewer than four runs has none.
"""

import sys

import polars as pl

import costscan

_WEIGHT = pl.col("saved_usd").cast(pl.Float64)


def main(paths: list[str]) -> None:
    """Analyze each of the logs apart, and print what came true of all their actions."""
    columns = ("scenario", "saved_usd", "backtest_share")
    actions = pl.concat([costscan.analyze(path).actions.select(columns) for path in paths])
    tested = pl.col("backtest_share").is_not_null()
    share = (pl.col("backtest_share") * _WEIGHT).filter(tested).sum() / _WEIGHT.filter(tested).sum()
    rows = actions.group_by("scenario").agg(
        actions=pl.len(), usd=_WEIGHT.sum(), tested=tested.sum(), tested_usd=_WEIGHT.filter(tested).sum(),
        share=share, least=pl.col("backtest_share").min(),
        half=(pl.col("backtest_share") >= 0.5).sum(),
    )  # fmt: skip
    print("| action | actions | saves | of 4 runs or more | saves | came true | at least half of it |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for row in rows.sort("usd", descending=True).iter_rows(named=True):
        came = "-" if not row["tested"] else f"{row['share']:.0%}"
        print(
            f"| {row['scenario']} | {row['actions']} | ${row['usd']:.2f} | {row['tested']} "
            f"| ${row['tested_usd']:.2f} | {came} | {row['half']} of {row['tested']} |"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
