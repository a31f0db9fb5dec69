"""Whether two runs may be compared: what a time or a ratio depends on must be the same."""

from __future__ import annotations

from galvo_bench.results.model import Run


class Unlike(Exception):
    """Two runs differ in what their numbers depend on; the message is one sentence that names it all."""


def must_be_alike(base: Run, run: Run) -> None:
    """Raises Unlike."""
    if found := differences(base, run):
        raise Unlike(f"the runs cannot be compared: {'; '.join(found)} (--force compares them all the same)")


def differences(base: Run, run: Run) -> list[str]:
    """In words. A server that one of them did not use makes none."""
    one, two = _conditions(base), _conditions(run)
    return [
        f"{name} was {one[name]} and is {two[name]}"
        for name in one
        if one[name] != two[name] and (name not in ("PostgreSQL", "Redis") or (one[name] and two[name]))
    ]


def other_versions(base: Run, run: Run) -> list[str]:
    """Of what both were measured beside: no reason to refuse, but one of a difference."""
    then, now = base.machine.libraries, run.machine.libraries
    return [f"{name} was {then[name]} and is {now[name]}" for name in then if now.get(name, then[name]) != then[name]]


def _conditions(run: Run) -> dict[str, str]:
    there = run.machine
    return {
        "the CPU": there.cpu or "unknown",
        "its number of cores": str(there.cores),
        "Python": ".".join(there.python.split(".")[:2]),
        "PostgreSQL": there.postgres.split(".")[0],
        "Redis": there.redis.split(".")[0],
        "the event loop": there.loop,
        "what is set for galvo": there.settings or "unknown",
        "the number of rounds": str(run.rounds),
    }
