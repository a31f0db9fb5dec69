"""One POST. No exception that leaves this file holds the URL, which is a secret."""

from __future__ import annotations

import json
from http.client import HTTPException, InvalidURL
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener


class Refused(Exception):
    """The receiver does not want it: trying again is of no use."""


class Later(Exception):
    """It may work later; `after` is in how many seconds, 0 where nobody said."""

    def __init__(self, why: str, after: float = 0) -> None:
        super().__init__(why)
        self.after = after


class _Stay(HTTPRedirectHandler):
    """Whoever answers with a redirect must not have the message sent elsewhere."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


OPENER = build_opener(_Stay)


def post(url: str, message: dict[str, Any], timeout: float) -> None:
    """Blocks for at most about `timeout` seconds. Raises Refused or Later."""
    body = json.dumps(message).encode()
    try:
        request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310  # the settings check it
        OPENER.open(request, timeout=timeout).close()
    except HTTPError as error:
        error.close()
        if error.code in (408, 429) or error.code >= 500:
            raise Later(f"HTTP {error.code}", _seconds(error.headers.get("Retry-After"))) from None
        raise Refused(f"HTTP {error.code}") from None
    except URLError as error:
        raise Later(type(error.reason).__name__) from None
    except (InvalidURL, ValueError) as error:
        raise Refused(type(error).__name__) from None
    except (OSError, HTTPException) as error:
        raise Later(type(error).__name__) from None


def _seconds(text: str | None) -> float:
    return float(text) if text is not None and text.isdecimal() else 0
