"""The page as a Starlette application: its files, the view, the past, the events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from functools import partial

import anyio
import anyio.lowlevel
import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from galvo_monitor.errors import MonitorProblem
from galvo_monitor.hosts import LOOPBACK
from galvo_monitor.page.auth import COOKIE, LASTS, Auth, Door, door
from galvo_monitor.page.files import static
from galvo_monitor.page.gate import Gate
from galvo_monitor.page.query import PastQuery
from galvo_monitor.page.source import Source
from galvo_monitor.page.streams import Events, Streams

Answer = Callable[[Request], Awaitable[Response]]
HERE = ("same-origin", "none", "")
"""Of Sec-Fetch-Site: the page itself, a person, or no browser."""


def create_app(
    source: Source,
    *,
    auth: Auth | None = None,
    token: str | None = None,
    public: bool = False,
    hosts: Collection[str] = LOOPBACK,
) -> Starlette:
    """`hosts`: the names by which it is reached. `app.state.streams.close()` lets a server stop at once.

    Raises MonitorProblem unless exactly one of `auth`, `token` and `public` is given.
    """
    entrance = door(auth, token, public=public)
    answers = Answers(source, entrance)
    routes = [Route(path, _file(*file, entrance)) for path, file in static().items()]
    for path, answer in answers.routes.items():
        routes.append(Route(path, _admitted(answer, entrance)))
    app = Starlette(routes=routes, middleware=[Middleware(Gate, hosts=hosts)])
    app.middleware_stack = app.build_middleware_stack()  # what is wrong with `hosts` is told now
    app.state.streams = answers.streams
    return app


class Answers:
    """To those who were admitted."""

    def __init__(self, source: Source, entrance: Door) -> None:
        self.streams = Streams(source)
        self.routes: dict[str, Answer] = {
            "/session": self.session, "/view": self.view, "/past": self.past, "/events": self.events,
        }  # fmt: skip
        self._source = source
        self._door = entrance

    async def session(self, request: Request) -> Response:
        """A cookie for the token: EventSource can send no header of its own."""
        response = Response(status_code=204)
        if value := self._door.cookie():
            path = request.scope.get("root_path", "") + "/"
            secure = request.url.scheme == "https"
            response.set_cookie(COOKIE, value, LASTS, path=path, secure=secure, httponly=True, samesite="strict")
        return response

    async def view(self, request: Request) -> Response:
        view = self._source.view()
        if view is None:
            return _refused("the monitor does not run yet", 503)
        return Response(msgspec.json.encode(view), media_type="application/json")

    async def past(self, request: Request) -> Response:
        """The points of each series by its name; null for one that is not known."""
        try:
            query = PastQuery(request.query_params)
        except MonitorProblem as problem:
            return _refused(str(problem), 400)
        told: dict[str, object] = {}
        for series in query.series:
            past = self._source.past(series, query.start, query.end, query.points)
            told[series] = past and {"times": past.times, "means": past.means, "highs": past.highs}
            await anyio.lowlevel.checkpoint()  # others' turn
        return Response(msgspec.json.encode(told), media_type="application/json")

    async def events(self, request: Request) -> Response:
        if self.streams.full:
            return _refused("too many look at this page: close some", 503)
        return Events(self.streams, partial(self._door.admits, request))


def _admitted(answer: Answer, entrance: Door) -> Answer:
    async def answered(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "") not in HERE:
            return _refused("only the page itself may ask for this", 403)
        if not await entrance.admits(request):
            return _stranger(entrance)
        return await answer(request)

    return answered


def _file(content: bytes, media_type: str, entrance: Door) -> Answer:
    async def answered(request: Request) -> Response:
        if not entrance.opens_for_all and not await entrance.admits(request):
            return _stranger(entrance)
        return Response(content, media_type=media_type)

    return answered


def _stranger(entrance: Door) -> Response:
    headers = {"www-authenticate": "Bearer"} if entrance.opens_for_all else None
    return JSONResponse({"problem": "you are not admitted: sign in"}, 401, headers)


def _refused(problem: str, status: int) -> Response:
    return JSONResponse({"problem": problem}, status)
