"""Tool calls and their results, sized per tool like those of real sessions."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final

from synthetic.text import Texts, log_normal


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool; the last three fields are JSON."""

    name: str
    arguments: str
    content: str
    """What the model gets back."""
    detail: str
    """The transcript's own copy of the result (`toolUseResult`)."""
    is_error: bool = False


_COMMANDS: Final = ("python -m pytest -q tests/", "git diff --stat ", "rg -n src/", "npm test -- ", "ls -la ")
Maker = Callable[[Random, Texts, str], ToolUse]


def _path(rng: Random, texts: Texts, cwd: str) -> str:
    return f"{cwd}/src/{texts.word(rng)}/{texts.word(rng)}_{texts.word(rng)}.py"


def _read(rng: Random, texts: Texts, cwd: str) -> ToolUse:
    path = _path(rng, texts, cwd)
    numbered, plain, first, count = texts.code.read(rng, log_normal(rng, 2320, 24_262, 84_000))
    return ToolUse(
        "Read",
        f'{{"file_path":"{path}","offset":{first},"limit":{count}}}',
        f'"{numbered}"',
        f'{{"type":"text","file":{{"filePath":"{path}","content":"{plain}","numLines":{count},'
        f'"startLine":{first},"totalLines":{first + count}}}}}',
    )


def _command(rng: Random, texts: Texts, cwd: str) -> str:
    if rng.random() < 0.2:
        script = texts.code.cut(rng, log_normal(rng, 400, 2500, 5000))
        return f"cd {cwd} && python3 - <<'EOF'\\n{script}\\nEOF"
    return f"cd {cwd} && {rng.choice(_COMMANDS)}{texts.word(rng)} 2>&1 | tail -{5 + int(rng.random() * 60)}"


def _bash(rng: Random, texts: Texts, cwd: str) -> ToolUse:
    output = texts.shell_output(rng, log_normal(rng, 288, 5001, 30_000))
    arguments = (
        f'{{"command":"{_command(rng, texts, cwd)}","description":"Run {texts.word(rng)} {texts.word(rng)}"}}'
    )
    if rng.random() < 0.09:
        failure = f'"Exit code 1\\n{output}"'
        return ToolUse("Bash", arguments, failure, f'"Error: {failure[1:]}', is_error=True)
    detail = (
        f'{{"stdout":"{output}","stderr":"","interrupted":false,"isImage":false,"noOutputExpected":false}}'
    )
    return ToolUse("Bash", arguments, f'"{output}"', detail)


def _grep(rng: Random, texts: Texts, cwd: str) -> ToolUse:
    output = texts.terminal.cut(rng, log_normal(rng, 393, 6799, 20_000))
    lines = output.count("\\n") + 1
    return ToolUse(
        "Grep",
        f'{{"pattern":"{texts.word(rng)}_{texts.word(rng)}","path":"{cwd}/src","output_mode":"content","-n":true}}',
        f'"{output}"',
        f'{{"mode":"content","numFiles":0,"filenames":[],"content":"{output}","numLines":{lines}}}',
    )


def _patch_lines(sign: str, escaped: str) -> list[str]:
    # Safe on escaped text: no pool has a backslash before a small n other than a newline's.
    return [f'"{sign}{line}"' for line in escaped.split("\\n")]


def _edit(rng: Random, texts: Texts, cwd: str) -> ToolUse:
    path = _path(rng, texts, cwd)
    old = texts.code.cut(rng, log_normal(rng, 200, 2200, 12_000))
    new = texts.code.cut(rng, log_normal(rng, 380, 4500, 20_000))
    arguments = f'{{"replace_all":false,"file_path":"{path}","old_string":"{old}","new_string":"{new}"}}'
    if rng.random() < 0.05:
        failure = "<tool_use_error>String to replace not found in file.\\nString: "
        return ToolUse("Edit", arguments, f'"{failure}{old}"', f'"Error: {failure}{old}"', is_error=True)
    original = texts.code.whole_file(rng, log_normal(rng, 9000, 55_000, 90_000))
    start = 1 + int(rng.random() * 300)
    patch = ",".join([*_patch_lines("-", old), *_patch_lines("+", new)])
    return ToolUse(
        "Edit",
        arguments,
        f'"The file {path} has been updated successfully."',
        f'{{"filePath":"{path}","oldString":"{old}","newString":"{new}","originalFile":"{original}",'
        f'"structuredPatch":[{{"oldStart":{start},"oldLines":7,"newStart":{start},"newLines":9,'
        f'"lines":[{patch}]}}],"userModified":false,"replaceAll":false}}',
    )


def _write(rng: Random, texts: Texts, cwd: str) -> ToolUse:
    path = _path(rng, texts, cwd)
    written = texts.code.cut(rng, log_normal(rng, 2800, 14_000, 50_000))
    return ToolUse(
        "Write",
        f'{{"file_path":"{path}","content":"{written}"}}',
        f'"File created successfully at: {path}"',
        f'{{"type":"create","filePath":"{path}","content":"{written}","structuredPatch":[],'
        '"originalFile":null,"userModified":false}',
    )


def _glob(rng: Random, texts: Texts, cwd: str) -> ToolUse:
    names = [_path(rng, texts, cwd) for _ in range(1 + log_normal(rng, 2, 50, 150))]
    quoted = ",".join(f'"{name}"' for name in names)
    return ToolUse(
        "Glob",
        f'{{"pattern":"src/**/{texts.word(rng)}*.py"}}',
        '"' + "\\n".join(names) + '"',
        f'{{"filenames":[{quoted}],"durationMs":{int(rng.random() * 90)},"numFiles":{len(names)},'
        '"truncated":false}',
    )


def _web_fetch(rng: Random, texts: Texts, _cwd: str) -> ToolUse:
    url = f"https://example.com/{texts.word(rng)}/{texts.word(rng)}"
    page = texts.prose.cut(rng, log_normal(rng, 1220, 15_235, 78_000))
    return ToolUse(
        "WebFetch",
        f'{{"url":"{url}","prompt":"{texts.prose.cut(rng, 120)}"}}',
        f'"{page}"',
        f'{{"bytes":{len(page) * 9},"code":200,"codeText":"OK","result":"{page}","durationMs":1830,'
        f'"url":"{url}"}}',
    )


def _mcp(rng: Random, texts: Texts, _cwd: str) -> ToolUse:
    answer = f'[{{"type":"text","text":"{texts.json.cut(rng, log_normal(rng, 271, 5247, 35_000))}"}}]'
    name = f"mcp__{texts.word(rng)}__get_{texts.word(rng)}"
    return ToolUse(name, f'{{"id":"{texts.word(rng)}-{int(rng.random() * 9999)}"}}', answer, answer)


def _task_update(rng: Random, _texts: Texts, _cwd: str) -> ToolUse:
    task = 1 + int(rng.random() * 9)
    return ToolUse(
        "TaskUpdate",
        f'{{"taskId":"{task}","status":"in_progress"}}',
        f'"Updated task #{task} status"',
        f'{{"success":true,"taskId":"{task}","updatedFields":["status"],'
        '"statusChange":{"from":"pending","to":"in_progress"}}',
    )


# How often each tool is called among 40,000 real calls.
_MAKERS: Final[dict[Maker, int]] = {
    _bash: 14_604,
    _read: 8636,
    _edit: 7602,
    _grep: 3556,
    _task_update: 3500,
    _write: 969,
    _glob: 667,
    _mcp: 535,
    _web_fetch: 126,
}
_CHOICES: Final = list(_MAKERS)
_CUMULATIVE: Final = list(accumulate(_MAKERS.values()))


def call_tool(rng: Random, texts: Texts, cwd: str) -> ToolUse:
    """Draw one tool call with its result."""
    maker = rng.choices(_CHOICES, cum_weights=_CUMULATIVE)[0]
    return maker(rng, texts, cwd)
