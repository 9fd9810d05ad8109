"""A review by three sub-agents, each of which reads the same two long files for itself."""

from dataclasses import replace

from generator import claude_code, claude_tools, record_format
from generator.billing import PromptCache
from generator.blocks import Json, dump
from generator.claude_code import Session
from generator.claude_tools import bash
from generator.clock import parse
from generator.dice import Dice
from generator.props import Props
from generator.run import Call, Run
from generator.story import Story

_ROOT = "/home/sana/lanternfish"
_MODEL = "claude-opus-5-5"
_DOCUMENT = "docs/settlement-format.md"
_IMPORTER = "src/lanternfish/importer.py"
_TEST = "tests/test_importer.py"
_SIDES = {"format": "Compare with the format", "broken": "Broken files", "size": "Size and speed"}


def tell() -> Story:
    """One interactive session and the files of its sub-agents."""
    dice = Dice("sub-agents")
    prop = Props.load("sub-agents", _ROOT)
    records = record_format.parse_records(prop["fields"], prop["records"])
    prop[_DOCUMENT] = record_format.document(records, prop["document-intro"])
    prop[_IMPORTER] = record_format.importer(records, prop["importer-head"], prop["importer-tail"])
    cache = PromptCache()
    setup = claude_code.setup(_MODEL, "5m", _ROOT, (12_870, 4_127, 1_774))
    session = Session(dice.uuid(), _ROOT, branch="feature/settlement-format", title="Review of the importer")
    parent = Run(session.session_id, setup, cache, dice, parse("2026-11-03T13:05:44Z"))
    parent.user(prop["ask"])
    stat = bash("git diff --stat main...HEAD", "Size of the change", prop["git-stat"])
    parent.step("I'll see how big the change is, then hand out the three sides.", stat, thinking=88)
    agents, files = _delegate(parent, prop, cache, session)
    parent.step(prop["said-done"], thinking=212)
    return Story({session.path: claude_code.transcript(parent, session), **files}, [parent, *agents])


def _delegate(
    parent: Run, prop: Props, cache: PromptCache, session: Session
) -> tuple[list[Run], dict[str, str]]:
    asked = [_agent_call(side, title, prop) for side, title in _SIDES.items()]
    parent.ask("", *asked, thinking=143)
    call_ids = [part.block.wire["id"] for part in parent.messages[-1].parts if "input" in part.block.wire]
    setup = claude_code.setup(_MODEL, "5m", _ROOT, (8_215, 1_340, 1_774), agent="general-purpose")
    runs, files, done = [], {}, []
    now = parent.now
    for place, (side, call, call_id) in enumerate(zip(_SIDES, asked, call_ids, strict=True)):
        agent_id = f"a{parent.dice.hex(16)}"
        run = _review(Run(agent_id, setup, cache, parent.dice, parent.now + 300 + 240 * place), prop, side)
        runs.append(run)
        files[session.agent_path(agent_id)] = claude_code.transcript(run, session, agent_id)
        files[session.agent_path(agent_id, ".meta.json")] = dump(_meta(call, call_id)) + "\n"
        seconds = max(run.now - now, 200) / 1000
        now += round(seconds * 1000)
        done.append(_reported(call, run, agent_id, seconds))
    parent.answer(*done)
    return runs, files


def _agent_call(side: str, title: str, prop: Props) -> Call:
    prompt = f"{prop['preamble']}\n\n{prop[f'task-{side}']}"
    return Call("Agent", {"subagent_type": "general-purpose", "description": title, "prompt": prompt}, "")


def _meta(call: Call, call_id: str) -> Json:
    return {
        "agentType": call.arguments["subagent_type"],
        "description": call.arguments["description"],
        "toolUseId": call_id,
        "spawnDepth": 1,
    }


def _reported(call: Call, run: Run, agent_id: str, seconds: float) -> Call:
    report = {"type": "text", "text": run.messages[-1].parts[-1].block.wire["text"]}
    last = run.turns[-1].usage
    tools = sum("input" in part.block.wire for message in run.messages for part in message.parts)
    took = run.now - run.messages[0].parts[0].at
    spent = last.prompt + last.output
    counts = f"<usage>total_tokens: {spent}\ntool_uses: {tools}\nduration_ms: {took}</usage>"
    trailer = {"type": "text", "text": f"agentId: {agent_id}\n{counts}"}
    detail = {
        "status": "completed",
        "prompt": call.arguments["prompt"],
        "agentId": agent_id,
        "agentType": call.arguments["subagent_type"],
        "content": [report],
        "totalDurationMs": took,
        "totalTokens": spent,
        "totalToolUseCount": tools,
        "usage": claude_code.usage_json(last),
    }
    return replace(call, output=[report, trailer], detail=detail, seconds=seconds)


def _review(run: Run, prop: Props, side: str) -> Run:
    run.user(f"{prop['preamble']}\n\n{prop[f'task-{side}']}")
    run.step("I'll read both files first.", prop.read(_DOCUMENT), prop.read(_IMPORTER), thinking=40)
    {"format": _review_format, "broken": _review_broken, "size": _review_size}[side](run, prop)
    run.step(prop[f"{side}-report"], thinking=190)
    return run


def _review_format(run: Run, prop: Props) -> None:
    run.step("", prop.read(_TEST))
    run.step("", claude_tools.grep("^20", prop["format-nets"], path="tests/files"), thinking=117)
    run.step(
        "Is the overpunched sign understood?",
        bash("python -i -m lanternfish", "Try amounts", prop["format-net"]),
    )
    run.step("", prop.grep(r" (fee|rate|markup)=_m"), thinking=86)
    run.step("", prop.grep("overpunch|hundredths|eight decimals"))


def _review_broken(run: Run, prop: Props) -> None:
    run.step("", prop.read(_TEST))
    run.step(
        "",
        bash("python -i -m lanternfish", "Read a file with a short line", prop["broken-short"]),
        thinking=64,
    )
    run.step("", bash("python -i -m lanternfish", "Read an unknown record type", prop["broken-unknown"]))
    run.step(
        "And the same file twice.",
        bash("python -i -m lanternfish", "Load a file twice", prop["broken-twice"]),
    )
    run.step("", prop.grep("checksum|file_id"), thinking=72)


def _review_size(run: Run, prop: Props) -> None:
    run.step("", prop.grep("read_text|list\\(|db\\.run"), thinking=58)
    run.step(
        "I'll measure instead of guessing.",
        bash("python bench/load.py", "Measure memory", prop["size-memory"], 34.5),
    )
    run.step(
        "", bash("python -m cProfile -s tottime bench/load.py 100000", "Profile", prop["size-profile"], 33.9)
    )
    run.step("", prop.read(_TEST))
