"""Writes every sample log anew: `python sample_logs/make.py [--formats] [--out FOLDER]`."""

import argparse
import csv
import io
from collections.abc import Mapping
from pathlib import Path

from generator.formats.talk import Sample, tell_formats
from generator.story import tell_all

HERE = Path(__file__).parent
FORMATS = HERE.parent / "sample_formats"


def main() -> None:
    """Play all stories, or the samples of formats, write their files, and print a line on each."""
    parser = argparse.ArgumentParser(description="Write the sample logs anew.")
    parser.add_argument("--formats", action="store_true", help="one short log of each format instead")
    parser.add_argument("--out", type=Path, help="folder to write to (default: where they are kept)")
    arguments = parser.parse_args()
    if arguments.formats:
        write_formats(arguments.out or FORMATS)
    else:
        write_stories(arguments.out or HERE)


def write_stories(out: Path) -> None:
    """Write the stories."""
    for name, story in tell_all().items():
        size = written(out / name, story.files)
        print(f"{name:28}{len(story.runs):4} runs{story.turns:5} turns  ${story.usd:9.6f}{size:10,} bytes")


def write_formats(out: Path) -> None:
    """Write the samples of formats, and what is true of each: `truth.tsv`."""
    told = tell_formats()
    for name, sample in told.items():
        size = written(out / name, sample.files)
        usd = sum(call.usd for call in sample.calls)
        print(f"{name:28}{len(sample.calls):4} calls  ${usd:9.6f}{size:10,} bytes")
    written(out, {"truth.tsv": truth(told)})


def truth(told: Mapping[str, Sample]) -> str:
    """Return a table of what each sample tells: calls, tokens by class, and their list price."""
    table = io.StringIO()
    rows = csv.writer(table, "excel-tab", lineterminator="\n")
    head = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens", "usd")
    rows.writerow(("format", "log", "model", "calls", *head))
    for name, sample in told.items():
        calls = sample.calls
        counts = ((call.fresh, call.read, call.written, call.output) for call in calls)
        sums = [sum(column) for column in zip(*counts, strict=True)]
        usd = f"{sum(call.usd for call in calls):f}".rstrip("0")
        rows.writerow((name, next(iter(sample.files)), calls[0].model, len(calls), *sums, usd))
    return table.getvalue()


def written(folder: Path, files: Mapping[str, str | bytes]) -> int:
    """Write files below a folder; return their bytes."""
    size = 0
    for path, told in files.items():
        content = told.encode() if isinstance(told, str) else told
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        size += len(content)
    return size


if __name__ == "__main__":
    main()
