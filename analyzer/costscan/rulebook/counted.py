"""Words of a finding that stand with what they count: `{calls:call}` is "1 call" or "12 calls"."""


class Word(str):
    """A value in words; as a format of it, the name of one thing that it counts, or `one/many`."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        """Return the word, with what it counts where `spec` names it."""
        if not spec:
            return str(self)
        one, _, many = spec.partition("/")
        return f"{self!s} {one if self == '1' else many or one + 's'}"


__all__ = ["Word"]
