"""The jobs' numbers as a few lines of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SHARES = 10
"""Of progress, shown at most."""


def lines(told: dict[str, Any]) -> Iterator[str]:
    if "error" in told:
        yield f"jobs failed: {told['error']}"
        return
    yield "jobs on one worker (galvo tasks worker --class quick --class image):"
    submitted, urgent, result = told["submitted"], told["urgent"], told["result"]
    yield f"  submitted  {submitted['jobs']} bulk rasters in {_ms(submitted['seconds'])}, while no worker ran"
    before = urgent["bulk_ended_meanwhile"]
    yield (
        f"  urgent     {urgent['jobs']} more in {_ms(urgent['seconds'])}: "
        f"{before} of the {before + urgent['bulk_left']} bulk ones left ended before"
    )
    if told["estimates"]:
        project, seconds = told["estimates"][0]["project"], told["estimates"][0]["seconds"]
        yield f"  estimate   project {project} takes the laser {_minutes(seconds)} min (asked of the database)"
    yield f"  cancelled  {_cancelled(**told['cancelled'])}"
    yield f"  progress   {_shares(told['progress'])}"
    burned = 100 * result["burned"] / (result["width"] * result["height"])
    yield (
        f"  result     {result['width']:,} x {result['height']:,} dots, {burned:.0f} % burned, "
        f"in {_ms(result['seconds'])}; again in {_ms(result['again_seconds'])}"
    )


def _cancelled(state: str, at: float, seconds: float, waiting: int) -> str:
    how = f"ended after {_ms(seconds)}" if state == "cancelled" else f"but it was {state} by then"
    return f"one at {100 * at:.0f} % of its work, {how}; {waiting} that waited"


def _shares(shares: list[float]) -> str:
    """As many as have room, the last among them."""
    step = -(-len(shares) // SHARES) or 1
    kept = [*shares[:-1:step], *shares[-1:]]
    return ", ".join(f"{100 * share:.0f}" for share in kept) + " %"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms" if seconds < 10 else f"{seconds:.0f} s"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,}:{rest:02}"
