"""What a command of a shell does: what is not known to look only may change something."""

import json

import pytest

from costscan.reading.content.shell import LOOKS, content_of

LOOKING = (
    "ls -la /tmp",
    "cat a.py | head -20",
    "grep -rn 'x > y' src 2>/dev/null",
    "cd repo && git log --oneline -5; git diff HEAD~1",
    "FOO=1 rg pattern",
    "find . -name '*.py' 2>&1 | wc -l",
    "/usr/bin/tail -n 5 x.log",
    "sed -n 1,20p x",
)
CHANGING = (
    "git push",
    "git -C x push",
    "git commit -m 'ls'",
    "rm -rf build",
    "echo hello > file",
    "cat a >> b",
    "find . -name '*.pyc' -delete",
    "find . -exec rm {} ;",
    "sed -i s/a/b/ x",
    "sort -o x x",
    "ls $(rm x)",
    "ls `rm x`",
    "diff <(rm x) y",
    "ls && npm publish",
    "ls\nmake deploy",
    "env rm x",
    "ls & rm x",
    "ls || rm x",
    "xargs rm",
    """awk '{print > "x"}' y""",
    """awk '{system("rm")}' y""",
    "python build.py",
    "made-up-program",
    "",
)


def looks(command: object, tool: str = "Bash", name: str = "command") -> str | None:
    return content_of(tool, json.dumps({name: command}).encode())


@pytest.mark.parametrize("command", LOOKING)
def test_what_only_looks(command: str) -> None:
    assert looks(command) == LOOKS


@pytest.mark.parametrize("command", CHANGING)
def test_what_may_change_something(command: str) -> None:
    assert looks(command) is None


def test_a_command_may_be_a_list_or_called_otherwise() -> None:
    assert looks(["bash", "-lc", "git status"]) == looks(["git", "status"]) == LOOKS
    assert looks(["bash", "-lc", "git push"]) is looks(["git", "push"]) is None
    assert looks("ls", "exec_command", "cmd") == LOOKS


def test_other_tools_and_broken_arguments_are_not_known() -> None:
    assert looks("ls", "Read") is None
    assert content_of("Bash", b"[1]") is content_of("Bash", b"{") is looks(3) is looks(None) is None
