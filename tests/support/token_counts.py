"""A rule by which a stand-in counts tokens, and logs whose texts are counted by it."""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xxhash

from costscan.models import model_info
from costscan.reading.content.token_estimate import weigh, weigh_raw
from logs import DAY, OPUS, Json, usage

FACTORS = {
    "v3": {"text": 1.10, "system": 1.0, "tool_use": 0.9, "tool_result": 0.8, "tool_def": 1.25},
    "v4.7": {"text": 0.95, "system": 1.0, "tool_use": 1.2, "tool_result": 1.15, "tool_def": 1.3},
}
"""How many times its estimate the stand-in counts for a text of each kind, give or take `NOISE`."""
NOISE = 0.06
AROUND = 31
"""What it counts for a request beside all texts."""
_WORDS = """the agent reads a file and finds that its test fails because of parser state when the line ends
early so it tries again with another path = value; return self.items[0] if len(x) > 2 else None {'id': 17, "ok": true}"""


def count(body: Mapping[str, Any], *, noise: float = NOISE) -> int:
    """Return the tokens of a request: a rule of its own, which knows texts, and nothing of samples."""
    info = model_info(body["model"])
    assert info is not None
    place = ("v3", "v4.7").index(info.tokenizer)
    total = AROUND
    for kind, estimate in _estimates(body):
        off = 1 + noise * (
            xxhash.xxh3_64_intdigest(f"{kind}{estimate}{info.tokenizer}".encode()) % 1000 / 500 - 1
        )
        # Next to nothing is one token, as a text of a letter is.
        few = estimate[place] <= 4
        total += estimate[place] if few else round(FACTORS[info.tokenizer][kind] * estimate[place] * off)
    return total


def _estimates(body: Mapping[str, Any]) -> list[tuple[str, tuple[int, int]]]:
    out = [("tool_def", weigh_raw(_compact(tool))) for tool in body.get("tools", ())]
    out += [("system", weigh(body["system"]))] if "system" in body else []
    for message in body["messages"]:
        content = message["content"]
        if isinstance(content, str):
            out.append(("text", weigh(content)))
            continue
        for block in content:
            if block["type"] == "tool_use":
                one, two = weigh_raw(_compact(block["input"])), weigh(block["name"])
                out.append(("tool_use", (one[0] + two[0], one[1] + two[1])))
            else:
                out.append(("tool_result", weigh(block["content"])))
    return out


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def said(chance: random.Random, words: int) -> str:
    """Return a text of so many words."""
    return " ".join(chance.choice(_WORDS.split()) for _ in range(words))


def pairs(n: int = 30, model: str = OPUS) -> list[Json]:
    """Return requests with their answers, each with a text, a call and a result of its own."""
    chance = random.Random(5)
    tools = [
        {
            "name": f"tool_{i}",
            "description": said(chance, 40 + i),
            "input_schema": {"type": "object", "properties": {said(chance, 1)[:9]: {"type": "string"}}},
        }
        for i in range(12)
    ]
    system = said(chance, 300)
    return [_pair(i, chance, tools, system, model) for i in range(n)]


def _pair(i: int, chance: random.Random, tools: list[Json], system: str, model: str) -> Json:
    call = {"type": "tool_use", "id": f"toolu_{i}", "name": "tool_1", "input": {"q": said(chance, 60 + i)}}
    result = {"type": "tool_result", "tool_use_id": f"toolu_{i}", "content": said(chance, 100 + 9 * i)}
    messages = [
        {"role": "user", "content": said(chance, 50 + 5 * i)},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    return {
        "timestamp": f"{DAY}T10:{i:02d}:00Z",
        "request": {"model": model, "max_tokens": 9, "tools": tools, "system": system, "messages": messages},
        "response": {
            "id": f"msg_{i}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": "Done."}],
            "stop_reason": "end_turn",
            "usage": usage(3000, out=5),
        },
    }


def log_of(folder: Path, lines: list[Json]) -> Path:
    """Return a log of these lines."""
    path = folder / "runs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
