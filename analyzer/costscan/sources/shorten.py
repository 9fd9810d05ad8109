"""Leaving the second copy of tool results out of transcript lines before they are decoded.

A `user` line holds a tool result twice: in `message`, as it was sent, and in `toolUseResult`, as the client
shows it, often with whole files around it. The second copy is two fifths of the bytes of real transcripts.
Inside a JSON string every quote is escaped, so `,"toolUseResult":` can only be a key; where it is a key of
the line itself, the line may end before it. What stands after it (the session, the version) other lines say.
"""

from typing import Final

_KEY: Final = b',"toolUseResult":'
_AGENT: Final = b'{"status":'
_NESTED: Final = b'"type":"progress"'
_HEAD_BYTES: Final = 700


def without_tool_use_results(block: bytes) -> bytes:
    """Give a block of lines without their `toolUseResult`, or the block itself when nothing was left out.

    Kept are those of sub-agents (they name the agent) and those inside progress lines.
    """
    pieces: list[bytes] = []
    begin = 0
    at = block.find(_KEY)
    while at >= 0:
        line = block.rfind(b"\n", begin, at) + 1 or begin
        if (
            block.startswith(_AGENT, at + len(_KEY))
            or block.find(_NESTED, line, min(line + _HEAD_BYTES, at)) >= 0
        ):
            at = block.find(_KEY, at + 1)
            continue
        pieces.append(block[begin:at])
        begin = block.find(b"\n", at)
        if begin < 0:
            begin = len(block)
        at = block.find(_KEY, begin)
    if not pieces:
        return block
    pieces.append(block[begin:])
    return b"}".join(pieces)
