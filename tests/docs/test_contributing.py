"""Where CONTRIBUTING and the design say that things are, they are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = (ROOT, ROOT / "analyzer" / "costscan")
A_PATH = re.compile(r"`([\w*./-]+(?:\.(?:py|toml|md|js|html|yml|txt)|/))`")


def named(document: str) -> list[str]:
    return sorted(set(A_PATH.findall((ROOT / document).read_text("utf-8"))))


def is_there(path: str, folders: set[Path]) -> bool:
    return any(next(place.glob(path.rstrip("/")), None) is not None for place in (*PLACES, *folders))


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "docs/design.md"])
def test_what_is_named_is_there(document: str) -> None:
    paths = named(document)
    # A file named without its folder stands in one that is named, too.
    folders = {place / path for place in PLACES for path in paths if path.endswith("/")}
    folders |= {(place / path).parent for place in PLACES for path in paths if "/" in path}
    assert len(paths) > 20
    assert [path for path in paths if not is_there(path, folders)] == []
