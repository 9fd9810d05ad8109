"""Models as OpenRouter names them: a slug, which may end in the day of its listing and in a variant."""

import re
from typing import Final

from costscan.formats.agents import blocks

_LISTED: Final = re.compile(r"-20\d{6}$")
FREE: Final = "free"


def model_of(permanent: object, name: object, variant: object = None) -> str | None:
    """Return the model of a slug, without the day on which it was listed; a free one is another model.

    Args:
        permanent: the slug that stays, with the day in it.
        name: the slug as it is asked for.
        variant: the variant, where it is told apart.
    """
    slug = blocks.word(permanent) or blocks.word(name)
    if slug is None:
        return None
    base, _, own = slug.partition(":")
    asked = (blocks.word(name) or "").partition(":")[2]
    return _LISTED.sub("", base) + (f":{FREE}" if FREE in (own, asked, variant) else "")
