"""The demo from the first server to the last line."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from galvo import GalvoError
from galvo_embedded import Servers
from galvo_engraving.demo import databases, jobs, report, telling
from galvo_engraving.demo.display import Display
from galvo_engraving.demo.lanes import LANES, Worker, turns, workers
from galvo_engraving.demo.options import Options

DATA = Path(".galvo")
WARM_UP = {"plain": 1.0, "pool": 1.0, "full": 10.0}
"""Seconds at most, by mode, before the clock starts: connections prepare their statements; the cache fills, too."""
AUDIT = 2.0
"""Seconds at least, unless the timed part is shorter still."""
NEXT = (
    "Next: make demo ARGS='--clients 64 --scale 5', or '--seconds 60' for less noise;",
    "      .venv/bin/galvo explain on_query shows the chain these queries took.",
)


async def play(options: Options) -> int:
    """The exit code: 1 when an answer was wrong, or a request or a job failed."""
    display = Display(quiet=options.json)
    with display:
        async with _servers(options, display) as (url, servers, versions), databases.server(url) as con:
            versions["PostgreSQL"] = await con.fetchval("show server_version")
            bar = display.bar("loading the shop", "rows")
            await databases.prepare(con, url, options.scale, options.seed, bar.update)
            bar.finish()
            display.step("one copy of the database per mode")
            async with (
                databases.copies(con, url, [lane.name for lane in LANES]) as urls,
                workers(urls) as crew,
            ):
                cold, answers, audit = await _measure(crew, options, display)
            redis = await servers.redis()
            versions["Redis"] = await _redis_version(redis)
            told = await _jobs(redis, databases.with_database(url, databases.NAME), display)
    result = _result(options, versions, cold, answers, audit) | {"jobs": told}
    if options.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        _print(result)
    return 1 if result["wrong_answers"] or result["errors"] or "error" in told else 0


@asynccontextmanager
async def _servers(options: Options, display: Display) -> AsyncIterator[tuple[str, Servers, dict[str, str]]]:
    """The URL of a PostgreSQL, embedded servers, and the versions known so far."""
    versions = {"galvo": version("galvo"), "Python": platform.python_version()}
    servers = Servers(DATA)
    try:
        if not options.url:
            display.step(f"starting PostgreSQL in {DATA}")
        yield options.url or await servers.postgres(), servers, versions
    finally:
        servers.close()


async def _redis_version(url: str) -> str:
    from redis.asyncio import Redis

    async with Redis.from_url(url) as client:
        return str((await client.info("server"))["redis_version"])


async def _measure(
    crew: dict[str, Worker], options: Options, display: Display
) -> tuple[report.Answer, dict[str, list[report.Answer]], report.Answer]:
    """The cache's first seconds; every lane's answers, by round; and the audit."""
    turn = options.seconds / options.rounds
    answers: dict[str, list[report.Answer]] = {lane.name: [] for lane in LANES}
    bar = display.bar("running", "turns")
    steps = len(LANES) * (options.rounds + 1) + 1
    done = 0

    async def run(what: str, lane: str, seconds: float, seed: int, command: str = "run") -> report.Answer:
        nonlocal done
        bar.say(f"{what}: {crew[lane].lane.title}")
        answer = await crew[lane].ask(**{command: {"seconds": seconds, "clients": options.clients, "seed": seed}})
        done += 1
        await bar.update(done, steps)
        return answer

    seed = options.seed
    cold = {
        lane.name: await run("warming up", lane.name, min(WARM_UP[lane.mode], options.seconds), seed) for lane in LANES
    }
    for number in range(options.rounds):
        seed += 1
        for lane in turns(number):
            answers[lane.name].append(await run("running", lane.name, turn, seed))
    audit = await run("checking", "full", max(turn, min(AUDIT, options.seconds)), seed + 1, "audit")
    bar.finish()
    return cold["full"], answers, audit


async def _jobs(redis: str, database: str, display: Display) -> dict[str, Any]:
    """Their numbers; or only an error: the comparison has been made and is to be seen."""
    bar = display.bar("jobs on a worker", "scenes")
    try:
        return await jobs.play(redis, database, bar)
    except GalvoError as error:
        return {"error": str(error)}
    finally:
        bar.finish()


def _result(
    options: Options,
    versions: dict[str, str],
    cold: report.Answer,
    answers: dict[str, list[report.Answer]],
    audit: report.Answer,
) -> dict[str, Any]:
    modes = [report.summary(lane, answers[lane.name]) for lane in LANES]
    # A client that did not read its own write got a wrong answer too, audited or not.
    stale = audit["stale"] + sum(answer["stale"] for answer in answers["full"])
    return {
        "wrong_answers": int(audit["wrong"] + stale),
        "checked_hits": int(audit["verified"]),
        "errors": sum(mode["errors"] for mode in modes) + audit["errors"],
        "first_error": next((found["first_error"] for found in (*modes, audit) if found["first_error"]), ""),
        "modes": modes,
        "cold": report.load(cold),
        "noise": report.noise(answers),
        "versions": versions,
        "arguments": options.arguments(),
    }


def _print(result: dict[str, Any]) -> None:
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 80)
    arguments, versions, noise = result["arguments"], result["versions"], result["noise"]
    out.print("\n" + ", ".join(f"{name} {number}" for name, number in versions.items()))
    out.print(
        f"{arguments['clients']} clients, scale {arguments['scale']:g}, "
        f"{arguments['seconds']:g} s per mode in {arguments['rounds']} turns"
    )
    out.print()
    out.print(report.table(result["modes"]))
    plain, cold = result["modes"][0]["database_queries_per_request"], result["cold"]
    out.print(
        f"\nthe cache began empty {cold['seconds']:.0f} s before: DB queries/req "
        f"{cold['database_queries_per_request']:.2f} ({cold['database_queries_per_request'] / plain:.2f}x) meanwhile"
    )
    out.print(
        f"noise: plain asyncpg against itself {noise['percent']:.1f} %, "
        f"worst turn {noise['worst_round_percent']:.1f} % (requests/s)"
    )
    out.print(f"wrong answers: {result['wrong_answers']:,} of {result['checked_hits']:,} re-checked hits")
    if result["errors"]:
        out.print(f"requests that failed: {result['errors']:,}, the first with {result['first_error']}")
    out.print()
    for line in telling.lines(result["jobs"]):
        out.print(line)
    for line in NEXT:
        out.print(line, style="dim")
