"""The calls that the sample logs tell, read without costscan and without the script that writes them."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[2] / "sample_logs"
STORIES = sorted(path.name for path in SAMPLES.glob("[a-z]*") if path.is_dir() and path.name != "generator")

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One billed request as a log shows it."""

    run: str
    model: str
    at: datetime
    usage: Json
    new_tokens: int
    breakpoints: int | None = None

    @property
    def read(self) -> int:
        return int(self.usage["cache_read_input_tokens"])

    @property
    def written(self) -> int:
        return int(self.usage["cache_creation_input_tokens"])

    @property
    def prompt(self) -> int:
        return int(self.usage["input_tokens"]) + self.read + self.written

    @property
    def output(self) -> int:
        return int(self.usage["output_tokens"])


def logs(story: str) -> list[Path]:
    return sorted((SAMPLES / story).rglob("*.jsonl"))


def lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def weigh(block: Json) -> int:
    """Tokens of a block that a person or a tool adds, by the rule the samples follow."""
    content = block["text"] if block["type"] == "text" else block["content"]
    shown = content if isinstance(content, str) else "\n".join(part["text"] for part in content)
    frame = 3 if block["type"] == "text" else 11
    return len(re.findall(r"[A-Za-z]{1,4}|[0-9]{1,2}|[^A-Za-z0-9\s]{1,3}|\n\s*", shown)) + frame


def blocks_of(content: str | list[Json]) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def calls_of(path: Path) -> list[Call]:
    found = lines(path)
    return list(_pair_calls(found) if "request" in found[0] else _line_calls(path, found))


def _pair_calls(found: list[Json]) -> Iterator[Call]:
    for pair in found:
        request = pair["request"]
        new = blocks_of(request["messages"][-1]["content"])
        everything = [
            *request.get("tools", []),
            *request["system"],
            *(block for message in request["messages"] for block in message["content"]),
        ]
        yield Call(
            run=pair["run_id"],
            model=request["model"],
            at=datetime.fromisoformat(pair["timestamp"]),
            usage=_response(pair)["usage"],
            new_tokens=sum(weigh(block) for block in new),
            breakpoints=sum("cache_control" in block for block in everything),
        )


def _response(pair: Json) -> Json:
    if "response" in pair:
        return dict(pair["response"])
    events = [json.loads(line[6:]) for line in pair["response_sse"].splitlines() if line.startswith("data: ")]
    message: Json = {}
    for event in events:
        message |= event.get("message", {}) | ({"usage": event["usage"]} if "usage" in event else {})
    return message


def _line_calls(path: Path, found: list[Json]) -> Iterator[Call]:
    new, seen, at = 0, set(), None
    for line in found:
        if line["type"] == "user":
            at = datetime.fromisoformat(line["timestamp"])
            new += sum(weigh(block) for block in blocks_of(line["message"]["content"]))
        elif line["type"] == "assistant" and line["message"]["id"] not in seen:
            message = line["message"]
            seen.add(message["id"])
            begun = at or datetime.fromisoformat(line["timestamp"])
            yield Call(path.stem, message["model"], begun, message["usage"], new)
            new = 0


def runs_of(story: str) -> dict[str, list[Call]]:
    runs: dict[str, list[Call]] = defaultdict(list)
    for path in logs(story):
        for call in calls_of(path):
            runs[call.run].append(call)
    return runs
