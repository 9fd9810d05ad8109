"""No key gets into a log; texts stay out where that is wanted; what `redact` does is what is written."""

import logging
from pathlib import Path
from typing import Any

import anthropic
import pytest

import costscan
from captured import ASKED, client, lines
from model_server import KEY, Server

SECRET = "the launch is on Tuesday"  # noqa: S105
TALK: dict[str, Any] = {
    **ASKED,
    "system": [{"type": "text", "text": SECRET, "cache_control": {"type": "ephemeral"}}],
    "tools": [
        {
            "name": "lookup",
            "description": SECRET,
            "input_schema": {"type": "object", "properties": {SECRET: {}}},
        }
    ],
    "messages": [
        {"role": "user", "content": SECRET},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": SECRET},
                {"type": "tool_use", "id": "toolu_1", "name": "lookup", "input": {SECRET: SECRET}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": [{"type": "text", "text": SECRET}],
                }
            ],
        },
    ],
}


def test_no_key_is_in_the_log(server: Server, log: Path) -> None:
    other = "sk-ant-api03-AAAABBBBCCCCDDDDEEEE"
    servers = [
        {"type": "url", "url": "https://mcp.test", "name": "m", "authorization_token": 'tok"en-of-mcp'},
    ]
    system = f"Your key is {KEY}, not {other}; sk-ant is how keys begin."
    own = client(server, log)
    own.beta.messages.create(**ASKED, system=system, mcp_servers=servers)  # type: ignore[arg-type]
    server.failures.append(401)
    with pytest.raises(anthropic.AuthenticationError):
        own.messages.create(**ASKED, system=system, extra_headers={"Authorization": "Bearer opaque-key-1"})
    text = log.read_text()
    assert KEY not in text
    assert other not in text
    assert "tok" not in text.replace("_token", "").replace("max_tokens", "").replace("tokens", "")
    assert "opaque" not in text
    assert "api-key" not in text.lower()
    found = lines(log)
    assert found[0]["request"]["system"] == "Your key is [key], not [key]; sk-ant is how keys begin."
    assert found[0]["request"]["mcp_servers"][0]["authorization_token"] == "[key]"  # noqa: S105
    assert KEY in str(server.headers[0])


def test_texts_stay_out(server: Server, log: Path) -> None:
    own = client(server, log, redact="content", task="ask")
    own.messages.create(**TALK)
    with own.messages.stream(**TALK) as stream:
        stream.until_done()
    own.messages.batches.create(requests=[{"custom_id": "a", "params": TALK}])  # type: ignore[typeddict-item]
    list(own.messages.batches.results("msgbatch_01"))
    text = log.read_text()
    assert "launch" not in text
    assert "Yes" not in text
    plain, streamed, batched, _ = lines(log)
    system = plain["request"]["system"][0]
    assert len(system["text"]) == len(SECRET)
    assert system["cache_control"] == {"type": "ephemeral"}
    assert streamed["request"]["system"] == batched["request"]["system"] == [system]
    assert plain["request"]["messages"][1]["content"][1]["name"] == "lookup"
    assert plain["response"]["usage"] == streamed["response"]["usage"] != {}
    assert streamed["response"]["stop_reason"] == "end_turn"
    analysis = costscan.read(log)
    assert analysis.turns.height == 3
    assert set(analysis.tool_calls["tool"]) == {"lookup"}


def test_redact_gets_the_line_and_says_what_is_written(server: Server, log: Path) -> None:
    got: list[dict[str, Any]] = []

    def redact(line: dict[str, Any]) -> dict[str, Any] | None:
        got.append(line)
        return None if line["request"].get("system") else {**line, "team": "blue"}

    own = client(server, log, redact=redact)
    own.messages.create(**ASKED, system="secret")
    list(own.messages.create(stream=True, **ASKED))
    (line,) = lines(log)
    assert line["team"] == "blue"
    assert line["response"]["content"] == [{"type": "text", "text": "Yes."}]
    assert len(got) == 2


def test_a_line_that_redact_fails_on_is_not_written(
    server: Server, log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = client(server, log, redact=lambda line: line["no such"])
    with caplog.at_level(logging.WARNING, "costscan"):
        assert own.messages.create(**ASKED).id
        assert own.messages.create(**ASKED).id
    assert not log.exists()
    assert len(caplog.records) == 1


def test_only_the_owner_reads_the_log(server: Server, log: Path) -> None:
    client(server, log).messages.create(**ASKED)
    assert log.stat().st_mode & 0o077 == 0
