"""`galvo tasks dead`: tasks that were not run, or not to their end: why, and what is to become of them."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

from amqp.exceptions import AMQPError
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from galvo_local import printable
from galvo_tasks.errors import NoBroker, TasksProblem
from galvo_tasks.guard.dead import DeadLetters, NotGiven, dead_letters
from galvo_tasks.guard.entry import Entry
from galvo_tasks.guard.shown import as_json, facts, listed
from galvo_tasks.program.application import application

_AWAY = (OperationalError, RedisError, AMQPError, OSError)


def main(argv: Sequence[str]) -> int:
    """0: done; 1: failed; 2: wrong usage. Raises GalvoError."""
    made = parser()
    options = made.parse_args(argv)
    if options.action == "list" and (options.id or options.all):
        made.error("list takes no ID: see show")
    if options.action == "show" and len(options.id) != 1:
        made.error("show takes one ID")
    if options.action in ("retry", "drop") and bool(options.id) == options.all:
        made.error(f"{options.action} takes the IDs of tasks, or --all")
    if not all(options.id):
        made.error("an ID is empty: --all means every one")
    with application(options.app) as app:
        try:
            return _done(dead_letters(app), options)
        except _AWAY as error:
            raise NoBroker(f"the broker does not answer ({error}): look at broker under [tasks]") from error


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo tasks dead",
        description="Tasks that were put aside instead of being run, or run again: why, and what is to become of them.",
        epilog="An ID may be cut short, as in the list.",
    )
    text = "list (default), show one, retry or drop some"
    made.add_argument("action", nargs="?", default="list", choices=("list", "show", "retry", "drop"), help=text)
    made.add_argument("id", nargs="*", metavar="ID", help="of a task")
    made.add_argument("--all", action="store_true", help="with retry and drop: every one")
    made.add_argument("--arguments", action="store_true", help="with show: the values that it was called with")
    made.add_argument("--app", default="", help="package.module:name; default: app under [tasks]")
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def _done(letters: DeadLetters, options: argparse.Namespace) -> int:
    now = time.time()
    if options.all:
        return _taken(letters, options, None)
    entries = letters.entries()
    ids = {whole(word, entries) for word in options.id}
    if options.action in ("retry", "drop"):
        return _taken(letters, options, ids)
    if options.action == "list":
        print(json.dumps([as_json(one, now) for one in entries]) if options.json else "\n".join(listed(entries, now)))
        return 0
    found = [one for one in entries if one.id in ids]
    if options.json:
        print(json.dumps([as_json(one, now, whole=True, arguments=options.arguments) for one in found]))
    else:
        print("\n\n".join("\n".join(facts(one, now, arguments=options.arguments)) for one in found))
    return 0


def _taken(letters: DeadLetters, options: argparse.Namespace, ids: set[str] | None) -> int:
    try:
        return _say(options, letters.retry(ids) if options.action == "retry" else letters.drop(ids))
    except NotGiven as problem:
        _say(options, problem.taken)
        raise


def _say(options: argparse.Namespace, taken: list[Entry]) -> int:
    if options.json:
        print(json.dumps([one.id for one in taken]))
        return 0
    number = "1 task" if len(taken) == 1 else f"{len(taken)} tasks"
    print(f"{number} {'dropped' if options.action == 'drop' else 'given to the workers again'}")
    return 0


def whole(word: str, entries: Sequence[Entry]) -> str:
    """The id that begins so. Raises TasksProblem unless it is one's."""
    ids = {one.id for one in entries}
    found = [word] if word in ids else sorted(id for id in ids if id.startswith(word))
    if not found:
        raise TasksProblem(f"no task {printable(word)} on the dead-letter list: see galvo tasks dead")
    if len(found) > 1:
        some = printable(", ".join(found[:3]))
        raise TasksProblem(f"{printable(word)} is the beginning of {len(found)} ids: {some}: say more of it")
    return found[0]
