"""What a call of a shell does, by its command: whether it only looks, or may change something."""

import re
from typing import Any, Final

from costscan.reading.io import lenient_json

LOOKS: Final = "a command that only looks"
SHELLS: Final = frozenset(
    {
        "Bash",
        "bash",
        "shell",
        "local_shell",
        "exec_command",
        "execute_bash",
        "run_command",
        "run_terminal_cmd",
    }
)
"""Names of tools that run a command, in the clients whose logs are read."""
_NEXT: Final = re.compile(r"(?<!>)&|[;|\n]")
_QUOTED: Final = re.compile(r"'[^']*'")
_RUNS: Final = re.compile(r"\$\(|`|<\(|system\(")
"""What runs another command inside a word, or in a program of awk."""
_TO_FILE: Final = re.compile(r"(?<![<>=-])>{1,2}(?!\s*/dev/null)(?!&)")
_LOOKERS: Final = (
    ": [ awk basename cat cd cmp column cut date df diff dirname du echo egrep fd fgrep file find grep head",
    "hexdump hostname id jq less ls lsof md5sum more nl nproc od pgrep printenv printf ps pwd readlink",
    "realpath rg sed sha256sum sleep sort stat strings tac tail test tr tree true type uname uniq uptime wc",
    "whereis which whoami xxd yq",
)
_ONLY_LOOKS: Final = frozenset(" ".join(_LOOKERS).split())
"""Programs that change nothing, with the exceptions of `_CHANGES`."""
_CHANGES: Final = {
    "find": ("-delete", "-exec", "-execdir", "-ok", "-fprint"),
    "fd": ("-x", "-X", "--exec"),
    "sed": ("-i", "--in-place"),
    "sort": ("-o",),
    "awk": ("-i",),
    "yq": ("-i",),
}
"""Words with which some of them change something; a word that begins so is enough."""
_GIT: Final = "blame describe diff grep log ls-files ls-tree rev-list rev-parse shortlog show status"
_GIT_LOOKS: Final = frozenset(_GIT.split())


def content_of(tool: str | None, raw: bytes) -> str | None:
    """Return `LOOKS` where a call of a shell only looks; null for any other call."""
    if tool not in SHELLS:
        return None
    args = lenient_json.mapping(raw) or {}
    command = args.get("command", args.get("cmd"))
    return LOOKS if _only_looks(command) else None


def _only_looks(command: Any) -> bool:
    """Whether each program of a command is known to change nothing; what is not known may."""
    if isinstance(command, list):
        # The last of `["bash", "-lc", "ls"]` is what is run.
        words = [str(word) for word in command]
        command = words[-1] if words[:1] and words[0] in {"bash", "sh", "zsh"} else " ".join(words)
    if not isinstance(command, str) or not command.strip():
        return False
    # What stands in single quotes runs nothing, but for a program of awk.
    plain = command if "awk" in command else _QUOTED.sub("''", command)
    if _TO_FILE.search(plain) or _RUNS.search(plain):
        return False
    return all(_looks(part.split()) for part in _NEXT.split(plain) if part.strip())


def _looks(words: list[str]) -> bool:
    while words and "=" in words[0] and not words[0].startswith("="):
        words = words[1:]
    if not words:
        return True
    program = words[0].strip("\"'()").rpartition("/")[2]
    if program == "git":
        return next((word for word in words[1:] if not word.startswith("-")), "") in _GIT_LOOKS
    changes = _CHANGES.get(program, ())
    return program in _ONLY_LOOKS and not any(word.startswith(changes) for word in words[1:] if changes)


__all__ = ["LOOKS", "SHELLS", "content_of"]
