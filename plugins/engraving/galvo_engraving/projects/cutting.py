"""Which of a material's settings is meant for a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def nearest(settings: Iterable[Mapping[str, Any]], thickness: float) -> Any:
    """That of the nearest thickness (mm), the thinner one of two; one for any thickness only if there is no other.

    None: there is none at all. `settings` are in the order of their thickness.
    """
    return min(settings, key=lambda one: _distance(one["thickness_mm"], thickness), default=None)


def _distance(found: float | None, thickness: float) -> float:
    return float("inf") if found is None else round(abs(float(found) - thickness), 2)
