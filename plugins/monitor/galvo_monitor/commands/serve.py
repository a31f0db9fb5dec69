"""`galvo monitor serve`: the page alone, of a kernel of its own."""

from __future__ import annotations

import argparse
import secrets
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import anyio

from galvo import Kernel
from galvo_monitor.arguments import existing
from galvo_monitor.errors import MonitorProblem

PORT = 8300


def main(argv: Sequence[str]) -> int:
    """0: ended by Ctrl-C or SIGTERM. Raises MonitorProblem, and what the kernel's start raises."""
    options = parser().parse_args(argv)
    token = None if options.public else _token(options.token_file)
    anyio.run(serve, options.host, options.port, options.name, token, options.folder)
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo monitor serve",
        description="Show the monitor's page of a kernel of its own, made from settings/: machine, database, and the "
        "processes that share their numbers. An application shows its own by galvo_monitor.page.mounted().",
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    made.add_argument("--port", type=int, default=PORT, help=f"0: any that is free ({PORT})")
    text = "a host name by which the page is reached, besides loopback's; may be repeated"
    made.add_argument("--name", action="append", default=[], help=text)
    text = "file that holds the token; default: a new token each time"
    made.add_argument("--token-file", type=Path, metavar="FILE", help=text)
    made.add_argument("--public", action="store_true", help="ask for no token: whoever reaches it sees the numbers")
    made.add_argument("--folder", type=existing, default=Path(), help="where settings/ is (.)")
    return made


async def serve(host: str, port: int, names: Sequence[str], token: str | None, folder: Path) -> None:
    """Until SIGINT or SIGTERM."""
    try:
        from galvo_monitor.page.mounting import mounted
        from galvo_monitor.page.server import Server
    except ModuleNotFoundError as error:
        text = f"the page needs {error.name}: install galvo-monitor[page]"
        raise MonitorProblem(text) from error
    from galvo_monitor.hosts import LOOPBACK

    listening = _listening(host, port)
    with listening:
        kernel = Kernel.from_settings(folder)
        app = mounted(kernel, token=token, public=token is None, hosts=(*LOOPBACK, host, *names))
        async with kernel:
            if kernel.find_capability("monitor") is None:
                raise MonitorProblem("the monitor plugin does not run: `galvo plugins` tells why")
            server = Server(app)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_told, server)
                address = f"[{host}]" if ":" in host else host
                secret = f"#token={quote(token, safe='')}" if token else ""
                print(f"http://{address}:{listening.getsockname()[1]}/{secret}", flush=True)
                await server.serve(sockets=[listening])
                tasks.cancel_scope.cancel()


async def _until_told(server: object) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            server.should_exit = True  # type: ignore[attr-defined]


def _token(file: Path | None) -> str:
    if file is None:
        return secrets.token_urlsafe(24)
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise MonitorProblem(f"the token cannot be read from {file}: {error}") from None


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise MonitorProblem(f"cannot listen on {host} port {port}: {error}; choose others by --host, --port") from None
