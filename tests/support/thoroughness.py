"""How much the tests try: by default a sample that is quick, everything where COSTSCAN_THOROUGH is set.

`make thorough` sets it. What a sample leaves out differs from what is in it in degree, not in kind: each kind keeps
a case in the sample.
"""

import os
from collections.abc import Iterable
from typing import Final, TypeVar

THOROUGH: Final = bool(os.environ.get("COSTSCAN_THOROUGH"))
QUICK: Final = not THOROUGH and float(os.environ.get("COSTSCAN_EXAMPLES", "0.5")) < 1
"""Neither CI nor `make thorough` runs the tests."""
MUTANTS: Final = int(os.environ.get("COSTSCAN_MUTANTS", "10000" if THOROUGH else "100"))
"""So many logs are damaged at random places."""

Case = TypeVar("Case")


def fewer(cases: Iterable[Case], most: int) -> list[Case]:
    """Return all cases where tests are thorough, else so many at equal distances, the first and the last among them."""
    every = list(cases)
    if THOROUGH or len(every) <= most:
        return every
    if most == 1:
        return every[:1]
    return [every[n * (len(every) - 1) // (most - 1)] for n in range(most)]
