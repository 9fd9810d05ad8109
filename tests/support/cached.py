"""Requests of the Messages API with markers, billed by the slow reference of the cache."""

import copy
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from costscan.models import model_info
from logs import Json
from slow_cache import HOUR_US, slow

START: Final = datetime(2026, 10, 20, 9, tzinfo=UTC)
MODEL: Final = "claude-sonnet-5-5"
LOOKBACK: Final = 20
FIVE_US: Final = 300_000_000
MARK: Final[Json] = {"type": "ephemeral"}
HOUR: Final[Json] = {"type": "ephemeral", "ttl": "1h"}


@dataclass
class Sent:
    """One request: its run, when it began, in seconds, and how long the response took."""

    run: str
    at_s: float
    body: Json
    took_s: float = 4.0


def words(name: str, tokens: int) -> str:
    """Return a text of so many tokens that no other name gives."""
    return " ".join(f"{name}-word-{n:05}" for n in range(tokens // 4))


def block(text: str, mark: Json | None = None) -> Json:
    found: Json = {"type": "text", "text": text}
    return {**found, "cache_control": mark} if mark else found


def tool(name: str, tokens: int = 300, mark: Json | None = None) -> Json:
    found: Json = {
        "name": name,
        "description": words(name, tokens),
        "input_schema": {"type": "object", "properties": {}},
    }
    return {**found, "cache_control": mark} if mark else found


def asked(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks)}


def said(text: str) -> Json:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def body(system: list[Json], messages: list[Json], tools: list[Json] | None = None, **more: object) -> Json:
    return {
        "model": MODEL,
        "max_tokens": 500,
        "tools": tools or [],
        "system": system,
        "messages": messages,
        **more,
    }


def talk(turns: int, *, mark: bool = True, each: int = 1000) -> list[Json]:
    """Return the messages of a conversation that is so many questions long; the last block is marked."""
    found: list[Json] = []
    for turn in range(turns):
        last = turn == turns - 1
        found.append(asked(block(words(f"question{turn}", each), MARK if last and mark else None)))
        if not last:
            found.append(said(f"answer {turn}"))
    return found


def pairs(requests: list[Sent]) -> list[Json]:
    """Return the lines of a log."""
    flat = [_flat(sent.body) for sent in requests]
    rows, positions = [], []
    for req, (sent, blocks) in enumerate(zip(requests, flat, strict=True)):
        info = model_info(sent.body["model"])
        assert info is not None
        at = round(sent.at_s * 1e6)
        least = info.min_cacheable_tokens_at(START.date())
        assert least is not None
        rows.append({
            "req": req, "domain": hash(sent.body["model"]), "at_us": at, "ready_us": at + round(sent.took_s * 1e6),
            "prompt_tokens": blocks[-1][1] + 3, "min_tokens": least,
        })  # fmt: skip
        positions += _positions(req, blocks)
    told = slow(rows, positions)
    return [_pair(sent, told[req]) for req, sent in enumerate(requests)]


def _flat(body: Json) -> list[tuple[str, int, Json | None]]:
    """Return, block by block, the name of the prefix that it ends, its tokens, and its marker."""
    parts = [("tools", x) for x in body["tools"]] + [("system", x) for x in body["system"]]
    parts += [(m["role"], x) for m in body["messages"] for x in m["content"]]
    found, name, tokens = [], hashlib.sha256(), 0
    for where, part in parts:
        sent = copy.copy(part)
        mark = sent.pop("cache_control", None)
        text = where + json.dumps(sent)
        name.update(text.encode())
        tokens += len(text) // 4 + 3
        found.append((name.hexdigest(), tokens, mark))
    return found


def _positions(req: int, blocks: list[tuple[str, int, Json | None]]) -> list[Json]:
    out, begin = [], 0
    for at, (_, _, mark) in enumerate(blocks):
        if mark is None:
            continue
        begin = max(begin, at + 1 - LOOKBACK)
        for n in range(begin, at + 1):
            name, tokens, _ = blocks[n]
            ttl = (HOUR_US if mark.get("ttl") == "1h" else FIVE_US) if n == at else None
            out.append({"req": req, "key": int(name[:12], 16), "tokens": tokens, "ttl_us": ttl})
        begin = at + 1
    return out


def _pair(sent: Sent, told: tuple[int, int, int, int]) -> Json:
    read, hour, five, plain = told
    used = {
        "input_tokens": plain,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": hour + five,
        "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
        "output_tokens": 20,
    }
    answer: Json = {
        "id": f"msg_{sent.run}_{sent.at_s}",
        "type": "message",
        "role": "assistant",
        "model": sent.body["model"],
        "content": [{"type": "text", "text": f"answer {(len(sent.body['messages']) - 1) // 2}"}],
        "stop_reason": "end_turn",
        "usage": used,
    }
    at = (START + timedelta(seconds=sent.at_s)).isoformat().replace("+00:00", "Z")
    return {
        "run_id": sent.run,
        "task": "planted",
        "timestamp": at,
        "duration_ms": round(sent.took_s * 1000),
        "request": sent.body,
        "response": answer,
    }
