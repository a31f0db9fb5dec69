"""Checks of what a plugin leaves behind when it has stopped."""

from __future__ import annotations

import gc
import logging
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio

import galvo
from galvo.plugin import Plugin
from galvo.testing.base import Contract
from galvo.testing.leftovers import Leftovers, Process
from galvo.testing.stage import PATIENCE, Running, Stage

CLOSE = "Close in lifespan(), after its `yield` and in a `finally`, whatever it opened"
ONCE = ("atexit functions",)
"""What the first start may register for good, as an import does."""
AGAIN = "after it has started and stopped again"
LEAKED = 400
"""Bytes per start, in the plugin's own and the kernel's files, above which it is no noise."""
ROUNDS = 3
"""Times that it is measured: a leak grows each time, a cache that fills or a table that is made larger does not."""


class Leaks(Contract):
    async def test_leaves_nothing(self, stage: Stage) -> None:
        """After its stop no task, thread, file, socket or child process of it is left, and no handler."""
        async with stage.running(on=False) as run:
            await run.ask("before its start")
            gc.collect()
            untouched, threads = Process.now(), Leftovers.now(tasks=False)
            await cycle(run)
            changed = [each for each in untouched.changed(Process.now()) if not each.startswith(ONCE)]
            stage.ensure(not changed, f"after its stop these differ: {', '.join(changed)}", "Put back what it found")
            before = Process.now()
            for _ in range(10 if stage.thorough else 3):
                await cycle(run)
            await run.own_tasks_end("after its stop", CLOSE)
            await stage.wait(threads.more, "after its stop", CLOSE)
            await stage.wait(lambda: before.more(Process.now()) and _collected_more(before), AGAIN, CLOSE)

    async def test_leaves_no_memory(self, stage: Stage) -> None:
        """After its stop nothing keeps the instance, and starting and stopping it again takes no more memory."""
        async with stage.running(on=False) as run:
            threads = Leftovers.now(tasks=False)
            with unheard():
                for _ in range(2):
                    await cycle(run)
                await _collected(run)
                count = 20 if stage.thorough else 4
                with traced():
                    await cycle(run)
                    before = after = await _rested(run, threads)
                    for _ in range(ROUNDS):
                        before = after
                        for _ in range(count):
                            await cycle(run)
                        after = await _rested(run, threads)
                        if after.total() - before.total() < LEAKED * count:
                            return
            grown = (after - before).most_common(1)
            stage.fail(
                f"each start and stop keeps {(after.total() - before.total()) / count:.0f} bytes more, most of them "
                f"from {grown[0][0] if grown else '?'}",
                "Keep nothing of an instance in globals, class attributes, caches or callbacks of others",
            )


def _collected_more(before: Process) -> list[str]:
    gc.collect()  # what nobody holds is closed by it at last
    return before.more(Process.now())


async def cycle(run: Running) -> None:
    """Start, one query, stop."""
    await run.kernel.enable(run.name)
    await run.ask("after its start")
    run.witness.forget()  # the queries that it has seen, which the plugin may have made
    await run.kernel.disable(run.name)


async def _collected(run: Running) -> None:
    with anyio.move_on_after(PATIENCE):
        while run.probe.instances:
            await anyio.sleep(0.005)
            gc.collect()
    if run.probe.instances:
        holders = [kind_of(each) for each in gc.get_referrers(next(iter(run.probe.instances)))][:3]
        run.stage.fail(
            f"after its stop something still holds its instance: {', '.join(holders)}",
            "Take back every callback and reference that was given to others",
        )


def kind_of(holder: object) -> str:
    return type(holder).__qualname__


@contextmanager
def traced() -> Iterator[None]:
    """Memory is traced meanwhile."""
    before = tracemalloc.is_tracing()
    if not before:
        tracemalloc.start()
    try:
        yield
    finally:
        if not before:
            tracemalloc.stop()


@contextmanager
def unheard() -> Iterator[None]:
    """pytest keeps what is logged, with its arguments and tracebacks: that is no leak of who logs it."""
    handlers, logging.root.handlers = logging.root.handlers, [logging.NullHandler()]
    try:
        yield
    finally:
        logging.root.handlers = handlers


async def _rested(run: Running, threads: Leftovers) -> Counter[str]:
    """What is held when whatever it has begun is over: a thread that still works has not let go of its work."""
    await run.own_tasks_end("after its stop", CLOSE)
    await run.stage.wait(threads.more, "after its stop", CLOSE)
    return held(run.stage.plugin)


def held(plugin: type[Plugin]) -> Counter[str]:
    """Bytes by place in the plugin's own files and the kernel's, as far as they are traced."""
    gc.collect()
    kernel, own = str(Path(galvo.__file__).parent), own_files(plugin)
    kit = str(Path(__file__).parent)
    sizes: Counter[str] = Counter()
    for each in tracemalloc.take_snapshot().statistics("lineno"):
        file = each.traceback[0].filename
        if file.startswith((own, kernel)) and not file.startswith(kit):
            sizes[str(each.traceback)] = each.size
    return sizes


def own_files(plugin: type[Plugin]) -> str:
    """Where the package is that the class is in, or its module alone."""
    package = sys.modules.get(plugin.__module__.partition(".")[0])
    file = getattr(sys.modules[plugin.__module__], "__file__", None) or "?"
    root = getattr(package, "__file__", None)
    if root is not None and root.endswith("__init__.py") and Path(file).is_relative_to(Path(root).parent):
        return str(Path(root).parent)
    return file
