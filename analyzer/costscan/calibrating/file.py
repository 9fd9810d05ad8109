"""`calibration.toml`, as it is written: for people to read, and for `costscan.settings` to read back."""

from collections.abc import Mapping
from datetime import date

from costscan.calibrating.fitting import Fit, Fitted, Off
from costscan.calibration import VERSION, Interval

_HEAD = """\
# How far costscan's offline estimates of tokens are off, counted by the API: made by costscan calibrate.
# It is taken where it stands in the folder of an analysis, above it, or beside costscan.toml;
# --set calibration=off takes none. `factor`: how many times its estimate a text is, with a 95 % interval;
# `before` and `after`: by what share estimates are off, the median of texts and the sum of them all, after on
# texts that were not fitted on. `ratio`: how many times as long a text is in the second family of tokenizers;
# `spread`: by what share nine of ten texts are off at most, worked out in one family from the other.
# `contents` are told, and not used.
"""


def text_of(fit: Fit, models: Mapping[str, str], day: date, samples: int) -> str:
    """Return the text of the file.

    Args:
        fit: what was found.
        models: the model that counted, by family.
        day: when.
        samples: how many blocks were counted.
    """
    head = [
        f"{_HEAD}version = {VERSION}",
        f"date = {day.isoformat()}",
        f"samples = {samples}",
        "",
        "[models]",
    ]
    lines = [*head, *(f'"{family}" = "{model}"' for family, model in models.items())]
    for one in fit.strata:
        if one.factor is not None:
            lines += [
                "",
                f'[families."{one.family}".{one.kind}]',
                *_measured("factor", one.factor),
                *_errors(one),
            ]
    for kind, ratio in fit.ratios.items():
        lines += ["", f"[ratios.{kind}]", *_measured("ratio", ratio)]
        lines.append(f"spread = {fit.spreads[kind]:.4f}")
    for content in fit.contents:
        if content.ratio is not None:
            lines += ["", f'[contents."{content.name}"]', *_measured("ratio", content.ratio)]
    return "\n".join(lines) + "\n"


def _measured(name: str, interval: Interval) -> list[str]:
    figures = {name: interval.value, "low": interval.low, "high": interval.high}
    return [*(f"{key} = {value:.4f}" for key, value in figures.items()), f"samples = {interval.samples}"]


def _errors(one: Fitted) -> list[str]:
    return [_off("before", one.before), _off("after", one.after)]


def _off(name: str, off: Off) -> str:
    return f"{name} = {{ median = {off.median:.4f}, total = {off.total:+.4f} }}"


__all__ = ["text_of"]
