"""The one error the program shows: what is wrong, where, and what to do about it."""


class CostscanError(Exception):
    """An expected failure, shown as `error: WHAT` and `hint: HINT`, exit code 2.

    `what` begins with the place (`FILE:LINE: ...`) where there is one; `hint` is the next step.
    """

    exit_code = 2

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"error: {self.what}" + (f"\nhint: {self.hint}" if self.hint else "")
