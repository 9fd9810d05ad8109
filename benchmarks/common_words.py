"""Write the words that are too common to tell of use: those of many files of Python's own library."""

import re
import sys
import sysconfig
from collections import Counter
from pathlib import Path

MIN_FILES = 20
MAX_LETTERS = 12
SHORT = 3
TARGET = Path(__file__).resolve().parents[1] / "analyzer/costscan/reading/conversation/common_words.txt"


def main() -> None:
    """Count in how many files each word stands, and write the common ones."""
    root = Path(sysconfig.get_paths()["stdlib"])
    found: Counter[str] = Counter()
    for path in sorted(root.rglob("*.py")):
        if "site-packages" not in path.parts:
            text = path.read_text(encoding="utf-8", errors="replace").lower()
            found.update(set(re.findall(r"[a-z0-9_]+", text)))
    plain = (w for w, n in found.items() if n >= MIN_FILES and (len(w) <= SHORT or w.isalpha()))
    words = sorted(w for w in plain if len(w) <= MAX_LETTERS)
    TARGET.write_text("\n".join(words) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(words)} words\n")


if __name__ == "__main__":
    main()
