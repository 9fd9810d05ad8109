"""What a trial asks whom: the sample with its requests, and what that costs before anything is sent."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from costscan.errors import CostscanError
from costscan.models import model_info
from costscan.trial.adapting import Adapted, adapted
from costscan.trial.calls import Call
from costscan.trial.comparing import Kind, kind_of
from costscan.trial.judge import ANSWER_TOKENS, Judge
from costscan.trial.prices import Prices, expected_tokens, most_tokens
from costscan.trial.recorded import Recorded, recorded
from costscan.trial.sampling import Sampled, sampled
from costscan.trial.sending.interface import Ask

TARGET, ITSELF = "target", "itself"
MARKS: Final = {TARGET: "t", ITSELF: "s"}
"""What ends the name of a request."""
_LOOKED_AT: Final = 3
"""So many calls are looked at for one that is asked: some cannot be sent, or not be compared."""
_PART_ITSELF: Final = 3
"""One in so many calls is asked of the model that served it, unless another number is wanted."""
_JUDGED_TOKENS: Final = 300
"""What a verdict takes, at a guess."""


@dataclass(frozen=True, slots=True)
class Item:
    """A call of the sample.

    Attributes:
        position: its place in the order in which they are asked.
        call: the call.
        stratum_calls: for how many calls its task, agent type and evidence stand.
        recorded: its request and its answer.
        kind: how answers are compared with that.
        asked: the requests, by who is asked.
    """

    position: int
    call: Call
    stratum_calls: int
    recorded: Recorded
    kind: Kind
    asked: Mapping[str, Adapted]

    def model(self, role: str) -> str:
        """Return who is asked."""
        return self.call.moved.to_model if role == TARGET else self.call.model


@dataclass(frozen=True, slots=True)
class Sample:
    """The calls that are asked again, and why others are not, by how many."""

    items: Sequence[Item]
    left_out: Mapping[str, int]

    @property
    def changes(self) -> Mapping[str, int]:
        """What is not as it was logged, by how many requests to the other model."""
        return Counter(change for item in self.items for change in item.asked[TARGET].changes)

    def asks(self, trial: str, upto: int, prices: Prices) -> Iterator[Ask]:
        """Yield the requests for the first calls of the sample."""
        for item in self.items[:upto]:
            for role, one in item.asked.items():
                if one.params is not None:
                    yield Ask(name_of(trial, item, role), one.params, _most_usd(item, role, prices))


def name_of(trial: str, item: Item, role: str) -> str:
    """Return the name of a request."""
    return f"{trial}-{item.position}-{MARKS[role]}"


def sample_of(calls: Sequence[Call], n: int, itself: int | None, seed: int, *, has_judge: bool) -> Sample:
    """Return the sample of a trial.

    Args:
        calls: the calls that would move.
        n: how many of them are asked.
        itself: how many of these the model that served them is asked again, too; a third where that is None.
        seed: of the choice.
        has_judge: whether texts can be compared.

    Raises:
        CostscanError: none of those that were looked at can be asked and compared, or a log cannot be read.
    """
    return _sample(sampled(calls, min(n * _LOOKED_AT, len(calls)), seed), n, itself, has_judge=has_judge)


def same_sample(calls: Sequence[Call], keys: Sequence[str], itself: int | None, *, has_judge: bool) -> Sample:
    """Return the sample that a trial began with.

    Raises:
        CostscanError: a call of it is not in the log any more.
    """
    by_key = {call.key: call for call in calls}
    sizes = Counter(call.moved for call in calls)
    if missing := [key for key in keys if key not in by_key]:
        raise CostscanError(
            f"{len(missing):,} calls of the trial are not in these logs any more",
            "take those it was begun with",
        )
    chosen = [Sampled(by_key[key], sizes[by_key[key].moved]) for key in keys]
    return _sample(chosen, len(chosen), itself, has_judge=has_judge)


def _sample(chosen: Sequence[Sampled], n: int, itself: int | None, *, has_judge: bool) -> Sample:
    requests = recorded(one.call for one in chosen)
    left_out: Counter[str] = Counter()
    able: list[tuple[Sampled, Recorded, Kind, Adapted]] = []
    for one in chosen:
        if len(able) == n:
            break
        found = requests.get(one.call.key)
        kind = kind_of(found.answer) if found else None
        sent = adapted(found.request, one.call.moved.to_model) if found else None
        if (why := _why_not(found, kind, sent, has_judge=has_judge)) is not None:
            left_out[why] += 1
        elif found and kind and sent:
            able.append((one, found, kind, sent))
    if not able:
        why = f": {left_out.most_common(1)[0][0]}" if left_out else ""
        raise CostscanError(f"none of these calls can be asked again and compared{why}", _hint(left_out))
    size = len(able)
    own = -(-size // _PART_ITSELF) if itself is None else min(itself, size)
    items = [
        _item(position, *each, is_own=(position + 1) * own // size > position * own // size)
        for position, each in enumerate(able)
    ]
    return Sample(items, left_out)


def _item(position: int, one: Sampled, found: Recorded, kind: Kind, sent: Adapted, *, is_own: bool) -> Item:
    asked = {TARGET: sent}
    info = model_info(one.call.model)
    if is_own and info is not None and info.retired is None:
        asked[ITSELF] = adapted(found.request, one.call.model)
    return Item(position, one.call, one.stratum_calls, found, kind, asked)


NO_JUDGE: Final = "a text, which only a judge can compare"


def _why_not(
    found: Recorded | None, kind: Kind | None, sent: Adapted | None, *, has_judge: bool
) -> str | None:
    if found is None or sent is None:
        return "its request is not in the log any more, or not whole"
    if kind is None:
        return "its recorded answer is empty or cut off"
    if kind.compare is None and not has_judge:
        return NO_JUDGE
    return sent.why_not


def _hint(left_out: Mapping[str, int]) -> str:
    return "give --judge MODEL --rubric FILE" if left_out.get(NO_JUDGE) else "docs/trial.md says what can be"


def _most_usd(item: Item, role: str, prices: Prices) -> Decimal:
    params, model = item.asked[role].params or {}, item.model(role)
    prompt = most_tokens(item.call.prompt_tokens, item.call.model, model, item.call.size_ratio)
    return prices.most_usd(model, prompt, params["max_tokens"], params.get("inference_geo"))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a trial comes to before it is sent: requests and judgements, tokens, and dollars.

    `itself` counts the requests to the models that served the calls. `usd` is expected, `most_usd` what its
    requests cost at most, judgements left out.
    """

    requests: int
    itself: int
    judgements: int
    prompt_tokens: int
    output_tokens: int
    usd: Decimal
    most_usd: Decimal


def forecast(sample: Sample, prices: Prices, judge: Judge | None) -> Forecast:
    """Return what a whole sample comes to."""
    prompt = output = judgements = 0
    roles: Counter[str] = Counter()
    usd = most = Decimal(0)
    for item in sample.items:
        for role, one in item.asked.items():
            if one.params is None:
                continue
            tokens = expected_tokens(
                item.call.prompt_tokens, item.call.model, item.model(role), item.call.size_ratio
            )
            prompt, output = prompt + tokens, output + item.call.output_tokens
            roles[role] += 1
            usd += prices.most_usd(item.model(role), tokens, item.call.output_tokens)
            most += _most_usd(item, role, prices)
            if judge and item.kind.compare is None:
                shown, written = item.call.prompt_tokens + 2 * item.call.output_tokens, _JUDGED_TOKENS
                judgements, prompt, output = judgements + 2, prompt + 2 * shown, output + 2 * written
                usd += 2 * prices.most_usd(judge.model, shown, min(written, ANSWER_TOKENS))
    return Forecast(roles.total(), roles[ITSELF], judgements, prompt, output, usd, most)


__all__ = ["ITSELF", "MARKS", "NO_JUDGE", "TARGET", "Forecast", "Item", "Sample", "forecast", "name_of",
           "same_sample", "sample_of"]  # fmt: skip
