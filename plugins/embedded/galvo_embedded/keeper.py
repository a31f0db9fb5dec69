"""`python -m galvo_embedded.keeper`: the process that supervises exactly one server.

Four locks in the server's folder carry the whole agreement:

- start.lock: a user process that starts a keeper, and that keeper until its server answers.
- keeper.lock: the keeper, from before it exists until it ends. Free means: nobody supervises.
- server.lock: the server and every process it made. Free means: nothing of it is left.
- users.lock: shared, by every user process. The keeper waits for it: it gets it when the last user ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from galvo_embedded.account import Account, server_account
from galvo_embedded.child import adopt_orphans, launch, sweep
from galvo_embedded.lease import Lock
from galvo_embedded.paths import remove_sockets, socket_folder
from galvo_embedded.postgres import Postgres
from galvo_embedded.redis import Redis
from galvo_embedded.refusal import Refused, from_os_error, from_output

STOP_SECONDS = 30
"""How long a server may take to stop before it is killed; its data survives that too."""


class Server(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def stop(self) -> signal.Signals: ...
    def prepare(self, keep: int) -> int | None: ...
    def command(self, sockets: Path) -> list[str]: ...
    def version(self, sockets: Path) -> str | None: ...
    def url(self, sockets: Path) -> str: ...
    def address(self, sockets: Path) -> Path: ...


class Keeper:
    """Raises Refused or OSError while it starts the server; supervises it until nobody needs it."""

    def __init__(self, folder: Path, server: Server, account: Account) -> None:
        self._folder, self._server, self._account = folder, server, account
        self._lock = Lock(folder / "server.lock")
        self._users = Lock(folder / "users.lock")
        self._log_start = os.fstat(sys.stderr.fileno()).st_size
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        try:
            self._lock.exclusive()
            if self._server.prepare(self._lock.fd):
                raise Refused(self._complaint())
            sockets = socket_folder(self._folder / "sockets", self._account)
            self._process = launch(self._server.command(sockets), self._account, self._server.stop, self._lock.fd)
            version = self._wait_until_it_answers(sockets)
            new = self._folder / "url.new"
            new.write_text(f"{self._server.url(sockets)}\n{version}\n{self._server.address(sockets)}\n")
            new.replace(self._folder / "url")
        except BaseException:
            if self._process:
                self._process.kill()
            self._finish()
            remove_sockets(self._folder / "sockets")
            raise

    def supervise(self) -> None:
        """Return when the server has ended, because its last user did or by itself."""
        threading.Thread(target=self._stop_after_the_last_user, daemon=True).start()
        self._finish()
        # Whoever still uses it may have it started again, and finds it where it was.
        if self._users.try_exclusive():
            remove_sockets(self._folder / "sockets")

    def _finish(self) -> None:
        if self._process:
            self._process.wait()
        sweep()
        (self._folder / "url").unlink(missing_ok=True)

    def _stop_after_the_last_user(self) -> None:
        self._users.exclusive()
        if self._process:
            self._process.send_signal(self._server.stop)
            time.sleep(STOP_SECONDS)
            self._process.kill()

    def _wait_until_it_answers(self, sockets: Path) -> str:
        while self._process and self._process.poll() is None:
            try:
                if version := self._server.version(sockets):
                    return version
            except OSError:
                pass  # It does not listen yet.
            time.sleep(0.01)
        raise Refused(self._complaint())

    def _complaint(self) -> str:
        with open(self._folder / "log", "rb") as log:
            log.seek(self._log_start)
            output = log.read().decode(errors="replace")
        said = from_output(output, self._folder)
        if said.startswith("no space left"):
            return said
        return f"{self._server.title} in {self._folder} did not start: {said} (see {self._folder / 'log'})"


@contextmanager
def deadline(seconds: float, sentence: str) -> Iterator[None]:
    """Raise Refused with `sentence` in the main thread, whatever it waits for, after `seconds`."""

    def late(*_: object) -> None:
        raise Refused(sentence)

    # Masks are inherited, and the thread that started us may have blocked anything.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main(kind: str, where: str, programs: str, seconds: str, start_lock: str, *options: str) -> None:
    """Say "ready" or "error SENTENCE" on stdout, close it, and supervise. keeper.lock came along, locked."""
    if os.fork():
        os._exit(0)  # Nobody's child: no zombie and no stray SIGCHLD in the program that wants a server.
    folder, account = Path(where), server_account()
    server: Server = Redis(folder, Path(programs), account)
    if kind == "postgres":
        server = Postgres(folder, Path(programs), account, dict(option.split("=", 1) for option in options))
    os.umask(0o077)
    adopt_orphans()
    keeper = None
    try:
        keeper = Keeper(folder, server, account)
        late = f"{server.title} in {folder} did not answer within {float(seconds):g} s: look in {folder / 'log'}"
        with deadline(float(seconds), late):
            keeper.start()
    except Refused as refusal:
        print(f"error {refusal}", flush=True)  # noqa: T201
        return
    except OSError as error:
        print(f"error {from_os_error(error, folder)}", flush=True)  # noqa: T201
        return
    print("ready", flush=True)  # noqa: T201
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())
    os.close(int(start_lock))
    keeper.supervise()


if __name__ == "__main__":
    main(*sys.argv[1:])
