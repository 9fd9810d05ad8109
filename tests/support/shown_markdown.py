"""Markdown as a reader of GitHub Flavored Markdown sees it, by a parser that costscan does not use."""

import re
from collections.abc import Iterator
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

ALIVE: Final = {
    "html_inline",
    "html_block",
    "link_open",
    "image",
    "fence",
    "code_block",
    "hr",
    "blockquote_open",
}
LINKED: Final = re.compile(r"@|://|\bwww\.|(?<!\w)#\d|\bGH-\d|:[a-z0-9_+-]+:")
"""What hosts make links of after rendering, outside of code."""


def tokens(text: str) -> list[Token]:
    """Return the blocks of a text and, behind each, what stands in it."""
    return [one for block in MarkdownIt("gfm-like").parse(text) for one in (block, *(block.children or ()))]


def said(text: str) -> str:
    """Return the text of a text."""
    return "".join(
        token.content for token in tokens(text) if token.type in {"text", "code_inline", "text_special"}
    )


def headings(text: str) -> list[str]:
    found = tokens(text)
    return [found[n + 1].content for n, token in enumerate(found) if token.type == "heading_open"]


def tables(text: str) -> Iterator[list[list[str]]]:
    """Yield the tables, each with its rows of cells as they are written."""
    rows: list[list[str]] = []
    found = MarkdownIt("gfm-like").parse(text)
    for n, token in enumerate(found):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type in {"th_open", "td_open"}:
            rows[-1].append(found[n + 1].content)
        elif token.type == "table_close":
            yield rows


def hold_inert(text: str) -> None:
    """Check that nothing on a page is alive."""
    for token in tokens(text):
        assert token.type not in ALIVE, token
        if token.type == "text":
            assert not LINKED.search(token.content), token.content
    assert not any(c != "\n" and not c.isprintable() for c in text)
