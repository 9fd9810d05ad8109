"""Deferred tools: definitions that are in no prompt until a search has found them.

A definition with `defer_loading` is not sent to the model. What a search found stands where it found it, as
references in its result; there the API shows the model the whole definitions, from then on.
Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool
"""

from collections.abc import Iterable
from typing import Final

from costscan.reading.content.block import Block

REFERENCE: Final = "tool_reference"
TOOLSET: Final = "mcp_toolset"
ADDITION: Final = "tool_addition"
SEARCH_TOOLS: Final = r"^(?:tool_search|ToolSearch$)"
"""The names of tools that search for others, as a regular expression."""


def is_deferred(definition: object) -> bool:
    """Whether a tool definition is one that the model has to search for, or a set of such tools."""
    if not isinstance(definition, dict):
        return False
    of_set = definition.get("default_config") if definition.get("type") == TOOLSET else None
    config = of_set if isinstance(of_set, dict) else definition
    return config.get("defer_loading") is True


def found_by(block: Block) -> Iterable[str]:
    """Return the names of the tools whose definitions a block of a message brings into the prompt.

    The result of a search, by the API or by a tool of the client, refers to them; so does a message of the
    client that adds a tool in the middle of a conversation.
    """
    if isinstance(block.content, list):
        names = [part.tool_name for part in block.content if part.type == REFERENCE]
    elif block.type == ADDITION and isinstance(block.tool, dict):
        names = [block.tool.get("name")]
    else:
        return ()
    return [name for name in names if isinstance(name, str)]
