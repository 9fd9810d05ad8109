"""Requests and responses of the Messages API as a program would log them, one pair per line."""

from collections.abc import Iterator

from generator.blocks import Block, Json, dump
from generator.claude_code import cache_creation
from generator.clock import iso
from generator.run import Message, Run, Turn


def pairs(run: Run, task: str, *, streamed: bool = False) -> str:
    """All requests of a run; a streamed response is kept as the text of its events."""
    return "".join(f"{dump(_pair(run, task, turn, streamed=streamed))}\n" for turn in run.turns)


def _pair(run: Run, task: str, turn: Turn, *, streamed: bool) -> Json:
    response = _response(run, turn)
    request = _request(run, turn)
    pair: Json = {
        "run_id": run.name,
        "task": task,
        "timestamp": iso(turn.started),
        "duration_ms": turn.ended - turn.started,
        "request": {**request, "stream": True} if streamed else request,
    }
    return {**pair, "response_sse": _events(response)} if streamed else {**pair, "response": response}


def _request(run: Run, turn: Turn) -> Json:
    position = iter(range(1_000_000))

    def wire(block: Block) -> Json:
        ttl = turn.breakpoints.get(next(position))
        if ttl is None:
            return block.wire
        control = {"type": "ephemeral"} | ({"ttl": ttl} if ttl == "1h" else {})
        return {**block.wire, "cache_control": control}

    tools = [wire(block) for block in run.setup.tools]
    system = [wire(block) for block in turn.prefix[len(tools) :]]
    messages = [
        {"role": message.role, "content": [wire(part.block) for part in message.parts]}
        for message in run.messages[: turn.messages_before]
    ]
    return {
        "model": run.setup.model,
        "max_tokens": run.setup.max_tokens,
        **run.setup.settings,
        **({"tools": tools} if tools else {}),
        "system": system,
        "messages": messages,
    }


def _response(run: Run, turn: Turn) -> Json:
    message = _message_of(run, turn)
    usage: Json = {
        "input_tokens": turn.usage.input,
        "cache_creation_input_tokens": turn.usage.written,
        "cache_read_input_tokens": turn.usage.read,
        "cache_creation": cache_creation(turn.usage),
        "output_tokens": turn.usage.output,
        "service_tier": "standard",
        "inference_geo": "global",
    }
    if turn.thinking:
        usage["output_tokens_details"] = {"thinking_tokens": turn.thinking}
    return {
        "id": turn.message_id,
        "type": "message",
        "role": "assistant",
        "model": run.setup.model,
        "content": [part.block.wire for part in message.parts],
        "stop_reason": turn.stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _message_of(run: Run, turn: Turn) -> Message:
    return run.messages[turn.messages_before]


def _events(response: Json) -> str:
    return "".join(f"event: {event['type']}\ndata: {dump(event)}\n\n" for event in _event_objects(response))


def _event_objects(response: Json) -> Iterator[Json]:
    begun = {
        **response,
        "content": [],
        "stop_reason": None,
        "usage": {**response["usage"], "output_tokens": 1},
    }
    begun["usage"].pop("output_tokens_details", None)
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(response["content"]):
        empty, deltas = _deltas(block)
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": response["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": response["usage"]}
    yield {"type": "message_stop"}


def _deltas(block: Json) -> tuple[Json, list[Json]]:
    if block["type"] == "text":
        whole = block["text"]
        chunks = [whole[at : at + 48] for at in range(0, len(whole), 48)]
        return {**block, "text": ""}, [{"type": "text_delta", "text": chunk} for chunk in chunks]
    if block["type"] == "thinking":
        delta = {"type": "signature_delta", "signature": block["signature"]}
        return {**block, "signature": ""}, [delta]
    delta = {"type": "input_json_delta", "partial_json": dump(block["input"])}
    return {**block, "input": {}}, [delta]
