"""`python -m galvo_bench.kernel.micro NAME [pyperf's options]`: one operation, timed by pyperf in a process of its own.

pyperf (https://pyperf.readthedocs.io) has it run in loops that take long enough for the clock, and warms up; each
process is another hash seed and another layout of memory. A baseline and what is compared with it take turns:
`galvo_bench.kernel.turns`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from typing import Any, TypeVar

import pyperf  # type: ignore[import-untyped]

from galvo_bench.kernel import layers, stack

T = TypeVar("T")
Made = Callable[[], AbstractAsyncContextManager[Callable[[], Any]]]
"""Gives what is timed, as long as what it needs is there."""

PLAIN: dict[str, Made] = {
    "function": layers.function,
    **{f"sinks-{count}": partial(layers.sinks, count) for count in (0, 1, 3)},
    **{f"listeners-{count}": partial(layers.listeners, count) for count in (1, 3)},
    **{f"wrappers-{count}": partial(layers.wrappers, count) for count in (1, 3, 6)},
    "record": stack.record,
}
"""Functions."""
AWAITED: dict[str, Made] = {
    "plain": layers.plain,
    **{f"onion-{count}": partial(layers.onion, count) for count in (0, 1, 3, 6)},
    "gather-3": partial(layers.gathered, 3),
    "group-3": partial(layers.grouped, 3),
    "hit": stack.hit,
    "cached": stack.cached,
    "uncached": stack.uncached,
}
"""Coroutine functions."""
NAMES = (*PLAIN, *AWAITED)
STACK = ("record", "hit", "cached", "uncached")
"""Those that need a PostgreSQL, which GALVO_POOL__URL names."""


class Kept(asyncio.SelectorEventLoop):
    """pyperf closes its loop after each value; a kernel lives on one."""

    def close(self) -> None: ...

    def end(self) -> None:
        super().close()


@contextmanager
def living(loop: Kept, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """What `manager` gives. It is entered and left by one task, which has the loop whenever that runs."""
    given: asyncio.Future[T] = loop.create_future()
    leave = asyncio.Event()

    async def live() -> None:
        async with manager as found:
            given.set_result(found)
            await leave.wait()

    task = loop.create_task(live())
    try:
        either: set[asyncio.Future[Any]] = {task, given}
        loop.run_until_complete(asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED))
        if task.done():
            task.result()
        yield given.result()
        leave.set()
        loop.run_until_complete(task)
    finally:
        loop.end()


def main() -> None:
    runner = pyperf.Runner(program_args=("-m", "galvo_bench.kernel.micro"), add_cmdline_args=_named)
    runner.argparser.add_argument("name", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    options = runner.parse_args()
    options.inherit_environ = ["GALVO_POOL__URL"]
    name: str = options.name
    if not runner.is_worker():
        runner.bench_func(name, str)  # only its workers run what they are to time
        return
    loop = Kept()
    with living(loop, (PLAIN | AWAITED)[name]()) as operation:
        if name in PLAIN:
            runner.bench_func(name, operation)
        else:
            runner.bench_async_func(name, operation, loop_factory=lambda: loop)


def _named(command: list[str], options: Any) -> None:
    command.append(options.name)


if __name__ == "__main__":
    main()
