"""Logs read once more, for their texts: what is drawn of them, and which models were called."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from costscan import ingest
from costscan.calibrating.sample import Drawn, Sample, samples_of
from costscan.errors import CostscanError
from costscan.models import canonical_models, model_info, resolve
from costscan.reading.content.kept_texts import taking
from costscan.tokenizers import FAMILIES

if TYPE_CHECKING:
    from costscan.reading.conversation.call import Call
    from costscan.reading.conversation.placed_block import PlacedBlock

_COMMON: Final = ("haiku", "sonnet", "opus")
"""Of a family that no call in the log is of, models that every key may use."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What was drawn, in the order in which it is counted, and by family the model that counts."""

    samples: Sequence[Sample]
    models: dict[str, str]


def sampled(
    paths: Sequence[str],
    *,
    most: int,
    chosen: Sequence[str] = (),
    source: str | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Sampled:
    """Draw texts from logs: those of calls of Claude models, at most so many of a kind.

    Args:
        paths: the logs.
        most: how many of each kind of block.
        chosen: models that count for their families, instead of the one that was called most.
        source: the format of all files.
        on_bytes: is told how many bytes were read.

    Raises:
        CostscanError: nothing can be read, no call is of a Claude model, there is no text, or a model that is
            chosen is not known.
    """
    wanted = {_family_of(name): name for name in chosen}
    taken = _Texts(most)
    with (
        taking(taken.take),
        ingest.read(paths, source=source, workers=1, keep=False, on_bytes=on_bytes),
    ):
        pass
    if not taken.calls:
        raise CostscanError(
            "calibrate: no call in these logs is of a Claude model", "count_tokens counts for no other"
        )
    samples = taken.drawn.in_turn()
    if not samples:
        raise CostscanError(
            "calibrate: these logs hold no text that could be counted",
            "give logs with prompts and answers in them; usage exports and redacted logs have none",
        )
    return Sampled(
        samples, {family: wanted.get(family) or _model(family, taken.calls) for family in FAMILIES}
    )


class _Texts:
    """Takes what threads show."""

    def __init__(self, most: int) -> None:
        self.drawn = Drawn(most)
        self.calls: Counter[str] = Counter()

    def take(self, calls: "Sequence[Call]", blocks: "Sequence[PlacedBlock]") -> None:
        """Draw from the blocks that a Claude model was sent, or wrote."""
        models = [_claude(call.model_raw) for call in calls]
        self.calls.update(filter(None, models))
        for block in blocks:
            at = min(block.call_in, len(calls) - 1)
            if at >= 0 and models[at] is not None:
                for sample in samples_of(block.measured):
                    self.drawn.add(sample)


def _claude(spelling: str) -> str | None:
    """Return the model of a spelling where its tokenizer is of a family that is weighed."""
    ref = resolve(spelling)
    info = model_info(ref.model) if ref is not None else None
    return info.model if info is not None and info.tokenizer in FAMILIES else None


def _family_of(name: str) -> str:
    model = _claude(name)
    info = model_info(model) if model is not None else None
    if info is None:
        raise CostscanError(f"--model {name}: no Claude model of a known tokenizer", "like claude-haiku-4-5")
    return info.tokenizer


def _model(family: str, calls: Counter[str]) -> str:
    """Return the model that counts for a family: the one called most, else a common one, of those served."""
    today = datetime.now(UTC).date()
    infos = filter(None, map(model_info, canonical_models()))
    served = [i for i in infos if i.tokenizer == family and (i.retired is None or i.retired > today)]
    common = [i for i in served if any(word in i.model for word in _COMMON)]
    called = max(served, key=lambda info: calls[info.model])
    return called.model if calls[called.model] else max(common or served, key=lambda i: i.released).model


__all__ = ["Sampled", "sampled"]
