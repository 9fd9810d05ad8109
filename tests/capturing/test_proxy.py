"""The proxy passes on what comes as it comes, to nobody else, and logs what is billed."""

import re
import socket
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import anthropic
import httpx2
import pytest

import costscan
from captured import ASKED, lines, proxied, report_of
from costscan.capturing import serve
from model_server import KEY, Server, events

CHAT = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "Is it so?"}]}
COUNTED = re.compile(rb"(msg|req)_\d+")


@pytest.fixture
def proxy(server: Server, log: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(serve, "_LOOK_EVERY_S", 0.01)
    with proxied(server.url, log) as address:
        yield address


def _client(proxy: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key=KEY, base_url=f"{proxy}/anthropic", max_retries=0)


def _asked(url: str, *, streamed: bool) -> tuple[int, bytes, list[tuple[str, str]]]:
    with httpx2.stream("POST", f"{url}/v1/messages", json={**ASKED, "stream": streamed}) as response:
        raw = b"".join(response.iter_raw())
        return response.status_code, COUNTED.sub(b"", raw), sorted(response.headers.items())


@pytest.mark.parametrize("streamed", [False, True])
def test_answers_are_the_same_byte_for_byte(server: Server, proxy: str, *, streamed: bool) -> None:
    def alike(url: str) -> tuple[int, bytes, list[tuple[str, str]]]:
        status, body, headers = _asked(url, streamed=streamed)
        left_out = ("request-id", "server", "date")
        return status, body, [header for header in headers if header[0] not in left_out]

    assert alike(server.url) == alike(f"{proxy}/anthropic")


def test_compressed_answers_stay_compressed(server: Server, proxy: str, log: Path) -> None:
    server.encoded = True
    for streamed in (False, True):
        _, raw, headers = _asked(f"{proxy}/anthropic", streamed=streamed)
        assert raw.startswith(b"\x1f\x8b")
        assert ("content-encoding", "gzip") in headers
    assert lines(log)[0]["response"]["id"] == "msg_000001"
    assert "message_stop" in lines(log)[1]["response_sse"]


def test_events_arrive_before_the_stream_ends(server: Server, proxy: str, log: Path) -> None:
    server.gate.clear()
    stream = _client(proxy).messages.create(stream=True, **ASKED)
    assert [next(stream).type for _ in range(3)] == [event["type"] for event in events("")[:3]]
    assert not log.exists()
    server.gate.set()
    assert len(list(stream)) == 4
    (line,) = lines(log)
    assert line["task"] == "ask"
    assert 0 < line["ttft_ms"] < line["duration_ms"]


def test_keys_reach_the_api_and_not_the_log(server: Server, proxy: str, log: Path) -> None:
    _client(proxy).messages.create(**ASKED, extra_headers={"x-costscan-task": "mine"})
    assert KEY in str(server.headers[0])
    assert "costscan" not in str(server.headers[0])
    assert KEY not in log.read_text()
    assert lines(log)[0]["task"] == "mine"


def test_both_apis_are_logged_with_exact_costs(server: Server, proxy: str, log: Path) -> None:
    _client(proxy).messages.create(**ASKED)
    _client(proxy).messages.count_tokens(model=ASKED["model"], messages=ASKED["messages"])
    answer = httpx2.post(f"{proxy}/openai/chat/completions", json=CHAT)
    assert answer.json()["choices"][0]["message"]["content"] == "Yes."
    assert [path for path, _ in server.seen][2] == "/v1/chat/completions"
    # Sonnet 5.5: 2, 0.1 and 10 dollars a million tokens of input, cache reads and output.
    once = (1000 * Decimal(2) + 20000 * Decimal("0.1") + 100 * Decimal(10)) / 1_000_000
    assert report_of(log).summary.totals.usd == once
    other = costscan.read(log.with_name("openai.jsonl"))
    assert other.turns.select("input_tokens", "output_tokens").rows() == [(1000, 100)]


def test_batches(proxy: str, log: Path) -> None:
    own = _client(proxy)
    own.messages.batches.create(requests=[{"custom_id": "a", "params": ASKED}])  # type: ignore[typeddict-item]
    httpx2.get(f"{proxy}/anthropic/v1/messages/batches/msgbatch_01/results").raise_for_status()
    assert [line.get("request") for line in lines(log)] == [ASKED, None]


@pytest.mark.parametrize(
    ("path", "host"),
    [("/", None), ("/other/v1", None), ("/anthropic@127.0.0.2/v1", None), ("/anthropic/v1/x", "evil.test")],
)
def test_nothing_goes_elsewhere(server: Server, proxy: str, path: str, host: str | None) -> None:
    headers = {"host": host} if host else {}
    assert httpx2.post(proxy + path, json={}, headers=headers).status_code == 404
    assert not server.seen


def test_only_this_machine_can_connect() -> None:
    with serve.listening(0) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        # What asyncio goes by to send small writes at once.
        assert sock.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(
    ("accepted", "asked"), [("gzip, br;q=1, zstd", "gzip"), ("br", "identity"), ("gzip;q=0.5,deflate", None)]
)
def test_answers_come_in_codings_that_can_be_read(
    server: Server, proxy: str, accepted: str, asked: str | None
) -> None:
    httpx2.post(f"{proxy}/anthropic/v1/messages", json=ASKED, headers={"accept-encoding": accepted})
    assert server.headers[0]["accept-encoding"] == (asked or accepted)


def test_an_api_that_cannot_be_reached(log: Path) -> None:
    with proxied("http://127.0.0.1:9", log) as address, pytest.raises(anthropic.APIStatusError) as raised:
        _client(address).messages.create(**ASKED)
    assert raised.value.status_code == 502
    assert [line["error"] for line in lines(log)] == ["ConnectError"]


def test_a_stream_that_is_cut_is_cut_for_the_client(server: Server, proxy: str, log: Path) -> None:
    server.cut = True
    with pytest.raises(httpx2.RemoteProtocolError):
        _asked(f"{proxy}/anthropic", streamed=True)
    assert [line["error"] for line in lines(log)] == ["RemoteProtocolError"]


def test_a_client_that_goes_away(server: Server, proxy: str, log: Path) -> None:
    server.gate.clear()
    with _client(proxy) as own, own.messages.create(stream=True, **ASKED) as stream:
        next(stream)
    end = time.monotonic() + 5
    while not log.exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert [line["error"] for line in lines(log)] == ["ClosedByProgram"]


@pytest.mark.parametrize("path", ["/dev/full", "/proc/no/such"])
def test_traffic_goes_on_where_the_log_cannot_be_written(server: Server, path: str) -> None:
    with proxied(server.url, Path(path)) as address:
        own = _client(address)
        for _ in range(2):
            assert own.messages.create(**ASKED).id
            with own.messages.stream(**ASKED) as stream:
                assert stream.get_final_text() == "Yes."
