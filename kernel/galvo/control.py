"""Changes to a running kernel that somebody asks for: who, when, why, and what came of it."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol, TypeVarTuple, Unpack, cast

import anyio
import msgspec

from galvo.errors import GalvoError, KernelClosed
from galvo.printing import one_line
from galvo.unit import sentence

if TYPE_CHECKING:
    from galvo.kernel import Kernel
    from galvo.plugin import Plugin

log = logging.getLogger("galvo")
T = TypeVarTuple("T")
KEPT = 100
LONGEST = 200
"""Characters of a `who` and of a `why`."""


class Change(msgspec.Struct, frozen=True):
    """What was asked for, and what came of it."""

    at: float
    """When it was asked for, in seconds since 1970."""
    what: Literal["enable", "disable", "reload"]
    name: str
    """The plugin; "" for a reload."""
    who: str
    why: str
    seconds: float
    """Until it was done or refused."""
    changed: tuple[str, ...] = ()
    """The plugins that are not as they were; "kernel" for its own settings."""
    problem: str = ""
    """Why it was refused, in one sentence; then everything runs on as it was."""


class Switchboard(Protocol):
    """A kernel, or what a host puts before it as `kernel.given["switchboard"]`."""

    async def enable(self, name: str) -> None: ...
    async def disable(self, name: str) -> None: ...
    async def reload(self) -> list[str]: ...


class Control:
    """What plugins change in the kernel that runs them; a plugin's is `self.context.control`.

    A change runs in the kernel's own task group, so neither a cancelled asker nor the plugin that has asked, which a
    reload may replace, stops it halfway. One change at a time; each is logged, and the last 100 are kept.
    """

    changes: deque[Change]
    """The last ones, oldest first."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._one = anyio.Lock()
        self._asked: dict[_Asked, None] = {}
        self.changes = deque(maxlen=KEPT)

    async def enable(self, name: str, *, who: str, why: str = "") -> Change:
        """Start plugin `name`. Raises GalvoError; then nothing has changed."""
        return await self._ask("enable", name, who, why)

    async def disable(self, name: str, *, who: str, why: str = "") -> Change:
        """Stop plugin `name`, after the queries that it serves. Raises GalvoError; then nothing has changed."""
        return await self._ask("disable", name, who, why)

    async def reload(self, *, who: str, why: str = "") -> Change:
        """Read the settings again and bring every plugin to them. Raises GalvoError; then nothing has changed."""
        return await self._ask("reload", "", who, why)

    @property
    def pending(self) -> list[Change]:
        """What was asked for and is not done yet, in that order; their `seconds` go on."""
        return [asked.so_far() for asked in self._asked]

    async def _ask(self, what: Literal["enable", "disable", "reload"], name: str, who: str, why: str) -> Change:
        asked = _Asked(what, _line(name), _line(who), _line(why))
        self._kernel.supervisor.group().start_soon(self._do, asked, name=f"galvo {what} {name}".strip())
        self._asked[asked] = None
        await asked.done.wait()
        if asked.error is not None:
            raise asked.error
        return cast("Change", asked.change)

    async def _do(self, asked: _Asked) -> None:
        try:
            async with self._one:
                changed = await self._change(asked.what, asked.name)
        except Exception as error:  # noqa: BLE001  # whoever has asked is told, and the host goes on
            asked.error = error if isinstance(error, GalvoError) else GalvoError(sentence(error))
            asked.error.__cause__ = None if asked.error is error else error
            self._note(asked, problem=str(asked.error))
        else:
            self._note(asked, changed=tuple(changed))
        finally:
            if asked.change is None:  # the kernel ends
                asked.error = asked.error or KernelClosed(f"{asked.text}: the kernel has ended first")
            self._asked.pop(asked, None)
            asked.done.set()

    async def _change(self, what: str, name: str) -> list[str]:
        board: Switchboard = self._kernel.given.get("switchboard", self._kernel)
        if what == "reload":
            return await board.reload()
        units = self._kernel.supervisor.units
        before = units[name].state if name in units else None
        await (board.enable if what == "enable" else board.disable)(name)
        return [name] if name in units and units[name].state is not before else []

    def _note(self, asked: _Asked, *, changed: tuple[str, ...] = (), problem: str = "") -> None:
        asked.change = msgspec.structs.replace(asked.so_far(), changed=changed, problem=problem)
        self.changes.append(asked.change)
        why = f" ({asked.why})" if asked.why else ""
        result = f"refused: {problem}" if problem else f"done: {', '.join(changed) or 'nothing has changed'}"
        log.warning("%s, asked for by %s%s: %s", asked.text, asked.who, why, result)


class Operations(Control):
    """What a running kernel's `control` is: also for what operates it from outside, as the plugin `live` does."""

    async def explain(self, what: str, *, seconds: float = 0) -> dict[str, Any]:
        """`Kernel.explain`: a hook's layers, watched for `seconds`, or what each plugin would do with a statement."""
        return await self._kernel.explain(what, seconds=seconds)

    def plugins(self) -> list[dict[str, Any]]:
        """`Kernel.plugins`: every listed plugin with its state."""
        return self._kernel.plugins()

    @property
    def ending(self) -> bool:
        """The kernel stops all plugins."""
        return self._kernel.supervisor.stopping

    def running(self) -> dict[str, Plugin]:
        """The plugins that run, by name."""
        return {name: unit.plugin for name, unit in self._kernel.supervisor.units.items() if unit.plugin}

    def fault(self, name: str, where: str, error: Exception) -> None:
        """Count a fault of plugin `name`, outside of any hook, as if it had happened in one; in the loop's thread."""
        unit = self._kernel.supervisor.units.get(name)
        if unit is not None and unit.plugin is not None:
            unit.fault(where, error)

    def outlive(self, function: Callable[[Unpack[T]], Awaitable[Any]], *args: *T) -> None:
        """Run it in the kernel's own task group: it goes on when the plugin is replaced, and has to end by itself."""
        self._kernel.supervisor.group().start_soon(self._survived, function, args)

    def refuse(
        self, what: Literal["enable", "disable"], name: str, *, who: str, why: str, problem: GalvoError
    ) -> NoReturn:
        """Raise `problem`, logged and kept as a change that was refused."""
        self._note(_Asked(what, _line(name), _line(who), _line(why)), problem=str(problem))
        raise problem

    async def _survived(self, function: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> None:
        try:
            await function(*args)
        except Exception as error:  # noqa: BLE001  # in the kernel's own task group it would end the host
            log.error("%s failed: %s", getattr(function, "__qualname__", function), sentence(error))

    def ended(self) -> None:
        """Nothing runs any more: whoever waits still is told."""
        for asked in self._asked:
            asked.error = KernelClosed(f"{asked.text}: the kernel has ended first")
            asked.done.set()
        self._asked.clear()


class _Asked:
    """A change that somebody waits for."""

    def __init__(self, what: Literal["enable", "disable", "reload"], name: str, who: str, why: str) -> None:
        self.what = what
        self.name = name
        self.who = who
        self.why = why
        self.at = time.time()
        self.began = time.monotonic()
        self.done = anyio.Event()
        self.error: GalvoError | None = None
        self.change: Change | None = None

    def so_far(self) -> Change:
        return Change(self.at, self.what, self.name, self.who, self.why, time.monotonic() - self.began)

    @property
    def text(self) -> str:
        return f"{self.what} {self.name}".strip()


def _line(text: str) -> str:
    """One line, whoever wrote it: it goes to the log and to a terminal."""
    return one_line(text)[:LONGEST]
