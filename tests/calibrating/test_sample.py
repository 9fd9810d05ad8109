"""Which texts may be counted, and how likely each is drawn."""

import json
import random
from statistics import fmean

from costscan.calibrating.requests import base, body, key_of
from costscan.calibrating.sample import MAX_JSON_CHARS, PIECE_CHARS, Drawn, Sample, samples_of
from costscan.reading.content.kept_texts import taking
from costscan.reading.content.measure import Measured, definition, text
from costscan.reading.content.token_estimate import weigh, weigh_raw

WORDS = "the quick brown fox jumps over the lazy dog and runs away again " * 10


def call(raw: bytes, name: str = "Bash") -> Measured:
    measured = text("", "tool_use")
    measured.tool, measured.text = name, raw
    return measured


def tool(**fields: object) -> Measured:
    with taking(lambda *_: None):
        return definition(fields)


def test_a_text_is_estimated_as_it_is_sent() -> None:
    (sample,) = samples_of(text(WORDS))
    assert (sample.kind, sample.text, sample.estimates) == ("text", WORDS, weigh(WORDS))


def test_a_long_text_is_cut_into_pieces_that_are_all_of_it() -> None:
    long = "".join(f"{n} and " for n in range(3000))
    pieces = list(samples_of(text(long, "system")))
    assert "".join(piece.text for piece in pieces) == long
    assert len(pieces) == -(-len(long) // PIECE_CHARS)
    assert max(len(piece.text) for piece in pieces) <= PIECE_CHARS


def test_what_cannot_be_counted_is_left_out() -> None:
    nothing = [
        text("short"),
        text(" \n" * 200),
        text(WORDS, "thinking"),
        call(b'{"command": "ls"}'),
        call(json.dumps({"command": WORDS}).encode(), "no name"),
        call(json.dumps({"command": "x" * MAX_JSON_CHARS}).encode()),
        call(b"[" + b"1," * 100 + b"1]"),
        tool(name="web_search", type="web_search_20250305", description=WORDS),
        tool(type="function", function={"name": "f", "description": WORDS}),
    ]
    assert [list(samples_of(measured)) for measured in nothing] == [[]] * len(nothing)


def test_lone_surrogates_are_no_reason_to_fail() -> None:
    (sample,) = samples_of(text("\ud800" + WORDS))
    assert sample.text == "?" + WORDS


def test_a_call_and_a_definition() -> None:
    (sample,) = samples_of(call(json.dumps({"command": WORDS}).encode()))
    raw = json.dumps({"command": WORDS}, separators=(",", ":")).encode()
    one, two = weigh_raw(raw), weigh("Bash")
    assert (sample.name, sample.text) == ("Bash", raw.decode())
    assert sample.estimates == (one[0] + two[0], one[1] + two[1])
    schema = {"type": "object", "properties": {}}
    (sample,) = samples_of(tool(name="Read", description=WORDS, input_schema=schema, defer_loading=True))
    assert json.loads(sample.text) == {"name": "Read", "description": WORDS, "input_schema": schema}


def test_no_text_is_kept_of_a_definition_where_nobody_takes_it() -> None:
    assert definition({"name": "f", "description": WORDS}).text is None


def test_longer_texts_are_drawn_in_proportion() -> None:
    """Of many texts, a twentieth is drawn: the mean length is that of a draw by length, 2/3 of 1,000."""
    chance = random.Random(3)
    lengths = [chance.randint(1, 1000) for _ in range(4000)]
    drawn = Drawn(200)
    for n, length in enumerate(lengths):
        drawn.add(Sample("text", f"text {n}", "", (length, length)))
    some = [sample.estimates[1] for sample in drawn.in_turn()]
    assert len(some) == 200
    assert abs(fmean(some) - sum(n * n for n in lengths) / sum(lengths)) < 3 * 236 / 200**0.5


def test_the_same_texts_give_the_same_draw_in_any_order_and_without_repeats() -> None:
    samples = [
        Sample(kind, f"{kind} {n}", "", (n + 20, n + 20)) for n in range(90) for kind in ("text", "system")
    ]
    one, two = Drawn(7), Drawn(7)
    for sample in samples:
        one.add(sample)
    for sample in [*samples[::-1], *samples]:
        two.add(sample)
    assert one.in_turn() == two.in_turn()
    assert [sample.kind for sample in one.in_turn()] == ["text", "system"] * 7


def test_a_request_differs_from_that_without_the_block_by_the_block_alone() -> None:
    samples = {
        "text": Sample("text", "TEXT", "", (1, 1)),
        "system": Sample("system", "TEXT", "", (1, 1)),
        "tool_result": Sample("tool_result", "TEXT", "", (1, 1)),
    }
    for kind, sample in samples.items():
        whole, rest = json.dumps(body(sample)), json.dumps(base(sample)[0])
        assert whole.count("TEXT") == 1, kind
        assert whole.replace("TEXT", "x") == rest, kind
    call = Sample("tool_use", '{"a": "TEXT"}', "Bash", (1, 1))
    whole = json.dumps(body(call)).replace(
        '"name": "Bash", "input": {"a": "TEXT"}', '"name": "f", "input": {}'
    )
    assert whole == json.dumps(base(call)[0])
    own = {"name": "Read", "input_schema": {}}
    with_tool, without = (
        body(Sample("tool_def", json.dumps(own), "", (1, 1))),
        base(Sample("tool_def", "", "", (1, 1))),
    )
    assert with_tool["tools"] == [*without[0]["tools"], own]


def test_a_key_tells_requests_and_models_apart_and_shows_no_text() -> None:
    one, two = ({"messages": [{"role": "user", "content": said}]} for said in ("secret", "other"))
    keys = {key_of(model, request) for model in ("a", "b") for request in (one, two)}
    assert len(keys) == 4
    assert not any("secret" in key for key in keys)
