"""Which requests are still to be asked, and asking them: each answer is kept as it comes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from costscan import asking
from costscan.calibrating.requests import Body, base, body, key_of
from costscan.calibrating.sample import Sample
from costscan.calibrating.sampling import Sampled
from costscan.calibrating.state import State
from costscan.tokenizers import FAMILIES

if TYPE_CHECKING:
    from anthropic import Anthropic

AT_ONCE: Final = 4
"""So many requests are on their way at most."""
_REFUSED: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
"""The API takes this block not at all; the next one it may."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to be counted by a model; `sample` is None where it holds no block."""

    model: str
    request: Body
    sample: Sample | None

    @property
    def key(self) -> str:
        """What its count is kept by."""
        return key_of(self.model, self.request)


@dataclass(frozen=True, slots=True)
class Counted:
    """A block with its tokens in both families: counted, and estimated."""

    sample: Sample
    tokens: tuple[int, int]


def open_requests(sampled: Sampled, state: State, most: int) -> list[Ask]:
    """Return what is to be asked, at most so many requests: those without a block before those with one.

    A block is asked for in both families or not at all.
    """
    todo: dict[str, Ask] = {}
    for sample in sampled.samples:
        more = {ask.key: ask for ask in _asks(sampled, sample) if ask.key not in state}
        if len(todo | more) > most:
            break
        todo |= more
    return list(todo.values())


def _asks(sampled: Sampled, sample: Sample) -> Iterator[Ask]:
    for family in FAMILIES:
        model = sampled.models[family]
        yield Ask(model, base(sample)[0], None)
        yield Ask(model, body(sample), sample)


def count(
    asks: Sequence[Ask], client: "Anthropic", state: State, on_count: Callable[[], None] = lambda: None
) -> None:
    """Ask, a few requests at once, and keep the answers.

    Raises:
        CostscanError: the API refuses the key or the model, cannot be reached, or stays busy.
    """
    with ThreadPoolExecutor(AT_ONCE) as threads:
        waiting: set[Future[None]] = set()
        for ask in asks:
            if len(waiting) == AT_ONCE:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                _end(done, on_count)
            waiting.add(threads.submit(_ask, ask, client, state))
        _end(waiting, on_count)


def _end(done: Iterable[Future[None]], on_count: Callable[[], None]) -> None:
    for future in done:
        future.result()
        on_count()


def _ask(ask: Ask, client: "Anthropic", state: State) -> None:
    from anthropic import AnthropicError, APIStatusError  # noqa: PLC0415 - slow, and seldom needed

    try:
        tokens = client.messages.count_tokens(model=ask.model, **ask.request).input_tokens
    except APIStatusError as error:
        if error.status_code not in _REFUSED or ask.sample is None:
            raise asking.failed("calibrate", error) from None
        tokens = None
    except AnthropicError as error:
        raise asking.failed("calibrate", error) from None
    state.add(ask.key, tokens)


def counted(sampled: Sampled, state: State) -> list[Counted]:
    """Return the blocks that were counted in both families."""
    pairs = ((sample, _tokens(sampled, sample, state)) for sample in sampled.samples)
    return [Counted(sample, tokens) for sample, tokens in pairs if tokens is not None]


def _tokens(sampled: Sampled, sample: Sample, state: State) -> tuple[int, int] | None:
    without, instead = base(sample)
    out = []
    for place, family in enumerate(FAMILIES):
        model = sampled.models[family]
        whole, rest = (state.tokens(key_of(model, request)) for request in (body(sample), without))
        if whole is None or rest is None or whole - rest + instead[place] <= 0:
            return None
        out.append(whole - rest + instead[place])
    return out[0], out[1]


__all__ = ["Ask", "Counted", "count", "counted", "open_requests"]
