"""What it costs to invalidate a table with 10,000 cached answers."""

from __future__ import annotations

from redis.asyncio import Redis

from galvo_bench.cache import redis_ways
from galvo_bench.cache.ledger_ways import Ways
from galvo_bench.cache.readers import processed
from galvo_bench.cache.redis_ways import ENTRIES, Crowd
from galvo_bench.method.rounds import Candidate
from galvo_bench.results.model import Missing, Section, Values, inverted
from galvo_bench.running.peers import Lineup, attempt
from galvo_bench.running.resources import resources
from galvo_bench.running.stand import Stand, must

TITLE = f"Invalidation of a table with {ENTRIES:,} answers"
EXPLAINS = (
    "Deletes find and remove every entry. galvo and stamps make them stale in one step: a lookup compares, and the "
    "memory returns as they expire. dogpile's is for one process and one region."
)


async def measure(stand: Stand) -> list[Section]:
    """Times, and the commands that Redis counted."""
    url = await stand.redis()
    async with resources() as stack:
        cleaner = Redis.from_url(url)
        stack.push_async_callback(cleaner.aclose)
        stack.push_async_callback(cleaner.flushall)
        crowds: list[Crowd] = []
        missing: list[Missing] = []
        for number, (name, make) in enumerate(redis_ways.WAYS.items()):
            crowd = Crowd(name, url, number, stack)
            made = await attempt(name, lambda make=make, crowd=crowd: make(crowd))  # type: ignore[misc]
            if isinstance(made, Missing):
                missing.append(made)
            else:
                crowds.append(crowd)
            stand.tick()
        counts = [await _counted(crowd) for crowd in crowds]
        lineup = Lineup(*map(_candidate, crowds))
        lineup.missing = missing
        await lineup.peer("dogpile memory invalidate", redis_ways.dogpile)
        ways = Ways(url, stack)
        lineup.candidates += [ways.whole_table(), ways.one_row(), await ways.everywhere()]
        rows = inverted(await lineup.compare(stand, "wall", rounds=stand.few))
    return [
        Section("invalidation", f"{TITLE}, wall time", EXPLAINS, rows, "speed"),
        Section("invalidation", f"{TITLE}: Redis commands", "Counted by the server.", [*counts, *missing]),
    ]


def _candidate(crowd: Crowd) -> Candidate:
    if crowd.deletes:
        return Candidate(crowd.name, crowd.invalidate, 1, before=crowd.restore)
    return Candidate(crowd.name, crowd.invalidate, 50)


async def _counted(crowd: Crowd) -> Values:
    await crowd.restore()
    before = await processed(crowd.client)
    await crowd.invalidate()
    commands = await processed(crowd.client) - before - 1
    left = await crowd.client.dbsize()
    must(not (left and crowd.deletes), f"{crowd.name} left {left} entries behind")
    return Values(crowd.name, {"commands": commands, "entries left to expire": left})
