"""Tasks as Cline and Roo Code write them."""

import json
from pathlib import Path
from typing import Any

from command import Capture
from costscan.report import Report
from logs import HAIKU, Json, usd
from other_agents import read_alike

T = 1_793_613_600_000
"""2026-11-02T10:00:00Z, in milliseconds."""
ANTHROPIC: Json = {"modelInfo": {"providerId": "anthropic", "modelId": HAIKU, "mode": "act"}}
USED: Json = {"tokensIn": 100, "tokensOut": 50, "cacheWrites": 300, "cacheReads": 4_000, "cost": 0.001125}
USD = usd(HAIKU, **{"in": 100}, w5m=300, read=4_000, out=50)


def says(kind: str, text: Any, ts: int = T, **more: Any) -> Json:
    return {
        "ts": ts,
        "type": "say",
        "say": kind,
        "text": text if isinstance(text, str) else json.dumps(text),
        **more,
    }


def asked(info: Json, ts: int = T, **more: Any) -> Json:
    return says("api_req_started", info, ts, **more)


def roo(info: Json, ts: int = T) -> Json:
    return asked({"apiProtocol": "anthropic", **info}, ts)


def tagged(model: str, ts: int) -> Json:
    text = f"<environment_details>\n<model>{model}</model>\n</environment_details>"
    return {"role": "user", "ts": ts, "content": [{"type": "text", "text": text}]}


def task(folder: Path, ui: list[Json], **beside: Any) -> Path:
    """Write a task; `beside` are the files beside its messages, by the beginnings of their names."""
    own = folder / "tasks" / "1793613600000"
    own.mkdir(parents=True)
    for name, value in beside.items():
        (own / f"{name}.json").write_text(json.dumps(value), "utf-8")
    path = own / "ui_messages.json"
    path.write_text(json.dumps(ui), "utf-8")
    return path


def read(capsys: Capture, folder: Path, *ui: Json, **beside: Any) -> Report:
    return read_alike(capsys, task(folder, [says("task", "Fix the login."), *ui], **beside))
