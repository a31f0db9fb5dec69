"""Generations of chains: a new one takes every new query while the ones before it end theirs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

from galvo.chain import Chains
from galvo.errors import GalvoError
from galvo.observing import Observation
from galvo.registry import Registry

if TYPE_CHECKING:
    from galvo.kernel import Kernel

log = logging.getLogger("galvo")


class Generations:
    """The kernel's chains, and those before it that still answer."""

    def __init__(
        self,
        kernel: Kernel,
        registry: Registry,
        closed: Callable[[], Callable[[], GalvoError] | None],
        nobody: Callable[[], GalvoError],
    ) -> None:
        """`closed`: gives what makes the error with which the next generation refuses every query, or None. `nobody`:
        makes that of a query that no plugin runs.
        """
        self._kernel = kernel
        self._registry = registry
        self._closed = closed
        self._nobody = nobody
        self._retired: list[Chains] = []
        self.observations: list[Observation] = []
        """Under way."""

    def publish(self) -> None:
        """Compose the chains anew; running calls keep the old ones."""
        implementations = self._registry.implementations()
        for observation in self.observations:
            implementations = observation.timed(implementations)
        old = self._kernel.adopt(Chains(implementations, self._closed(), self._nobody))
        old.retire()
        self._retired = self.busy(old)

    @contextmanager
    def observed(self) -> Iterator[Observation]:
        """Clocks round all layers, until it ends."""
        observation = Observation()
        self.observations.append(observation)
        self.publish()
        try:
            yield observation
        finally:
            self.observations.remove(observation)
            self.publish()

    def busy(self, *more: Chains) -> list[Chains]:
        """Old ones on which a query runs, `more` among them."""
        return [chains for chains in (*self._retired, *more) if chains.calls]

    async def drained(self) -> None:
        """Wait until no query runs on an old chain, at most `drain_timeout`."""
        with anyio.move_on_after(self._kernel.settings.drain_timeout) as limit:
            for chains in list(self._retired):
                await chains.idle.wait()
        if limit.cancelled_caught:
            calls = sum(chains.calls for chains in self._retired)
            log.warning("%d queries still run after %g s of draining", calls, self._kernel.settings.drain_timeout)
        # Old chains hold the plugins that left, and those their memory.
        self._retired = self.busy()
