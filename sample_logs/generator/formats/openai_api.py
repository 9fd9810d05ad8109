"""Pairs of Chat Completions, and of Responses, the last one streamed: product texts of a garden shop."""

from generator.blocks import Json, dump
from generator.clock import iso
from generator.formats import chat, houses
from generator.formats.talk import Call, Sample, Scene, Step, lines, play

_CHAT = Scene(
    name="format-openai-chat",
    model="gpt-5.5",
    start="2026-11-04T09:00:00Z",
    system=houses.garden(),
    steps=(
        Step(
            '{"title":"Trug, ash, 40 cm","attributes":{"material":"ash"},"doubts":[]}',
            asked="Title and attributes only: trug, split ash, 40 cm long, made in Devon.",
        ),
        Step(
            '{"title":"Trug, ash, 60 cm","attributes":{"material":"ash"},"doubts":["The code says 40."]}',
            asked="The same for the large one: 60 cm, code TR-40.",
            reasoning=192,
        ),
        Step(
            '{"title":"Dibber, beech, 27 cm","attributes":{"material":"beech"},"doubts":[]}',
            asked="Now the dibber: beech, 27 cm, steel tip.",
        ),
    ),
)
_RESPONSES = Scene(
    name="format-openai-responses",
    model="gpt-5.5",
    start="2026-11-04T14:30:00Z",
    system="You sort messages to a garden shop. Answer with one word: order, stock, care or other.",
    steps=(
        Step("care", asked="My zinc tub has white spots. Is that normal?"),
        Step("stock", asked="When will the oak potting bench be back?"),
    ),
)


def tell(scene: Scene = _CHAT) -> Sample:
    """Return one file of pairs."""
    talked, sorted_ = play(scene), play(_RESPONSES)
    pairs = [_chat_pair(scene.system, talked, n) for n in range(len(talked))]
    pairs += [_response_pair(sorted_, n) for n in range(len(sorted_))]
    return Sample({"pairs.jsonl": lines(pairs)}, [*talked, *sorted_])


def _about(call: Call, run: str, task: str) -> Json:
    return {"run_id": run, "task": task, "timestamp": iso(call.began), "duration_ms": call.ended - call.began}


def _chat_pair(system: str, calls: list[Call], n: int) -> Json:
    call = calls[n]
    request = {"model": call.model, "messages": chat.prompt(system, calls, n)}
    response = {**chat.completion(call), "service_tier": "default"}
    return {**_about(call, "texts-1104", "garden-texts"), "request": request, "response": response}


def _response_pair(calls: list[Call], n: int) -> Json:
    call, is_last = calls[n], n == len(calls) - 1
    request: Json = {
        "model": call.model,
        "instructions": _RESPONSES.system,
        "input": [item for before in calls[:n] for item in (_asked(before), _said(before))] + [_asked(call)],
    }
    pair = {**_about(call, "sorting-1104", "sort-messages"), "request": request}
    if not is_last:
        return {**pair, "response": _response(call)}
    events = [
        {"type": "response.created", "response": {**_response(call), "status": "in_progress", "usage": None}},
        {"type": "response.output_text.delta", "delta": call.step.text},
        {"type": "response.completed", "response": _response(call)},
    ]
    told = "".join(f"event: {event['type']}\ndata: {dump(event)}\n\n" for event in events)
    return {**pair, "request": {**request, "stream": True}, "response_sse": told}


def _asked(call: Call) -> Json:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": call.step.asked}]}


def _said(call: Call) -> Json:
    content = [{"type": "output_text", "text": call.step.text, "annotations": []}]
    return {"type": "message", "role": "assistant", "status": "completed", "content": content}


def _response(call: Call) -> Json:
    return {
        "id": f"resp_{call.message_id}",
        "object": "response",
        "created_at": call.began // 1000,
        "status": "completed",
        "model": call.model,
        "service_tier": "default",
        "output": [_said(call)],
        "usage": {
            "input_tokens": call.prompt,
            "input_tokens_details": {"cached_tokens": call.read},
            "output_tokens": call.output,
            "output_tokens_details": {"reasoning_tokens": call.step.reasoning},
            "total_tokens": call.prompt + call.output,
        },
    }
