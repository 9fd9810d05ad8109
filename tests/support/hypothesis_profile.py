"""The settings of every property: the same examples each time, and no limit on slow machines.

Import this module where a property is written: `import hypothesis_profile  # noqa: F401`, or its `examples` where
one example takes long. A quick run tries half as many of each, one with COSTSCAN_EXAMPLES=1 so many, one with
COSTSCAN_EXAMPLES=20 twenty times as many, as is right after a change of what they are about. COSTSCAN_NO_SHRINK=1 shows a failing example as it was found: making it smaller may take minutes.
"""

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings

from thoroughness import QUICK, THOROUGH

TIMES: Final = float(os.environ.get("COSTSCAN_EXAMPLES", "10" if THOROUGH else "0.5"))

settings.register_profile(
    "costscan",
    max_examples=round(100 * TIMES),
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    phases=[p for p in Phase if p is not Phase.shrink]
    if os.environ.get("COSTSCAN_NO_SHRINK")
    else list(Phase),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("costscan")


def examples(usual: int, quick: int | None = None) -> settings:
    """Return how many examples are tried of a property of which 100 would take long; a quick run tries so many."""
    if QUICK and quick is not None:
        return settings(max_examples=quick)
    return settings(max_examples=max(2, round(usual * TIMES)))
