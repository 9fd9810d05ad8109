"""A logged request as it goes to another model."""

from typing import Any

import pytest

from costscan.trial.adapting import adapted

HAIKU, OLD_HAIKU, SONNET, OPUS = (
    "claude-haiku-5-5",
    "claude-haiku-4-5",
    "claude-sonnet-5-5",
    "claude-opus-5-5",
)
ASK: dict[str, Any] = {"max_tokens": 100, "messages": [{"role": "user", "content": "Is it so?"}]}


def test_what_changes_no_answer_is_left_out() -> None:
    marked = {"cache_control": {"type": "ephemeral"}}
    request = ASK | {
        "model": OPUS,
        "stream": True,
        "service_tier": "auto",
        "cache_control": {"type": "ephemeral"},
        "system": [{"type": "text", "text": "Be brief.", **marked}],
        "tools": [
            {"name": "x", "input_schema": {"properties": {"cache_control": {"type": "string"}}}, **marked}
        ],
        "temperature": None,
    }
    assert adapted(request, SONNET).params == ASK | {
        "model": SONNET,
        "system": [{"type": "text", "text": "Be brief."}],
        "tools": [{"name": "x", "input_schema": {"properties": {"cache_control": {"type": "string"}}}}],
    }
    assert adapted(request, SONNET).changes == ()
    assert request["stream"] is True


@pytest.mark.parametrize(
    ("model", "extra", "left", "change"),
    [
        (HAIKU, {"temperature": 0}, {}, "without temperature, top_p and top_k"),
        (SONNET, {"temperature": 0}, {"temperature": 0}, None),
        (
            HAIKU,
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            {},
            "thinking as the model does by itself",
        ),
        (OPUS, {"thinking": {"type": "disabled"}}, {}, "thinking as the model does by itself"),
        (HAIKU, {"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}}, None),
        (OLD_HAIKU, {"output_config": {"effort": "low"}}, {}, "without effort"),
        (
            OLD_HAIKU,
            {"output_config": {"effort": "low", "format": {"type": "json_schema"}}},
            {"output_config": {"format": {"type": "json_schema"}}},
            "without effort",
        ),
        (HAIKU, {"output_config": {"effort": "low"}}, {"output_config": {"effort": "low"}}, None),
        (OLD_HAIKU, {"max_tokens": 100_000}, {"max_tokens": 64_000}, "max_tokens at the most of the model"),
    ],
)
def test_what_a_model_refuses_is_left_out_and_told(
    model: str, extra: dict[str, Any], left: dict[str, Any], change: str | None
) -> None:
    told = adapted(ASK | extra, model)
    assert told.params == ASK | {"model": model} | left
    assert told.changes == ((change,) if change else ())


@pytest.mark.parametrize(
    ("model", "extra", "why"),
    [
        (HAIKU, {"messages": [*ASK["messages"], {"role": "assistant", "content": "{"}]}, "begins the answer"),
        (SONNET, {"tool_choice": {"type": "any"}, "tools": [{"name": "x"}]}, "forces a tool"),
        (SONNET, {"tools": [{"type": "web_search_20260209", "name": "web_search"}]}, "the API itself runs"),
        (SONNET, {"mcp_servers": [{"url": "https://mcp.example.com"}]}, "it asks for mcp_servers"),
        (SONNET, {"messages": []}, "not whole"),
        (SONNET, {"max_tokens": "many"}, "not whole"),
        (SONNET, {"system": "\ud800"}, "cannot be written as JSON again"),
        ("gpt-5.5", {}, "no model of Anthropic's API"),
    ],
)
def test_what_cannot_be_sent_again(model: str, extra: dict[str, Any], why: str) -> None:
    told = adapted(ASK | extra, model)
    assert told.params is None
    assert why in str(told.why_not)
