"""A process that answers as the plugin does: with the last view (JSON) of its standard input, until that ends."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext

import anyio
import msgspec

from galvo_local import Answering
from galvo_monitor.asking.answering import Answers
from galvo_monitor.asking.protocol import NAME
from galvo_monitor.view import View


async def main() -> None:
    async with anyio.create_task_group() as tasks:
        view: View | None = None

        def now() -> View:
            assert view is not None
            return view

        async def wait(after: float) -> View:
            return now()

        answering = Answering(NAME, Answers(now, wait).answer, lambda what: nullcontext())
        while line := await anyio.to_thread.run_sync(sys.stdin.readline):
            view = msgspec.structs.replace(msgspec.json.decode(line, type=View), pid=os.getpid())
            if not answering.ready.is_set():
                tasks.start_soon(answering.run)
                await answering.ready.wait()
            sys.stdout.write("shown\n")
            sys.stdout.flush()
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main)
