"""Posts JSON to an address that may hang, fail, or send us elsewhere."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from galvo_monitor.alerts.errors import NotTold, RuleProblem

if TYPE_CHECKING:
    import httpx

AGAIN = (408, 425, 429)
"""Statuses that say: not now."""


class Refused(NotTold):
    """It will be refused the next time, too."""


class Endpoint:
    def __init__(self, what: str, url: str, *, deadline: float = 10.0) -> None:
        """`what`: what it is called in sentences; `deadline`: seconds for all of one request. Raises RuleProblem."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise RuleProblem(f"the address of {what} is none: write https://host/path") from None
        if not url.isprintable() or " " in url:
            raise RuleProblem(f"the address of {what} has spaces or line breaks in it: delete them")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RuleProblem(f"the address of {what} has to begin with http:// or https:// and a host")
        if find_spec("httpx") is None:
            raise RuleProblem(f"{what} needs httpx: pip install 'galvo-monitor[alerts]'")
        self.name = f"{what} {parts.scheme}://{parts.hostname}{f':{port}' if port else ''}"
        """Without the path, which often is a secret."""
        self._url = url
        self._deadline = deadline
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def post(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Raises NotTold; Refused when another time would be no better. What is answered is not read."""
        try:
            with anyio.fail_after(self._deadline):
                status = await self._status(body, {"content-type": "application/json", **(headers or {})})
        except TimeoutError:
            raise NotTold(f"{self.name} did not answer within {self._deadline:g} s") from None
        except OSError as error:
            raise NotTold(f"{self.name} cannot be reached: {error.strerror or type(error).__name__}") from None
        if 300 <= status < 400:
            raise Refused(f"{self.name} answers {status}, elsewhere, and nobody is followed: give its final address")
        if 400 <= status < 500 and status not in AGAIN:
            raise Refused(f"{self.name} answers {status}: look at its address and its keys")
        if not 200 <= status < 300:
            raise NotTold(f"{self.name} answers {status}")

    async def close(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    async def _status(self, body: bytes, headers: dict[str, str]) -> int:
        """By httpx's transport: its client follows, reads the environment, and logs addresses with what is secret."""
        if self._transport is None:
            # importing httpx and reading certificates take a tenth of a second, in which the loop would stand still
            self._transport = await anyio.to_thread.run_sync(_transport)
        import httpx

        timeout = {"timeout": httpx.Timeout(self._deadline).as_dict()}
        try:
            request = httpx.Request("POST", self._url, content=body, headers=headers, extensions=timeout)
            if request.url.userinfo:
                request = next(httpx.BasicAuth(request.url.username, request.url.password).auth_flow(request))
            answer = await self._transport.handle_async_request(request)
            await answer.aclose()
        except httpx.TimeoutException:
            raise TimeoutError from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotTold(f"{self.name} cannot be reached: {type(error).__name__}") from None
        return answer.status_code


def _transport() -> httpx.AsyncHTTPTransport:
    import httpx

    return httpx.AsyncHTTPTransport(trust_env=False)
