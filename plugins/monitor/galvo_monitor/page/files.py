"""The page's own files, which hold no numbers."""

from __future__ import annotations

from importlib.resources import files

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def static() -> dict[str, tuple[bytes, str]]:
    """Content and type by path below the page; read once, so that no request can name another file."""
    found = {}
    for file in (files("galvo_monitor.page") / "static").iterdir():
        suffix = file.name[file.name.rfind(".") :]
        path = "/" if file.name == "page.html" else f"/{file.name}"
        found[path] = (file.read_bytes(), TYPES[suffix])
    return found
