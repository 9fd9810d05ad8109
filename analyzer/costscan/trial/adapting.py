"""A logged request as another model is sent it: what the model refuses is left out, and told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from costscan.models import ModelInfo, model_info

_SENT: Final = frozenset(
    {
        *("max_tokens", "messages", "system", "tools", "tool_choice", "temperature", "top_p", "top_k"),
        *("stop_sequences", "thinking", "output_config", "inference_geo"),
    }
)
"""The fields of a request that decide its answer."""
_LEFT_OUT: Final = frozenset(
    {"model", "stream", "metadata", "service_tier", "cache_control", "speed", "stream_options"}
)
"""Those that change no answer: how it comes, at what price, for whom."""
_SAMPLING: Final = ("temperature", "top_p", "top_k")
_OWN_TOOLS: Final = ("custom", "bash_", "text_editor_", "memory_")
"""Types of tools that the client runs: a call of one runs nothing."""
_MOST_DEPTH: Final = 60
_MOST_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Adapted:
    """The parameters of a request, and what is not as it was logged, in words; or why it cannot be sent."""

    params: Mapping[str, Any] | None
    changes: tuple[str, ...] = ()
    why_not: str | None = None


def adapted(request: Mapping[str, Any], model: str) -> Adapted:
    """Return a logged request as it is sent to a model, without stream and cache breakpoints.

    Args:
        request: the body that was logged.
        model: whom it is sent to, by its canonical name.
    """
    info = model_info(model)
    why_not = _why_not(request, info)
    if info is None or why_not is not None:
        return Adapted(None, why_not=why_not or f"{model} is no model of Anthropic's API")
    params = {name: value for name, value in request.items() if name in _SENT and value is not None}
    changes: list[str] = []
    _limit(params, info, changes)
    _without_refused(params, info, changes)
    return Adapted({**_without_breakpoints(params), "model": model}, tuple(changes))


def _why_not(request: Mapping[str, Any], info: ModelInfo | None) -> str | None:
    """Return why a request cannot be sent again, None where it can."""
    messages, most = request.get("messages"), request.get("max_tokens")
    if not isinstance(messages, list) or not messages or not isinstance(most, int) or most < 1:
        return "its request is not whole"
    if strange := sorted({str(name) for name, value in request.items() if value} - _SENT - _LEFT_OUT):
        return f"it asks for {strange[0][:_MOST_CHARS]}, which needs more than a request"
    tools = request.get("tools")
    types = [str(one.get("type") or "custom") for one in tools or () if isinstance(one, dict)]
    if other := [kind for kind in types if not kind.startswith(_OWN_TOOLS)]:
        return f"it has the tool {other[0][:_MOST_CHARS]}, which the API itself runs"
    return (
        _refusal(request, messages[-1], info) if _is_json(request) else "it cannot be written as JSON again"
    )


def _refusal(request: Mapping[str, Any], last: object, info: ModelInfo | None) -> str | None:
    """Return what a model refuses of a request that has no sense without it."""
    refused = info.refuses if info else frozenset()
    if "prefill" in refused and isinstance(last, dict) and last.get("role") == "assistant":
        return "it begins the answer, which the model refuses"
    choice = request.get("tool_choice")
    if "forced-tool" in refused and isinstance(choice, dict) and choice.get("type") in ("any", "tool"):
        return "it forces a tool, which the model refuses"
    return None


def _is_json(request: Mapping[str, Any]) -> bool:
    try:
        msgspec.json.encode(request)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return False
    return True


def _limit(params: dict[str, Any], info: ModelInfo, changes: list[str]) -> None:
    if params["max_tokens"] > info.max_output_tokens:
        params["max_tokens"] = info.max_output_tokens
        changes.append("max_tokens at the most of the model")


def _without_refused(params: dict[str, Any], info: ModelInfo, changes: list[str]) -> None:
    if "sampling" in info.refuses and any(name in params for name in _SAMPLING):
        for name in _SAMPLING:
            params.pop(name, None)
        changes.append("without temperature, top_p and top_k")
    asked = params.get("thinking")
    thinking = asked if isinstance(asked, dict) else {}
    asks_budget = "thinking-budget" in info.refuses and thinking.get("budget_tokens") is not None
    asks_off = "thinking-off" in info.refuses and thinking.get("type") == "disabled"
    if asks_budget or asks_off:
        params.pop("thinking")
        changes.append("thinking as the model does by itself")
    config = params.get("output_config")
    if not info.effort_cost and isinstance(config, dict) and "effort" in config:
        params["output_config"] = {name: value for name, value in config.items() if name != "effort"}
        if not params["output_config"]:
            params.pop("output_config")
        changes.append("without effort")


def _without_breakpoints(value: Any, depth: int = 0) -> Any:
    """Return a value without cache breakpoints: a sample hardly shares a prefix, and a write costs more."""
    if depth > _MOST_DEPTH:
        return value
    if isinstance(value, dict):
        # What stands in an input or a schema is somebody else's.
        return {
            name: item if name in ("input", "input_schema") else _without_breakpoints(item, depth + 1)
            for name, item in value.items()
            if name != "cache_control"
        }
    return [_without_breakpoints(item, depth + 1) for item in value] if isinstance(value, list) else value


__all__ = ["Adapted", "adapted"]
