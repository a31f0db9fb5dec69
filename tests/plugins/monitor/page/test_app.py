"""What the page answers, and to whom. No server here: the application is called as a server would."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from galvo_monitor.errors import MonitorProblem
from galvo_monitor.page import create_app
from galvo_monitor.page.gate import POLICY, host
from galvo_monitor.view import View
from tests.plugins.monitor.page.stand import CPU, MEMORY, TOKEN, Program

pytestmark = pytest.mark.anyio
PATHS = ("view", f"past?series={CPU}&start=0&end=9e9", "session", "events")
FILES = ("", "page.css", "main.js", "icon.svg")
HOST = "127.0.0.1:8300"
HOME = f"http://{HOST}"


def client(app: Starlette, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url=HOME, headers=headers)


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
async def asked(program: Program) -> AsyncIterator[httpx.AsyncClient]:
    async with client(create_app(program, public=True)) as made:
        yield made


async def status(app: Starlette, path: str, **headers: str) -> int:
    """Of an answer, without its body: that of events has no end."""
    told: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    path, _, query = f"/{path}".partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "scheme": "http",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in {"host": HOST, **headers}.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8300),
    }  # fmt: skip
    await app(scope, receive, send)
    return told[0]


async def test_the_view_is_what_the_monitor_shows(asked: httpx.AsyncClient, program: Program) -> None:
    answer = await asked.get("/view")
    assert msgspec.json.decode(answer.content, type=View) == program.view()


async def test_the_past_of_several_series(asked: httpx.AsyncClient, program: Program) -> None:
    for _ in range(20):
        program.look()
    query = {"series": [CPU, MEMORY, "unheard of"], "start": time.time() - 60, "end": time.time() + 1}
    told = (await asked.get("/past", params=query)).json()
    assert len(told[CPU]["times"]) == 21
    assert told[MEMORY]["means"][-1] == program.view().panels[1].charts[0].values[0].now
    assert told["unheard of"] is None
    fewer = (await asked.get("/past", params={**query, "points": "-3"})).json()
    assert len(fewer[CPU]["times"]) == 10


@pytest.mark.parametrize(
    "query, part",
    [
        ("", "series="), ("series=a", "start="), ("series=a&start=1", "end="), ("series=a&start=x&end=2", "start="),
        ("series=a&start=nan&end=2", "start="), ("series=a&start=1&end=inf", "end="),
        ("series=a&start=2&end=2", "before"),
        ("series=a&start=1&end=2&points=many", "points="), ("&".join(f"series={n}" for n in range(17)), "16"),
        (f"series={'a' * 1001}", "series="),
    ],
)  # fmt: skip
async def test_a_past_that_nobody_can_draw(asked: httpx.AsyncClient, query: str, part: str) -> None:
    answer = await asked.get(f"/past?{query}")
    assert answer.status_code == 400
    assert part in answer.json()["problem"]


async def test_while_there_is_no_monitor(program: Program) -> None:
    program.view = lambda: None  # type: ignore[assignment,return-value,method-assign]
    async with client(create_app(program, public=True)) as asking:
        answer = await asking.get("/view")
    assert (answer.status_code, answer.json()) == (503, {"problem": "the monitor does not run yet"})


@pytest.mark.parametrize("path", [*FILES, *PATHS[:3], "nothing", "past"])
async def test_every_answer_is_sealed(asked: httpx.AsyncClient, path: str) -> None:
    headers = (await asked.get(f"/{path}")).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control")]


def test_scripts_come_from_the_page_alone() -> None:
    parts = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"] == parts["style-src"] == "'self'"
    assert parts["frame-ancestors"] == "'none'"
    assert "unsafe" not in POLICY


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_it_only_reads(asked: httpx.AsyncClient, method: str) -> None:
    assert (await asked.request(method, "/view")).status_code == 405


async def test_no_other_file(asked: httpx.AsyncClient) -> None:
    for path in ("/../app.py", "/static/main.js", "/%2e%2e/app.py", "/..%2fapp.py", "//etc/passwd", "/main.js/"):
        assert (await asked.get(HOME + path)).status_code in (404, 307)


@pytest.mark.parametrize(
    "name",
    ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "127.0.0.1:80:80", "127.0.0.1@evil.example", "[::1",
     "[::1]x", "[::1]:x", "0x7f.1", "localhost:8300/", "127.0.0.1, evil.example", "*", "::1:80", "localhost\u00e9"],
)  # fmt: skip
async def test_hostile_hosts(program: Program, name: str) -> None:
    app = create_app(program, public=True)
    for path in (*FILES, *PATHS):
        assert await status(app, path, host=name) == 400


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost:8300", "LOCALHOST", "[::1]", "[::1]:8300", "127.0.0.1:"])
async def test_hosts_of_its_own(program: Program, name: str) -> None:
    assert await status(create_app(program, public=True), "view", host=name) == 200


async def test_a_host_that_was_named(program: Program) -> None:
    app = create_app(program, public=True, hosts=("Ops.example", "[fe80::1]"))
    assert await status(app, "view", host="ops.example:443") == 200
    assert await status(app, "view", host="[fe80::1]:443") == 200
    assert await status(app, "view", host="localhost") == 400


def test_the_name_in_a_header() -> None:
    assert host(b"[::1]:80") == "::1"
    assert host(b"a:80x") == ""


@pytest.mark.parametrize("hosts", [(), ("*",), ("*.example",), ("",), "localhost"])
def test_hosts_that_would_let_anybody_in(program: Program, hosts: Any) -> None:
    with pytest.raises(MonitorProblem, match="hosts="):
        create_app(program, public=True, hosts=hosts)


async def test_a_page_elsewhere_gets_nothing(program: Program) -> None:
    app = create_app(program, public=True)
    for path in PATHS:
        assert await status(app, path, **{"sec-fetch-site": "cross-site"}) == 403
        assert await status(app, path, **{"sec-fetch-site": "same-site"}) == 403
        assert await status(app, path, **{"sec-fetch-site": "same-origin"}) in (200, 204)


@pytest.mark.parametrize(
    "given, part",
    [({}, "public=True"), ({"public": False}, "auth="), ({"token": "short"}, "16"), ({"token": ""}, "16"),
     ({"token": "a token with some spaces"}, "spaces"), ({"token": "ümläute-sind-nicht-gut"}, "ASCII"),
     ({"token": TOKEN, "public": True}, "leave out"), ({"auth": bool, "token": TOKEN}, "leave out")],
)  # fmt: skip
def test_it_is_not_made_for_everybody_by_mistake(program: Program, given: dict[str, Any], part: str) -> None:
    with pytest.raises(MonitorProblem, match=part):
        create_app(program, **given)


async def test_the_host_applications_own_rule(program: Program) -> None:
    async def admin(request: Request) -> bool:
        return request.headers.get("x-user") == "admin"

    app = create_app(program, auth=admin)
    for path in (*FILES, *PATHS):
        assert await status(app, path) == 401
        assert await status(app, path, **{"x-user": "admin"}) in (200, 204)
    assert await status(create_app(program, auth=lambda request: "yes"), "view") == 401  # type: ignore[arg-type,return-value]


async def test_a_stream_ends_when_its_reader_is_admitted_no_longer(program: Program) -> None:
    asked: list[str] = []

    async def once(request: Request) -> bool:
        asked.append(request.headers["x-user"])
        return len(asked) == 1

    async with client(create_app(program, auth=once), {"x-user": "admin"}) as asking:
        told = await asking.get("/events")  # whose end it waits for
    assert (told.status_code, asked) == (200, ["admin", "admin"])
    assert b"event: view" not in told.content


async def test_a_token(program: Program) -> None:
    app = create_app(program, token=TOKEN)
    for path in PATHS:
        assert await status(app, path) == 401
        assert await status(app, path, authorization=f"Bearer {TOKEN[:-1]}") == 401
        assert await status(app, path, authorization=f"Basic {TOKEN}") == 401
        assert await status(app, path, authorization=f"Bearer {TOKEN}") in (200, 204)
    for path in FILES:
        assert await status(app, path) == 200  # it asks for the token, and holds no numbers
    assert await status(app, f"view?token={TOKEN}") == 401  # addresses are written down everywhere


async def test_a_cookie_for_the_token(program: Program) -> None:
    app = create_app(program, token=TOKEN)
    async with client(app) as asking:
        answer = await asking.get("/session", headers={"authorization": f"Bearer {TOKEN}"})
        given = answer.headers["set-cookie"].lower()
        assert "httponly" in given
        assert "samesite=strict" in given
        assert "path=/;" in given
        assert "secure" not in given
        assert TOKEN not in given
        assert (await asking.get("/view")).status_code == 200
        value = asking.cookies["galvo_monitor"]
    expiry, _, seal = value.partition(".")
    later, past = str(int(expiry) + 1), str(int(time.time()) - 1)
    for cookie in (f"{later}.{seal}", f"{past}.{seal}", f"{expiry}.", expiry, f".{seal}", f"{expiry}.\u00e9", "9" * 99):
        assert await status(app, "view", cookie=f"galvo_monitor={cookie}") == 401
    assert await status(create_app(program, token=TOKEN), "view", cookie=f"galvo_monitor={value}") == 200
    assert await status(create_app(program, token=TOKEN + "x"), "view", cookie=f"galvo_monitor={value}") == 401


async def test_a_cookie_ends(program: Program) -> None:
    from galvo_monitor.page.auth import LASTS, Knowing

    now = [1000.0]
    door = Knowing(TOKEN, clock=lambda: now[0])
    cookie = door.cookie()
    request = Request({"type": "http", "headers": [(b"cookie", f"galvo_monitor={cookie}".encode())]})
    assert await door.admits(request)
    now[0] += LASTS
    assert not await door.admits(request)


async def test_below_a_path_of_an_application(program: Program) -> None:
    outer = Starlette()
    outer.mount("/monitor", create_app(program, token=TOKEN))
    async with client(outer) as asking:
        assert (await asking.get("/monitor")).headers["location"].endswith("/monitor/")
        assert "<title>galvo" in (await asking.get("/monitor/")).text
        answer = await asking.get("/monitor/session", headers={"authorization": f"Bearer {TOKEN}"})
        assert "path=/monitor/;" in answer.headers["set-cookie"].lower()
        assert (await asking.get("/monitor/view")).status_code == 200


async def test_over_https_the_cookie_stays_there(program: Program) -> None:
    transport = httpx.ASGITransport(create_app(program, token=TOKEN))
    async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as asking:
        answer = await asking.get("/session", headers={"authorization": f"Bearer {TOKEN}"})
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_not_a_number_is_no_json(asked: httpx.AsyncClient, program: Program) -> None:
    program.tables[0].rows.append(["nothing", float("nan"), None])
    program.look()
    assert json.loads((await asked.get("/view")).content)["panels"][1]["tables"][0]["rows"][-1] == [
        "nothing",
        None,
        None,
    ]
