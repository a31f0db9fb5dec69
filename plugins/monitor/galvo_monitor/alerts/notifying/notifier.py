"""Who is told of alerts."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from galvo_local import printable
from galvo_monitor.alerts.errors import RuleProblem
from galvo_monitor.alerts.notifying.endpoint import Endpoint
from galvo_monitor.alerts.notifying.payload import posted, webhook
from galvo_monitor.alerts.sentences import short
from galvo_monitor.alerts.transition import Transition
from galvo_monitor.insights.words import duration

SHORTEST = 16
LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.ERROR}


class Notifier(Protocol):
    name: str
    resend: float | None
    """Seconds after which it wants to be told again of all that fires; None: it does not."""

    async def send(self, told: Sequence[Transition]) -> None:
        """Raises NotTold."""

    async def close(self) -> None: ...


class Webhook:
    """Posts what Alertmanager would post.

    With a key each request has `X-Galvo-Signature: t=<seconds since the epoch>,v1=<hex>`: HMAC-SHA256, by that key, of
    "<t>.<body>". A receiver compares it, and refuses what is older than some minutes.
    """

    resend: float | None = None

    def __init__(
        self, url: str, *, key: bytes = b"", deadline: float = 10.0, clock: Callable[[], float] = time.time
    ) -> None:
        """Raises RuleProblem."""
        if 0 < len(key) < SHORTEST:
            raise RuleProblem(
                f"the webhook's key has {len(key)} bytes: give it {SHORTEST} or more (openssl rand -hex 32)"
            )
        self._endpoint = Endpoint("the webhook", url, deadline=deadline)
        self._key = key
        self._clock = clock
        self.name = self._endpoint.name

    async def send(self, told: Sequence[Transition]) -> None:
        body = webhook(told)
        await self._endpoint.post(body, signed(body, self._key, self._clock()) if self._key else None)

    async def close(self) -> None:
        await self._endpoint.close()


class Alertmanager:
    """Posts to API v2, again and again: what is not told for four such times is over by itself."""

    def __init__(
        self,
        url: str,
        *,
        interval: float = 30.0,
        resend: float = 60.0,
        deadline: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`url`: http://localhost:9093; `interval`: seconds between two looks. Raises RuleProblem."""
        self._endpoint = Endpoint("Alertmanager", f"{url.rstrip('/')}/api/v2/alerts", deadline=deadline)
        self.resend: float | None = resend
        self._lasts = 4 * max(interval, resend)
        self._clock = clock
        self.name = self._endpoint.name

    async def send(self, told: Sequence[Transition]) -> None:
        await self._endpoint.post(posted(told, self._clock() + self._lasts))

    async def close(self) -> None:
        await self._endpoint.close()


def signed(body: bytes, key: bytes, now: float) -> dict[str, str]:
    stamp = str(int(now))
    mark = hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"x-galvo-signature": f"t={stamp},v1={mark}"}


def write(log: logging.Logger, told: Sequence[Transition]) -> None:
    """The notifier that always is there."""
    for one in told:
        where = "".join(f", {short(name)} {short(value)}" for name, value in one.labels)
        sentence = printable(one.sentence)
        if one.event == "resolved":
            log.info("resolved: %s after %s%s: %s", one.name, duration(max(0.0, one.at - one.since)), where, sentence)
        else:
            still = "still " * (one.event == "repeated")
            log.log(LEVELS[one.severity], "%s%s: %s%s: %s", still, one.severity, one.name, where, sentence)
