"""Runs of LangSmith: a chain with three calls of LangChain's chat model."""

from generator.blocks import Json
from generator.clock import iso
from generator.dice import Dice
from generator.formats import houses
from generator.formats.talk import Call, Sample, Scene, Step, lines, play

SCENE = Scene(
    name="format-langsmith",
    model="claude-haiku-5-5",
    start="2026-11-20T16:10:00Z",
    system=houses.garden(),
    steps=(
        Step(
            '{"title":"Hand fork, steel, 28 cm","doubts":[]}',
            asked="Title only: hand fork, stainless steel, ash handle, 28 cm.",
        ),
        Step(
            '{"title":"Saucer, terracotta, 18 cm across","doubts":[]}',
            asked="Title only: saucer for an 18 cm pot, terracotta.",
        ),
        Step(
            '{"title":"Fleece, 2 m by 10 m","doubts":["Two widths: 2 m and 150 cm."]}',
            asked="Title only: fleece, 2 x 10 m, width 150 cm.",
        ),
    ),
)
_KINDS = {"human": "HumanMessage", "ai": "AIMessage", "system": "SystemMessage", "tool": "ToolMessage"}


def tell(scene: Scene = SCENE) -> Sample:
    """Return one file of runs."""
    calls, dice = play(scene), Dice(f"{scene.name} ids")
    trace = dice.uuid()
    chain: Json = {
        "id": trace,
        "name": "garden-titles",
        "run_type": "chain",
        "trace_id": trace,
        "parent_run_id": None,
        "start_time": iso(calls[0].began).removesuffix("Z"),
        "end_time": iso(calls[-1].ended).removesuffix("Z"),
        "status": "success",
        "inputs": {"items": len(calls)},
        "outputs": {},
    }
    runs = [
        chain,
        *(_run(_sent(scene.system, calls, n), calls[n], (trace, dice.uuid())) for n in range(len(calls))),
    ]
    return Sample({"runs.jsonl": lines(runs)}, calls)


def _sent(system: str, calls: list[Call], n: int) -> list[Json]:
    sent = [_message("system", system)]
    for place, call in enumerate(calls[: n + 1]):
        if call.step.asked:
            sent.append(_message("human", call.step.asked))
        if place < n:
            sent.append(_message("ai", call.step.text, **_used(call)))
            sent += _results(call)
    return sent


def _results(call: Call) -> list[Json]:
    return [_message("tool", call.step.result, tool_call_id=call.tool_id)] if call.step.tool else []


def _run(sent: list[Json], call: Call, ids: tuple[str, str]) -> Json:
    trace, own = ids
    return {
        "id": own,
        "name": "ChatAnthropic",
        "run_type": "llm",
        "trace_id": trace,
        "parent_run_id": trace,
        "start_time": iso(call.began).removesuffix("Z"),
        "end_time": iso(call.ended).removesuffix("Z"),
        "status": "success",
        "inputs": {"messages": [sent]},
        "outputs": {"generations": [[{"text": call.step.text, "message": _answer(call)}]]},
        "extra": {"invocation_params": {"model": call.model}, "metadata": {"ls_provider": "anthropic"}},
        "total_cost": str(call.usd),
    }


def _message(kind: str, content: str, **more: object) -> Json:
    name = ["langchain", "schema", "messages", _KINDS[kind]]
    return {
        "lc": 1,
        "type": "constructor",
        "id": name,
        "kwargs": {"content": content, "type": kind, **more},
    }


def _answer(call: Call) -> Json:
    usage = {
        "input_tokens": call.prompt,
        "output_tokens": call.output,
        "total_tokens": call.prompt + call.output,
        "input_token_details": {"cache_read": call.read, "cache_creation": call.written},
    }
    about = {"model_name": call.model, "stop_reason": "end_turn", "id": f"msg_{call.message_id}"}
    return _message("ai", call.step.text, **_used(call), response_metadata=about, usage_metadata=usage)


def _used(call: Call) -> Json:
    if not call.step.tool:
        return {}
    return {"tool_calls": [{"id": call.tool_id, "name": call.step.tool, "args": call.step.arguments}]}
