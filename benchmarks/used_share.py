"""Compare `used_share` with what a reader judged: how many results called unused were used.

`used_share_labels.csv` names tool results of logs that are no part of the project: the file below the folder
of the logs, the id of the tool call, and a verdict by reading what came after the result. "content":
something it says was taken up; "outcome": only that it succeeded, failed or was empty; "none": nothing;
"unclear".
"""

import argparse
import csv
import tempfile
from collections import Counter
from pathlib import Path

import polars as pl

from costscan import ingest
from costscan.analysis import analyze
from costscan.reading.conversation import result_use

LABELS = Path(__file__).with_name("used_share_labels.csv")
VERDICTS = ("used", "unused", "null")


def verdicts(path: Path) -> dict[str, tuple[str, int]]:
    """Return what costscan says of each tool result of a file, and its length."""
    with ingest.read([str(path)], workers=1) as reading, tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "blocks.parquet"
        analyze(reading).write_blocks(target)
        blocks = pl.read_parquet(target).filter(kind="tool_result")
    share = pl.col("used_share")
    said = (
        pl.when(share > 0)
        .then(pl.lit("used"))
        .when(share == 0)
        .then(pl.lit("unused"))
        .otherwise(pl.lit("null"))
    )
    rows = blocks.select("call_id", said, "chars").iter_rows()
    return {call_id: (verdict, chars) for call_id, verdict, chars in rows}


def counts(corpus: Path, least: int) -> Counter[tuple[str, str]]:
    """Count the labelled results of at least so many characters by label and verdict."""
    found: Counter[tuple[str, str]] = Counter()
    read: dict[str, dict[str, tuple[str, int]]] = {}
    with LABELS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = row["file"]
            if name not in read:
                read[name] = verdicts(corpus / name)
            verdict, chars = read[name].get(row["tool_use_id"], ("null", 0))
            if chars >= least:
                found[row["label"], verdict] += 1
    return found


def main() -> None:
    """Print the table and the two rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="the folder of the logs")
    parser.add_argument(
        "--min-chars", type=int, default=result_use.MIN_CHARS, help="follow results of this size"
    )
    given = parser.parse_args()
    result_use.MIN_CHARS = given.min_chars  # type: ignore[misc]
    found = counts(given.corpus, given.min_chars)
    print(f"{'label':10}" + "".join(f"{v:>8}" for v in VERDICTS))
    for label in ("content", "outcome", "none", "unclear"):
        print(f"{label:10}" + "".join(f"{found[label, v]:8}" for v in VERDICTS))
    unused = sum(found[label, "unused"] for label in ("content", "outcome", "none"))
    none = sum(found["none", v] for v in VERDICTS)
    print(f"called unused, though its content was used: {found['content', 'unused']} of {unused}")
    print(f"called unused, though its outcome was used: {found['outcome', 'unused']} of {unused}")
    print(f"not used and not called so: {none - found['none', 'unused']} of {none}")


if __name__ == "__main__":
    main()
