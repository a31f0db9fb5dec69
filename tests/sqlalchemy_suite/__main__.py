"""`python -m tests.sqlalchemy_suite`: which tests of SQLAlchemy's suite for dialects pass with asyncpg's only."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import asyncpg
import sqlalchemy

from galvo_embedded import Servers
from tests.conftest import reachable_folder

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
DRIVERS = ("asyncpg", "galvo")
PLUGINS = ("cache", "pool")
"""Those of the engines' kernels."""
DIFFERENT, REFUSED = 1, 2


@dataclass
class Outcomes:
    tests: dict[str, str]
    """passed, failed or skipped, by name."""
    errors: dict[str, str]
    reads: int
    """Answered without a transaction."""
    seconds: float

    def line(self, driver: str) -> str:
        counts = Counter(self.tests.values())
        figures = f"{counts['passed']:8,} {counts['failed']:8,} {counts['skipped']:8,} {self.reads:13,}"
        return f"{driver:8} {figures} {self.seconds:8.0f}"


def main(argv: Sequence[str]) -> int:
    """0: none that passes with asyncpg's dialect fails with galvo's; 1: some do; 2: it cannot run."""
    parser = argparse.ArgumentParser(prog="python -m tests.sqlalchemy_suite", description=__doc__)
    parser.add_argument("-k", metavar="EXPR", default="", help="only these tests, as in pytest")
    options = parser.parse_args(argv)
    with reachable_folder() as folder:
        servers = Servers(folder, options={"fsync": "off", "full_page_writes": "off"})
        try:
            found = run(asyncio.run(servers.postgres()), folder, options.k)
        except ChildProcessError as error:
            print(error, file=sys.stderr)
            return REFUSED
        finally:
            servers.close()
    return compare(*found)


def run(dsn: str, folder: Path, expression: str, drivers: Sequence[str] = DRIVERS) -> list[Outcomes]:
    """The same tests with each dialect, in a database of its own. Raises ChildProcessError."""
    place = Path(tempfile.mkdtemp(dir=folder))
    kernel_of(place)
    return [run_one(driver, asyncio.run(database(dsn, driver)), place, expression) for driver in drivers]


def kernel_of(place: Path) -> None:
    """The settings by which engines in this folder make their kernels: `PLUGINS`, and their defaults."""
    blocks = (ROOT / "entrypoints.toml").read_text().split("[[plugin]]")[1:]
    chosen = ["[[plugin]]" + block for block in blocks if any(f'name = "{name}"' in block for name in PLUGINS)]
    (place / "entrypoints.toml").write_text("".join(chosen))


async def database(dsn: str, driver: str) -> str:
    """A new one, with the schemas that the tests expect; gives its URL for SQLAlchemy."""
    name = f"suite_{driver}"
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"create database {name}")
    await connection.close()
    connection = await asyncpg.connect(dsn.replace("/postgres?", f"/{name}?"))
    await connection.execute("create schema test_schema; create schema test_schema_2")
    await connection.close()
    return dsn.replace("postgresql:", f"postgresql+{driver}:").replace("/postgres?", f"/{name}?")


def run_one(driver: str, url: str, place: Path, expression: str) -> Outcomes:
    record, log, began = place / f"{driver}.json", place / f"{driver}.log", time.monotonic()
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:anyio", "-p", "no:xdist", "--maxfail=10000"]
    words = [f"--rootdir={HERE}", f"--config-file={HERE / 'setup.cfg'}", "-p", "tests.sqlalchemy_suite.plugin"]
    chosen = ["-k", expression, str(HERE / "suite.py")]
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *words, f"--dburi={url}", f"--record={record}", *chosen],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if done.returncode not in (0, 1):
        raise ChildProcessError(f"pytest ended with {done.returncode}: {log.read_text()[-2000:]}")
    found = json.loads(record.read_text())
    return Outcomes(plain(found["tests"]), plain(found["errors"]), found["reads"], time.monotonic() - began)


def plain(tests: dict[str, str]) -> dict[str, str]:
    """By class and test, without the file and the dialect's name."""
    names = ((name.split("::", 1)[1].replace("+asyncpg", "").replace("+galvo", ""), name) for name in tests)
    return {short: tests[name] for short, name in names}


def lost(theirs: Outcomes, ours: Outcomes) -> list[str]:
    """What has passed there and has not here."""
    return [test for test, outcome in theirs.tests.items() if outcome == "passed" != ours.tests.get(test)]


def compare(theirs: Outcomes, ours: Outcomes) -> int:
    print(f"The dialect suite of SQLAlchemy {sqlalchemy.__version__}\n")
    print("dialect    passed   failed  skipped  before BEGIN  seconds")
    print(theirs.line("asyncpg"), ours.line("galvo"), sep="\n")
    both = [test for test, outcome in theirs.tests.items() if outcome == "failed" == ours.tests.get(test)]
    for test in both:
        print(*wrap(f"fails with both: {test}", 78, subsequent_indent="  "), sep="\n")
    missed = lost(theirs, ours)
    for test in missed:
        print(*wrap(f"only with asyncpg's: {test}: {ours.errors.get(test, 'did not run')}", 78), sep="\n")
    return DIFFERENT if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
