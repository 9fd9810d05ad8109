"""An analysis that ends with the bill: neither scenarios nor rules nor actions, three quarters of what a small log costs.

For tests of what a log says and what it costs. `pytest.mark.whole` is for a test there that needs the rest.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from costscan import actions, rulebook, scenarios
from diagnosed import diagnosed, unpriced


@contextmanager
def bill_alone() -> Iterator[None]:
    """Leave scenarios, rules and actions out of all analyses of this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenarios, "price_scenarios", lambda x, _: unpriced(x))
        patch.setattr(rulebook, "load_rules", _no_rules)
        patch.setattr(rulebook, "find", lambda x, *_: diagnosed(x))
        patch.setattr(actions, "advise", lambda x, *_: x)
        yield


def _no_rules(*_: Any, **__: Any) -> list[Any]:
    return []
