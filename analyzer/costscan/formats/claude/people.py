"""Which user lines a person wrote: the client writes many of them itself.

A person is who asks the model for something: in words, or with a slash command that the model gets. What is
for the client alone (`/clear`, `!ls`, `# a note`, Esc) asks for nothing, so that nobody waits for an answer.

Sources: the lines of transcripts of Claude Code 1.0.17 to 2.1.220, and for `origin`
https://code.claude.com/docs/en/agent-sdk/typescript#sdkmessageorigin
"""

import re
from typing import Final

from costscan.formats.claude.lines import Line
from costscan.reading.content.block import Block

_HOUSEKEEPING: Final = """
add-dir agents bashes bug chrome clear color compact config context copy cost desktop diff doctor effort exit
export extra-usage fast feedback fork help hooks ide install-github-app install-slack-app keybindings login
logout mcp memory mobile model output-style passes permissions plugin privacy-settings quit
rate-limit-options release-notes reload-plugins remote-control remote-env rename resume rewind sandbox skills
stats status statusline stickers tasks terminal-setup theme todos upgrade usage vim
"""
HOUSEKEEPING: Final = frozenset(_HOUSEKEEPING.split())
"""Commands of the client itself, which ask the model for nothing."""
COMMAND: Final = re.compile(r"<command-name>\s*(/?[\w:.-]{1,60})")
_AROUND: Final = re.compile(
    r"\s*<(system-reminder|ide_\w+|ide-\w+|[\w-]+-hook|new-diagnostics|environment_details)(?=[\s>])"
)
"""What the client adds to the text of a person, in front of it."""
_MADE: Final = re.compile(
    r"""\s*(?:
      <(?:task-notification | local-command-\w+ | bash-(?:input|stdout|stderr) | user-memory-input
        | teammate-message | cross-session-message | agent-message | channel\s+source | tick
        | mcp-(?:resource|polling)-update | github-webhook-activity | scheduled-task | fork-boilerplate
        )(?=[\s>=/])
    | \[Request\ interrupted\ by\ user
    | \[SYSTEM\ NOTIFICATION
    | Caveat:\ The\ messages\ below\ were\ generated\ by\ the\ user\ while\ running\ local\ commands
    | This\ session\ is\ being\ continued\ from\ a\ previous\ conversation
    | Your\ task\ is\ to\ create\ a\ detailed\ summary\ of\ the\ conversation
    | Another\ Claude\ session\ sent\ a\ message
    | Unknown\ (?:slash\ )?(?:command|skill):
    | [A-Z]\w+(?::[\w*|.-]+)?\ hook\ (?:feedback|additional\ context|blocking\ error|success|error|warning)\b
    )""",
    re.VERBOSE,
)
"""How a text begins that the client wrote, or that somebody else's session sent."""
_PRINTED: Final = re.compile(r"\s*<local-command-(?:stdout|stderr)[\s>]")


def asked(text: str) -> str:
    """Return what a person asks for in the text of a user; "" where the client made all of it."""
    while around := _AROUND.match(text):
        _, closed, text = text[around.end() :].partition(f"</{around[1]}>")
        if not closed:
            return ""
    text = text.partition("<system-reminder>")[0].strip()
    if _MADE.match(text):
        return ""
    command = COMMAND.search(text) if text.startswith("<command-") else None
    return "" if command is not None and command[1].lstrip("/") in HOUSEKEEPING else text


def written(line: Line) -> str:
    """Return what a person asks for in a user line; "" where it is none, or asks for nothing."""
    if line.message is None or made_by_client(line):
        return ""
    content = line.message.content
    if isinstance(content, str):
        return asked(content)
    if any(block.type == "tool_result" for block in content or ()):
        return ""
    return next(filter(None, map(_of_block, content or ())), "")


def printed(line: Line) -> bool:
    """Whether a user line is what a command of the client printed: the line before asked for nothing."""
    content = line.message.content if line.message is not None else None
    return isinstance(content, str) and _PRINTED.match(content) is not None


def made_by_client(line: Line) -> bool:
    """Whether a user line says of itself that no person wrote it."""
    flags = (line.isMeta, line.isCompactSummary, line.isVisibleInTranscriptOnly, line.isSynthetic)
    return any(flag is True for flag in flags) or line.promptSource == "system" or not by_person(line.origin)


def by_person(origin: object) -> bool:
    """Whether an `origin` leaves it open that a person wrote: it names nobody, or a human."""
    kind = origin.get("kind") if isinstance(origin, dict) else None
    return kind is None or kind == "human"


def _of_block(block: Block) -> str:
    return asked(block.text) if block.type == "text" and block.text else ""
