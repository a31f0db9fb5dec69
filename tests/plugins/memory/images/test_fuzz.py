"""Broken files: nothing but typed exceptions, whatever is changed in a real one."""

from __future__ import annotations

import os
import random

import pytest

from galvo_memory.images import ImageProblem, Limits, Raster, raster, thumbnail, work
from tests.plugins.memory.images.peak import rested, status
from tests.plugins.memory.images.pictures import BY_BOTH, made

pytestmark = pytest.mark.anyio
ROUNDS = 400 if os.environ.get("GALVO_MEMORY_LONG") else 12
LIMITS = Limits(pixels=1_000_000, frames=3)
SLACK = 16 << 20
"""Bytes for what this process does beside."""
SEED = int(os.environ.get("GALVO_MEMORY_SEED", "6"))


def mutated(data: bytes, source: random.Random) -> bytes:
    """Bytes flipped, cut out, doubled, moved, or set to what counters overflow at; mostly in the header."""
    found = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 5, 20))):
        end = source.choice((len(found), min(len(found), 200)))
        place, length = source.randrange(end or 1), source.choice((1, 2, 4, 16, 300))
        match source.randrange(6):
            case 0:
                found[place : place + 1] = bytes([source.randrange(256)])
            case 1:
                found[place : place + length] = source.choice((b"\xff", b"\0", b"\x7f")) * length
            case 2:
                del found[place : place + length]
            case 3:
                found[place:place] = found[place : place + length]
            case 4:
                other = source.randrange(end or 1)
                found[place : place + length] = found[other : other + length]
            case 5:
                del found[source.randrange(len(found) or 1) :]
    return bytes(found)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, on what it ignores
@pytest.mark.parametrize("name, route", BY_BOTH, indirect=["route"])
async def test_mutations(name: str, route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = random.Random(f"{SEED} {name}")
    original, estimates = work.estimate, [0]
    monkeypatch.setattr(work, "estimate", lambda *given: estimates.append(original(*given)) or estimates[-1])
    before = rested()
    for _ in range(ROUNDS):
        data = mutated(made(name, 64, 48), source)
        try:
            made_of_it = await thumbnail(data, width=20, limits=LIMITS)
            assert made_of_it.startswith(b"\xff\xd8")
            assert isinstance(await raster(data, width_mm=2, dots_per_mm=10, limits=LIMITS), Raster)
        except ImageProblem:
            continue
    assert status("VmHWM") - before <= max(estimates) + SLACK
