"""`galvo bench indexes`: what advised indexes do, measured on a PostgreSQL, beside the peers' advice and none."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from galvo import GalvoError
from galvo_bench.index import bank, compare, shop
from galvo_bench.index.database import somewhere, tell
from galvo_bench.index.report import Report, show
from galvo_bench.results.usage import Usage
from galvo_bench.running.interruption import Interruption
from galvo_bench.running.measuring import measuring
from galvo_bench.running.urls import must_answer

SUBJECTS: dict[str, Callable[[str, Any], AsyncGenerator[Report, None]]] = {
    "tpch": compare.measure,
    "writes": bank.measure,
    "engraving": shop.measure,
}


def main(argv: Sequence[str]) -> int:
    """0 done, 1 failed. Raises Usage."""
    options = parser().parse_args(argv)
    options.scale = options.scale or (0.1 if options.subject == "tpch" else 1.0)
    try:
        with measuring(f"indexes {options.subject}", disk(options)):
            if options.url:
                Interruption().run(must_answer(options.url))
            with somewhere(options.url) as url:
                Interruption().run(run(url, options))
    except Usage:
        raise
    except (GalvoError, asyncpg.PostgresError) as error:
        tell("")
        said = f"the database says: {error}" if isinstance(error, asyncpg.PostgresError) else str(error)
        print(f"galvo: {said}", file=sys.stderr)
        return 1
    return 0


def disk(options: argparse.Namespace) -> int:
    """MB at most: of the data, its copies and indexes, and the write-ahead log."""
    return 500 + round((5_000 if options.subject == "tpch" else 500) * float(options.scale))


async def run(url: str, options: argparse.Namespace) -> None:
    """Each report is shown as soon as it is known; JSON is one document at the end."""
    reports = []
    async with aclosing(SUBJECTS[options.subject](url, options)) as found:
        async for report in found:
            reports.append(report)
            if not options.json:
                tell("")
                show(report)
    if options.json:
        print(json.dumps(msgspec.to_builtins(reports)))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="galvo bench indexes", description=__doc__)
    made.add_argument("subject", nargs="?", choices=SUBJECTS, default="tpch", help="default: tpch")
    made.add_argument("--url", default="", help="a PostgreSQL to use; default: a private one of Debian's packages")
    made.add_argument("--scale", type=_positive, help="of the data (default: 0.1 for tpch, else 1)")
    made.add_argument("--rounds", type=_count, default=2, help="every round measures everything (default 2)")
    made.add_argument("--json", action="store_true", help="print JSON")
    tpch = made.add_argument_group("tpch")
    tpch.add_argument("--budgets", type=_budgets, metavar="SIZES", help="such as 50MB,1GB,none; default: the peers'")
    tpch.add_argument("--sets", type=Path, metavar="FILE", help="sets to compare, TOML; default: the peers'")
    tpch.add_argument("--no-advice", action="store_true", help="without galvo's own")
    tpch.add_argument("--runs", type=_count, default=2, help="of each plan in a round, after a warm-up (default 2)")
    tpch.add_argument("--timeout", type=_positive, default=60.0, help="seconds for a query (default 60)")
    return made


def _budgets(text: str) -> list[int | None]:
    """In MB."""
    return [_budget(size.strip().lower()) for size in text.split(",")]


def _budget(text: str) -> int | None:
    if text == "none":
        return None
    size = re.fullmatch(r"(\d+) ?([mg])b", text)
    if not size or not int(size[1]):
        raise argparse.ArgumentTypeError(f"{text!r}: give sizes such as 50MB,1GB,none")
    return int(size[1]) * (1000 if size[2] == "g" else 1)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be a positive number")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be at least 1")
    return value
