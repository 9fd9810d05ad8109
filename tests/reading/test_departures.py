"""Where two texts differ, and what kind of value differs there."""

import random

import pytest

from costscan.reading.prompt_diff import text_diff as texts
from costscan.reading.prompt_diff.text_diff import departures

BEFORE, BEHIND = "You help. It is now ", " and so on, as before.\nThe second line says more.\n"
PAIRS = {
    "timestamp": [
        ("2026-11-18T09:01:22Z", "2026-11-18T09:02:10Z"),
        ("2026-11-18 09:01:22.113+01:00", "2026-11-18 09:01:23.001+01:00"),
        ("Wed, 18 Nov 2026 09:01:22 +0000", "Thu, 19 Nov 2026 09:01:22 +0000"),
        ("Nov 18, 2026 09:01", "Nov 18, 2026 09:02"),
        ("Wed Nov 18 09:01:22 UTC 2026", "Wed Nov 18 09:01:23 UTC 2026"),
        ("1763456482", "1763456499"),
        ("1763456482123", "1763456499001"),
        ("9:01 AM", "9:02 AM"),
        ("20261118T090122Z", "20261118T100122Z"),
    ],
    "date": [("2026-11-18", "2026-11-19"), ("November 18, 2026", "December 1, 2026"), ("Tuesday", "Friday")],
    "uuid": [("550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440001")],
    "hex-id": [("8f3a2c1", "8f3a2c2"), ("12345678", "1b345678"), ("0x7ffe12ab34", "0x7ffe12ab99")],
    "counter": [("17", "18"), ("9", "10"), ("0041", "0042")],
    "number": [("17", "940"), ("3.14", "3.41"), ("12,345", "12,801"), ("45%", "71%"), ("-3", "8")],
    "record-id": [
        ("INV-10234", "INV-10991"),
        ("usr_8f3k2", "usr_8f3zz"),
        ("cust:991", "cust:37"),
        ("ORD-2026-1", "ORD-2026-2"),
    ],
    "path": [
        ("/srv/run-8812/", "/srv/run-97/"),
        ("C:\\Temp\\run-1\\a.txt", "C:\\Temp\\run-2\\a.txt"),
        ("~/w/8f3a2c1/notes.md", "~/w/9f3a2c1/notes.md"),
    ],
    "random-order": [
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
        ("alpha, beta, gamma", "gamma, alpha, beta"),
    ],
    "serialization": [('{"a": 1, "b": "ü"}', '{"a":1,"b":"\\u00fc"}')],
    None: [("very brief", "rather long")],
}
SHAPES = [(kind, a, b) for kind, found in PAIRS.items() for a, b in found]


@pytest.mark.parametrize(("kind", "a", "b"), SHAPES)
def test_a_value_is_taken_whole(kind: str | None, a: str, b: str) -> None:
    (slot,) = departures(BEFORE + a + BEHIND, BEFORE + b + BEHIND)
    assert (slot.kind, slot.a.start, slot.b.start) == (kind, len(BEFORE), len(BEFORE))
    if kind is not None:
        assert (BEFORE + a)[slot.a.start : slot.a.end] == a
        assert (BEFORE + b)[slot.b.start : slot.b.end] == b


@pytest.mark.parametrize(
    ("label", "a", "b", "kind"),
    [
        ("id:", "INV-1", "INV-92", "record-id"),
        ("turn:", "3", "4", "counter"),
        ("sha256:", "8f3a2c1d", "9f3a2c1d", "hex-id"),
        ("id: ", "48213", "99120", "record-id"),
        ("https://h/o/", "INV-12", "INV-99", "record-id"),
    ],
)
def test_a_label_is_no_part_of_the_value(label: str, a: str, b: str, kind: str) -> None:
    (slot,) = departures(f"See {label}{a} now.", f"See {label}{b} now.")
    assert (slot.kind, slot.a.start) == (kind, 4 + len(label))


def test_every_value_of_a_status_line() -> None:
    x = "Now 2026-11-18T09:01:22Z, turn 3.\nBe kind to all.\nCase INV-22, by Ann Lee.\n"
    y = "Now 2026-11-18T09:03:22Z, turn 4.\nBe kind to all.\nCase INV-33, by Bob.\n"
    found = departures(x, y)
    assert [slot.kind for slot in found] == ["timestamp", "counter", "record-id", None]
    assert [x[slot.a.start] for slot in found] == ["2", "3", "I", "A"]


def test_lines_in_another_order() -> None:
    (slot,) = departures("one two\nb line\nc line\nd line\n", "one two\nd line\nb line\nc line\n")
    assert (slot.kind, slot.a.start) == ("random-order", 8)


@pytest.mark.parametrize("seed", range(60))
def test_departures_lead_from_one_text_to_the_other(seed: int) -> None:
    dice = random.Random(seed)
    a, b = ("".join(dice.choices('ab1 \n{},:-/"', k=dice.randrange(120))) for _ in range(2))
    b = a[: dice.randrange(60)] + b
    out, at = [], 0
    found = departures(a, b)
    for slot in found:
        assert slot.a.start - at >= 0
        out += [a[at : slot.a.start], b[slot.b.start : slot.b.end]]
        at = slot.a.end
    if len(found) < texts.MAX_SLOTS:
        assert "".join([*out, a[at:]]) == b
