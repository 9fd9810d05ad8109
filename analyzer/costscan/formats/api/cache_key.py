"""What of a request beside its blocks is part of the key of a cache entry, and from which layer on.

A request that asks for another thing finds what an earlier one cached of the layers before, no more.
Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching (what invalidates the cache).
An output format is rendered into the system prompt, as its page there says (structured-outputs).
Speed is told by the response, and parts the cache as a model does.
"""

from collections.abc import Iterable
from typing import Any, Final

from costscan.formats.api.request import Request
from costscan.models import ModelInfo, model_info, resolve
from costscan.reading.content.block import encode, hash_of
from costscan.reading.prompt_diff.prompt import Sent
from costscan.reading.prompt_diff.salt import Salt

HIGH: Final = "high"
_OFF: Final = {"type": "disabled"}
_ADAPTIVE: Final = {"type": "adaptive"}
_ANY_TOOL: Final = {"type": "auto"}


def settings_of(request: Request, blocks: Iterable[Sent] = ()) -> int:
    """Return a hash of what decides beside the prompt whether it is found in the cache.

    That there are images, or documents to cite, counts as a setting: of the first one nothing is found.
    """
    sent = list(blocks)
    anywhere = [any(b.measured.kind == "image" for b in sent), any(b.cites for b in sent)]
    speed = None if request.speed == "standard" else request.speed
    settings = [_format(request), tool_choice(request.tool_choice), thinking(request), effort(request)]
    return hash_of(encode([*settings, speed, request.betas or None, *anywhere]))


def salt_of(request: Request, blocks: Iterable[Sent]) -> Salt:
    """Return what the settings of a request, and what stands anywhere in it, add to its keys."""
    sent = list(blocks)
    system = _hash([_format(request), any(b.cites for b in sent)])
    images = any(b.measured.kind == "image" for b in sent)
    rest = [tool_choice(request.tool_choice), thinking(request), effort(request), images]
    return Salt(system, _hash([system, *rest]))


def _hash(parts: list[Any]) -> int:
    return hash_of(encode(parts)) if any(parts) else 0


def tool_choice(choice: object) -> object:
    """Return the choice of tools, None for the default."""
    if not isinstance(choice, dict):
        return choice
    relevant = {k: v for k, v in choice.items() if not (k == "disable_parallel_tool_use" and v is False)}
    return None if relevant in ({}, _ANY_TOOL) else relevant


def thinking(request: Request) -> object:
    """Return what is asked of thinking, None for what the model does by default; not how it is shown."""
    config = request.thinking
    if not isinstance(config, dict):
        return config
    info = _info(request)
    default = _ADAPTIVE if info is not None and info.thinks_by_default else _OFF
    relevant = {k: v for k, v in config.items() if k != "display"}
    return None if relevant in ({}, default) else relevant


def effort(request: Request) -> object:
    """Return the effort, None for the default of the model."""
    config = request.output_config
    level = config.get("effort") if isinstance(config, dict) else None
    info = _info(request)
    return None if level == (HIGH if info is None else info.default_effort) else level


def _format(request: Request) -> object:
    config = request.output_config
    return (config.get("format") if isinstance(config, dict) else None) or request.output_format or None


def _info(request: Request) -> ModelInfo | None:
    ref = resolve(request.model) if isinstance(request.model, str) else None
    return None if ref is None else model_info(ref.model)
