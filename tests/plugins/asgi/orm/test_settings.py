"""What Django's settings and wrong uses of the kernel become."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from galvo import GalvoError, Kernel, KernelClosed
from tests.plugins.asgi.orm.conftest import rows


@pytest.mark.anyio
async def test_wrong_uses_are_told_in_one_sentence(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    from galvo_asgi.django import kernel as found
    from galvo_asgi.django import url

    assert found() is kernel
    with pytest.raises(GalvoError, match=r"a sync view has no event loop .* write `async def`"):
        await sync_to_async(found)()
    with pytest.raises(KernelClosed, match=r"write application = with_kernel\(get_asgi_application\(\)\) in asgi.py"):
        await asyncio.to_thread(asyncio.run, _call(found))
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with _closing(), pytest.raises(GalvoError, match=r"own thread: call its async methods .*DJANGO_ALLOW_ASYNC_UNSAFE"):
        rows("Material").create(name="never")
    assert await kernel.fetchval("select count(*) from material where name = 'never'") == 0
    with pytest.raises(GalvoError, match="sqlite, and galvo speaks PostgreSQL only"):
        _url_of(url, {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"})


async def _call(function: Callable[[], Any]) -> Any:
    return function()


@contextmanager
def _closing() -> Iterator[None]:
    from django.db import connections

    yield
    connections.close_all()


def _url_of(url: Any, settings: dict[str, Any]) -> str:
    from django.db import connections

    connections.settings["made"] = connections.configure_settings({"default": settings})["default"]
    try:
        return str(url("made"))
    finally:
        del connections["made"]
        del connections.settings["made"]


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({"NAME": "shop"}, "postgresql:///shop"),
        ({"NAME": "shop", "HOST": "db", "PORT": 5433}, "postgresql://db:5433/shop"),
        ({"NAME": "a/b", "USER": "u@x", "PASSWORD": "p:/?", "HOST": "::1"}, "postgresql://u%40x:p%3A%2F%3F@[::1]/a%2Fb"),
        (
            {"NAME": "s", "USER": "u", "HOST": "/pg", "PORT": "5433", "OPTIONS": {"sslmode": "require", "pool": True}},
            "postgresql://u@/s?sslmode=require&host=%2Fpg&port=5433",
        ),
    ],
)  # fmt: skip
def test_url_of_djangos_settings(settings: dict[str, Any], expected: str) -> None:
    from galvo_asgi.django import url

    assert _url_of(url, {"ENGINE": "galvo_asgi.django.postgresql", **settings}) == expected
