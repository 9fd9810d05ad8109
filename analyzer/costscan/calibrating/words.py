"""What `costscan calibrate` says: before anything is sent, and of what was found."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from costscan.calibrating.counting import Ask
from costscan.calibrating.fitting import MIN_SAMPLES, Fit, Off
from costscan.calibration import Interval
from costscan.reports.text.table import Column, table
from costscan.tokenizers import FAMILIES


def about_to_send(asks: Sequence[Ask], address: str) -> str:
    """Return what is about to leave this machine, where to, and what it costs."""
    texts = {ask.sample for ask in asks if ask.sample is not None}
    kinds = Counter(sample.kind for sample in texts)
    chars = sum(ask.sample.chars for ask in asks if ask.sample is not None)
    listed = ", ".join(f"{kind} {n:,}" for kind, n in kinds.items())
    models = Counter(ask.model for ask in asks)
    return "\n".join(
        [
            f"calibrate: {len(asks):,} requests to count tokens, to {address}",
            "  cost      nothing: counting tokens is free of charge (your rate limits hold)",
            f"  models    {', '.join(f'{model} ({n:,})' for model, n in models.items())}",
            f"  leaves    {chars:,} characters: {len(texts):,} texts of these logs, or pieces of long ones,",
            f"            as they are ({listed})",
            "  and       your key, in a header, as the SDK sends it; nothing else",
        ]
    )


def found(fit: Fit, width: int) -> list[Text]:
    """Return the tables of how far estimates were off, what of that is left, and of the two families."""
    rows = [*fit.strata, *fit.overall]
    columns = [
        Column("family", [row.family for row in rows], left=True),
        Column("kind", [row.kind for row in rows], left=True),
        Column("texts", [f"{row.samples:,}" for row in rows]),
        Column("factor", [_interval(row.factor, 3) for row in rows], left=True),
        Column("before", [_off(row.before) for row in rows]),
        Column("after", [_off(row.after) for row in rows]),
    ]
    few = list(dict.fromkeys(row.kind for row in fit.strata if row.factor is None))
    head = "how far estimates are off (the median of texts, the sum of all), before and after"
    lines = [Text(head), *table(columns, width), Text(), *_ratios(fit, width)]
    if few:
        why = f"fewer than {MIN_SAMPLES} texts, or too unlike one another"
        lines.append(Text(f"left as they are ({why}): {', '.join(few)}"))
    return lines


def _ratios(fit: Fit, width: int) -> list[Text]:
    """Return the table of how long texts are in the newer family beside the older."""
    spreads = {kind: f"{spread:.0%}" for kind, spread in fit.spreads.items()}
    rows = [
        *((kind, f"{r.samples:,}", _interval(r, 2), spreads[kind], "", "") for kind, r in fit.ratios.items()),
        *((c.name, f"{c.samples:,}", _interval(c.ratio, 2), "", *map(_off, c.before)) for c in fit.contents),
    ]
    first, second = FAMILIES
    columns = [
        Column("text", [row[0] for row in rows], left=True),
        Column("texts", [row[1] for row in rows]),
        Column(f"{second} / {first}", [row[2] for row in rows], left=True),
        Column("within", [row[3] for row in rows]),
        Column(f"{first} before", [row[4] for row in rows]),
        Column(f"{second} before", [row[5] for row in rows]),
    ]
    head = Text("the two families of tokenizers, and within what nine of ten texts are")
    return [head, *table(columns, width)] if rows else []


def _interval(measured: Interval | None, places: int) -> str:
    if measured is None:
        return ""
    half = (measured.high - measured.low) / 2
    return f"{measured.value:.{places}f} ± {half:.{places}f}"


def _off(off: Off) -> str:
    return f"{off.median:.1%}, {off.total:+.1%}"


__all__ = ["about_to_send", "found"]
