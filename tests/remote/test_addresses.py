"""What an address means, and what of it may be printed."""

import pytest

from command import Capture, said
from costscan.remote.addresses import Address, is_remote, is_web, matching, shown, split


@pytest.mark.parametrize(("path", "expected"), [
    ("s3://logs/2026/", True), ("S3A://logs", True), ("gs://logs/x", True), ("az://account/container/x", True),
    ("abfss://logs@account.dfs.core.windows.net/x", True), ("https://example.com/x", True),
    ("C:/logs", False), ("C://logs", False), ("logs/s3:/x", False), ("-", False), ("file://x", False), ("s3:", False),
])  # fmt: skip
def test_what_is_no_file_of_this_machine(path: str, *, expected: bool) -> None:
    assert is_remote(path) == expected


def test_a_store_and_a_key() -> None:
    assert split("s3://logs") == Address("s3://logs", "")
    assert split("gs://logs/a/b*/c.jsonl") == Address("gs://logs", "a/b*/c.jsonl")
    assert split("az://account/container/a/b") == Address("az://account/container", "a/b")
    assert split("s3://logs/a").path("b/c") == "s3://logs/b/c"


@pytest.mark.parametrize(("key", "prefix"), [
    ("a/b/c.jsonl", "a/b/c.jsonl"), ("a/b*/c", "a"), ("*.jsonl", ""), ("a/[ab]/c", "a"), ("a/b/?", "a/b"),
])  # fmt: skip
def test_the_folder_that_has_all_that_can_match(key: str, prefix: str) -> None:
    assert split(f"s3://logs/{key}").prefix == prefix


@pytest.mark.parametrize(("pattern", "key", "within"), [
    ("a/*.jsonl", "a/x.jsonl", None),
    ("a/*.jsonl", "a/x.jsonl/y", "/y"),
    ("a/*.jsonl", "a/b/x.jsonl", False),
    ("a/**/*.jsonl", "a/b/c/x.jsonl", None),
    ("a/**/*.jsonl", "a/x.jsonl", None),
    ("**", "a/b/x", None),
    ("a/2026-1?/", "a/2026-10/x/y.jsonl", "/x/y.jsonl"),
    ("a/[ab].jsonl", "a/b.jsonl", None),
    ("a/[!ab].jsonl", "a/b.jsonl", False),
    ("a/[!ab].jsonl", "a/c.jsonl", None),
    ("a.b", "aXb", False),
    ("a[b", "a[b", None),
])  # fmt: skip
def test_patterns_match_as_those_of_files(pattern: str, key: str, within: str | bool | None) -> None:
    match = matching(pattern).fullmatch(key)
    assert (False if match is None else match["within"]) == within


def test_what_is_signed_is_not_shown() -> None:
    signed = "https://user:secret@logs.example.com:8443/a/runs.jsonl?X-Amz-Signature=abc#part"
    assert is_web(signed)
    assert shown(signed) == "https://logs.example.com:8443/a/runs.jsonl"
    assert shown("s3://logs/a?b") == "s3://logs/a?b"


@pytest.mark.parametrize(
    "path", ["https://[x/a?sig=secret", "https://x:port/a?sig=secret", "https://me:secret@x/a#secret"]
)
def test_what_is_signed_in_an_address_that_is_none_is_not_shown(path: str) -> None:
    assert "secret" not in shown(path)


@pytest.mark.parametrize(
    "path", ["s3://", "s3:///key", "gs://", "az://", "az://account", "https://", "https://[x/a?sig=secret"]
)
@pytest.mark.parametrize(
    "command", [["usage"], ["ingest", "sample_logs/idle-hour", "--store"]], ids=lambda c: c[0]
)
def test_an_address_that_is_none_is_an_error(path: str, command: list[str], capsys: Capture) -> None:
    told = said(capsys, *command, path, code=2)
    assert told.startswith("error: ")
    assert "defect" not in told
    assert "secret" not in told
    assert "\nhint: " in told
