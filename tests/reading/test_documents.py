"""Tokens of documents: by their text, their pages or their parts; never by the length of their base64."""

import json
import zlib
from base64 import b64encode
from pathlib import Path

import msgspec
import pytest

from costscan.reading.content.block import Block
from costscan.reading.content.measure import Measured, measure
from logs import Json, message, pair, text, tool_result, usage, write
from seen import see_blocks


def pdf(pages: int, *, font: bool = False, packed: bool = False, ballast: int = 0) -> str:
    """A PDF of so many pages, with so many bytes that are no page, as base64."""
    objects = b"<< /Type /Pages /Count 1 >>"
    for _ in range(pages):
        more = b" /Resources << /Font << >> >>" if font else b""
        objects += b"<< /Type /Page /Parent 1 0 R" + more + b" >>\n"
    if packed:
        objects = (
            b"<< /Type /ObjStm /N 9 /Length 100 >>\nstream\r\n" + zlib.compress(objects) + b"\nendstream"
        )
    return b64encode(b"%PDF-1.7\n" + objects + bytes(ballast) + b"\n%%EOF").decode()


def of_source(**source: object) -> Measured:
    block = msgspec.json.decode(json.dumps({"type": "document", "source": source}), type=Block)
    found = measure(block)
    assert found is not None
    return found


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("pages", "font", "want"),
    # Of scans 1,592 and 1,600 tokens a page were measured, of pages full of text 2,100 and 2,326.
    [(1, False, (1592, 1600)), (10, False, (15_920, 16_000)), (3, True, (6300, 6978))],
)
def test_pages(pages: int, font: bool, want: tuple[int, int], packed: bool) -> None:
    for ballast in (0, 100_000):
        found = of_source(type="base64", data=pdf(pages, font=font, packed=packed, ballast=ballast))
        assert (found.weights, found.is_sized, found.chars) == (want, False, 0)


def test_text_and_parts() -> None:
    said = "The invoice was paid in May. " * 50
    plain = msgspec.json.decode(json.dumps(text(said)), type=Block)
    want = measure(plain)
    assert want is not None
    for source in (
        {"type": "text", "media_type": "text/plain", "data": said},
        {"type": "content", "content": said},
        {"type": "content", "content": [text(said)]},
    ):
        found = of_source(**source)
        assert (found.weights, found.chars, found.is_sized) == (want.weights, want.chars, False)
    halves = of_source(type="content", content=[text(said[:700]), 5, text(said[700:])])
    assert halves.weights == pytest.approx(want.weights, rel=0.03)


@pytest.mark.parametrize(
    "source",
    [
        {"type": "file", "file_id": "file_1"},
        {"type": "url", "url": "https://example.com/a.pdf"},
        {"type": "base64", "data": "no base64 §"},
        {"type": "base64", "data": b64encode(b"no pages").decode()},
    ],
)
def test_what_is_not_in_the_log_is_unknown(source: Json) -> None:
    assert of_source(**source).is_sized is None


def asked(tmp_path: Path, content: list[Json], prompt: int) -> dict[str, int]:
    """The tokens of the blocks of a request by their kind."""
    line = pair(message(used=usage(prompt, out=5)), [{"role": "user", "content": content}])
    seen = see_blocks(write(tmp_path / "c.jsonl", line))
    return dict(seen.blocks.filter(role="user").select("kind", "tokens").iter_rows())


QUESTION = text("What does the third page say of the prices of next year, and who signed it? " * 10)


def test_a_scan_leaves_a_question_its_tokens(tmp_path: Path) -> None:
    """The scan is 400 KB long; the question, without one, takes all of its prompt."""
    source = {"type": "base64", "media_type": "application/pdf", "data": pdf(5, ballast=300_000)}
    told = asked(tmp_path, [{"type": "document", "source": source}, QUESTION], 8000 + 180)
    assert told["document"] == pytest.approx(8000, rel=0.01)
    assert told["text"] == pytest.approx(180, rel=0.25)


def test_a_file_takes_what_the_rest_leaves(tmp_path: Path) -> None:
    small = asked(
        tmp_path, [{"type": "document", "source": {"type": "file", "file_id": "f"}}, QUESTION], 5000
    )
    large = asked(
        tmp_path, [{"type": "document", "source": {"type": "file", "file_id": "f"}}, QUESTION], 90_000
    )
    assert small["text"] == large["text"] == pytest.approx(180, rel=0.25)
    assert large["document"] == 90_000 - large["text"]


def test_a_document_in_a_result_is_a_block_of_its_own(tmp_path: Path) -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": pdf(2)}
    told = asked(tmp_path, [tool_result("t1", [text("read"), {"type": "document", "source": source}])], 3220)
    assert told["document"] == pytest.approx(3200, abs=25)
