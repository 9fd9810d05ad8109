"""Serves the proxy: in the foreground, or beside a command for as long as that runs."""

import asyncio
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import httpx2
import uvicorn

from costscan.capturing.context import Run
from costscan.capturing.proxy import Proxy, Upstream

HOST: Final = "127.0.0.1"
_LOOK_EVERY_S: Final = 0.1
_CONNECT_TIMEOUT_S: Final = 30.0
_KEEP_ALIVE_S: Final = 3600
"""Longer than clients keep a connection: one that is closed here as it is used again fails there."""


def listening(port: int) -> socket.socket:
    """Return a socket that only this machine can connect to.

    Args:
        port: its port; 0 for one that is free.

    Raises:
        OSError: the port is taken.
    """
    # Only where the protocol is named does asyncio have small writes sent at once: else each waits 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock


def serve(sock: socket.socket, upstreams: Sequence[Upstream], run: Run, is_over: Callable[[], bool]) -> None:
    """Serve until a signal comes or it is over; requests that are on their way are answered first."""
    asyncio.run(_serve(sock, upstreams, run, is_over))


async def _serve(sock: socket.socket, upstreams: Sequence[Upstream], run: Run, is_over: Any) -> None:
    timeout = httpx2.Timeout(None, connect=_CONNECT_TIMEOUT_S)  # the client has timeouts of its own
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx2.AsyncClient(timeout=timeout, limits=limits) as client:
        config = uvicorn.Config(
            Proxy(upstreams, run, client),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
        )
        server = uvicorn.Server(config)
        watch = asyncio.ensure_future(_watch(server, is_over))
        await server.serve(sockets=[sock])
        watch.cancel()


async def _watch(server: uvicorn.Server, is_over: Callable[[], bool]) -> None:
    while not is_over():  # noqa: ASYNC110 - nothing tells that a process ended
        await asyncio.sleep(_LOOK_EVERY_S)
    server.should_exit = True


def beside(work: Callable[[Callable[[], bool]], None]) -> None:
    """Do work in a process of its own for as long as this one runs, whatever program it becomes.

    The work gets what tells whether this process has ended. It is begun anew if it dies before that. It is no
    child of this process, which may become a program that waits for all of its children, and signals of the
    terminal do not reach it.
    """
    is_over = _end_of(os.getpid())
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            _keep_at(work, is_over)
    finally:
        os._exit(0)


def _keep_at(work: Callable[[Callable[[], bool]], None], is_over: Callable[[], bool]) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        # Who reads a pipe to its end must not wait for this process; a terminal still gets warnings.
        if number < 2 or not os.isatty(number):  # noqa: PLR2004
            os.dup2(nowhere, number)
    while not is_over():
        worker = os.fork()
        if worker == 0:
            code = 1
            try:
                work(is_over)
                code = 0
            finally:
                os._exit(code)
        if os.waitpid(worker, 0)[1] == 0:
            return
        time.sleep(_LOOK_EVERY_S)


def _end_of(pid: int) -> Callable[[], bool]:
    """Return what tells whether a process has ended, though nobody may have taken notice of that."""
    if hasattr(os, "pidfd_open"):
        process = os.pidfd_open(pid)
        return lambda: bool(select.select([process], [], [], 0)[0])

    def is_gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # it became a program of another user
            return False
        return False

    return is_gone
