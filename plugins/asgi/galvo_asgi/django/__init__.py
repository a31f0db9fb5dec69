"""Django beside galvo: the kernel for async views, the ORM's database for it, and a backend that tells the cache."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urlencode

from django.db import connections  # type: ignore[import-untyped]  # Django has no types

from galvo import GalvoError, Kernel, KernelClosed
from galvo_asgi.running import running

__all__ = ["kernel", "url"]


def kernel() -> Kernel:
    """The kernel that runs for this application: `rows = await kernel().fetch(...)` in an async view.

    Raises KernelClosed when none does, GalvoError in a sync view.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise GalvoError(
            "a sync view has no event loop for the kernel: write `async def`, or put what awaits it "
            "into an async function and call that with asgiref's async_to_sync"
        ) from None
    for one in running:
        if one.loop is loop:
            return one.kernel
    raise KernelClosed(
        "no kernel runs in this event loop: write application = with_kernel(get_asgi_application()) in asgi.py and use "
        "an ASGI server (not runserver or WSGI); in tests use `async with galvo_asgi.started()`"
    )


def url(alias: str = "default") -> str:
    """Of the database that DATABASES[alias] names, for `Kernel.from_settings(overrides={"pool": {"url": url()}})`.

    Of its OPTIONS only those that libpq's URLs have are taken. Raises GalvoError for another server than PostgreSQL.
    """
    found = connections[alias]
    if found.vendor != "postgresql":
        raise GalvoError(f"DATABASES[{alias!r}] is {found.vendor}, and galvo speaks PostgreSQL only")
    of = found.settings_dict
    if not of["NAME"]:
        raise GalvoError(f"DATABASES[{alias!r}] has no NAME: write the pool's URL into GALVO_POOL__URL instead")
    host, port = of["HOST"], str(of["PORT"] or "")
    query = {key: str(value) for key, value in of["OPTIONS"].items() if key in OPTIONS}
    if host.startswith("/"):  # a socket's folder
        query |= {"host": host} | ({"port": port} if port else {})
        where = ""
    else:
        where = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    password = f":{quote(of['PASSWORD'], safe='')}" if of["PASSWORD"] else ""
    login = f"{quote(of['USER'], safe='')}{password}@" if of["USER"] else ""
    return f"postgresql://{login}{where}/{quote(of['NAME'], safe='')}" + (f"?{urlencode(query)}" if query else "")


OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "passfile")
