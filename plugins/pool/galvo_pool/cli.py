"""`galvo pool`: who is connected to the pool's database, and what to change."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
import textwrap
from collections.abc import Iterator, Sequence

import asyncpg

from galvo import GalvoError
from galvo.operating import only
from galvo_pool.advice.facts import Facts, look, sizes
from galvo_pool.advice.rules import advise, seconds

WIDTH = 80


def main(argv: Sequence[str]) -> int:
    """0: done; 1: failed; 2: wrong usage."""
    options = parser().parse_args(argv)
    try:
        facts = asyncio.run(_look())
    except GalvoError as error:
        print(f"galvo: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({**dataclasses.asdict(facts), "advice": [*advise(facts)]}))
    else:
        print("\n".join(shown(facts)))
    return 0


def parser() -> argparse.ArgumentParser:
    text = "Show who is connected to the pool's database, and say what does not fit, with the value to set."
    made = argparse.ArgumentParser(prog="galvo pool", description=text)
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


async def _look() -> Facts:
    """Starts the pool, what it comes after, and no other plugin."""
    async with only("pool") as pool:
        connection = await pool.connect()
        try:
            own = pool.pids()
            facts = await look(connection, sizes(pool.settings))
        except asyncpg.PostgresError as error:
            raise GalvoError(f"the database says: {error}") from None
        finally:
            await connection.close()
    return dataclasses.replace(facts, sessions=[one for one in facts.sessions if one.pid not in own])


def shown(facts: Facts) -> Iterator[str]:
    """For people, 80 columns wide."""
    yield f"{'application':33} {'sessions':>8} {'active':>7} {'in transaction':>15} {'idle longest':>13}"
    names = sorted({one.application for one in facts.sessions})
    for name in names:
        group = [one for one in facts.sessions if one.application == name]
        idle = max((one.since for one in group if one.state == "idle"), default=0.0)
        active = sum(one.state == "active" for one in group)
        held = sum(one.state.startswith("idle in") for one in group)
        yield f"{name[:33]:33} {len(group):8} {active:7} {held:15} {seconds(idle):>13}"
    if not names:
        yield "nobody else is connected"
    yield f"{len(facts.sessions)} of {facts.number('max_connections'):g} (max_connections)"
    for sentence in advise(facts):
        yield ""
        yield from textwrap.wrap(sentence, WIDTH - 2, initial_indent="- ", subsequent_indent="  ")
