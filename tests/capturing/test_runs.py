"""Which run a call belongs to: headers, the `with` around it, the arguments of `capture`, in this order."""

import asyncio
import contextvars
import threading
from pathlib import Path

import costscan
from captured import ASKED, async_client, client, lines, report_of
from model_server import Server

HEADERS = {"X-Costscan-Run-Id": "r9", "X-Costscan-Task": "by header"}


def _named(log: Path) -> list[tuple[str | None, str | None]]:
    return [(line.get("run_id"), line.get("task")) for line in lines(log)]


def test_the_nearest_name_counts(server: Server, log: Path) -> None:
    own = client(server, log, run_id="r0", task="by argument")
    own.messages.create(**ASKED)
    with costscan.run("by with", run_id="r1") as inside:
        assert inside.run_id == "r1"
        own.messages.create(**ASKED)
        own.messages.create(**ASKED, extra_headers=HEADERS)
    own.messages.create(**ASKED)
    outside = ("r0", "by argument")
    assert _named(log) == [outside, ("r1", "by with"), ("r9", "by header"), outside]


def test_each_run_without_a_name_gets_one(server: Server, log: Path) -> None:
    own = client(server, log)
    for _ in range(2):
        with costscan.run("ask"):
            own.messages.create(**ASKED)
            own.messages.create(**ASKED)
    ids = [run_id for run_id, _ in _named(log)]
    assert len(set(ids)) == 2
    assert ids[0] == ids[1] != ids[2] == ids[3]


def test_asyncio_tasks_each_have_their_run(server: Server, log: Path) -> None:
    async def agent(own: object, name: str) -> None:
        with costscan.run(name, run_id=name):
            await asyncio.gather(*(_ask(own) for _ in range(2)))

    async def _ask(own: object) -> None:
        await asyncio.sleep(0)
        await own.messages.create(**ASKED)  # type: ignore[attr-defined]

    async def main() -> None:
        async with async_client(server, log) as own:
            await asyncio.gather(*(agent(own, f"t{n}") for n in range(4)))

    asyncio.run(main())
    assert sorted(_named(log)) == sorted((f"t{n}", f"t{n}") for n in range(4) for _ in range(2))


def test_threads_have_the_run_of_the_context_that_they_are_given(server: Server, log: Path) -> None:
    own = client(server, log)
    with costscan.run("ask", run_id="r1"):
        inside = contextvars.copy_context()
        with_run = threading.Thread(target=lambda: inside.run(lambda: own.messages.create(**ASKED)))
        with_run.start()
        with_run.join()
    assert _named(log) == [("r1", "ask")]


def test_a_run_inside_a_run_is_an_agent_of_it(server: Server, log: Path) -> None:
    own = client(server, log)
    with costscan.run("report", run_id="r1"):
        own.messages.create(**ASKED)
        with costscan.run("researcher", run_id="r2"):
            own.messages.create(**ASKED)
    report = report_of(log)
    (whole,) = report.to_dict()["runs"]
    assert whole["task"] == "report"
    assert {(agent["run_id"], agent["agent"]) for agent in whole["agents"]} >= {("r2", "researcher")}


def test_a_stream_belongs_to_the_run_in_which_it_began(server: Server, log: Path) -> None:
    with costscan.run("ask", run_id="r1"):
        stream = client(server, log).messages.create(stream=True, **ASKED)
    list(stream)
    assert _named(log) == [("r1", "ask")]
