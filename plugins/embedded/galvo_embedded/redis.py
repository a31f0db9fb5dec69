"""Redis: how it is started, asked whether it is ready, and stopped. It keeps nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path
from urllib.parse import quote

from galvo_embedded.account import Account


class Redis:
    title = "Redis"
    stop = signal.SIGTERM

    def __init__(self, folder: Path, programs: Path, account: Account) -> None:
        self._data, self._programs, self._account = folder / "data", programs, account

    def prepare(self, keep: int) -> int | None:
        """Make its working folder; it would be used by a BGSAVE only. Raises OSError."""
        self._data.mkdir(mode=0o700, exist_ok=True)
        self._account.give(self._data)
        return None

    def command(self, sockets: Path) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.address(sockets)),
            "unixsocketperm": "700",
            "appendonly": "no",
            "save": "",
            "maxmemory-policy": "noeviction",
            "dir": str(self._data),
            "daemonize": "no",
        }
        words = (word for name, value in settings.items() for word in (f"--{name}", value))
        return [str(self._programs / "redis-server"), *words]

    def version(self, sockets: Path) -> str | None:
        """The version of the server once it answers, else None. Raises OSError while nobody listens."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(os.fspath(self.address(sockets)))
            client.sendall(b"INFO server\r\n")
            found = re.search(rb"redis_version:(\S+)", client.recv(8192))
        return found[1].decode() if found else None

    def url(self, sockets: Path) -> str:
        return f"unix://{quote(os.fspath(self.address(sockets)))}"

    def address(self, sockets: Path) -> Path:
        return sockets / "redis.sock"
