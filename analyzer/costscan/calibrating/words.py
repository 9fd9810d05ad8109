"""What `costscan calibrate` says: before anything is sent, and of what was found."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from costscan.calibrating.counting import Ask
from costscan.calibrating.fitting import MIN_SAMPLES, Fit, Fitted, Off
from costscan.reports.text.table import Column, table


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
            f"  leaves    the texts of {len(texts):,} blocks of these logs, as they are: {chars:,} characters",
            f"            ({listed})",
            "  and       your key, in a header, as the SDK sends it; nothing else",
        ]
    )


def found(fit: Fit, width: int) -> list[Text]:
    """Return the table of how far estimates were off, and what of that is left."""
    rows = [*fit.strata, *fit.overall]
    columns = [
        Column("family", [row.family for row in rows], left=True),
        Column("kind", [row.kind for row in rows], left=True),
        Column("texts", [f"{row.samples:,}" for row in rows]),
        Column("factor", [_factor(row) for row in rows], left=True),
        Column("before: median, total", [_off(row.before) for row in rows]),
        Column("after: median, total", [_off(row.after) for row in rows]),
    ]
    few = sorted({row.kind for row in fit.strata if row.factor is None})
    ratios = [
        f"{kind} {ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
        for kind, ratio in fit.ratios.items()
    ]
    lines = [Text("counted, beside the estimates; after: of texts that the factor was not fitted on")]
    lines += table(columns, width)
    if ratios:
        lines.append(Text(f"a text in the newer family of tokenizers, times the older: {', '.join(ratios)}"))
    if few:
        lines.append(Text(f"left as they are, with fewer than {MIN_SAMPLES} texts: {', '.join(few)}"))
    return lines


def _factor(row: Fitted) -> str:
    factor = row.factor
    return "" if factor is None else f"{factor.value:.3f} ({factor.low:.3f} to {factor.high:.3f})"


def _off(off: Off) -> str:
    return f"{off.median:.1%}, {off.total:+.1%}"


__all__ = ["about_to_send", "found"]
