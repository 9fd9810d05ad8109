"""Model names: which Claude model a spelling means, where it was served, and what that model can hold.

A spelling is cleaned of what does not change the model (provider path, region, date mark, context mark)
and then looked up in `models.toml`. What is not there is unknown: a name is never matched by its start.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

DATA_PATH: Final = Path(__file__).with_name("models.toml")

Region: TypeAlias = Literal["regional", "us-gov"]

_REGION: Final = re.compile(r"^(us-gov|us|eu|apac|jp|au|global)\.(?=anthropic\.)")
_BEDROCK: Final = "anthropic."
_CONTEXT_MARK: Final = re.compile(r"\[\d+[km]\]$")
_BEDROCK_VERSION: Final = re.compile(r"-v\d+(?::\d+)?(?::\d+k)?(?=-\d{8}$|$)")
_NAME: Final = re.compile(r"^claude-(?:(?P<a>[a-z]+)-(?P<v>\d(?:-\d)?)|(?P<w>\d(?:-\d)?)-(?P<b>[a-z]+))$")
# Marks that change neither the model nor its price: Vertex's default version, OpenRouter's variants.
_NEUTRAL_ENDS: Final = ("-default", "-latest", ":beta", ":thinking")


@dataclass(frozen=True, slots=True)
class ModelRef:
    """What a spelling means: the model, who bills it, the region class and the speed it names."""

    model: str
    provider: str
    region: Region | None = None
    speed: Literal["fast"] | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The limits of a model.

    `longest_context_tokens` is what it took with a beta header. `retired` is the first day without it on
    Anthropic's API, None while served. `tool_use_tokens` is what a request with tools takes beside their
    definitions, 0 where that is not known; where it is not documented it is that of the model
    `tool_use_tokens_from`, else None. `forced_tool_tokens` is the same where the request forces a tool.
    """

    model: str
    released: date
    retired: date | None
    context_tokens: int
    longest_context_tokens: int
    max_output_tokens: int
    tokenizer: str
    tool_use_tokens: int
    forced_tool_tokens: int
    tool_use_tokens_from: str | None
    thinks_by_default: bool
    refuses: frozenset[str]
    effort_cost: Mapping[str, float]
    default_effort: str
    drops_thinking: bool
    min_cacheable_history: tuple[tuple[date, int], ...]

    def min_cacheable_tokens_at(self, day: date | None) -> int | None:
        """Return the shortest prefix that could be cached on `day` (a moment counts as its UTC day)."""
        if not self.min_cacheable_history:
            return None
        if isinstance(day, datetime):
            day = day.astimezone(UTC).date() if day.tzinfo else day.date()
        minimums = [tokens for since, tokens in self.min_cacheable_history if day is None or since <= day]
        return minimums[-1] if minimums else self.min_cacheable_history[0][1]


@lru_cache(maxsize=8192)
def resolve(spelling: str, day: date | None = None) -> ModelRef | None:
    """Return the Claude model that `spelling` means, or None when no known model is spelled so.

    Understands ids of the Anthropic API, Bedrock (region prefixes, versions, ARNs), Vertex, OpenRouter,
    LiteLLM and Claude Code. Case does not matter. Ids of other providers are known to `costscan.prices`.
    The name of a family (`family_alias`) means its newest model on `day`; without a day, the newest known.
    """
    path, _, name = spelling.strip().lower().rpartition("/")
    region = _region_of_path(path)
    if prefix := _REGION.match(name):
        region = region or _region_of_prefix(prefix[1])
        name = name[prefix.end() :]
    elif name.startswith(_BEDROCK):
        # Without a prefix it is a call in the region of the client.
        region = region or "regional"
    name, fast = _strip_marks(name.removeprefix(_BEDROCK).replace("@", "-"))
    name = re.sub(r"(?<=\d)\.(?=\d)", "-", name)
    model = _index().get(name) or _index().get(_BEDROCK_VERSION.sub("", name))
    if model is None and (family := family_alias(spelling)):
        model = _newest(family, day)
    return ModelRef(model, "anthropic", region, "fast" if fast else None) if model else None


@lru_cache(maxsize=8192)
def family_alias(spelling: str) -> str | None:
    """Return the family whose newest model `spelling` means (`opus`, `claude-opus-latest`), None for ids.

    None also behind the path of a cloud platform: what a family means there is not what it means on
    Anthropic's own API.
    """
    path, _, name = spelling.strip().lower().rpartition("/")
    rule = _data()["aliases"]
    if not set(path.split("/")).isdisjoint(rule["elsewhere"]):
        return None
    bare = _strip_marks(name)[0]
    if "-latest" in name:
        # `claude-opus` alone is no id and no alias.
        bare = bare.removeprefix("claude-")
    return bare if bare in rule["families"] else None


@lru_cache(maxsize=256)
def model_info(canonical: str) -> ModelInfo | None:
    """Return the limits of the model with this canonical id, or None for any other name."""
    raw = _data()["models"].get(canonical)
    if raw is None:
        return None
    shortest = raw.get("min_cacheable_tokens", [])
    like = raw.get("tool_use_tokens_from")
    history = shortest if isinstance(shortest, list) else [[raw["released"], shortest]]
    return ModelInfo(
        model=canonical,
        released=raw["released"],
        retired=raw.get("retired"),
        context_tokens=raw["context_tokens"],
        longest_context_tokens=raw.get("longest_context_tokens", raw["context_tokens"]),
        max_output_tokens=raw["max_output_tokens"],
        tokenizer=raw["tokenizer"],
        tool_use_tokens=_of_tools(raw, "tool_use_tokens"),
        forced_tool_tokens=_of_tools(raw, "forced_tool_tokens"),
        tool_use_tokens_from=like,
        thinks_by_default=raw.get("thinks_by_default", False),
        refuses=frozenset(raw.get("refuses", ())),
        effort_cost=raw.get("effort_cost", {}),
        default_effort=raw.get("default_effort", "high"),
        drops_thinking=raw.get("drops_thinking", False),
        min_cacheable_history=tuple((since, tokens) for since, tokens in history),
    )


def _of_tools(raw: Mapping[str, Any], name: str) -> int:
    """Return what tool use adds, or adds to the model next to this one; 0 where that is not known."""
    like = _data()["models"].get(raw.get("tool_use_tokens_from"), {})
    token_count: int = raw.get(name) or like.get(name, 0)
    return token_count


def drops_thinking(spelling: object) -> bool:
    """Whether what this model thought leaves the prompt when a person writes; False for unknown names."""
    ref = resolve(spelling) if isinstance(spelling, str) else None
    info = model_info(ref.model) if ref is not None else None
    return info is not None and info.drops_thinking


def canonical_models() -> tuple[str, ...]:
    """Return the canonical id of every known Claude model, newest generation first."""
    return tuple(_data()["models"])


def _newest(family: str, day: date | None) -> str | None:
    """Return the newest model of a family on a day (UTC), None before its first."""
    infos = [i for m in canonical_models() if family in m.split("-") and (i := model_info(m))]
    there = [info for info in infos if day is None or info.released <= day]
    return max(there, key=lambda info: info.released).model if there else None


def premium(region: Region | None, model: str) -> Decimal:
    """Return the factor that serving `model` from `region` puts on its token prices."""
    info = model_info(model)
    rule = _data()["premium"]
    if region is None or info is None or info.released < rule["first_release"]:
        return Decimal(1)
    return Decimal(rule["us_gov"] if region == "us-gov" else rule["regional"])


def _region_of_path(path: str) -> Region | None:
    """A path names a region in GovCloud (`us-gov-west-1`) or a Vertex location other than global."""
    parts = re.split(r"[/:]", path)
    if any(part == "aws-us-gov" or part.startswith("us-gov-") for part in parts):
        return "us-gov"
    places = [place for key, place in pairwise(parts) if key == "locations"]
    return "regional" if any(place != "global" for place in places) else None


def _region_of_prefix(prefix: str) -> Region | None:
    if prefix == "us-gov":
        return "us-gov"
    return None if prefix == "global" else "regional"


def _strip_marks(name: str) -> tuple[str, bool]:
    """Take off the endings that are not part of a name, in any order; say whether one was `-fast`."""
    fast = False
    while True:
        shorter = _CONTEXT_MARK.sub("", name)
        for end in _NEUTRAL_ENDS:
            shorter = shorter.removesuffix(end)
        fast = fast or shorter.endswith("-fast")
        shorter = shorter.removesuffix("-fast")
        if shorter == name:
            return name, fast
        name = shorter


@cache
def _data() -> dict[str, Any]:
    with DATA_PATH.open("rb") as file:
        return tomllib.load(file)


@cache
def _index() -> dict[str, str]:
    """Every accepted name, cleaned as `resolve` cleans it, with its canonical id."""
    index: dict[str, str] = {}
    for model, raw in _data()["models"].items():
        forms = set(_forms(model))
        names = forms | {f"{form}-{day}" for form in forms for day in raw.get("dated", ())}
        for name in names | set(raw.get("also", ())):
            if index.setdefault(name, model) != model:
                raise ValueError(f"models.toml: {name} is claimed by {index[name]} and {model}")
    return index


def _forms(model: str) -> Iterator[str]:
    """The orders and versions in which a name is written: claude-opus-4, claude-4-0-opus, ..."""
    plain = model.replace(".", "-")
    yield plain
    if not (match := _NAME.match(plain)):
        return
    family, version = match["a"] or match["b"], match["v"] or match["w"]
    major = version.removesuffix("-0")
    for number in {version, major, f"{major}-0" if "-" not in major else major}:
        yield f"claude-{family}-{number}"
        yield f"claude-{number}-{family}"
