"""Tokens of pictures, from headers written here as the formats define them."""

import json
from base64 import b64encode
from collections.abc import Callable
from struct import pack
from typing import TypeAlias

import msgspec
import pytest

from costscan.reading.content.block import Block
from costscan.reading.content.measure import measure

Size: TypeAlias = tuple[int, int]


def png(size: Size) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + pack(">II", *size) + bytes(40)


def gif(size: Size) -> bytes:
    return b"GIF89a" + pack("<HH", *size) + bytes(40)


def jpeg(size: Size) -> bytes:
    """With 30,000 bytes of a camera, a table and a comment before its size."""
    camera = b"\xff\xe1" + pack(">H", 30_002) + bytes(30_000)
    table = b"\xff\xc4" + pack(">H", 4) + b"\x00\x11"
    frame = b"\xff\xff\xc2" + pack(">HBHH", 17, 8, size[1], size[0])
    return b"\xff\xd8" + camera + table + frame + bytes(40)


def webp(size: Size) -> bytes:
    return b"RIFF" + bytes(4) + b"WEBPVP8 " + bytes(10) + pack("<HH", *size) + bytes(40)


def webp_lossless(size: Size) -> bytes:
    bits = (size[0] - 1) | (size[1] - 1) << 14
    return b"RIFF" + bytes(4) + b"WEBPVP8L" + bytes(4) + b"\x2f" + pack("<I", bits) + bytes(40)


def webp_extended(size: Size) -> bytes:
    sides = b"".join((n - 1).to_bytes(3, "little") for n in size)
    return b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + sides + bytes(40)


def tokens(raw: bytes) -> tuple[tuple[int, int], bool]:
    source = {"type": "base64", "media_type": "image/png", "data": b64encode(raw).decode()}
    block = msgspec.json.decode(json.dumps({"type": "image", "source": source}), type=Block)
    found = measure(block)
    assert found is not None
    return found.weights, found.is_sized is True


FORMATS = (png, gif, jpeg, webp, webp_lossless, webp_extended)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("size", "first", "second"),
    [
        ((28, 28), 1, 1),
        ((29, 28), 2, 2),
        ((1092, 1092), 39 * 39, 39 * 39),
        # 69 x 39 patches; before, 1,568 x 882 pixels are 56 x 32, more than it takes.
        ((1920, 1080), 1568, 2691),
        # Shrunk to 1,568 x 105 pixels and to 2,576 x 172.
        ((3000, 200), 56 * 4, 92 * 7),
        ((10_000, 10_000), 1568, 4784),
        # 56 x 28 patches are the most that the older models take, 92 x 52 the most of the newer; a row more is cut.
        ((1568, 784), 1568, 1568),
        ((1568, 812), 1568, 56 * 29),
        ((2576, 1456), 1568, 4784),
        ((2576, 1484), 1568, 4784),
        ((2576, 1428), 1568, 92 * 51),
        # The longest sides are 1,568 and 2,576 pixels; a pixel more is shrunk.
        ((1569, 28), 56, 57),
        ((2577, 28), 56, 92),
    ],
)
def test_by_size(kind: Callable[[Size], bytes], size: Size, first: int, second: int) -> None:
    assert tokens(kind(size)) == ((first, second), True)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_header_cut_anywhere(kind: Callable[[Size], bytes]) -> None:
    whole = kind((300, 200))
    told = [tokens(whole[:n])[1] for n in range(60)] + [tokens(whole)[1]]
    assert told == sorted(told)
    assert tokens(b"")[0] == tokens(b"no picture")[0] == (1500, 1500)
