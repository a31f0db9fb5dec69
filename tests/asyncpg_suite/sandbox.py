"""A folder, an account that PostgreSQL accepts, and processes that end with us."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from galvo_embedded.account import Account, PopenUser, server_account
from galvo_embedded.binaries import postgres_programs
from galvo_embedded.child import adopt_orphans, sweep
from galvo_embedded.paths import private_folder
from galvo_embedded.refusal import Refused
from tests.asyncpg_suite.outcomes import Outcomes
from tests.asyncpg_suite.sources import cache_folder, copy_tests
from tests.asyncpg_suite.variants import label

MAJOR = 18
"""Of the embedded server, which is used unless PGINSTALLATION names the folder of another one's programs."""
ROOT = Path(__file__).parents[2]
_GRACE = 20
"""Seconds that pytest has to stop its servers, then the servers to stop, before they are killed."""
_PROCESSES = 10
"""A run that hangs more often is given up."""


class Sandbox:
    """Runs asyncpg's tests, which start PostgreSQL themselves. Raises Refused, NoSources."""

    def __init__(self, folder: Path, account: Account) -> None:
        self._folder, self._account = folder, account
        self._entrance, self._popen = _entrance(account)
        self._programs = os.environ.get("PGINSTALLATION") or postgres_programs(MAJOR, account)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PG", "GALVO_", "PYTEST_"))},
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LC_ALL": "C",
            "PGINSTALLATION": str(self._programs),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }

    def server(self) -> str:
        """What the server calls itself."""
        words = [f"{self._programs}/postgres", "--version"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split(") ")[-1].strip()

    def run(self, variant: str, way: str, *, expression: str = "", tests: Sequence[str] = ()) -> Outcomes:
        """`tests`, by default all of those that match pytest's -k `expression`."""
        outcomes, began = Outcomes(), time.monotonic()
        words = ["-k", expression] if expression else []
        # Its subject is asyncpg's git checkout.
        words += [*tests] or ["asyncpg_tests", "--ignore=asyncpg_tests/test__sourcecode.py"]
        with open(log_file(label(variant), way), "ab" if tests else "wb") as log:
            for _ in range(_PROCESSES):
                self._once([*words, f"--variant={variant}", f"--way={way}"], outcomes, log)
                if not outcomes.remaining:
                    break
                words = outcomes.remaining
        outcomes.seconds = time.monotonic() - began
        return outcomes

    def _once(self, words: Sequence[str], outcomes: Outcomes, log: Any) -> None:
        record = self._folder / "record"
        arguments = self._folder / "arguments"
        arguments.write_text("\n".join(words))
        record.touch()
        self._account.give(record)
        plugins = [
            "--no-summary",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:faulthandler",
            "-p",
            "tests.asyncpg_suite.plugin",
        ]
        child = subprocess.Popen(
            [*self._entrance, sys.executable, "-m", "pytest", *plugins, f"--record={record}", f"@{arguments}"],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **self._popen,
        )
        try:
            child.wait()
        finally:
            _end(child)
        outcomes.read(record)
        if not outcomes.tests and not outcomes.collected:
            raise Refused(f"pytest ended with {child.returncode} before it ran a test: look in {log.name}")
        if not outcomes.tests and not outcomes.remaining:
            raise Refused("no test matches: change -k")


def log_file(label: str, way: str) -> Path:
    """What pytest says in such a run."""
    return cache_folder() / f"{way}-{label}.log"


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    account = server_account()
    adopt_orphans()
    folder = private_folder(account)
    try:
        copy_tests(folder)
        for path in (folder / "asyncpg_tests").rglob("*"):
            account.give(path)
        yield Sandbox(folder, account)
    finally:
        shutil.rmtree(folder)


def _entrance(account: Account) -> tuple[list[str], PopenUser]:
    """What makes `account` run a program, and whether Popen does: with a way into root's own folders if need be."""
    if all(account.reaches(needed) for needed in (ROOT, Path(sys.prefix), Path(sys.base_prefix))):
        return [], account.popen
    if not shutil.which("setpriv"):
        raise Refused(f"user id {account.uid} cannot get to {sys.base_prefix} or {ROOT}: run as a normal user")
    words = f"setpriv --reuid {account.uid} --regid {account.gid} --clear-groups"
    return [*words.split(), "--inh-caps=+dac_override", "--ambient-caps=+dac_override"], {}


def _end(child: subprocess.Popen[bytes]) -> None:
    """End `child` and the servers that it has started, kindly first."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for sign in (signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, sign)
            if _ended(child):
                break
        sweep()
    finally:
        signal.signal(signal.SIGINT, before)


def _ended(child: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + _GRACE
    while time.monotonic() < end:
        if child.poll() is not None:
            try:
                os.killpg(child.pid, 0)
            except (ProcessLookupError, PermissionError):
                return True
            with suppress(ChildProcessError):
                os.waitpid(-child.pid, os.WNOHANG)  # its orphans are ours now
        time.sleep(0.02)
    return False
