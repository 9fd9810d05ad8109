"""Numbers as people read them: dollars, tokens, shares, bars."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

UNKNOWN: Final = "-"
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_DIME, _CENT, _FINE = Decimal("0.1"), Decimal("0.01"), Decimal("0.0001")
BAR_CELLS: Final = 16


def usd(amount: Decimal | None, *, fine: bool | None = None) -> str:
    """Return dollars: cents from ten cents on, four decimals below; never a known amount as zero."""
    if amount is None:
        return UNKNOWN
    unit = _FINE if (abs(amount) < _DIME if fine is None else fine) else _CENT
    shown = amount.quantize(unit, rounding=ROUND_HALF_EVEN)
    if amount and not shown:
        return f"<${unit}" if amount > 0 else f">-${unit}"
    if not amount:
        shown = Decimal(0).quantize(_CENT)
    return f"-${-shown:,}" if shown < 0 else f"${shown:,}"


def is_fine(amounts: Iterable[Decimal | None]) -> bool:
    """Whether a column of dollars needs four decimals: where none reaches one dollar."""
    return all(abs(a) < 1 for a in amounts if a is not None)


def usd_column(amounts: Iterable[Decimal | None]) -> list[str]:
    """Return dollars with the same number of decimals in every row."""
    column = list(amounts)
    fine = is_fine(column)
    return [usd(a, fine=fine) for a in column]


def percent(share: float | None) -> str:
    """Return a share in whole percent; what is not quite none or all is said so."""
    if share is None:
        return UNKNOWN
    if 0 < share < 0.005:  # noqa: PLR2004 - would round to 0%
        return "<1%"
    if 0.995 <= share < 1:  # noqa: PLR2004 - would round to 100%
        return ">99%"
    return f"{share * 100:.0f}%"


def precise(share: float | None) -> str:
    """Return a share in percent with one decimal, and never all of something that is not quite all."""
    if share is None:
        return UNKNOWN
    return "all" if share == 1 else f"{min(share, 0.999):.1%}"


def count(number: int | None) -> str:
    """Return a whole number with thousands set apart."""
    return UNKNOWN if number is None else f"{number:,}"


def tokens(number: int | None) -> str:
    """Return a number of tokens in three digits: 812, 40.3k, 1.81M."""
    if number is None:
        return UNKNOWN
    size = float(number)
    for unit in ("", "k", "M", "G"):
        if size < 999.5 or unit == "G":  # noqa: PLR2004 - 999.5k is 1.00M
            return f"{number:,}" if not unit else f"{size:.3g}{unit}" if size < 100 else f"{size:.0f}{unit}"  # noqa: PLR2004
        size /= 1000
    return count(number)


def plural(number: int, word: str, many: str = "") -> str:
    """Return a number with its word: 1 run, 2 runs, 2 branches."""
    return f"{number:,} {word if number == 1 else many or word + ('es' if word.endswith('ch') else 's')}"


def bar(share: float | None, width: int = BAR_CELLS) -> str:
    """Return a bar of up to `width` columns in steps of an eighth."""
    if share is None:
        return ""
    eighths = min(max(round(share * width * 8), 1 if share > 0 else 0), width * 8)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")
