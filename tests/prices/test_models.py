import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from costscan.models import canonical_models, drops_thinking, model_info, premium, resolve
from costscan.tokenizers import FAMILIES

OPUS_4_8 = "claude-opus-4-8"

# One spelling per trap; the canonical id, the region factor and the speed it must give.
SPELLINGS = [
    ("claude-opus-4-8", OPUS_4_8, "1", None),
    ("Claude-Opus-4-8", OPUS_4_8, "1", None),
    (" claude-opus-4-8 ", OPUS_4_8, "1", None),
    ("claude-opus-4.8", OPUS_4_8, "1", None),
    ("claude-opus-4-8[1m]", OPUS_4_8, "1", None),
    ("claude-opus-4-8-latest", OPUS_4_8, "1", None),
    ("claude-opus-4-8@default", OPUS_4_8, "1", None),
    ("claude-4-8-opus", OPUS_4_8, "1", None),
    ("claude-opus-4-8-fast", OPUS_4_8, "1", "fast"),
    ("claude-opus-4-8-fast[1m]", OPUS_4_8, "1", "fast"),
    ("anthropic/claude-opus-4.8", OPUS_4_8, "1", None),
    ("openrouter/anthropic/claude-opus-4.8:thinking", OPUS_4_8, "1", None),
    ("vertex_ai/claude-opus-4-8@default", OPUS_4_8, "1", None),
    ("projects/p/locations/global/publishers/anthropic/models/claude-opus-4-8", OPUS_4_8, "1", None),
    ("projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4-8", OPUS_4_8, "1.1", None),
    ("anthropic.claude-opus-4-8", OPUS_4_8, "1.1", None),
    ("bedrock/anthropic.claude-opus-4-8", OPUS_4_8, "1.1", None),
    ("bedrock_mantle/anthropic.claude-haiku-4-5", "claude-haiku-4-5", "1.1", None),
    ("anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "1.1", None),
    ("anthropic.claude-opus-4-1-20250805-v1:0", "claude-opus-4-1", "1", None),
    ("global.anthropic.claude-opus-4-8", OPUS_4_8, "1", None),
    ("us.anthropic.claude-opus-4-8", OPUS_4_8, "1.1", None),
    ("eu.anthropic.claude-opus-4-8", OPUS_4_8, "1.1", None),
    ("apac.anthropic.claude-opus-4-8", OPUS_4_8, "1.1", None),
    ("jp.anthropic.claude-opus-4-8", OPUS_4_8, "1.1", None),
    ("au.anthropic.claude-opus-4-8", OPUS_4_8, "1.1", None),
    ("us-gov.anthropic.claude-opus-4-8", OPUS_4_8, "1.2", None),
    ("bedrock/us-gov-west-1/anthropic.claude-opus-4-8", OPUS_4_8, "1.2", None),
    ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-8",
     OPUS_4_8, "1.1", None),
    ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-4-8",
     OPUS_4_8, "1", None),
    ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-8", OPUS_4_8, "1.1", None),
    ("arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-opus-4-8",
     OPUS_4_8, "1.2", None),
    ("bedrock/claude_platform/claude-opus-4-8", OPUS_4_8, "1", None),
    ("us.anthropic.claude-opus-4-6-v1", "claude-opus-4-6", "1.1", None),
    ("claude-opus-4-6-20260205", "claude-opus-4-6", "1", None),
    ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5", "1.1", None),
    ("bedrock/invoke/anthropic.claude-3-5-sonnet-20240620-v1:0", "claude-3-5-sonnet", "1", None),
    ("anthropic.claude-3-sonnet-20240229-v1:0:28k", "claude-3-sonnet", "1", None),
    ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet", "1", None),
    ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet", "1", None),
    ("us.anthropic.claude-opus-4-1-20250805-v1:0", "claude-opus-4-1", "1", None),
    ("claude-opus-4", "claude-opus-4-0", "1", None),
    ("claude-opus-4@20250514", "claude-opus-4-0", "1", None),
    ("claude-4-sonnet-20250514", "claude-sonnet-4-0", "1", None),
    ("claude-3.7-sonnet", "claude-3-7-sonnet", "1", None),
    ("claude-sonnet-3-7", "claude-3-7-sonnet", "1", None),
    ("claude-opus-5-0", "claude-opus-5", "1", None),
    ("claude-sonnet-5.5", "claude-sonnet-5-5", "1", None),
    ("anthropic.claude-v2:1", "claude-2.1", "1", None),
    ("anthropic.claude-v2", "claude-2.0", "1", None),
    ("opus", "claude-opus-5-5", "1", None),
    ("sonnet[1m]", "claude-sonnet-5-5", "1", None),
]  # fmt: skip


@pytest.mark.parametrize(("spelling", "model", "factor", "speed"), SPELLINGS)
def test_spelling(spelling: str, model: str, factor: str, speed: str | None) -> None:
    ref = resolve(spelling)
    assert ref is not None
    paid = premium(ref.region, ref.model)
    assert (ref.model, ref.provider, paid, ref.speed) == (model, "anthropic", Decimal(factor), speed)
    assert ref.region is not None or paid == 1


@pytest.mark.parametrize(
    "spelling",
    [
        "", "/", "claude", "claude-opus", "claude-opus-6", "claude-opus-4-80", "claude-opus-4-8-mini",
        "claude-opus-4-8-20991231", "bedrock/sonnet", "my-claude-opus-4-8", "<synthetic>", "gpt-5.5",
        "claude-haiku[1m]", "anthropic.opus", "vertex_ai/claude-opus-latest", "opusplan", "mythos-latest",
        "xx.anthropic.claude-opus-4-8", "us.claude-opus-4-8", "-fast", "[1m]",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
    ],
)  # fmt: skip
def test_unknown_is_never_guessed(spelling: str) -> None:
    assert resolve(spelling) is None


@pytest.mark.parametrize("spelling", ["opus", "Opus[1m]", "anthropic/claude-opus-latest", "opus-latest"])
@pytest.mark.parametrize(
    ("day", "model"),
    [
        (date(2024, 3, 3), None), (date(2024, 3, 4), "claude-3-opus"), (date(2026, 5, 27), "claude-opus-4-7"),
        (date(2026, 5, 28), OPUS_4_8), (date(2026, 9, 21), "claude-opus-5"), (None, "claude-opus-5-5"),
    ],
)  # fmt: skip
def test_a_family_means_its_newest_model_of_the_day(
    spelling: str, day: date | None, model: str | None
) -> None:
    ref = resolve(spelling, day)
    assert (ref and ref.model) == model


def test_an_id_means_the_same_on_every_day() -> None:
    assert resolve("claude-3-5-haiku-latest", date(2026, 11, 1)) == resolve("claude-3-5-haiku")


def test_older_models_have_no_regional_premium() -> None:
    ref = resolve("eu.anthropic.claude-sonnet-4-20250514-v1:0")
    assert ref is not None
    assert ref.region is not None
    assert premium(ref.region, ref.model) == 1


@pytest.mark.parametrize("model", canonical_models())
def test_every_canonical_id_means_itself(model: str) -> None:
    ref = resolve(model)
    assert ref is not None
    assert ref.model == model
    info = model_info(model)
    assert info is not None
    assert info.retired is None or info.released < info.retired
    assert info.tokenizer in {*FAMILIES, "claude2"}


@pytest.mark.parametrize(
    ("model", "day", "tokens"),
    [
        ("claude-opus-4-8", None, 1024),
        ("claude-haiku-4-5", None, 4096),
        ("claude-haiku-5-5", None, 512),
        ("claude-opus-4-7", date(2026, 6, 9), 4096),
        ("claude-opus-4-7", date(2026, 6, 10), 2048),
        ("claude-sonnet-4-6", date(2026, 1, 1), 1024),
        ("claude-sonnet-4-6", date(2026, 2, 26), 1024),
        ("claude-sonnet-4-6", date(2026, 2, 27), 2048),
        ("claude-sonnet-4-6", datetime(2026, 5, 13, 23, 59, tzinfo=UTC), 2048),
        ("claude-sonnet-4-6", datetime(2026, 5, 14, tzinfo=UTC), 1024),
        ("claude-3-sonnet", None, None),
    ],
)
def test_shortest_cacheable_prefix(model: str, day: date | None, tokens: int | None) -> None:
    info = model_info(model)
    assert info is not None
    assert info.min_cacheable_tokens_at(day) == tokens


def test_limits() -> None:
    info = model_info("claude-sonnet-4-5")
    assert info is not None
    assert (info.context_tokens, info.max_output_tokens, info.tokenizer) == (200_000, 64_000, "v3")
    assert (info.released, info.retired) == (date(2025, 9, 29), date(2026, 11, 30))
    assert model_info("claude-nova-9") is None


@pytest.mark.parametrize(
    ("model", "tokens", "forced", "like"),
    [
        ("claude-opus-5", 286, 406, None),
        ("claude-opus-5-5", 286, 406, "claude-opus-5"),
        ("claude-opus-4-7", 675, 804, None),
        ("claude-fable-5-2", 286, 406, "claude-opus-5"),
        ("claude-sonnet-5-5", 354, 474, "claude-sonnet-5"),
        # Haiku 4.5 takes what Sonnet 4.5 takes.
        ("claude-haiku-5-5", 354, 474, "claude-sonnet-5"),
        ("claude-haiku-4-5", 496, 588, None),
        ("claude-3-opus", 0, 0, None),
    ],
)
def test_what_tool_use_adds(model: str, tokens: int, forced: int, like: str | None) -> None:
    info = model_info(model)
    assert info is not None
    assert (info.tool_use_tokens, info.tool_use_tokens_from) == (tokens, like)
    assert info.forced_tool_tokens == forced


def test_thinking_that_is_dropped() -> None:
    """Opus 4.5, Sonnet 4.6 and later ones keep it; what Haiku 5.5 does is not documented."""
    dropping = {m for m in canonical_models() if drops_thinking(m)}
    assert {"claude-opus-4-1", "claude-sonnet-4-5", "claude-haiku-4-5"} <= dropping
    assert not dropping & {"claude-opus-4-5", "claude-sonnet-4-6", "claude-haiku-5-5", "claude-opus-5-5"}
    assert drops_thinking("us.anthropic.claude-haiku-4-5-20251001-v1:0")
    assert not drops_thinking("gpt-9")
    assert not drops_thinking(None)


def test_import_is_light() -> None:
    code = "import sys, costscan.models; print({'polars', 'genai_prices', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
