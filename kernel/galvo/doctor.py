"""`galvo doctor`: what the kernel sees, and what every plugin that can be started says of itself.

Whatever is broken is a finding, so that the rest is told all the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import anyio
import msgspec

from galvo import discovery
from galvo.blueprint import Plan, plan
from galvo.checkup import Finding
from galvo.errors import GalvoError
from galvo.kernel import Kernel
from galvo.settings import BASE, PREFIX, layers
from galvo.surroundings import limits, versions
from galvo.unit import State, Unit, sentence

DEADLINE = 5.0
"""Seconds for one plugin's `checkup`."""


class Section(msgspec.Struct, frozen=True):
    about: str
    """"versions", "settings", "limits", "plugins", or a plugin's name."""
    findings: tuple[Finding, ...]


async def examine(root: Path, deadline: float = DEADLINE) -> list[Section]:
    """Look at everything. Starts the plugins that are on, and stops them again."""
    settings = [*files(root)]
    whole: Plan | None = None
    try:
        whole = plan(root, warn=False)
    except GalvoError as error:
        settings.append(Finding("settings", "cannot be used", "problem", str(error)))
    told = [
        Section("versions", (*versions(), *listed(root))),
        Section("settings", tuple(settings)),
        Section("limits", tuple(limits())),
    ]
    return [*told, *(await started(whole, deadline))] if whole else told


def files(root: Path) -> Iterator[Finding]:
    """Where the settings come from: names only, never values."""
    try:
        found = [str(path.relative_to(root)) for path in layers(root)]
    except GalvoError:  # an overlay that is not there: `plan` says so
        found = [BASE]
    yield Finding("files", ", ".join(found) if found else f"no {BASE}: everything is as by default")
    if variables := sorted(name for name in os.environ if name.upper().startswith(PREFIX)):
        yield Finding("variables", ", ".join(variables))


def listed(root: Path) -> Iterator[Finding]:
    """In what entrypoints.toml and the installed plugins differ."""
    path = root / discovery.FILE
    if not path.is_file():
        advice = "run `galvo lock`, so that nothing else loads when something else is installed"
        yield Finding(discovery.FILE, "there is none: every installed plugin loads", "advice", advice)
        return
    try:
        found = discovery.drift(path)
    except GalvoError as error:
        yield Finding(discovery.FILE, "cannot be compared", "problem", str(error))
        return
    if found:
        yield Finding(discovery.FILE, "; ".join(found), "advice", "review this, then run `galvo lock`")
    else:
        yield Finding(discovery.FILE, "says what is installed")


async def started(whole: Plan, deadline: float) -> list[Section]:
    """What the plugins say while they run. None is required here: the others are to have their say."""
    free = tuple(
        msgspec.structs.replace(item, settings=item.settings.model_copy(update={"required": False}))
        for item in whole.blueprints
    )
    try:
        async with Kernel(msgspec.structs.replace(whole, blueprints=free)) as kernel:
            units = list(kernel.supervisor.units.values())
            told = [Section("plugins", tuple(states(units))), *(await checkups(units, deadline))]
            return [section for section in told if section.findings]
    except GalvoError as error:
        return [Section("plugins", (Finding("start", "refused", "problem", str(error)),))]


def states(units: Sequence[Unit]) -> Iterator[Finding]:
    """Which run, which are off, which failed."""
    for title, names in (
        ("running", [unit.name for unit in units if unit.state is State.ACTIVE]),
        ("off", [unit.name for unit in units if unit.state is State.LISTED]),
    ):
        if names:
            yield Finding(title, ", ".join(names))
    for unit in units:
        if unit.state not in (State.ACTIVE, State.LISTED):
            yield Finding(unit.name, "does not run", "problem", unit.reason or str(unit.state))


async def checkups(units: Iterable[Unit], deadline: float = DEADLINE) -> list[Section]:
    """Every running plugin's, all at once."""
    told: dict[str, tuple[Finding, ...]] = {unit.name: () for unit in units if unit.state is State.ACTIVE}

    took: dict[str, float] = {}

    async def one(unit: Unit) -> None:
        began, late = anyio.current_time(), False
        try:
            with anyio.fail_after(deadline):
                told[unit.name] = checked(await unit.instance.checkup())
        except TimeoutError:
            late = True
        except Exception as error:  # noqa: BLE001  # a plugin's fault is a finding of its own
            why = f"{unit.name}'s `checkup` failed, and what it would have said is missing: {sentence(error)}"
            told[unit.name] = (Finding("checkup", "failed", "problem", why),)
        took[unit.name] = anyio.current_time() - began
        if late or took[unit.name] > deadline:
            found = f"has not answered within {deadline:g} s"
            advice = f"see what {unit.name} waits for, or blocks with: `galvo plugins`"
            told[unit.name] = (Finding("checkup", found, "problem", advice),)

    running = [unit for unit in units if unit.name in told]
    async with anyio.create_task_group() as tasks:
        for unit in running:
            tasks.start_soon(one, unit)
    for unit in running:
        if took[unit.name] > 2 * deadline:  # one of them has blocked all; now each answers for itself
            await one(unit)
    return [Section(name, findings) for name, findings in told.items()]


def checked(found: object) -> tuple[Finding, ...]:
    """Raises TypeError for what is no sequence of findings."""
    findings = tuple(found) if isinstance(found, Sequence) and not isinstance(found, str) else (found,)
    for one in findings:
        if (
            not isinstance(one, Finding)
            or not all(isinstance(text, str) for text in (one.subject, one.found, one.advice))
            or one.verdict not in ("ok", "advice", "problem")
        ):
            raise TypeError(f"checkup must return findings, not {one!r}")
    return findings
