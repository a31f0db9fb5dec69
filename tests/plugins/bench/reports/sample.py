"""A run that has whatever a run can have, small enough to be read."""

from __future__ import annotations

from math import exp, sin

from galvo_bench.method.rounds import AGAIN, Result
from galvo_bench.results.machine import Machine
from galvo_bench.results.model import Judged, Missing, Plot, Problem, Run, Section, Values

HOSTILE = "<script>alert('x')</script>|`*_ \"&amp;\" </style> \x00\u202e ![x](http://example.org/x.png)"
"""As a name anywhere."""


def here() -> Machine:
    return Machine(
        "3.13.1", "asyncio", 2, 0.42, {"asyncpg": "0.31.0", "redis": "7.1.0"}, "1d9ae49f1c2b+", "AMD EPYC 7B13",
        "7.8 GiB", "Linux 6.1.0", "5f1c9a2e", "18.1", "8.4.0",
    )  # fmt: skip


def ratios(ratio: str = "time") -> Section:
    rows = [
        Result("asyncpg.Pool", 1.21e-4, 1, 1, 1, 11),
        Result("galvo, no kernel", 4.1e-5, 0.338, 0.32, 0.351, 11),
        Result("galvo with cache", 5.9e-5, 0.487, 0.45, 0.52, 11),
        Result("psycopg_pool", 2.9e-4, 2.41, 2.2, 2.66, 11),
        Result(AGAIN, 1.2e-4, 1.01, 0.96, 1.07, 11),
        Missing("aiopg", "not installed"),
    ]
    return Section("connections", "Taking a connection and giving it back", "Nothing runs in between.", [*rows], ratio)  # type: ignore[arg-type]


def counts() -> Section:
    rows = [
        Values("the shop, everything off", {"queries": 9_184, "round trips": 9_201, "bytes": 4_300_127}),
        Values("the shop, everything on", {"queries": 1_102, "round trips": 1_167, "queries less, %": 88.001}),
    ]
    return Section("shop", "The shop's queries", "Counted on the wire.", [*rows], exact=True)


def plotted() -> Section:
    qs = [1 / (1 - q / 10_000) for q in range(0, 9_999, 200)]
    tail = {
        "everything off": [(x, 3.1 * x**0.45) for x in qs],
        "everything off again": [(x, 3.2 * x**0.44) for x in qs],
        "everything on": [(x, 0.6 * x**0.3) for x in qs],
    }
    rates = [30 * 1.5**step for step in range(9)]
    held = {
        "everything off": [(x, min(x, 310 - x / 20)) for x in rates],
        "everything on": [(x, min(x, 760.0)) for x in rates],
    }
    memory = {
        name: [(t, base + 30 * (1 - exp(-t / 9)) + 2 * sin(t)) for t in range(45)]
        for name, base in (("everything off", 82.0), ("everything on", 118.0))
    }
    plots = [
        Plot("Latencies at 180 requests a second", "percentile", "latency (ms)", tail, log_x=True, log_y=True),
        Plot("Throughput", "offered (requests/s)", "answered (requests/s)", held),
        Plot("Memory over time", "time (s)", "RSS (MiB)", memory),
    ]
    rows = [
        Values("everything off", {"p50 ms": 3.1, "p99 ms": 24}),
        Values("everything on", {"p50 ms": 0.61, "p99 ms": 2.4}),
    ]
    return Section("shop", "The shop at 180 requests a second", "Open loop.", [*rows], plots=plots)


def claims() -> list[Judged]:
    return [
        Judged("connecting", "Connection overhead", "s", 1.2e-4, 4.1e-5, True, True, 0.7, 0.5, 0.338, 0.32, 0.351,
               (0.96, 1.07), "beyond", "Acquire and release, nothing in between; plain is asyncpg.Pool."),
        Judged("redis", "Redis operations", "s", None, 4.1e-4, True, False, 1e-3, None, 4.1e-4, 3.9e-4, 4.4e-4,
               None, "met", "99th percentile of L2 gets, 16 tasks."),
        Judged("hits", "Hit ratio", "%", None, 89.2, False, False, 90, None, 89.2, 87.1, 91.3, None, "not shown",
               "The shop's read-mostly mix."),
        Judged("memory", "Memory of large operations", "MiB", 310, 290, True, True, 0.75, 0.65, 0.935, 0.92, 0.95,
               (0.99, 1.01), "missed", "Peak RSS in a child."),
    ]  # fmt: skip


def whole() -> Run:
    sections = [ratios(), ratios("throughput"), counts(), plotted()]
    run = Run("galvo bench connections shop", "2026-11-29T02:00:00+00:00", here(), 11, ["connections", "shop"])
    run.done, run.sections, run.claims, run.seconds = ["connections", "shop"], sections, claims(), 754.2
    run.groups = {"connections": "pool", "shop": "app"}
    return run


def partial() -> Run:
    run = whole()
    run.chosen = ["connections", "l2", "shop", "worker"]
    run.problems = [Problem("l2", "Redis went away: connection refused")]
    return run


def hostile() -> Run:
    """Every text of it."""
    section = Section(
        HOSTILE, HOSTILE, HOSTILE,
        [Result(HOSTILE, 1, 1, 1, 1), Result("galvo" + HOSTILE, 1, 1, 1, 1, 11), Missing(HOSTILE, HOSTILE)],
        plots=[Plot(HOSTILE, HOSTILE, HOSTILE, {HOSTILE: [(1, 1), (2, 2)]})],
    )  # fmt: skip
    values = Section(HOSTILE, HOSTILE, HOSTILE, [Values(HOSTILE, {HOSTILE: 1})])
    run = Run(HOSTILE, HOSTILE, Machine(HOSTILE, HOSTILE, 2, 0.1, {HOSTILE: HOSTILE}), 1, [HOSTILE, "never" + HOSTILE])
    run.done, run.sections, run.problems = [HOSTILE], [section, values], [Problem(HOSTILE, HOSTILE)]
    run.claims = [Judged(HOSTILE, HOSTILE, HOSTILE, 1, 2, True, True, 1, 1, 1, 1, 1, (1, 1), "met", HOSTILE)]
    run.groups = {HOSTILE: HOSTILE}
    return run
