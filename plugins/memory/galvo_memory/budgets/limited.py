"""`run_limited`: a function in a child process, with a limit that the system keeps."""

from __future__ import annotations

import inspect
import math
import os
import pickle
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from galvo.sizes import parse, show
from galvo_memory.budgets.errors import BudgetTooLarge, Untransferable, WorkerDied
from galvo_memory.budgets.whole import process
from galvo_memory.processes.child import Answer
from galvo_memory.processes.idle import WORKERS
from galvo_memory.processes.worker import Died, Worker

T = TypeVar("T")
Args = TypeVarTuple("Args")

_slots: RunVar[anyio.CapacityLimiter] = RunVar("galvo_memory_slots")
_threads: RunVar[anyio.CapacityLimiter] = RunVar("galvo_memory_threads")


class ChildTraceback(Exception):
    """The cause of an exception that a child process has raised: where it was raised there."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


async def run_limited(
    function: Callable[[*Args], T], *args: *Args, max_bytes: int | str, timeout: float | None = None
) -> T:
    """`function(*args)` in a child process that gets at most `max_bytes` (bytes, or "64MiB") more than it began with.

    Waits until that much is free in the process's budget, and for one of as many processes as there are cores. They are
    used again, so a call costs a fraction of a millisecond, and the first one as much as starting Python and importing
    what it needs. The limit (RLIMIT_DATA, Linux) counts what is allocated, touched or not. `timeout` is in seconds from
    when the call is sent.

    Raises what `function` raises, with the child's traceback as its cause; MemoryError when it needed more;
    TimeoutError when it took longer, and it is killed; WorkerDied when its process ended (-9: killed); Untransferable
    when something cannot be pickled; BudgetTooLarge when there will never be so much. Cancelled, it kills the process.
    """
    size, what = parse(max_bytes), _name(function)
    call = _packed(function, args, what)
    async with process.hold(size), _limiter(_slots, os.cpu_count() or 1):
        worker = WORKERS.take()
        with anyio.move_on_after(timeout) as scope:
            answer = await _ask(worker, size, call, what)
        if scope.cancelled_caught:
            raise TimeoutError(f"{what} did not end within {timeout:g} s, and its process was killed")
    return _unpacked(answer, what, size)  # type: ignore[no-any-return]


def _limiter(variable: RunVar[anyio.CapacityLimiter], tokens: float) -> anyio.CapacityLimiter:
    try:
        return variable.get()
    except LookupError:
        variable.set(anyio.CapacityLimiter(tokens))
        return variable.get()


async def _ask(worker: Worker, size: int, call: bytes, what: str) -> Answer:
    threads = _limiter(_threads, math.inf)
    try:
        answer = await anyio.to_thread.run_sync(worker.ask, size, call, abandon_on_cancel=True, limiter=threads)
    except BaseException as error:
        worker.stop()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(worker.ended.wait, limiter=threads)
        if isinstance(error, Died):
            raise WorkerDied(what, error.code, started=error.started) from None
        raise
    if answer.spent:
        await anyio.to_thread.run_sync(worker.stop, limiter=threads)
    else:
        WORKERS.give(worker)
    return answer


def _packed(function: Callable[..., Any], args: tuple[Any, ...], what: str) -> bytes:
    if inspect.iscoroutinefunction(function):
        raise Untransferable(f"{what} is a coroutine function, and another process has no event loop: give a plain one")
    try:
        return pickle.dumps((function, args), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise Untransferable(
            f"{what} or its arguments cannot be sent to another process ({type(error).__name__}: {error}): "
            "it must be a function of a module, not a lambda or one inside a function, and its arguments plain data"
        ) from error


def _unpacked(answer: Answer, what: str, size: int) -> Any:
    match answer.kind:
        case "value":
            return pickle.loads(answer.body)  # noqa: S301  # from our own child
        case "error":
            error = pickle.loads(answer.body)  # noqa: S301
            raise error from ChildTraceback(answer.text)
        case "memory":
            raise MemoryError(f"{what} needed more than {show(size)} (max_bytes)") from ChildTraceback(answer.text)
        case "refused":
            raise BudgetTooLarge(size, int(answer.text), "what the process may use (ulimit -d)")
        case "unreadable":
            raise Untransferable(f"{what} or its arguments cannot be loaded in another process: {answer.text}")
        case "unsendable":
            raise Untransferable(f"what {what} returned cannot be sent back: {answer.text}")
    message = f"{what} raised what cannot be sent back: {answer.text.splitlines()[-1]}"
    raise Untransferable(message) from ChildTraceback(answer.text)


def _name(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__qualname__', None) or repr(function)}()"
