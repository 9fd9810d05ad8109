"""What is left out of texts that are shown."""

import pytest

from costscan.reading.excerpts import EXCERPT_CHARS, redacted

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
