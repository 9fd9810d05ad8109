"""`--client NAME`: without a path, what one client keeps on this machine."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import codex_lines as codex
from cline_tasks import ANTHROPIC, USED, asked, says, task
from command import Capture, said
from costscan.cli.app import run
from costscan.formats import available
from costscan.ingest.discover import MAX_PLACES, clients, default_folders
from logs import assistant, usage, write

CALLS = [("claude_code", 1), ("codex", 1), ("cline", 2)]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which three clients keep logs of today, of so many calls."""
    for name in (
        "CLAUDE_CONFIG_DIR",
        "CODEX_HOME",
        "CLINE_DIR",
        "CLINE_DATA_DIR",
        "CLINE_SESSION_DATA_DIR",
        "KILO_DB",
        "APPDATA",
        "XDG_DATA_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    now = datetime.now(UTC)
    line = assistant("msg_1", usage(1_000, out=10), sessionId="s", timestamp=now.isoformat())
    write(tmp_path / ".claude/projects/p/s.jsonl", line)
    lines = codex.meta(), codex.context(), codex.record("resp_1", codex.used(5, 0, 1))
    write(tmp_path / ".codex/sessions/rollout-1.jsonl", *lines)
    at = int(now.timestamp() * 1000)
    storage = tmp_path / ".config/Code/User/globalStorage/saoudrizwan.claude-dev"
    task(storage, [says("task", "x"), asked(USED, at, **ANTHROPIC), asked(USED, at + 1, **ANTHROPIC)])
    return tmp_path


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["analyze", "usage"])
@pytest.mark.parametrize(("client", "calls"), CALLS)
def test_only_what_a_client_keeps_is_read(capsys: Capture, command: str, client: str, calls: int) -> None:
    told = json.loads(said(capsys, command, "--client", client, "--json", "--no-cache"))
    assert told["totals"]["turns"] == calls


@pytest.mark.usefixtures("home")
def test_several_clients_are_read_together(capsys: Capture) -> None:
    told = json.loads(said(capsys, "usage", "--client", "codex", "--client", "cline", "--json"))
    assert told["totals"]["turns"] == 3
    assert json.loads(said(capsys, "usage", "--json"))["totals"]["turns"] == 4


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("words", [("--client", "cline"), ("--client=cline",)])
def test_the_command_alone_takes_a_client(capsys: Capture, words: tuple[str, ...]) -> None:
    code = run(list(words))
    told = capsys.readouterr()
    assert code == 0, told.err
    assert "2 calls" in told.out


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (("analyze", "--client", "codx"), "no client named 'codx'", "did you mean codex?"),
        (("usage", "--client", "litellm"), "no client named 'litellm'", "known: claude_code, cline, codex"),
        (("--client", "clin"), "no client named 'clin'", "did you mean cline?"),
        (("usage", ".", "--client", "codex"), "a PATH was given too", "leave out one of them"),
    ],
)
def test_what_cannot_be_is_refused(capsys: Capture, words: tuple[str, ...], error: str, hint: str) -> None:
    assert run(list(words)) == 2
    told = capsys.readouterr().err
    assert error in told
    assert f"hint: {hint}" in told


def test_a_client_without_logs_says_where_it_keeps_them(home: Path, capsys: Capture) -> None:
    assert run(["usage", "--client", "pi"]) == 2
    assert "no logs in ~/.pi/agent/sessions, ~/.omp/agent/sessions\n" in capsys.readouterr().err
    for known in sorted(home.iterdir()):
        known.rename(known.with_name(f"{known.name}-gone"))
    assert run(["usage"]) == 2
    told = capsys.readouterr().err
    assert "~/.codex/sessions" in told
    assert told.count("~/") == MAX_PLACES
    assert "more places" in told


def test_clients_are_the_formats_that_have_places() -> None:
    assert list(clients()) == [name for name, known in available().items() if known.roots]


def test_the_places_of_a_client_come_in_their_order(home: Path) -> None:
    storage = home / ".config/Code/User/globalStorage/saoudrizwan.claude-dev/tasks"
    assert default_folders(["cline"]) == [str(storage)]


@pytest.mark.parametrize(
    ("client", "place"),
    [
        ("cline", ".cline/data/sessions/s1/s1.messages.json"),
        ("cline", ".vscode-mock/global-storage/tasks/t1/ui_messages.json"),
        ("opencode", ".local/share/kilo/kilo.db"),
    ],
)
def test_newer_stores_are_looked_for(home: Path, client: str, place: str) -> None:
    (home / ".config").rename(home / "gone")
    path = home / place
    path.parent.mkdir(parents=True)
    path.write_text("[]", "utf-8")
    (found,) = default_folders([client])
    assert str(path).startswith(found)
