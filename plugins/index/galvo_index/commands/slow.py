"""`galvo index slow`: the statements that take most time, as the server has counted."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from galvo_index.cli import command
from galvo_index.database import connected
from galvo_index.watch.server_side import ORDERS, statements

WIDTH = 80


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    made = command(subparsers, "slow", "Show the statements that take most time (from pg_stat_statements).")
    made.add_argument("--by", choices=ORDERS, default="total", help="what to sort by")
    made.add_argument("--count", type=int, default=10, help="statements, at most")
    made.add_argument(
        "--at-least", type=float, default=0.0, metavar="SECONDS", help="only what takes so long on average"
    )
    made.set_defaults(run=run)


async def run(options: argparse.Namespace) -> int:
    """0. Raises GalvoError without pg_stat_statements."""
    async with connected(options.url) as connection:
        found = await statements(
            connection, order=options.by, count=max(1, options.count), at_least=max(0.0, options.at_least)
        )
    if options.json:
        print(msgspec.json.encode(found).decode())
    else:
        print("\n".join(shown(found)))
    return 0


def shown(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    """For people, 80 columns wide. `hit`: the share of pages that were in the server's memory."""
    yield f"{'total':>10} {'calls':>10} {'mean':>10} {'longest':>10} {'rows':>10} {'hit':>6} {'disk':>8}"
    nothing = True
    for one in found:
        nothing = False
        read, hit = one["shared_blks_read"], one["shared_blks_hit"]
        share = f"{hit / (hit + read):.0%}" if hit + read else "-"
        yield (
            f"{seconds(one['seconds']):>10} {one['calls']:>10} {seconds(one['mean']):>10} {seconds(one['max']):>10} "
            f"{one['rows']:>10} {share:>6} {one['temp_blks']:>8}"
        )
        query = textwrap.shorten(one["query"], 3 * (WIDTH - 4), placeholder=" ...")
        yield from textwrap.wrap(query, WIDTH, initial_indent="    ", subsequent_indent="    ")
    if nothing:
        yield "no statements"


def seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"
