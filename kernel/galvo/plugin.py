"""What a plugin is: a class with class attributes, one `lifespan()` and any of the four hooks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from galvo.checkup import Finding
    from galvo.context import Context
    from galvo.events import Query

API_VERSION = (1, 2)
"""`CHANGELOG-API.md` tells what each has brought."""


class PluginSettings(BaseModel):
    """The keys that every plugin has; a plugin's own settings model adds to them."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    on: bool = Field(True, description="Load and start this plugin.")
    mode: Literal["active", "shadow", "off"] = Field(
        "active",
        description='"shadow" compares its answers without using them; "off" keeps it out of the chain.',
    )
    on_error: Literal["skip", "raise", "eject"] = Field(
        "skip",
        description='A fault of the plugin is bypassed ("skip"), passed on ("raise"), or bypassed until '
        'too many of them restart it ("eject").',
    )
    required: bool = Field(False, description="Without it nothing runs: refuse queries rather than go round it.")


class Plugin:
    """Base of all plugins. The kernel makes one instance per start and throws it away at the stop."""

    name: ClassVar[str]
    api: ClassVar[str] = ">=1,<2"
    """Range of plugin API versions it works with. Bounds are read as pip does: `==1` is 1.0 alone, `>1` takes 1.1."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Plugins that must be active before this one starts."""
    after: ClassVar[tuple[str, ...]] = ()
    """Plugins that start before this one when they are there."""
    provides: ClassVar[tuple[str, ...]] = ()
    """Capabilities: names under which other plugins find this instance."""
    settings_type: ClassVar[type[PluginSettings]] = PluginSettings

    def __init__(self, settings: Any, context: Context) -> None:
        self.settings = settings
        self.context = context

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Acquire before the `yield`, release after it; both run in one task, so task groups are fine here.

        The plugin is in the chain only between a finished start and the end of its drain.
        """
        yield

    def settled(self) -> None:
        """Called once every query that started before this plugin joined the chain has ended.

        Until then writes may be under way that this instance has not seen.
        """

    async def explain(self, query: Query) -> dict[str, Any] | None:
        """What this plugin would do with `query`, for `kernel.explain()`; None is nothing.

        A "problem" in it says why the statement cannot run at all; `galvo explain` then says only that.
        """
        return None

    def stats(self) -> dict[str, float]:
        """Counters since the start, for `kernel.explain()`, tests and the demo."""
        return {}

    async def checkup(self) -> Sequence[Finding]:
        """What `galvo doctor` should say of this plugin and of what it depends on, while it runs. Since API 1.1.

        A few quick looks that do not block the event loop: after some seconds it is given up, and that is a finding.
        """
        return ()
