"""Clients of other platforms: the model is in the address, streams may be in frames, keys are others."""

from pathlib import Path

import anthropic

import costscan
from captured import ASKED, lines
from costscan.capturing.stream_frames import events_text
from costscan.formats.api.sse import events_of
from model_server import MODEL, Server, events, frame


def test_vertex_ai(server: Server, log: Path) -> None:
    key = "ya29.token-of-vertex"
    own = anthropic.AnthropicVertex(
        region="global",
        project_id="p",
        access_token=key,
        base_url=server.url,
        middleware=[costscan.capture(log)],
    )
    own.messages.create(**ASKED, system=f"Say {key}.")
    assert "model" not in server.seen[0][1]
    with own.messages.stream(**ASKED) as stream:
        assert stream.get_final_text() == "Yes."
    plain, streamed = lines(log)
    assert plain["request"]["model"] == streamed["request"]["model"] == MODEL
    assert events_of(streamed["response_sse"]) == events("msg_000002")
    assert plain["request"]["system"] == "Say [key]."


def test_amazon_bedrock(server: Server, log: Path) -> None:
    own = anthropic.AnthropicBedrock(
        aws_region="us-east-1",
        api_key="bedrock-key-0123",
        base_url=server.url,
        middleware=[costscan.capture(log)],
    )
    model = "us.anthropic.claude-sonnet-5-5-v1:0"
    own.messages.create(**{**ASKED, "model": model})
    with own.messages.with_streaming_response.create(**{**ASKED, "model": model}, stream=True) as response:
        raw = b"".join(response.iter_bytes())
    assert raw.startswith(b"\0\0")
    assert server.seen[1][0].startswith("/model/us.anthropic.claude-sonnet-5-5-v1:0/invoke-with")
    plain, streamed = lines(log)
    assert plain["request"]["model"] == streamed["request"]["model"] == model
    assert events_of(streamed["response_sse"]) == events("msg_000002")
    assert "bedrock-key-0123" not in log.read_text()


def test_frames_that_are_cut_or_no_frames() -> None:
    kind = "application/vnd.amazon.eventstream"
    whole = frame(b'{"type":"ping"}')
    for n in range(len(whole)):
        assert events_of(events_text(whole + whole[:n], kind)) == [{"type": "ping"}]
        events_text(whole[n:], kind)
    assert not events_text(b"\0" * 64, kind)
    assert not events_text(b"\xff" * 64, kind)
