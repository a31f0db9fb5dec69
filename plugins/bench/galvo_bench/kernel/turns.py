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
import pyperf

from galvo import GalvoError
from galvo_bench.method.rounds import Candidate

LEAST = 0.02
"""Seconds that one value takes at least."""
VALUES = 3
"""Of each process."""


class Turns:
    """`seconds` is the sum of what an operation took in each turn so far: the median of that turn's values."""

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
        self._loops = 0

    def candidate(self, title: str) -> Candidate:
        """For `compare`: a round is one turn."""
        return Candidate(title, self.turn, 1, clock=lambda: self.seconds)

    async def turn(self) -> None:
        """Run one process. Raises GalvoError when it fails."""
        if not self._loops:
            told = await self._run("--calibrate-loops", "--min-time", str(LEAST))
            self._loops = int(told.get_runs()[0].get_metadata()["calibrate_loops"])
        told = await self._run("--loops", str(self._loops), "--values", str(VALUES))
        self.seconds += median(told.get_values())

    async def _run(self, *options: str) -> pyperf.Benchmark:
        with tempfile.TemporaryDirectory(prefix="galvo-bench-") as folder:
            kept = Path(folder) / "told.json"
            done = await anyio.run_process(
                [*self._command, "--warmups", "1", *options, "--output", str(kept)],
                cwd=self._folder, env=self._environment, stderr=subprocess.PIPE, check=False,
            )  # fmt: skip
            if done.returncode:
                last = (done.stderr or done.stdout).decode(errors="replace").strip().rpartition("\n")[2]
                raise GalvoError(f"the micro benchmark {self.name!r} ended with exit code {done.returncode}: {last}")
            return pyperf.Benchmark.load(str(kept))
