"""Where a run happens: its servers, started when first asked for, and its progress."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from galvo import GalvoError
from galvo_bench.running.progress import Progress
from galvo_embedded import Servers


def must(ok: bool, problem: str) -> None:
    """Stop the run when it would measure something else than it says. Raises GalvoError."""
    if not ok:
        raise GalvoError(f"the benchmark is wrong: {problem}")


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other bench of this user runs: they would share the servers and disturb each other."""
    import fcntl  # Unix only, as the servers are

    lock = Path(tempfile.gettempdir()) / f"galvo-bench-{os.getuid()}.lock"
    handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("galvo: waiting for another galvo bench to end\n")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class Stand:
    """`url` and `amqp` are a PostgreSQL and a RabbitMQ to use instead of private ones; Redis is always a private one,
    which is flushed.
    """

    def __init__(self, url: str = "", rounds: int = 21, amqp: str = "") -> None:
        self.rounds = rounds
        self.amqp = amqp
        self.progress = Progress()
        self._url = url
        self._shared = Servers(Path(".galvo"))
        self._private = Servers(Path(".galvo/bench"))
        self._apart: dict[str, Servers] = {}

    @property
    def few(self) -> int:
        """Rounds of what takes long."""
        return (self.rounds + 1) // 2

    async def postgres(self) -> str:
        """A DSN. Raises PluginError."""
        return self._url or await self._shared.postgres()

    async def redis(self) -> str:
        """A URL of an empty Redis that nobody else uses. Raises PluginError."""
        return await self._private.redis()

    async def redis_of(self, name: str) -> str:
        """A URL of an empty Redis of that candidate: what is counted there is its own. Raises PluginError."""
        return await self._apart.setdefault(name, Servers(Path(".galvo/bench") / name)).redis()

    def tick(self) -> None:
        """A round is over."""
        self.progress.tick()

    def close(self) -> None:
        """Stop using the servers."""
        self._shared.close()
        self._private.close()
        for servers in self._apart.values():
            servers.close()
