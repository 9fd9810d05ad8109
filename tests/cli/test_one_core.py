"""Small logs are analyzed on one core, by all threads; afterwards, and of large ones, all cores are there."""

import os
import subprocess
import sys

import pytest

from costscan.cli import one_core
from costscan.cli.one_core import SMALL_BYTES
from costscan.request import Watch

MANY = hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1
CODE = """
import os, sys, threading
from costscan.cli.one_core import where_small
from costscan.request import Watch

def cores():
    return sorted({len(os.sched_getaffinity(int(thread))) for thread in os.listdir("/proc/self/task")})

os.sched_setaffinity(0, range(os.cpu_count()))
is_over = threading.Event()
threading.Thread(target=is_over.wait).start()
told = []
with where_small(Watch(told.append, lambda: told.append("adding up"))) as watch:
    print(cores())
    for size in map(int, sys.argv[1:]):
        watch.read(size)
    watch.adding_up()
    print(cores())
print(cores(), told)
is_over.set()
"""


@pytest.mark.skipif(not MANY, reason="where a process can be told its cores, and there are several")
@pytest.mark.parametrize(("sizes", "is_one"), [((SMALL_BYTES - 2, 1), True), ((SMALL_BYTES - 1, 1), False)])
def test_a_small_log_stays_on_one_core(sizes: tuple[int, ...], is_one: bool) -> None:
    arguments = [sys.executable, "-c", CODE, *map(str, sizes)]
    lines = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.splitlines()
    every = [os.cpu_count()]
    assert lines == [str(every), str([1] if is_one else every), f"{every} {[*sizes, 'adding up']}"]


def test_systems_that_cannot_be_told_cores_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(one_core, "_stay_on", None)
    with one_core.where_small(Watch()) as watch:
        watch.adding_up()
