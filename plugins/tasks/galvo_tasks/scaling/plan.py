"""How many tasks fit: the least of what CPUs, memory and the operator allow."""

from __future__ import annotations

from math import floor

import msgspec

from galvo.sizes import show

MARGIN = 0.2
"""Share of the limit that is left alone: memory counts as short (HIGH) from 85 % on."""
PYTHON = 32 << 20
"""Bytes that a child process has of its own before its first task, until they are measured."""


class Plan(msgspec.Struct, frozen=True):
    number: int
    """Tasks at once; at least one, or nothing would ever run."""
    why: str


def planned(*, cpus: int, most: int, limit: int | None, others: int, each: int) -> Plan:
    """`most`: as configured, 0 for any number. Bytes: `limit` of all, None for none known; `others`, what is used of it
    by anybody but the children; `each`, what a child takes at most.
    """
    plan = Plan(most, f"concurrency = {most}") if most else Plan(cpus, f"{cpus} CPU{'s' * (cpus != 1)}")
    if limit is None:
        return plan
    room = limit * (1 - MARGIN) - others
    if (fit := max(1, floor(room / each))) < plan.number:
        return Plan(fit, f"memory: {show(max(0, int(room)))} of {show(limit)} for children of {show(each)} each")
    return plan
