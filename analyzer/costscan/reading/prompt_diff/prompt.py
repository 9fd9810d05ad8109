"""What the settings of a request add to the keys of its prefix."""

from typing import NamedTuple, TypeAlias

from costscan.reading.content.measure import Measured

Key: TypeAlias = tuple[str, str, str, int | None, str | None]


class Sent(NamedTuple):
    """One block of a prompt; `message` is the index of its message, -1 before the messages.

    `nth` is its place among the tools, the system blocks or the content of its message, -1 where that is
    a plain string; `raw` is a tool definition as it was sent. A `deferred` one is in no prompt until a search
    has found it: it then stands in the messages, before what brought it there. Of one that `cites`, citations
    are asked for; a tool `of_web` is one to search or fetch with. What stands
    `inside` a tool result, the block before it, is no content block of the message.
    """

    layer: str
    role: str
    measured: Measured
    breakpoint: str | None
    message: int
    nth: int = 0
    raw: bytes | None = None
    deferred: bool = False
    cites: bool = False
    of_web: bool = False
    inside: bool = False

    @property
    def key(self) -> Key:
        """What makes it the same block in another request: a moved cache breakpoint does not change it."""
        m = self.measured
        return self.layer, self.role, m.kind, m.content_hash, m.call_id

    @property
    def path(self) -> str:
        """Where its text stands in the request."""
        if self.layer == "tools":
            return f"tools[{self.nth}]"
        if self.layer == "system":
            return f"system[{max(self.nth, 0)}].text"
        content = f"messages[{self.message}].content"
        return content if self.nth < 0 else f"{content}[{self.nth}]"
