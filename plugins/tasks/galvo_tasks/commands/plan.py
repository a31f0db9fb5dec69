"""`galvo tasks plan`: how many tasks run at once here, and the connections that the broker has to take."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any

import anyio
import msgspec
from celery import Celery

from galvo import GalvoError
from galvo.operating import only
from galvo.sizes import show
from galvo_tasks.config.concurrency import at_once
from galvo_tasks.config.connections import Part, Plan, publishers, workers
from galvo_tasks.config.errors import UnknownClass
from galvo_tasks.config.memory import Memory, memory
from galvo_tasks.config.preset import kind_of
from galvo_tasks.config.server import Server, named, server
from galvo_tasks.errors import NoBroker
from galvo_tasks.program.application import application
from galvo_tasks.program.shown import wrapped
from galvo_tasks.publishing.publisher import THREADS
from galvo_tasks.scaling.plan import Plan as AtOnce
from galvo_tasks.settings import settings_of
from galvo_tasks.task import Task

EXCEEDED = 3
"""Exit code: the server does not take as many."""


def main(argv: Sequence[str]) -> int:
    """0: the broker takes them, as far as it tells; 3: it does not. Raises GalvoError."""
    options = parser().parse_args(argv)
    with application(options.app) as app:
        known, counts = settings_of(app).classes, dict(options.workers)
        for runtime in counts:
            if runtime not in known:
                raise UnknownClass(f"--workers {runtime}", known)
        room, url = anyio.run(_memory), str(app.conf.broker_url)
        tasks = {name: at_once(app, name, room) for name in known}
        said, away = _asked(url)
        parts = _parts(app, tasks, options.publishers, counts)
        plan = Plan(parts, *((said.most, said.connected) if said else ()))
        title = f"{app.main} on {named(url)} ({said.title if said else away})"
    print(_json(tasks, plan, room) if options.json else "\n".join(_shown(title, tasks, plan, room)))
    return EXCEEDED if plan.exceeded else 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo tasks plan",
        description="Show how many tasks run at once on this machine, and the connections that the broker has to take.",
        epilog="Exit code 3: its server does not take as many.",
    )
    made.add_argument("--app", default="", metavar="PATH", help="package.module:name; default: app under [tasks]")
    text = "processes of the application that publish tasks (1)"
    made.add_argument("--publishers", type=_count, default=1, metavar="N", help=text)
    text = "workers of a class, on all machines (1); may be repeated"
    made.add_argument("--workers", type=_of_class, action="append", default=[], metavar="NAME=N", help=text)
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


async def _memory() -> Memory:
    try:
        async with only("memory") as plugin:
            return memory(plugin)
    except GalvoError:
        return memory()


def _asked(url: str) -> tuple[Server | None, str]:
    try:
        return server(url), ""
    except NoBroker:
        return None, "not there now"


def _parts(app: Celery[Any], tasks: dict[str, AtOnce], processes: int, counts: dict[str, int]) -> tuple[Part, ...]:
    kind = kind_of(str(app.conf.broker_url))
    here = kind == "redis" and not settings_of(app).results.get_secret_value()
    keeping = {task.runtime for task in app.tasks.values() if isinstance(task, Task) and task.keep_result and here}
    parts = [publishers(processes, THREADS, results=bool(keeping))]
    parts += [
        workers(kind, name, counts.get(name, 1), one.number, results=name in keeping) for name, one in tasks.items()
    ]
    return tuple(parts)


def _shown(title: str, tasks: dict[str, AtOnce], plan: Plan, room: Memory) -> Iterator[str]:
    yield from wrapped(f"galvo tasks plan: {title}")
    yield ""
    yield "tasks at once, in one worker here"
    for name, one in tasks.items():
        yield from wrapped(one.why, first=f"  {name:<20} {one.number:>5}  ")
    if room.limit:
        yield from wrapped(f"{show(room.used)} of {show(room.limit)} ({room.bound})", first=f"  {'memory used':<28}")
    yield ""
    yield f"{'connections, at most':<22} {'processes':>10} {'each':>6} {'together':>9}"
    for part in plan.parts:
        line = f"  {part.what:<20.20} {part.processes:>10,} {part.each:>6,} {part.connections:>9,}"
        yield from wrapped(part.text, first=f"{line}  ")
    yield f"  {'all of them':<20} {'':>10} {'':>6} {plan.needed:>9,}"
    most = "it does not tell" if plan.most is None else f"{plan.most:,}"
    now = "" if plan.connected is None else f"  {plan.connected:,} now"
    yield f"  {'the server takes':<20} {'':>10} {'':>6} {most:>9}{now}"
    if plan.exceeded:
        yield ""
        yield from wrapped(
            f"{plan.needed:,} connections are more than the server's {plan.most:,}: raise its maxclients, or start "
            "fewer processes"
        )


def _json(tasks: dict[str, AtOnce], plan: Plan, room: Memory) -> str:
    parts = [{**msgspec.to_builtins(part), "connections": part.connections} for part in plan.parts]
    facts = {"needed": plan.needed, "most": plan.most, "connected": plan.connected, "exceeded": plan.exceeded}
    return json.dumps(
        {"tasks": msgspec.to_builtins(tasks), "memory": msgspec.to_builtins(room), "parts": parts, **facts}
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return int(text)


def _of_class(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    return name, _count(number)
