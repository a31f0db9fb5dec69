"""Runs `apply` or `undo` in forks that kill themselves at one chosen statement; a line on stdin is one of them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import asyncpg

from galvo_index.apply.run import apply
from galvo_index.apply.undo import undo
from tests.plugins.index.apply.kills import QUICK, Steps, wishes


async def die(_: asyncpg.Connection) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def work(url: str, what: str, at: int, during: bool) -> None:
    steps = Steps(at, during=during, end=die)
    if what == "apply":
        await apply(lambda: steps.connect(url), wishes(), QUICK)
    else:
        await undo(lambda: steps.connect(url), QUICK)


def main() -> None:
    url = sys.argv[1]
    for line in sys.stdin:
        what, at, during = line.split()
        pid = os.fork()
        if not pid:
            os.dup2(2, 1)  # stdout is the parent's alone
            asyncio.run(work(url, what, int(at), during == "True"))
            os._exit(0)
        print(os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    main()
