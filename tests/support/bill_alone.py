"""An analysis that ends with the bill: neither replay nor scenarios nor rules nor actions, four fifths of what a
small log costs.

For tests of what a log says and what it costs. `pytest.mark.whole` is for a test there that needs the rest,
`pytest.mark.replayed` for one of how logs agree with the cache.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import polars as pl
import pytest

from costscan import actions, analysis, rulebook, scenarios
from diagnosed import diagnosed, unpriced


@contextmanager
def bill_alone(*, replay: bool = False) -> Iterator[None]:
    """Leave scenarios, rules and actions, and unless it is asked for the replay, out of all analyses of this process."""
    with pytest.MonkeyPatch.context() as patch:
        if not replay:
            patch.setattr(analysis, "_replayed", _not_replayed)
        patch.setattr(scenarios, "price_scenarios", lambda x, _: unpriced(x))
        patch.setattr(rulebook, "load_rules", _no_rules)
        patch.setattr(rulebook, "find", lambda x, *_: diagnosed(x))
        patch.setattr(actions, "advise", lambda x, *_: x)
        yield


def _not_replayed(
    turns: pl.DataFrame, unit: pl.DataFrame, batches: Any, grown: pl.DataFrame, reasons: Any
) -> Any:
    if not _NOTHING:
        _NOTHING.append(_REPLAYED(turns.clear(), unit.clear(), batches, grown, reasons))
    return _NOTHING[0]


def _no_rules(*_: Any, **__: Any) -> list[Any]:
    return []


_REPLAYED: Final = analysis._replayed
_NOTHING: Final[list[Any]] = []
"""What a replay makes of no turns: the same of all logs."""
