"""Long talks of agents, as each format logs them: what the modules of the sample logs make of them."""

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, Final

from synthetic.text import Pool, Texts, log_normal
from synthetic.tools import call_tool

SAMPLE_LOGS: Final = Path(__file__).parents[2] / "sample_logs"
sys.path.insert(0, str(SAMPLE_LOGS))

CALLS: Final = (25, 80, 150)
"""The median, the 95th percentile, and the most."""


class TalkMaker:
    """Makes scenes by number, and what the formats make of them."""

    def __init__(self, seed: int = 1) -> None:
        self._seed = seed
        self._texts = Texts(seed)
        self._talk = importlib.import_module("generator.formats.talk")

    def scene(self, number: int, model: str) -> Any:
        """Return a scene in which an agent reads files and runs commands until it is done."""
        rng = Random(f"talk {self._seed} {number}")
        steps = [self._step(rng, asked=n % 12 == 0) for n in range(max(2, log_normal(rng, *CALLS)))]
        system = _plain(self._texts.prose, rng, 6_000)
        start = f"2026-11-{1 + number % 28:02}T{number % 24:02}:00:00Z"
        return self._talk.Scene(f"talk-{number}", model, start, steps, system, hidden=9_000)

    def _step(self, rng: Random, *, asked: bool) -> Any:
        used = call_tool(rng, self._texts, "/home/dev/ledger")
        result = json.loads(used.content)
        return self._talk.Step(
            _plain(self._texts.prose, rng, 200),
            asked=_plain(self._texts.prose, rng, 300) if asked else "",
            tool=used.name,
            arguments=json.loads(used.arguments),
            result=result if isinstance(result, str) else json.dumps(result, ensure_ascii=False),
        )

    def files(self, name: str) -> Iterator[Mapping[str, str | bytes]]:
        """Yield the files of one talk after the other, as format `name` lays them out."""
        module = importlib.import_module(f"generator.formats.{_RENDERED.get(name, name)}")
        model = getattr(module, "SCENE", None)
        for number in range(10**6):
            scene = self.scene(number, model.model if model else "gpt-5.5" if "openai" in name else _HAIKU)
            files = module.tell(scene).files
            yield {path: _pair_lines(told) for path, told in files.items()} if name in _RENDERED else files


_HAIKU: Final = "claude-haiku-5-5"
_RENDERED: Final = {"messages_api": "bedrock"}
"""What is made of the samples of another format."""


def _plain(pool: Pool, rng: Random, chars: int) -> str:
    return str(json.loads(f'"{pool.cut(rng, chars)}"'))


def _pair_lines(records: str | bytes) -> str:
    """Return records of Bedrock as pairs of the Messages API."""
    pairs = []
    for line in str(records).splitlines():
        record = json.loads(line)
        pairs.append({
            "run_id": record["requestMetadata"]["run_id"],
            "timestamp": record["timestamp"],
            "request": {"model": _HAIKU, **record["input"]["inputBodyJson"]},
            "response": record["output"]["outputBodyJson"],
        })  # fmt: skip
    return "".join(f"{json.dumps(pair, ensure_ascii=False)}\n" for pair in pairs)


def as_stream(transcript: str) -> str:
    """Return the lines of a transcript as a headless run prints them."""
    told = []
    for line in transcript.splitlines():
        own = json.loads(line)
        if own.get("type") in ("assistant", "user"):
            kept = {key: own[key] for key in ("type", "message", "uuid", "timestamp") if key in own}
            told.append({**kept, "session_id": own.get("sessionId"), "parent_tool_use_id": None})
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in told)
