"""The page's files, and what browsers may do with all answers."""

from __future__ import annotations

import re

import httpx
import pytest

from galvo_engraving.page import headers
from tests.plugins.engraving.http.stand import Api

pytestmark = pytest.mark.anyio
IMPORT = re.compile(r'from "\./([\w.-]+)"|(?:href|src)="page/([\w./-]+)"')


@pytest.mark.parametrize(
    "path, status, policy",
    [
        ("/", 200, headers.PAGE),
        ("/docs", 200, headers.DOCS),
        ("/page/main.js", 200, headers.DATA),
        ("/openapi.json", 200, headers.DATA),
        ("/api/me", 401, headers.DATA),
        ("/api/nothing", 404, headers.DATA),
        ("/api/templates/x", 422, headers.DATA),
        ("/page/../app.py", 404, headers.DATA),
        ("/page/swagger/nothing", 404, headers.DATA),
    ],
)
async def test_every_answer_is_sealed(api: Api, path: str, status: int, policy: str) -> None:
    told = await api.stranger().get(path)
    assert told.status_code == status
    assert_sealed(told, policy)


def assert_sealed(told: httpx.Response, policy: str = headers.DATA) -> None:
    expected = headers.HEADERS | {"content-security-policy": policy}
    assert {name: told.headers.get_list(name) for name in expected} == {
        name: [value] for name, value in expected.items()
    }


def test_the_page_allows_nothing_inline_and_nobody_else() -> None:
    assert "unsafe" not in headers.PAGE
    assert "script-src 'self';" in headers.PAGE
    assert "script-src 'self';" in headers.DOCS
    for policy in (headers.PAGE, headers.DOCS, headers.DATA):
        assert policy.startswith("default-src 'none';")
        assert "http" not in policy


async def test_every_file_that_a_file_names_is_there(api: Api) -> None:
    client, known, left = api.stranger(), {"/", "/docs"}, ["/", "/docs"]
    while left:
        told = await client.get(left.pop())
        assert told.status_code == 200, told.url
        for module, linked in IMPORT.findall(told.text if "text" in told.headers["content-type"] else ""):
            path = f"/page/{module or linked}"
            if path not in known and "swagger" not in str(told.url):
                known.add(path)
                left.append(path)
    assert {"/page/raster.js", "/page/icon.svg", "/page/swagger/swagger-ui-bundle.js"} <= known


async def test_a_browser_that_has_a_file_is_not_sent_it_again(api: Api) -> None:
    client = api.stranger()
    first = await client.get("/page/main.js")
    assert first.headers["cache-control"] == "private, no-cache"
    again = await client.get("/page/main.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert_sealed(again)


async def test_a_fault_is_told_without_its_insides(api: Api) -> None:
    @api.app.get("/faulty")
    async def faulty() -> None:
        raise RuntimeError("the insides")

    transport = httpx.ASGITransport(api.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        told = await client.get("/faulty")
    assert told.status_code == 500
    assert told.json()["problem"].startswith("something went wrong here")
    assert_sealed(told)
