"""`galvo plugins`, `explain`, `check`, `lock`, `run`, and whatever plugins add.

A plugin adds a command by an entry point in the group `galvo.commands`: `bench = "package:main"` becomes
`galvo bench`, `"run.demo" = "package:main"` becomes `galvo run demo`. `main(argv: list[str]) -> int` gives the
exit code: 0 done, 1 failed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from galvo import discovery
from galvo.blueprint import plan
from galvo.document import document
from galvo.errors import GalvoError
from galvo.explain import lines
from galvo.hookspecs import KINDS
from galvo.kernel import Kernel

COMMANDS = "galvo.commands"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors are one sentence on stderr."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        for words in (2, 1):
            point = commands().get(".".join(args[:words])) if len(args) >= words else None
            if point is not None:
                return int(point.load()(args[words:]))
        if not args:
            parser().print_help()
            return 2
        options = parser().parse_args(args)
        return int(options.command(options))
    except GalvoError as error:
        print(f"galvo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("galvo: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def commands() -> dict[str, metadata.EntryPoint]:
    """What installed plugins add, by name."""
    return {point.name: point for point in metadata.entry_points(group=COMMANDS)}


def parser() -> argparse.ArgumentParser:
    """The built-in commands."""
    added = sorted(commands())
    tops = [name for name in added if "." not in name]
    top = argparse.ArgumentParser(
        prog="galvo",
        description="Plugins for async backends on PostgreSQL: what is loaded, on, and why.",
        epilog=f"added by plugins: {', '.join(tops)}" if tops else None,
    )
    sub = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made = sub.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", help="print JSON")
        made.set_defaults(command=run)
        return made

    command("plugins", _plugins, "List the plugins: state, mode, version, hooks, and why.")
    text = "Show a hook's layers, outermost first; or what each plugin would do with a statement, which is not run."
    explain = command("explain", _explain, text)
    explain.add_argument("what", metavar="HOOK|STATEMENT", help=f"{', '.join(KINDS)}; or for example 'select 1'")
    command("check", _check, "Compare entrypoints.toml and settings with what is installed.")
    command("try", _try, "Start every plugin that is on, and stop it again.")
    command("lock", _lock, "Write entrypoints.toml from what is installed.")
    command("settings", _settings, "Print a settings file with every key, its default and its meaning.")
    run = command("run", _run, "Run an application that a plugin brings.")
    run.add_argument("name", nargs="?", help=", ".join(name[4:] for name in added if name.startswith("run.")))
    return top


def _plugins(options: argparse.Namespace) -> int:
    infos = Kernel(plan(Path(), warn=False)).plugins()
    listed = {info["name"] for info in infos}
    infos += [
        {"name": point.name, "state": "unlisted", "mode": "", "version": point.version, "hooks": [], "on": False,
         "reason": f"installed, not in {discovery.FILE}: run `galvo lock`"}
        for point in discovery.installed() if point.name not in listed
    ]  # fmt: skip
    rows = [
        [
            info["name"], *((info["state"], info["mode"]) if info["on"] else ("off", "")), info["version"],
            "\n".join(info["hooks"]), info["reason"] or off_why(info),
        ]
        for info in infos
    ]  # fmt: skip
    _show(options, infos, ["plugin", "state", "mode", "version", "hooks", "why"], rows)
    return int(any(info["state"] == "failed" for info in infos))


def off_why(info: dict[str, Any]) -> str:
    """Where a plugin that does not run was switched off."""
    if not info["on"]:
        variable = f"GALVO_{info['name'].upper()}__ON"
        return variable if variable in map(str.upper, os.environ) else "on = false in settings/"
    return 'mode = "off"' if info["mode"] == "off" else ""


def _explain(options: argparse.Namespace) -> int:
    import anyio

    if options.what not in KINDS:
        if len(options.what.split()) < 2:
            raise GalvoError(f"{options.what!r} is neither a hook ({', '.join(KINDS)}) nor a statement")
        told = anyio.run(_explain_statement, options.what)
        print(json.dumps(told) if options.json else "\n".join(lines(told)))
        return 0
    told = anyio.run(Kernel(plan(Path(), warn=False)).explain, options.what)
    rows = [[item["plugin"], item["mode"], item["on_error"], item["why"]] for item in told["layers"]]
    if not options.json:
        print(f"{told['hook']}: {told['kind']}, outermost first")
    _show(options, told, ["plugin", "mode", "on_error", "why"], rows)
    return 0


async def _explain_statement(sql: str) -> dict[str, Any]:
    async with Kernel(plan(Path(), warn=False)) as kernel:
        return await kernel.explain(sql)


def _check(options: argparse.Namespace) -> int:
    found: list[str] = []
    path = Path(discovery.FILE)
    listed = discovery.read(path) if path.is_file() else []
    if not path.is_file():
        found.append(f"there is no {path}: `galvo lock` writes it")
    now = {listing.name: listing for listing in discovery.lock(listed)}
    for listing in listed:
        fresh = now.pop(listing.name, None)
        if fresh is None:
            found.append(f"{listing.name} is listed and not installed: install {listing.distribution}")
            continue
        for field in listing.__struct_fields__:
            old, new = getattr(listing, field), getattr(fresh, field)
            if old != new:
                found.append(f"{listing.name}: {field} was {old!r}, is now {new!r}")
    found += [f"{name} is installed and not listed" for name in now]
    if found:
        found.append("review, then `galvo lock`")
    found += [
        f"{blueprint.name}: {blueprint.failure}"
        for blueprint in plan(Path(), everything=True, warn=False).blueprints
        if blueprint.failure
    ]
    if options.json:
        print(json.dumps({"ok": not found, "found": found}))
    else:
        print("\n".join(found) or f"ok: {len(listed)} plugins, settings and {path} agree")
    return int(bool(found))


def _try(options: argparse.Namespace) -> int:
    import anyio

    logging.disable()  # what would be logged is told below
    infos = anyio.run(_start_once)
    failed = [f"plugin {info['name']!r}: {info['reason']}" for info in infos if info["state"] == "failed"]
    started = ", ".join(info["name"] for info in infos if info["state"] == "active")
    if options.json:
        print(json.dumps({"ok": not failed, "plugins": infos}))
    else:
        print("\n".join(failed) or f"ok: {started} started and stopped")
    return int(bool(failed))


async def _start_once() -> list[dict[str, Any]]:
    async with Kernel(plan(Path(), warn=False)) as kernel:
        return kernel.plugins()


def _lock(options: argparse.Namespace) -> int:
    path = Path(discovery.FILE)
    listings = discovery.lock(discovery.read(path) if path.is_file() else [])
    path.write_text(discovery.render(listings), "utf-8")
    if options.json:
        print(json.dumps(msgspec.to_builtins(listings)))
    else:
        print(f"{path}: {', '.join(listing.name for listing in listings) or 'no plugins installed'}")
    return 0


def _settings(options: argparse.Namespace) -> int:
    blueprints = plan(Path(), everything=True, warn=False).blueprints
    if options.json:
        print(json.dumps({item.name: item.cls.settings_type.model_json_schema() for item in blueprints}))
    else:
        print(document((item.name, summary(item.cls), item.cls.settings_type) for item in blueprints), end="")
    return 0


def summary(cls: type) -> str:
    """The first line of a plugin's docstring."""
    return (cls.__doc__ or "").strip().partition("\n")[0]


def _run(options: argparse.Namespace) -> int:
    names = sorted(name[4:] for name in commands() if name.startswith("run."))
    if options.json:
        print(json.dumps(names))
    elif options.name is None:
        print("\n".join(f"galvo run {name}" for name in names) or "no installed plugin brings an application")
    else:
        raise GalvoError(f"no application {options.name!r}; there is {', '.join(names) or 'none'}")
    return 0


def _show(options: argparse.Namespace, data: Any, head: list[str], rows: list[list[str]]) -> None:
    if options.json:
        print(json.dumps(data))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(*head, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
