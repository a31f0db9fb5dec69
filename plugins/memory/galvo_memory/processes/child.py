"""The child's side: takes a call, runs it under its limit, answers."""

from __future__ import annotations

import ctypes
import fcntl
import gc
import os
import pickle
import resource
import select
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing import process, spawn
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

KEPT = 32 << 20
"""Bytes that a worker may be larger than in the beginning and still be used again."""


class Answer(NamedTuple):
    """`kind`: "value" and "error" have a pickle as `body`; all others are told by `text`."""

    kind: str
    body: bytes = b""
    text: str = ""
    """The traceback of an error, or what was wrong."""
    spent: bool = False
    """The process is to be used no more."""


def main(descriptor: int, life: int) -> None:
    """Until the parent closes its ends: of the connection, and of what only tells that it lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    with Connection(descriptor) as parent:
        os.set_inheritable(descriptor, False)
        os.register_at_fork(after_in_child=parent.close)  # the end of this process is the end of the connection
        try:
            tie(life)
            prepare(pickle.loads(parent.recv_bytes()))  # noqa: S301  # from our own parent
            parent.send_bytes(b"ready")
            floor = data()
            while True:
                max_bytes, call = pickle.loads(parent.recv_bytes())  # noqa: S301
                answer = run(max_bytes, call)
                del call
                parent.send_bytes(pickle.dumps(answer._replace(spent=grown(floor))))
                del answer
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def tie(descriptor: int) -> None:
    """From now on the end of the parent kills this process and its group, whatever runs (fcntl(2), F_SETSIG; Linux).

    `descriptor` is of a socket on which nothing is sent, so all that can happen to it is that the other end closes.
    PR_SET_PDEATHSIG would follow the thread that started this process; a thread in here might never get to run.
    """
    if sys.platform != "linux":
        return
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    ended = select.poll()
    ended.register(descriptor, select.POLLIN)
    if ended.poll(0):
        raise EOFError


def prepare(about: dict[str, Any]) -> None:
    """Import the main module. One that starts processes by being imported is refused, as by multiprocessing."""
    this: Any = process.current_process()
    this._inheriting = True
    try:
        spawn.prepare(about)
    finally:
        del this._inheriting


def run(max_bytes: int, call: bytes) -> Answer:
    """Run the pickled function with its arguments; it gets `max_bytes` more than this process has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit, most = data() + max_bytes, soft if soft != resource.RLIM_INFINITY else hard
    if most != resource.RLIM_INFINITY and limit > most:
        return Answer("refused", text=str(max(0, most - data())))
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        function, args = _load(call)
        value = function(*args)
    except Exception as error:  # noqa: BLE001  # told to the caller, whatever it is
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        return _failure(error)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    try:
        return Answer("value", pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
    except Exception as error:  # noqa: BLE001  # of any type: reduce functions are anybody's
        return Answer("unsendable", text=f"{type(value).__name__}, {_line(error)}")


class Unreadable(Exception):
    """The call cannot be made from its pickle here."""


def _load(call: bytes) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    try:
        return pickle.loads(call)  # type: ignore[no-any-return]  # noqa: S301
    except MemoryError:
        raise
    except Exception as error:
        raise Unreadable(_line(error)) from error


def _failure(error: Exception) -> Answer:
    text = "".join(traceback.format_exception(error)).rstrip()
    if isinstance(error, Unreadable):
        return Answer("unreadable", text=str(error))
    if isinstance(error, MemoryError):
        traceback.clear_frames(error.__traceback__)  # what was made until then
        return Answer("memory", text=text)
    try:
        body = pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
        pickle.loads(body)  # noqa: S301  # one with arguments of its own can be written, and not be read
    except Exception:  # noqa: BLE001
        return Answer("strange", text=text)
    return Answer("error", body, text)


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def data() -> int:
    """Bytes that the limit counts: the private, writable ones. 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[5]) * resource.getpagesize()
    except OSError:
        return 0


def grown(floor: int) -> bool:
    """Whether this process stays large, even after it has given back what it can."""
    if data() - floor <= KEPT:
        return False
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)
    return data() - floor > KEPT
