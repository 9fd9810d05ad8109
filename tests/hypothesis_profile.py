"""The settings of every property: the same examples each time, and no limit on slow machines.

Import this module where a property is written: `import hypothesis_profile  # noqa: F401`. COSTSCAN_NO_SHRINK=1
shows a failing example as it was found: making it smaller may take minutes.
"""

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "costscan",
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
