"""What the application answers instead of what was asked for: a status, and one sentence in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

UNREAD = "There was an error parsing the body"
"""FastAPI's own 400, of a body in no encoding or nested too deep; any other that is no JSON gets 422."""
MOST = 3
"""Of the things that are wrong with a request, how many are told."""


class Told(BaseModel):
    """How every error looks."""

    problem: str


class Problem(Exception):
    """`sentence` says what is wrong and what to do. Never with what only others may know."""

    status = HTTPStatus.BAD_REQUEST
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Unknown(Problem):
    """It is not there; or it is another user's, who must not be found out."""

    status = HTTPStatus.NOT_FOUND


class Conflict(Problem):
    """With what is there already."""

    status = HTTPStatus.CONFLICT


class Strange(Problem):
    """Nobody has signed in."""

    status = HTTPStatus.UNAUTHORIZED
    headers = MappingProxyType({"www-authenticate": "Bearer"})


class Forbidden(Problem):
    """Whoever has signed in may not."""

    status = HTTPStatus.FORBIDDEN


class Unfit(Problem):
    """Understood, but impossible: values that do not fit together, a file with wrong contents."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooLarge(Problem):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class WrongType(Problem):
    """Another Content-Type than what is read here."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class TooMany(Problem):
    """Of them in a short time."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, sentence: str, seconds: int) -> None:
        """`seconds`: when it is worth a try again."""
        super().__init__(sentence)
        self.headers = {"retry-after": str(seconds)}


class Away(Problem):
    """A part of the application that is needed does not run, or does not keep up."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class Busy(Away):
    """With others' requests."""

    def __init__(self, sentence: str, seconds: int) -> None:
        """`seconds`: when it is worth a try again."""
        super().__init__(sentence)
        self.headers = {"retry-after": str(seconds)}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route: that it may answer these with a sentence."""
    return {status: {"model": Told, "description": HTTPStatus(status).phrase} for status in statuses}


def told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """As `answers`, where FastAPI would document sentences in the type of the route's own answer."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{Told.__name__}"}}}
    return {status: {"content": content, "description": HTTPStatus(status).phrase} for status in statuses}


def install(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101  # it was installed for these
    return JSONResponse({"problem": error.sentence}, error.status, error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Where, and what about it; never the value: it may be a password."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # it was installed for these
    found = [f"{_place(one['loc'])}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()]
    more = f" (and {len(found) - MOST} more)" if len(found) > MOST else ""
    return JSONResponse({"problem": "; ".join(found[:MOST]) + more}, HTTPStatus.UNPROCESSABLE_ENTITY)


async def _http(request: Request, error: Exception) -> JSONResponse:
    """What Starlette refuses by itself: no such path, no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101  # it was installed for these
    if error.detail == UNREAD:
        return JSONResponse({"problem": "body: this is no JSON in UTF-8"}, HTTPStatus.UNPROCESSABLE_ENTITY)
    return JSONResponse({"problem": error.detail}, error.status_code, error.headers)


def _place(location: tuple[str | int, ...]) -> str:
    """`("body", "parts", 2, "name")` as parts.2.name."""
    return ".".join(str(part) for part in location[1:]) or str(location[0])
