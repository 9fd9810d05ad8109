"""Writes every sample log anew: `python sample_logs/make.py [--out FOLDER]`."""

import argparse
from pathlib import Path

from generator.story import tell_all

HERE = Path(__file__).parent


def main() -> None:
    """Play all stories, write their files, and print a line on each."""
    parser = argparse.ArgumentParser(description="Write the sample logs anew.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: this one)")
    out: Path = parser.parse_args().out
    for name, story in tell_all().items():
        for path, content in story.files.items():
            target = out / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8", newline="\n")
        size = sum(len(content.encode()) for content in story.files.values())
        print(f"{name:28}{len(story.runs):4} runs{story.turns:5} turns  ${story.usd:9.6f}{size:10,} bytes")


if __name__ == "__main__":
    main()
