"""What another lifetime of the cache saves where a client has one for all its sub-agents."""

from pathlib import Path

import pytest

from applied import alone
from costscan.rulebook import load_rules
from costscan.scenarios import price_scenarios
from diagnosed import findings_of
from logs import OPUS, Json, Line, assistant, at, tool_result, tool_use, usage, usd, user, write
from seen import analyzed

RULES = [rule for rule in load_rules() if rule.name == "wrong-ttl"]


def sub_agent(name: str, kind: str, w1h: int) -> list[Line]:
    """Three calls of a sub-agent, ten seconds apart, that write for an hour."""
    place: Json = {"isSidechain": True, "agentId": name}
    lines: list[Line] = [user("look", timestamp=at(0), attributionAgent=kind, **place)]
    read = 0
    for n in range(3):
        used = usage(3, read=read, w1h=w1h, out=50)
        call = tool_use(f"{name}{n}", "Grep", n=n)
        lines += [
            assistant(f"msg_{name}{n}", used, content=[call], timestamp=at(10 * n + 5), **place),
            user([tool_result(f"{name}{n}", "found")], timestamp=at(10 * n + 8), **place),
        ]
        read += w1h
    return lines


def test_all_sub_agents_are_one_finding_at_what_five_minutes_save(tmp_path: Path) -> None:
    write(tmp_path / "agent-a1.jsonl", *sub_agent("a1", "Explore", 40_000))
    write(tmp_path / "agent-b1.jsonl", *sub_agent("b1", "Plan", 20_000))
    with analyzed(tmp_path) as x:
        found = findings_of(price_scenarios(x, alone("caching")), RULES)
    written = 3 * 40_000 + 3 * 20_000
    less = usd(OPUS, w1h=written) - usd(OPUS, w5m=written)
    assert found["run_id"].to_list() == ["s1/agent-a1"]
    assert float(found["usd"].item()) == pytest.approx(float(less), rel=1e-6)
    assert '"subagentPromptCacheTtl": "5m"' in found["fix"].item()
    assert found["message"].item().startswith("for sub-agents: written for an hour, five minutes would")
