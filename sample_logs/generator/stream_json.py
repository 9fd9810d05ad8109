"""The output of `claude -p --output-format stream-json --verbose`.

Its assistant lines carry output counts of a message that has only begun; the last line has the true ones,
with the recorded cost and with side requests that show up nowhere else.
"""

from collections.abc import Iterator
from decimal import Decimal

from generator import prices
from generator.billing import Usage
from generator.blocks import Json, dump
from generator.claude_code import VERSION, Session, cache_creation, usage_json
from generator.clock import iso
from generator.run import Message, Run, Turn

_TOOLS = ["Task", "Bash", "Edit", "Glob", "Grep", "Read", "Write", "WebFetch", "TodoWrite"]


def stream(run: Run, session: Session, side: dict[str, Usage]) -> str:
    """All lines of one headless run; `side` holds the requests that only the result line counts."""
    lines = [_init(run, session), *_message_lines(run, session), _result(run, session, side)]
    return "".join(f"{dump(line)}\n" for line in lines)


def _init(run: Run, session: Session) -> Json:
    return {
        "type": "system",
        "subtype": "init",
        "cwd": session.cwd,
        "session_id": session.session_id,
        "tools": _TOOLS,
        "mcp_servers": [],
        "model": run.setup.model,
        "permissionMode": "acceptEdits",
        "slash_commands": ["compact", "context", "cost", "init", "review"],
        "apiKeySource": "ANTHROPIC_API_KEY",
        "claude_code_version": VERSION,
        "output_style": "default",
        "agents": ["claude", "Explore", "general-purpose", "Plan"],
        "skills": [],
        "plugins": [],
        "uuid": run.dice.uuid(),
        "fast_mode_state": "off",
    }


def _message_lines(run: Run, session: Session) -> Iterator[Json]:
    for message in run.messages[1:]:
        if message.turn:
            yield from _assistant_lines(run, session, message, message.turn)
        else:
            yield from _result_lines(run, session, message)


def _assistant_lines(run: Run, session: Session, message: Message, turn: Turn) -> Iterator[Json]:
    begun = run.dice.between(1, 8)
    for part in message.parts:
        body = {
            "model": run.setup.model,
            "id": turn.message_id,
            "type": "message",
            "role": "assistant",
            "content": [part.block.wire],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {
                "input_tokens": turn.usage.input,
                "cache_creation_input_tokens": turn.usage.written,
                "cache_read_input_tokens": turn.usage.read,
                "cache_creation": cache_creation(turn.usage),
                "output_tokens": begun,
                "service_tier": "standard",
                "inference_geo": "not_available",
            },
            "context_management": None,
        }
        yield {
            "type": "assistant",
            "message": body,
            "parent_tool_use_id": None,
            "session_id": session.session_id,
            "uuid": run.dice.uuid(),
            "timestamp": iso(part.at),
            "request_id": turn.request_id,
        }


def _result_lines(run: Run, session: Session, message: Message) -> Iterator[Json]:
    for part in message.parts:
        yield {
            "type": "user",
            "message": {"role": "user", "content": [part.block.wire]},
            "parent_tool_use_id": None,
            "session_id": session.session_id,
            "uuid": run.dice.uuid(),
            "timestamp": iso(part.at),
            "tool_use_result": part.detail,
        }


def _result(run: Run, session: Session, side: dict[str, Usage]) -> Json:
    by_model = {run.setup.model: (run.usage, sum((_cost(run, turn) for turn in run.turns), Decimal(0)))}
    by_model |= {model: (usage, prices.cost(model, usage)) for model, usage in side.items()}
    final = usage_json(run.usage)
    final["iterations"] = usage_json(run.turns[-1].usage)["iterations"]
    started, ended = run.messages[0].parts[0].at, run.turns[-1].ended
    return {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "duration_ms": ended - started,
        "duration_api_ms": sum(turn.ended - turn.started for turn in run.turns),
        "num_turns": len(run.turns),
        "result": run.messages[-1].parts[-1].block.wire["text"],
        "stop_reason": "end_turn",
        "session_id": session.session_id,
        "total_cost_usd": float(sum((usd for _, usd in by_model.values()), Decimal(0))),
        "usage": final,
        "modelUsage": {model: _model_usage(usage, usd) for model, (usage, usd) in by_model.items()},
        "permission_denials": [],
        "terminal_reason": "completed",
        "uuid": run.dice.uuid(),
    }


def _cost(run: Run, turn: Turn) -> Decimal:
    return prices.cost(run.setup.model, turn.usage)


def _model_usage(usage: Usage, usd: Decimal) -> Json:
    return {
        "inputTokens": usage.input,
        "outputTokens": usage.output,
        "cacheReadInputTokens": usage.read,
        "cacheCreationInputTokens": usage.written,
        "webSearchRequests": 0,
        "costUSD": float(usd),
        "contextWindow": 1_000_000,
        "maxOutputTokens": 128_000,
    }
