"""The parent's side of one child process."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing import spawn
from multiprocessing.connection import Connection

from galvo_memory.processes.child import Answer

LAST_WORDS = 1.0
"""Seconds for a process that has closed its end to be gone; what it has died of is lost when it is killed."""


class Died(Exception):
    """The child ended before it answered."""

    def __init__(self, code: int | None, *, started: bool) -> None:
        super().__init__(code)
        self.code = code
        self.started = started


class Worker:
    """One call at a time: `ask` blocks, so it runs in a thread, and `stop` may come from another one."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        """There is no process, and there will be none."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._socket: socket.socket | None = None
        """Of the connection, to be shut down while another thread reads from it."""
        self._life: socket.socket | None = None
        """Closed by us or by our end, it takes the child and what that has forked along."""
        self._asking = False
        self._stopped = threading.Event()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ask(self, max_bytes: int, call: bytes) -> Answer:
        """What `child.run` gives. Starts the process if there is none yet. Raises Died; then it is gone."""
        with self._lock:
            if self._stopped.is_set():
                raise Died(None, started=False)
            self._asking = True
        started = self._connection is not None
        try:
            connection = self._connection or self._start()
            started = True
            connection.send_bytes(pickle.dumps((max_bytes, call), pickle.HIGHEST_PROTOCOL))
            answer = Answer(*pickle.loads(connection.recv_bytes()))  # noqa: S301  # from our own child
        except (EOFError, OSError) as error:
            code = self._reap()
            if code is None and not self._stopped.is_set():  # the system gives no process
                raise
            raise Died(code, started=started) from error
        except BaseException:
            self.stop()
            self._reap()
            raise
        with self._lock:
            self._asking = False
        if self._stopped.is_set():  # in the moment of its answer
            self._reap()
        return answer

    def _start(self) -> Connection:
        about = spawn.get_preparation_data("galvo-limited")  # RuntimeError while the main module is imported by a child
        del about["authkey"]  # is not to leave the process
        ours, theirs = socket.socketpair()
        life, their_life = socket.socketpair()
        with ours, theirs, life, their_life:
            descriptors = theirs.fileno(), their_life.fileno()
            code = f"import sys; sys.path[:] = {sys.path!r}; from {Answer.__module__} import main; main(*{descriptors})"
            with self._lock:
                if self._stopped.is_set():
                    raise EOFError
                self._process = subprocess.Popen(
                    [sys.executable, "-c", code],
                    stdin=subprocess.DEVNULL,
                    pass_fds=descriptors,
                    start_new_session=True,  # what it forks is in its group
                )
                self._socket, self._life = ours.dup(), life.dup()
            self._connection = connection = Connection(ours.detach())
        connection.send_bytes(pickle.dumps(about))
        connection.recv_bytes()
        return connection

    def stop(self) -> None:
        """`kill`, and wait for its end, unless `ask` does. `ended` is set as soon as it is gone."""
        if not self.kill():
            self._reap()

    def kill(self) -> bool:
        """It and what it has forked, whatever they do. Gives whether `ask` is at work, which then waits for its end."""
        with self._lock:
            self._stopped.set()
            self._kill()
            if self._socket is not None:
                with suppress(OSError):  # it has closed its end
                    self._socket.shutdown(socket.SHUT_RDWR)  # else `ask` reads on while anybody has the other end
            return self._asking

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:  # else its number may be another's
            with suppress(ProcessLookupError, PermissionError):  # macOS: of a group of zombies
                os.killpg(self._process.pid, signal.SIGKILL)

    def _reap(self) -> int | None:
        code = None
        if self._process is not None:
            try:
                code = self._process.wait(LAST_WORDS)
            except subprocess.TimeoutExpired:
                self._kill()
                code = self._process.wait()
        if self._connection is not None:
            self._connection.close()
        with self._lock:
            for end in (self._socket, self._life):
                if end is not None:
                    end.close()
            self._socket = None
        self.ended.set()
        return code

    def resident(self) -> int:
        """Bytes; 0 when there is no process, or the system does not say."""
        try:
            with open(f"/proc/{self.pid}/statm", "rb") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            return 0
