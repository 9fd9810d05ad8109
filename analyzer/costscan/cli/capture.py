"""`costscan capture`: a proxy on this machine that logs the calls of any client."""

import os
import shutil
import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from costscan.errors import CostscanError

if TYPE_CHECKING:
    from costscan.capturing.context import Run
    from costscan.capturing.proxy import Upstream

ANTHROPIC, OPENAI = "https://api.anthropic.com", "https://api.openai.com/v1"
_VARIABLES: Final = {"anthropic": "ANTHROPIC_BASE_URL", "openai": "OPENAI_BASE_URL"}


_Command: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="COMMAND", help="What to run behind the proxy.")
]
_Log: TypeAlias = Annotated[
    Path, typer.Option("--log", metavar="FILE", help="Where calls are appended; those of OpenAI beside it.")
]
_Port: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=65535, help="Serve at this port, without a command.")
]
_Task: TypeAlias = Annotated[str | None, typer.Option(help="What runs are compared by.")]
_RunId: TypeAlias = Annotated[
    str | None, typer.Option(metavar="ID", help="The run that all calls belong to.")
]
_NoContent: TypeAlias = Annotated[
    bool, typer.Option("--no-content", help="Log invented words of the same length in place of texts.")
]
_Anthropic: TypeAlias = Annotated[
    str, typer.Option(metavar="URL", envvar=_VARIABLES["anthropic"], help="Where Anthropic's API is.")
]
_OpenAI: TypeAlias = Annotated[
    str, typer.Option(metavar="URL", envvar=_VARIABLES["openai"], help="Where OpenAI's API is.")
]


def capture(
    command: _Command = None,
    *,
    log: _Log = Path("runs.jsonl"),
    port: _Port = None,
    task: _Task = None,
    run_id: _RunId = None,
    no_content: _NoContent = False,
    anthropic_url: _Anthropic = ANTHROPIC,
    openai_url: _OpenAI = OPENAI,
) -> None:
    """Log the calls of a command, or of any client.

    \b
    Examples:
      costscan capture -- claude -p "Fix the test"
      costscan capture --log nightly.jsonl --task nightly -- python agent.py
      costscan capture --port 8790

    A proxy on this machine passes them on; the command finds it in ANTHROPIC_BASE_URL and OPENAI_BASE_URL.
    Streams pass through as they come, keys are not logged, and traffic goes on where the log cannot be
    written. Needs the extra costscan[proxy].

    Exit codes: those of the command; 2 cannot run.
    """  # noqa: D301 - \b keeps the lines apart
    if bool(command) == (port is not None):
        raise CostscanError(
            "capture: give a command or a port", "like costscan capture -- python agent.py, or --port 8790"
        )
    serve = _server()
    from costscan.capturing.context import Run  # noqa: PLC0415

    upstreams = _upstreams(log, {"anthropic": anthropic_url, "openai": openai_url}, no_content=no_content)
    _serve(serve, command or [], port, upstreams, Run(run_id, task))


def _serve(
    serve: ModuleType, command: list[str], port: int | None, upstreams: "list[Upstream]", run: "Run"
) -> None:
    """Pass calls on, beside a command or until it is stopped."""
    if command and not shutil.which(command[0]):
        raise CostscanError(f"capture: {command[0]} is no command", "check PATH")
    sock = _listening(serve, port)
    addresses = {
        variable: f"http://{serve.HOST}:{sock.getsockname()[1]}/{name}"
        for name, variable in _VARIABLES.items()
    }
    if not command:
        for variable, address in addresses.items():
            typer.echo(f"export {variable}={address}")
        serve.serve(sock, upstreams, run, lambda: False)
        return
    if sys.platform == "win32":
        raise CostscanError("capture: running a command needs Linux or macOS", "use --port N")
    serve.beside(lambda is_over: serve.serve(sock, upstreams, run, is_over))
    os.execvpe(command[0], command, _environment(addresses))  # noqa: S606 - what the user asked for


def _server() -> ModuleType:
    """Return what serves the proxy.

    Raises:
        CostscanError: its extra is not installed.
    """
    try:
        from costscan.capturing import serve  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        hint = "pip install 'costscan[proxy]'"
        raise CostscanError(f"capture: {error.name} is not installed", hint) from None
    return serve


def _listening(serve: ModuleType, port: int | None) -> socket.socket:
    try:
        sock: socket.socket = serve.listening(port or 0)
    except OSError as error:
        raise CostscanError(f"--port {port}: {error.strerror}", "choose another port") from None
    return sock


def _environment(addresses: dict[str, str]) -> dict[str, str]:
    """Return the environment of a command, which must not look for the proxy by way of another one."""
    out = {**os.environ, **addresses}
    for name in ("NO_PROXY", "no_proxy"):
        out[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1")))
    return out


def _upstreams(log: Path, urls: dict[str, str], *, no_content: bool) -> "list[Upstream]":
    from costscan.capturing.content import without_content  # noqa: PLC0415
    from costscan.capturing.log_file import LogFile  # noqa: PLC0415
    from costscan.capturing.proxy import Upstream  # noqa: PLC0415
    from costscan.capturing.recorder import MAX_BYTES, Recorder  # noqa: PLC0415

    if not _can_be_written(log):
        raise CostscanError(f"{log}: cannot be written", "check permissions, or choose another with --log")
    for name, url in urls.items():
        if not url.startswith(("http://", "https://")):
            raise CostscanError(f"{_VARIABLES[name]} {url}: no address", "like https://api.example.com")
    # A log has one format.
    paths = {"anthropic": log, "openai": log.with_name(f"{log.stem}-openai{log.suffix}")}
    redact = without_content if no_content else None
    return [
        Upstream(name=name, url=url, recorder=Recorder(LogFile(paths[name].absolute(), MAX_BYTES), redact))
        for name, url in urls.items()
    ]


def _can_be_written(log: Path) -> bool:
    if log.exists():
        return not log.is_dir() and os.access(log, os.W_OK)
    folder = next(parent for parent in log.absolute().parents if parent.exists())
    return folder.is_dir() and os.access(folder, os.W_OK)
