"""What was counted is kept whatever happened to the file before."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costscan.calibrating.state import State
from costscan.errors import CostscanError

KEY = "0123456789abcdef" * 2


@given(
    st.binary(max_size=60)
    | st.lists(
        st.sampled_from(
            ['{"request": "', KEY, '", "tokens": ', "7", "null", "}", "\n", "[", "-1", "true", "1e9"]
        )
    ).map(lambda parts: "".join(parts).encode()),
    st.integers(0, 10**6) | st.none(),
)
def test_damage_costs_no_more_than_what_is_damaged(before: bytes, tokens: int | None) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "counts")
        path.write_bytes(before)
        State(path).add(KEY[::-1], tokens)
        again = State(path)
        assert KEY[::-1] in again
        assert again.tokens(KEY[::-1]) == tokens
        kept = again.tokens(KEY)
        assert kept is None or (type(kept) is int and kept >= 0)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    state = State(tmp_path / "none" / "counts")
    with pytest.raises(CostscanError, match="cannot be written: No such file or directory"):
        state.add(KEY, 1)
    with pytest.raises(CostscanError, match="cannot be read: Is a directory"):
        State(tmp_path)
