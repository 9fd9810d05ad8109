import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from costscan.prices.cache import kept


@pytest.fixture
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("COSTSCAN_CACHE", raising=False)
    return tmp_path / "costscan"


def flip_a_bit(content: bytes) -> bytes:
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


class Maker:
    def __init__(self) -> None:
        self.calls = 0
        self.frame = pl.DataFrame({"n": [1, 2, 3]})

    def __call__(self) -> pl.DataFrame:
        self.calls += 1
        return self.frame

    def fetch(self) -> None:
        assert kept("numbers", self.frame.schema, (), self).equals(self.frame)


def test_cache_makes_a_frame_once(cache_dir: Path) -> None:
    maker = Maker()
    maker.fetch()
    maker.fetch()
    assert maker.calls == 1
    assert [path.suffix for path in cache_dir.iterdir()] == [".arrow"]


@pytest.mark.parametrize("damage", [lambda _: b"", lambda _: b"not a frame", lambda b: b[:-9], flip_a_bit])
def test_damaged_cache_is_made_again(cache_dir: Path, damage: Callable[[bytes], bytes]) -> None:
    maker = Maker()
    maker.fetch()
    path = next(cache_dir.iterdir())
    path.write_bytes(damage(path.read_bytes()))
    maker.fetch()
    maker.fetch()
    assert maker.calls == 2


def test_cached_frame_of_another_shape_is_not_used(cache_dir: Path) -> None:
    other = pl.DataFrame({"other": [1]})
    kept("numbers", other.schema, (), lambda: other)
    maker = Maker()
    maker.fetch()
    maker.fetch()
    assert maker.calls == 1


def test_a_changed_ingredient_makes_another_frame(cache_dir: Path, tmp_path: Path) -> None:
    ingredient = tmp_path / "prices.toml"
    maker = Maker()
    for content in ("one", "two", "one"):
        ingredient.write_text(content)
        kept("numbers", maker.frame.schema, (ingredient,), maker)
    assert maker.calls == 2


def test_unusable_cache_directory_does_not_matter(cache_dir: Path) -> None:
    cache_dir.write_text("a file where the directory should be")
    maker = Maker()
    maker.fetch()
    maker.fetch()
    assert maker.calls == 2


def test_cache_can_be_turned_off(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTSCAN_CACHE", "off")
    maker = Maker()
    maker.fetch()
    assert not cache_dir.exists()


def test_cached_table_needs_no_genai_prices(cache_dir: Path) -> None:
    code = (
        "import sys; from costscan.prices import identify, price_table;"
        "identify('gpt-5.5'); print(price_table().hash_rows().sum(), 'genai_prices' in sys.modules)"
    )
    first, second = (
        subprocess.check_output([sys.executable, "-c", code], text=True).split() for _ in range(2)
    )
    assert (first[1], second[1]) == ("True", "False")
    assert first[0] == second[0]
