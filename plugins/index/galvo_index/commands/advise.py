"""`galvo index advise`: which indexes to create."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from galvo import GalvoError
from galvo_index.advise import consult
from galvo_index.advise.advisor import SECONDS, Report
from galvo_index.advise.shown import encoded, shown
from galvo_index.cli import command
from galvo_index.database import connected
from galvo_index.workload import Statement, file, stat_statements

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = command(subparsers, "advise", "Say which indexes would make a workload faster. Creates nothing.")
    made.add_argument("--workload", metavar="FILE", help="of SQL; default: what pg_stat_statements has seen")
    made.add_argument("--budget", type=size, metavar="SIZE", help="of all indexes together, 500MB for example")
    made.add_argument("--seconds", type=float, default=SECONDS, metavar="N", help="to search for at most (%(default)g)")
    made.set_defaults(run=run)


def size(text: str) -> int:
    """Bytes. Raises ArgumentTypeError, which argparse prints."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMG]?i?B?)\s*", text, re.IGNORECASE)
    unit = found[2].upper() if found else "?"
    unit = unit if unit in _UNITS else unit + "B"
    if found is None or unit not in _UNITS or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: 500MB or 2GB, for example")
    return int(float(found[1]) * _UNITS[unit])


async def run(options: argparse.Namespace) -> int:
    found = given(options.workload) if options.workload else None
    async with connected(options.url) as connection:
        statements = found.statements if found else await stat_statements.read(connection)
        if not statements:
            where = options.workload or "pg_stat_statements"
            raise GalvoError(f"there is no statement in {where} that could be advised on")
        report = await consult(connection, statements, budget=options.budget, seconds=options.seconds)
        _show(options, report, statements, found)
    return 0


def given(name: str) -> file.File:
    """A workload. Raises GalvoError when the file cannot be read."""
    try:
        return file.read(Path(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise GalvoError(f"the workload {name} cannot be read: {error}") from None


def _show(options: argparse.Namespace, report: Report, statements: list[Statement], found: file.File | None) -> None:
    skipped = [f"line {line}: {reason}" for line, reason in found.skipped] if found else []
    if options.json:
        print(encoded(report, statements, skipped))
    else:
        print("\n".join(shown(report, statements, skipped)))
