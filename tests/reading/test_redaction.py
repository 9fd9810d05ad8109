"""What is left out of texts that are shown."""

import pytest

from costscan.formats.claude.task_names import MAX_TASK_CHARS, template
from costscan.reading.content.excerpts import EXCERPT_CHARS, masked, redacted

SECRETS = [
    "sk-ant-api03-AbCdEf0123456789", "ghp_0123456789abcdefABCDEF", "github_pat_11ABCDEFG0123456789", "AKIAIOSFODNN7EXAMPLE",
    "xoxb-123456789012-abcdef", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "tomasz.nowak@example.org",
    "AIzaSyA0123456789abcdef", "glpat-0123456789abcdef",
]  # fmt: skip
CALLED = [
    'password: "hunter22222"', "PASSWORD=hunter22222", '"api_key": "hunter22222"', "Authorization: Bearer hunter22222",
    "postgres://admin:hunter22222@db/x", '{\\"secret\\": \\"hunter22222\\"}', "aws_secret_access_key = hunter22222",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter22222\n-----END RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nhunter22222",
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_left_out(secret: str) -> None:
    assert redacted(f"before {secret}, after") in {"before ▮, after", "before ▮ after"}
    assert set(redacted(f"{secret} " * 100)) == {"▮", " "}
    # What a mark made room for is not shown raw: half a secret at the end of what was looked at.
    many = " ".join([f"{'k' * 190}@example.org"] * 3)
    assert secret[:12] not in redacted(f"{many} {secret}")


@pytest.mark.parametrize("named", CALLED)
def test_what_is_called_a_secret_is_left_out(named: str) -> None:
    assert "hunter" not in redacted(f"before {named} after")
    assert redacted(f"before {named} after").startswith("before ")


def test_plain_words_stay() -> None:
    said = "skeleton_keyboard tokens: 1,200; passwords are asked for; e.g. pkgconfig 2.1 at 10:30"
    assert redacted(said) == said
    assert len(redacted("word " * 900)) == EXCERPT_CHARS


PERSONAL = [
    "4111 1111 1111 1111", "4111111111111111", "5555-5555-5555-4444", "378282246310005", "30569309025904",  # test cards of issuers
    "+49 171 8675309", "+1 (555) 867-5309", "+15558675309", "555-867-5309", "(555) 867-5309", "555.867.5309",
]  # fmt: skip
NAMED = [
    "My name is Zelda Fitz", "my name is zelda fitz", "my name’s Zelda Maria von Fitz", "Mein Name ist Zelda Fitz",  # noqa: RUF001
    "je m'appelle Zelda", "me llamo Zelda Fitz",
]  # fmt: skip
NUMBERS = (
    "2026-11-03T01:20:00.000+0100 1764892800000 1764892800000000 20261103012000123 4111 1111 1111 1112 "
    "550e8400-e29b-41d4-a716-446655440000 10.20.30.40:8080 1.2.345 100 200 3000 12-34-5678 -4111"
)
"""Times, ids, addresses of machines, and a number that is nearly that of a card."""


@pytest.mark.parametrize("number", PERSONAL)
def test_card_and_phone_numbers_are_left_out(number: str) -> None:
    assert redacted(f"before {number}, after") == "before ▮, after"
    for shown in (redacted(f"2 {number} Ledger"), masked(f"2 {number} Ledger")):
        assert not set("6789") & set(shown)
        assert shown.endswith(" Ledger")
    assert not any(c.isdigit() for c in template(f"Call {number} now"))


@pytest.mark.parametrize("said", NAMED)
def test_a_name_that_says_it_is_one_is_left_out(said: str) -> None:
    for shown in (
        redacted(f"Hi, {said}, hello"),
        masked(f"Hi, {said}, hello"),
        template(f"Hi, {said}, hello"),
    ):
        assert "zelda" not in shown.lower()
        assert "fitz" not in shown.lower()
        assert shown.endswith(", hello")


def test_a_line_of_a_key_whose_begin_is_far_is_left_out() -> None:
    body = "MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn+ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB"
    assert redacted(f"before\n{body}\nafter") == "before\n▮\nafter"
    # A hash and a long path are neither secret nor personal.
    for plain in (
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "/srv/Builds/2026/a-long.path/" * 3,
    ):
        assert redacted(plain) == plain


def test_numbers_that_are_nobodys_stay_in_excerpts() -> None:
    assert redacted(NUMBERS[:200]) == NUMBERS[:200]
    assert masked(NUMBERS) == NUMBERS


@pytest.mark.parametrize("secret", [*SECRETS, *CALLED])
def test_task_names_hold_no_secret(secret: str) -> None:
    name = template(f"Mail {secret} please")
    assert not any(part in name for part in ("hunter", "example", "AbCdEf", "abcdef", "EXAMPLE", "eyJ"))
    assert len(template(f"{secret} " * 90)) <= MAX_TASK_CHARS
