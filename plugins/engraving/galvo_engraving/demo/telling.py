"""The jobs' numbers as a few lines of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def lines(told: dict[str, Any]) -> Iterator[str]:
    submitted, urgent, result = told["submitted"], told["urgent"], told["result"]
    yield "jobs on one worker: galvo tasks worker --class quick --class image"
    yield f"  submitted  {submitted['jobs']} bulk rasters in {_ms(submitted['seconds'])}, while no worker ran"
    before = urgent["bulk_ended_meanwhile"]
    yield (
        f"  urgent     {urgent['jobs']} more in {_ms(urgent['seconds'])}: "
        f"{before} of {before + urgent['bulk_left']} bulk ones that were left ended before them"
    )
    yield f"  progress   {_shares(told['progress'])}"
    burned = 100 * result["burned"] / (result["width"] * result["height"])
    yield (
        f"  result     {result['width']:,} x {result['height']:,} dots, {burned:.0f} % burned, "
        f"after {_ms(result['seconds'])}; again in {_ms(result['again_seconds'])}"
    )
    if told["estimates"]:
        one = told["estimates"][0]
        yield f"  estimate   project {one['project']}: {_minutes(one['seconds'])} minutes on the laser, from the database"
    cancelled = told["cancelled"]
    yield (
        f"  cancelled  one at {100 * cancelled['at']:.0f} %: {cancelled['state']} after {_ms(cancelled['seconds'])}; "
        f"{cancelled['waiting']} that waited, at once"
    )


def _shares(shares: list[float]) -> str:
    """As many as have room, the last among them."""
    step = -(-len(shares) // 10) or 1
    kept = [*shares[:-1:step], *shares[-1:]]
    return ", ".join(f"{100 * share:.0f}" for share in kept) + " %"


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms" if seconds < 10 else f"{seconds:.0f} s"


def _minutes(seconds: float) -> str:
    return f"{seconds // 60:.0f}:{seconds % 60:02.0f}"
