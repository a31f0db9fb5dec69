"""The plugin: offers the servers to whoever has no URL of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from galvo import Plugin, PluginError, PluginSettings
from galvo_embedded.checkup import checkup
from galvo_embedded.servers import Servers

if TYPE_CHECKING:
    from galvo import Context, Finding


class EmbeddedSettings(PluginSettings):
    data: str = Field(".galvo", description="Folder for the servers' data, relative to the working directory.")
    postgres: Literal[16, 18] = Field(18, description="Major version of PostgreSQL; each has a folder of its own.")
    options: dict[str, str] = Field(
        default_factory=dict, description='More PostgreSQL settings, for example {"fsync": "off"}.'
    )


class EmbeddedPlugin(Plugin):
    """A private PostgreSQL and Redis, started when a plugin that has no URL asks for one."""

    name = "embedded"
    api = ">=1.2,<2"
    provides = ("servers",)
    settings_type = EmbeddedSettings

    def __init__(self, settings: EmbeddedSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._servers: Servers | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        settings = self.settings
        self._servers = Servers(
            Path(settings.data), postgres=settings.postgres, options=settings.options, log=self.context.log
        )
        try:
            yield
        finally:
            self._servers.close()
            self._servers = None

    async def postgres(self) -> str:
        """A DSN for asyncpg. Raises PluginError when PostgreSQL cannot be started here."""
        return await self._running().postgres()

    async def redis(self) -> str:
        """A URL for redis-py. Raises PluginError when Redis cannot be started here."""
        return await self._running().redis()

    async def checkup(self) -> Sequence[Finding]:
        return checkup(self._running().home, self._running().versions)

    def _running(self) -> Servers:
        if self._servers is None:
            raise PluginError(self.name, "is not started: ask for its servers while the kernel runs")
        return self._servers
