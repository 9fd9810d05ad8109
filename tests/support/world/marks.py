"""What of their prompts clients mark, and what they would mark at best."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from logs import Json
from slow_cache import HOUR_US
from world.calls import Call, Calls, Prompt, billed, prompt

Place = tuple[str, int, int]
FIVE: Final[Json] = {"type": "ephemeral"}
HOUR: Final[Json] = {"type": "ephemeral", "ttl": "1h"}
Policy = Callable[[Calls], Calls]


def mark(request: Json, places: Mapping[Place, Json]) -> Json:
    """A request with marks at some places, and at no other."""

    def at(part: str, m: int, blocks: list[Json]) -> list[Json]:
        return [_marked(b, places.get((part, m, n))) for n, b in enumerate(blocks)]

    messages = [
        message | {"content": at(message["role"], m, message["content"])}
        for m, message in enumerate(request["messages"])
    ]
    fixed = {part: at(part, 0, request[part]) for part in ("tools", "system") if part in request}
    return (
        {name: value for name, value in request.items() if name != "cache_control"}
        | fixed
        | {"messages": messages}
    )


def _marked(block: Json, how: Json | None) -> Json:
    """A block with a mark, or without one: the same object where nothing changes."""
    if block.get("cache_control") == how:
        return block
    bare = {name: value for name, value in block.items() if name != "cache_control"}
    return bare | ({"cache_control": how} if how else {})


def _last(request: Json) -> Place | None:
    """Where the newest block of a user stands; None where the API went on from its own summary."""
    m = len(request["messages"]) - 1
    message = request["messages"][m]
    return ("user", m, len(message["content"]) - 1) if message["role"] == "user" else None


def _system(request: Json) -> Place:
    return ("system", 0, len(request["system"]) - 1)


def at_ends(system: Json | None = FIVE, last: Json | None = FIVE, extra: int = 0) -> Policy:
    """Mark the system prompt and the newest block of each prompt, and blocks shortly before it.

    Args:
        system: how to mark the system prompt, `last` the newest block; None: not at all.
        extra: how many blocks before the newest one are marked, each two blocks from the next.
    """

    def marked(request: Json) -> Json:
        places = {_system(request): system} if system else {}
        newest = _last(request)
        if last and newest:
            blocks = [
                (x["role"], m, n) for m, x in enumerate(request["messages"]) for n in range(len(x["content"]))
            ]
            may = [p for p in blocks if p[0] == "user"]
            places |= dict.fromkeys(may[:-1][::-2][:extra], last) | {newest: last}
        return mark(request, places)

    return lambda calls: [call.sending(marked) for call in calls]


def automatic(calls: Calls) -> Calls:
    """Ask for automatic caching."""
    return [call.sending(lambda request: mark(request, {}) | {"cache_control": FIVE}) for call in calls]


def unmarked(calls: Calls) -> Calls:
    return [call.sending(lambda request: mark(request, {})) for call in calls]


def refused(calls: Calls) -> Calls:
    """Let the requests that the API refuses have a fifth mark."""
    return [c.told(cache_control=FIVE, metadata={"marks": 5}) if c.is_refused else c for c in calls]


def living(calls: Calls, lives: Mapping[str, tuple[bool, bool]]) -> Calls:
    """Keep the marks, and let those of some runs live as long as is set, of what is shared and of what follows."""

    def of_run(prefix: bool, behind: bool) -> Callable[[Json], Json]:
        def change(request: Json) -> Json:
            places = [p.place for p in prompt(request).pieces if p.ttl_us is not None]
            hours = {place: prefix if place[0] in {"tools", "system"} else behind for place in places}
            return mark(request, {place: HOUR if hour else FIVE for place, hour in hours.items()})

        return change

    return [c.sending(of_run(*lives[c.run])) if c.run in lives else c for c in calls]


def at_best(calls: Calls, how: Callable[[Call, bool], Json]) -> Calls:
    """Mark what is shared, the end of each prompt where any extends another, and the one that it extends itself.

    That is the longest that its own model was sent: from there all of it is found, however far back.

    Args:
        calls: the calls.
        how: gives the lifetime of a call's marks; it is told whether it is the mark of what is shared.
    """
    sent = {id(c): prompt(c.request) for c in billed(calls)}
    used = _are_extended(calls, sent)
    out, before = [], dict[str, list[Prompt]]()
    for call in calls:
        earlier = before.setdefault(call.run, [])
        first = call.before and _best(call.before, sent[id(call.before)], earlier, used, how)
        own = call if call.is_refused else _best(call, sent[id(call)], earlier, used, how)
        for each in (call.before, call):
            if each and not call.is_refused:
                earlier.append(sent[id(each)])
        out.append(replace(own, before=first))
    return out


def _are_extended(calls: Calls, sent: Mapping[int, Prompt]) -> bool:
    """Whether any prompt extends an earlier one of its run: of the others nobody knows before that none will."""
    ends: dict[str, set[int]] = {}
    for call in billed(calls):
        keys = sent[id(call)].keys
        if ends.setdefault(call.run, set()) & set(keys[:-1]):
            return True
        ends[call.run].add(keys[-1])
    return False


def _best(
    call: Call, sent: Prompt, earlier: list[Prompt], used: bool, how: Callable[[Call, bool], Json]
) -> Call:
    keys, places = sent.keys, [piece.place for piece in sent.pieces]
    fixed = [n for n, place in enumerate(places) if place[0] in {"tools", "system"}]
    lengths = [len(old.keys) for old in earlier if len(old.keys) < len(keys)]
    known = {old.keys[-1] for old in earlier}
    extends = max((n for n in lengths if keys[n - 1] in known), default=0)
    marked = {places[extends - 1]: how(call, False)} if extends else {}
    # The API goes on from its own summary: of that nothing can be marked before it is there.
    if places[-1][0] != "assistant" and (used):
        marked[places[-1]] = how(call, False)
    if fixed:
        marked[places[fixed[-1]]] = how(call, True)
    return call.sending(lambda request: mark(request, marked))


def as_marked(calls: Calls) -> Callable[[Call, bool], Json]:
    """The lifetimes that a client gives: of what is shared, and of the rest; five minutes where it marks nothing."""
    seen: dict[tuple[str, bool], bool] = {}
    for call in billed(calls):
        for piece in prompt(call.request).pieces:
            if piece.ttl_us is not None:
                key = (call.run, piece.place[0] in {"tools", "system"})
                seen[key] = seen.get(key, False) or piece.ttl_us == HOUR_US
    of_run = {run: seen[run, shared] for run, shared in seen}

    def how(call: Call, shared: bool) -> Json:
        return HOUR if seen.get((call.run, shared), of_run.get(call.run, False)) else FIVE

    return how
