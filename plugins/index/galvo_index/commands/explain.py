"""`galvo index explain`: the plan of a statement, and what is wrong with it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from galvo import GalvoError
from galvo_index.cli import command
from galvo_index.database import connected
from galvo_index.plans.analyse import Analysis, Case, analysed, judged
from galvo_index.plans.explaining import Unexplained
from galvo_index.plans.facts import look
from galvo_index.plans.node import read
from galvo_index.plans.show import shown

PATIENCE = 60.0
"""Seconds that a statement may take with --analyze, unless told otherwise."""


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = command(subparsers, "explain", "Show the plan of a statement, and say what is wrong with it.")
    made.add_argument("sql", metavar="SQL", help="one SELECT, INSERT, UPDATE, DELETE or MERGE; - reads it from stdin")
    made.add_argument("--analyze", action="store_true", help="run it, read only and rolled back, to count real rows")
    made.add_argument("--timeout", type=float, default=PATIENCE, help="seconds that it may take")
    made.add_argument("--plan", metavar="FILE", default="", help="its plan in JSON, of auto_explain for example")
    made.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """0; the findings are no failure."""
    sql = sys.stdin.read() if options.sql == "-" else options.sql
    async with connected(options.url) as connection:
        if options.plan:
            plan = read(_text(options.plan))
            facts = await look(connection, plan)
            found = Analysis(plan.shape, plan.root.cost, judged(Case(sql, (), plan, facts)), plan, facts)
        else:
            try:
                found = await analysed(connection, sql, analyze=options.analyze, timeout=options.timeout)
            except Unexplained as why:
                raise GalvoError(_told(why)) from None
    if options.json:
        answer = {"cost": found.cost, "measured": found.plan.ran, "findings": msgspec.to_builtins(found.findings)}
        print(msgspec.json.encode(answer).decode())
    else:
        print("\n".join(shown(found)))
    return 0


def _told(why: Unexplained) -> str:
    """With the server's own words: whoever gave the statement may read what is in it."""
    return f"there is no plan: {why}{f': {why.__cause__}' if why.__cause__ is not None else ''}"


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GalvoError(f"cannot read {path}: {error}") from None
