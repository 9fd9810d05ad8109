"""What looks like a secret or personal in a text: keys, passwords, addresses, card and phone numbers, names.

It is a net with holes: a key is known by how keys begin or by the word before it, a name only where somebody
says that it is one.
"""

import re
from collections.abc import Callable
from typing import Final

import xxhash

_KEY: Final = r"""
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
  | (?<!\S)(?=\S*[a-z])(?=\S*[A-Z])(?=\S*\d)[A-Za-z0-9+/]{60,80}={0,2}(?!\S)
  | \b(?:(?:sk|pk|rk)[-_]|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|AKIA|ASIA|AIza|eyJ
      |hf_|npm_|pypi-|whsec_|dop_v1_|shpat_|ya29\.|SG\.)[-_A-Za-z0-9.]{8,}
  | (?<=://)[^\s/@]+:[^\s/@]+(?=@)
  | [\w.+-]+@[\w-]+\.[\w.]+
  | (?i:(?<=password)|(?<=passwd)|(?<=secret)|(?<=token)|(?<=api_key)|(?<=apikey)|(?<=api-key)|(?<=bearer)
      |(?<=access_key)|(?<=secret_key))\W{1,8}(?:(?i:is)\W{1,3})?[^\s"']{6,}
"""
"""The second is a line of what stands between BEGIN and END, which may be far."""
_NAME: Final = r"""
    (?i:(?<=\bmy\ name\ is)|(?<=\bmy\ name['\u2019]s)|(?<=\bmein\ name\ ist)|(?<=\bje\ m['\u2019]appelle)
      |(?<=\bme\ llamo)|(?<=\bmi\ chiamo))
    :?\s+[^\s,.;:!?]+(?:[ \t]+[^\s,.;:!?]+)?
    (?:[ \t]+(?:(?:von|van|der|den|de|del|da|di|du|la|le|bin|al|dos)\b|[A-Z][^\s,.;:!?]*))*
"""
_PHONE: Final = r"""
    (?<![\w+])\+[1-9]\d{0,2}(?:[ .()/-]{0,2}\d){6,12}(?!\w)
  | (?<![\w.-])(?:\d{3}-\d{3}-\d{4}|\d{3}\.\d{3}\.\d{4}|\(\d{3}\)\ ?\d{3}[- ]\d{4})(?![\w-])
  | (?i:(?<=\bphone)|(?<=\btel)|(?<=\bmobile)|(?<=\bfax))[\s:.#=-]{1,4}[+(\d][\d ().\/-]{5,}\d
"""
_TEXT: Final = re.compile(f"{_KEY}|{_NAME}", re.DOTALL | re.VERBOSE)
_NUMBER: Final = re.compile(_PHONE, re.VERBOSE)
_CARD: Final = re.compile(
    r"(?<![\w.-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5})(?!\w)"
)
_ISSUERS: Final = {
    "4": (19, 16, 13),
    **dict.fromkeys(("34", "37"), (15,)),
    **dict.fromkeys(("30", "36", "38"), (14,)),
    **dict.fromkeys(("35", *map(str, range(51, 56)), *map(str, range(22, 28)), "60", "64", "65"), (16,)),
}
"""How cards of the large issuers begin, and how many digits they have (ISO/IEC 7812)."""
_MOST_DIGIT: Final = 9
_MOST_LABEL_CHARS: Final = 200


def without(text: str, mark: Callable[[str], str], *, numbers: bool = True) -> str:
    """Return a text with marks in place of what looks like a secret or personal.

    Args:
        text: the text.
        mark: gives what stands in place of a part.
        numbers: whether card and phone numbers are looked for, too.
    """
    shown = _TEXT.sub(lambda part: mark(part.group()), text)
    if not numbers:
        return shown
    return _NUMBER.sub(lambda part: mark(part.group()), _without_cards(shown, mark))


def label(text: str) -> str:
    """Return a name of somebody or something, at most so many characters, with what is personal as a hash.

    So two that were only an address stay two.
    """
    return without(text[:_MOST_LABEL_CHARS], _hashed)


def _hashed(part: str) -> str:
    return f"…{xxhash.xxh3_64_hexdigest(part.encode('utf-8', 'replace'))[:6]}"


def _without_cards(text: str, mark: Callable[[str], str]) -> str:
    shown, at = "", 0
    while match := _CARD.search(text, at):
        number = match.group()
        end = match.end() if _is_card([int(c) for c in number if c.isdigit()]) else match.start() + 1
        shown += text[at : match.start()] + (mark(number) if end == match.end() else number[0])
        at = end
    return shown + text[at:]


def _is_card(digits: list[int]) -> bool:
    begins = "".join(map(str, digits[:2]))
    return len(digits) in (_ISSUERS.get(begins[0]) or _ISSUERS.get(begins) or ()) and _checks(digits)


def _checks(digits: list[int]) -> bool:
    """Whether the last digit is the check of the others that card numbers have (Luhn)."""
    doubled = [digit * 2 if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(d - _MOST_DIGIT if d > _MOST_DIGIT else d for d in doubled) % 10 == 0
