"""The command as a process: how fast it starts, and how it ends when nobody listens or somebody stops it."""

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from command import NO_LEVERS
from costscan import cache_folder
from thoroughness import fewer

pytestmark = pytest.mark.usefixtures("price_cache")
ROOT = Path(__file__).parents[2]
COSTSCAN = [sys.executable, "-c", "from costscan.cli import main; main()"]
HEAVY = {"polars", "pyarrow", "genai_prices", "rich", "numpy", "anthropic", "msgspec"}
posix = pytest.mark.skipif(os.name != "posix", reason="signals and pseudo-terminals of POSIX")


def command(*arguments: str, **more: object) -> "subprocess.Popen[bytes]":
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": ROOT} | more
    return subprocess.Popen([*COSTSCAN, *arguments], **pipes)  # type: ignore[call-overload, no-any-return]


def test_nothing_heavy_is_imported_to_start() -> None:
    commands = [["--help"], ["analyze", "--help"], ["--version"], ["analyze", "--wat"]]
    code = f"""
import sys
from costscan.cli.app import run
for arguments in {commands!r}:
    run(arguments)
    print("\\nmodules:", *sorted({{name.partition(".")[0] for name in sys.modules}}))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    found = [set(line.split()) for line in told.splitlines() if line.startswith("modules:")]
    for arguments, loaded in zip(commands, found, strict=True):
        assert "costscan" in loaded
        assert not loaded & HEAVY, arguments


def test_a_small_log_is_analyzed_without_numpy_and_pyarrow(tmp_path: Path) -> None:
    """Each takes longer to import than a small log needs of it; prices are made into a table once."""
    env = {name: value for name, value in os.environ.items() if name != cache_folder.OFF}
    env[cache_folder.DIR] = str(tmp_path)
    code = """
import sys
from costscan.cli.app import run
run(["analyze", "--no-cache", "sample_logs/idle-hour", "sample_logs/headless-stream", "--rank", "waste"])
print("modules:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""
    words = [sys.executable, "-c", code]
    first, again = (
        subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT, env=env).stdout
        for _ in range(2)
    )
    assert "genai_prices" in first.splitlines()[-1]
    loaded = set(again.splitlines()[-1].split())
    assert {"costscan", "polars"} <= loaded
    assert not loaded & {"numpy", "pyarrow", "genai_prices"}


def test_few_modules_are_imported_to_start() -> None:
    """What `--help` takes is what it imports: 60 of our 550 modules, and typer."""
    code = (
        "import sys; from costscan.cli.app import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr
    loaded = told.split()
    assert 20 < len([name for name in loaded if name.startswith("costscan")]) < 75
    assert len(loaded) < 280


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("costscan expl", {"explain"}),
        ("costscan explain --tu", {"--turns"}),
        ("costscan usage --by we", {"week"}),
    ],
)
def test_a_shell_completes(line: str, offered: set[str]) -> None:
    words = {"_COSTSCAN_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    done = subprocess.run(COSTSCAN, env={**os.environ, **words}, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == offered
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("shell", "begins"),
    [("bash", "_costscan_completion() {"), ("zsh", "#compdef costscan"), ("fish", "complete")],
)
def test_the_script_of_a_shell(shell: str, begins: str) -> None:
    words = {**os.environ, "_COSTSCAN_COMPLETE": f"source_{shell}"}
    done = subprocess.run(COSTSCAN, env=words, capture_output=True, text=True, check=True)
    assert done.stdout.strip().startswith(begins)


def test_a_reader_that_goes_away_is_no_error() -> None:
    for arguments in (["analyze", "sample_logs", *NO_LEVERS, "--json"], ["prices"], ["--help"]):
        process = command(*arguments)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == b""
        process.stderr.close()


@posix
@pytest.mark.parametrize("closed", [1, 2])
def test_closed_streams_are_no_error(closed: int) -> None:
    other = {1: "stderr", 2: "stdout"}[closed]
    process = command(
        "analyze", "sample_logs/idle-hour", *NO_LEVERS, preexec_fn=lambda: os.close(closed), **{other: subprocess.DEVNULL}
    )  # fmt: skip
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_full_disk_is_an_error(more: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        process = command("analyze", "sample_logs/idle-hour", *NO_LEVERS, *more, stdout=full)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.decode().splitlines() == [
        "error: No space left on device",
        "hint: check space and permissions",
    ]


STOPS = [
    (after_s, sent, code)
    for after_s in (0.0, 0.05, 0.2, 0.4, 0.6, 0.8)
    for sent, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143))
]


@pytest.fixture(scope="module")
def many_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs that take longer to read than the tests wait."""
    folder = tmp_path_factory.mktemp("logs")
    log = next((ROOT / "sample_logs" / "idle-hour").rglob("*.jsonl")).read_text(encoding="utf-8")
    for n in range(200):
        name = f"c420286e-1744-4ffd-84a1-e2927887{n:04d}"
        told = re.sub(r"c420286e-1744-4ffd-84a1-\w{12}", name, log)
        (folder / f"{n}.jsonl").write_text(told, encoding="utf-8")
    return folder


@posix
@pytest.mark.parametrize(("after_s", "sent", "code"), fewer(STOPS, 4))
def test_being_stopped_leaves_nothing_behind(
    tmp_path: Path, many_logs: Path, after_s: float, sent: signal.Signals, code: int
) -> None:
    # It says when it is about to begin: how long Python takes to start is not what is tested.
    begin = [sys.executable, "-c", "from costscan.cli import main; print('begin', flush=True); main()"]
    arguments = ["analyze", str(many_logs), "--workers", "2"]
    with subprocess.Popen(
        [*begin, *arguments],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begin\n"
        time.sleep(0.02 + after_s)
        os.killpg(process.pid, sent)
        _, errors = process.communicate(timeout=60)
    # On a quick machine it may have been done before.
    assert (process.returncode, errors) in {(code, b""), (0, b"")}
    assert list(tmp_path.iterdir()) == []


def read_all(terminal: int) -> bytes:
    """Return what was written to a terminal, until nothing has it open any more."""
    shown = b""
    while True:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    return shown


def on_terminal(setting: dict[str, str]) -> str:
    """Return what a process writes to a terminal of its own."""
    master, slave = os.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "90"} | setting
    process = command(
        "analyze", "sample_logs/idle-hour", *NO_LEVERS, stdin=slave, stdout=slave, stderr=slave, env=env
    )
    os.close(slave)
    shown = read_all(master)
    assert process.wait(60) == 0
    return shown.decode().replace("\r", "")


@posix
def test_colours_are_for_terminals_that_want_them() -> None:
    settings: list[dict[str, str]] = [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}]
    with ThreadPoolExecutor() as pool:
        shown = list(pool.map(on_terminal, settings))
    for setting, text in zip(settings, shown, strict=True):
        assert "every call priced at list" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text), setting
        assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]m|\x1b\[1;3", text)) is (not setting), setting
