"""An operation of `galvo_bench.kernel.micro` as a candidate: each of its turns is a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import anyio
import pyperf  # type: ignore[import-untyped]

from galvo import GalvoError
from galvo_bench.method.rounds import Candidate

LEAST = 0.01
"""Seconds that one value takes at least: less than a processor's turn, so that some values are not interrupted."""
VALUES = 5
"""Of each process."""


class Turns:
    """`seconds` is the sum of what an operation took in each turn so far: the median of that turn's values.

    `loops` is how often a value has run it; the first turn finds out how many take long enough.
    """

    def __init__(
        self,
        name: str,
        *,
        python: str = sys.executable,
        folder: str | Path = ".",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`python` and `folder` are those of the checkout that is timed; `environment` is added to this process's."""
        self.name = name
        self.seconds = 0.0
        self._command = [python, "-m", "galvo_bench.kernel.micro", name, "--worker", "--quiet"]
        self._folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self.loops = 0

    def candidate(self, title: str) -> Candidate:
        """For `compare`: a round is one turn."""
        return Candidate(title, self.turn, 1, clock=lambda: self.seconds)

    async def turn(self) -> None:
        """Run one process. Raises GalvoError when it fails."""
        if self.loops:
            told = await self._run("--loops", str(self.loops))
            self.seconds += median(told.values)
            return
        told = await self._run("--calibrate-loops", "--min-time", str(LEAST))
        self.loops = told.get_loops()
        self.seconds += median(value for loops, value in told.warmups if loops == self.loops)

    async def _run(self, *options: str) -> pyperf.Run:
        with tempfile.TemporaryDirectory(prefix="galvo-bench-") as folder:
            kept = Path(folder) / "told.json"
            done = await anyio.run_process(
                [*self._command, "--warmups", "1", "--values", str(VALUES), *options, "--output", str(kept)],
                cwd=self._folder, env=self._environment, stderr=subprocess.PIPE, check=False,
            )  # fmt: skip
            if done.returncode:
                last = (done.stderr or done.stdout).decode(errors="replace").strip().rpartition("\n")[2]
                raise GalvoError(f"the micro benchmark {self.name!r} ended with exit code {done.returncode}: {last}")
            (run,) = pyperf.Benchmark.load(str(kept)).get_runs()
            return run
