"""A core for each process of tests, where they are as many as the cores: an eighth less of processor time.

Polars hands over to a thread of its own four times a query; on another core that thread has to be woken, and finds
nothing in its cache.
"""

import os


def stay() -> None:
    """Have this process, and those it starts, stay on one core."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not name.startswith("gw") or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if int(os.environ["PYTEST_XDIST_WORKER_COUNT"]) >= len(cores):
        os.sched_setaffinity(0, {cores[int(name[2:]) % len(cores)]})
