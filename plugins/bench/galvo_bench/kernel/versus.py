"""`galvo bench versus CHECKOUT`: this checkout against another one, turn by turn, each with its own interpreter."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

import galvo
from galvo_bench.kernel.micro import NAMES, STACK
from galvo_bench.kernel.turns import Turns
from galvo_bench.method.rounds import Result, compare
from galvo_bench.reports.progress import Progress
from galvo_bench.reports.table import show
from galvo_bench.results.machine import commit_of
from galvo_bench.results.model import Section
from galvo_bench.results.usage import Usage
from galvo_bench.running.interruption import Interruption
from galvo_bench.running.measuring import measuring
from galvo_bench.running.options import number_from
from galvo_bench.running.stand import ROUNDS, Stand

DEFAULT = ("onion-3", "hit", "cached", "uncached")
WORSE = 1.15
"""Even at its lower end: processes of the same program differ by some percent, by hash seed and layout."""
THIS = "this checkout"
DISK = 100
"""MB at most: a private PostgreSQL."""


def main(argv: Sequence[str]) -> int:
    """0; 1: this checkout is slower; 2: wrong usage. Raises GalvoError: no such checkout, or no server."""
    made = argparse.ArgumentParser(prog="galvo bench versus", description=__doc__)
    made.add_argument("checkout", type=Path, metavar="CHECKOUT", help="a folder in which `make .venv/.dev` was run")
    made.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (default {', '.join(DEFAULT)})")
    made.add_argument("--rounds", type=number_from(1), default=ROUNDS, metavar="N", help=f"of each name ({ROUNDS})")
    made.add_argument("--url", default="", help="a PostgreSQL to use instead of a private one")
    made.add_argument("--json", action="store_true", help="print JSON")
    options = made.parse_args(argv)
    if unknown := [name for name in options.names if name not in NAMES]:
        made.error(f"there is no {unknown[0]!r}; names: {', '.join(NAMES)}")
    names = options.names or DEFAULT
    python = interpreter(options.checkout)
    progress = Progress(len(names))
    with measuring("versus", DISK), closing(Stand(options.url, options.rounds, progress=progress)) as stand:
        sections = Interruption().run(versus(stand, options.checkout, python, names))
    if options.json:
        print(msgspec.json.encode(sections).decode())
    else:
        for section in sections:
            show(section)
    return int(any(slower(section) for section in sections))


def interpreter(checkout: Path) -> Path:
    """Its own. Raises Usage."""
    python = checkout / ".venv" / "bin" / "python"
    if not python.is_file():
        raise Usage(f"{python} is not there: run `make .venv/.dev` in {checkout}")
    return python.absolute()


async def versus(stand: Stand, checkout: Path, python: Path, names: Sequence[str]) -> list[Section]:
    """A section for each operation; its baseline is the other checkout."""
    await stand.reach()
    there: Mapping[str, str] = {}
    if any(name in STACK for name in names):
        there = {"GALVO_POOL__URL": await stand.postgres()}
    other, this = commit_of(checkout / "kernel" / "galvo" / "__init__.py"), commit_of(Path(galvo.__file__))
    explains = f"Other: {other or 'of no known commit'}; this: {this or 'of no known commit'}. A process for each turn."
    sections = []
    for name in names:
        stand.progress.begin(name)
        theirs = Turns(name, python=str(python), folder=checkout, environment=there).candidate("the other checkout")
        ours = Turns(name, python=sys.executable, environment=there).candidate(THIS)
        rows = await compare([theirs, ours], stand.rounds, "wall", stand.tick)
        sections.append(Section("versus", f"{name}: this checkout against another", explains, [*rows]))
        stand.progress.end()
    return sections


def slower(section: Section) -> bool:
    """Whether this checkout is, beyond doubt and by more than processes differ."""
    return any(isinstance(row, Result) and row.name == THIS and row.low > WORSE for row in section.rows)
