"""uvicorn in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.forking import MODULE, Fork, shared

HERE = Path(__file__).parent


class Served:
    """A server that is about to start, and what it has said."""

    def __init__(self, app: str, folder: Path, environment: dict[str, str], *options: str) -> None:
        self.process = Fork(
            shared(), MODULE, ["uvicorn", app, "--app-dir", str(HERE), "--port", "0", *options],
            cwd=folder, env={**os.environ, **environment}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self._silent = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def until(self, pattern: str, count: int = 1) -> str:
        """What it says by `pattern`, as soon as it has said that `count` times."""
        with self._news:
            self._news.wait_for(lambda: len(self._found(pattern)) >= count or self._silent, 60)
            found = self._found(pattern)
            assert len(found) >= count, self.text
            return found[-1]

    @property
    def url(self) -> str:
        return self.until(r"running on (http://[\d.:]+)")

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def ended(self) -> int:
        """The exit code, once it has ended."""
        code = self.process.wait(60)
        self._reader.join()
        return code

    def stop(self) -> int:
        self.process.terminate()
        return self.ended()

    def _found(self, pattern: str) -> list[str]:
        return [str(one) for one in re.findall(pattern, self.text)]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self._silent = True
            self._news.notify_all()
        self.process.stderr.close()


@contextmanager
def served(app: str, folder: Path, environment: dict[str, str], *options: str) -> Iterator[Served]:
    """It ends with the block, if it has not ended before."""
    server = Served(app, folder, environment, *options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.ended()
