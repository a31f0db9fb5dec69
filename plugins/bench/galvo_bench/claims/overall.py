"""Performance overall: the engraving shop's whole mix, everything off and everything on."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from galvo_bench.app.lanes import FULL, LANES, PLAIN, App, Load, Turn, turns
from galvo_bench.app.pairs import NAMES, compared, cpu, elapsed
from galvo_bench.claims import claim
from galvo_bench.claims.claim import Found
from galvo_bench.results.model import Section, inverted
from galvo_bench.running.stand import Stand, must

CLIENTS = 16
SECONDS = 1.0
"""Of a turn."""


async def asked(stand: Stand, load: Load, apps: Mapping[str, App]) -> Found:
    """Requests a second, closed loop."""
    found: dict[str, list[Turn]] = {lane.name: [] for lane in LANES}
    for number in range(stand.rounds):
        for lane in turns(number):
            turn = await load.closed(apps[lane.name], CLIENTS, 500 + number, seconds=SECONDS)
            must(turn.errors == 0, turn.first_error)
            found[lane.name].append(turn)
        stand.tick()
    speed = [*compared(found, elapsed)]
    explains = (
        f"Requests a second of the engraving shop, {CLIENTS} clients, the whole mix (3 % write); real processes. Plain "
        "is the same application without galvo."
    )
    sections = [
        Section("overall", "The shop's requests", explains, inverted([*speed]), "throughput"),
        Section("overall", "The shop's CPU", "Of the application's processes, a request.", [*compared(found, cpu)]),
    ]
    told = claim.compared([*speed], NAMES[PLAIN], NAMES[FULL], explains, more=True)
    return msgspec.structs.replace(told, sections=sections)
