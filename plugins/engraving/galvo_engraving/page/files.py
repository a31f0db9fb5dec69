"""The files of the page and of Swagger UI, read once, so that no request can name another file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from galvo_engraving.bodies import tag

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
SWAGGER = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    media_type: str
    etag: str


@cache
def page() -> dict[str, File]:
    """By name: page.html, docs.html, and what they need."""
    folder = files("galvo_engraving.page") / "static"
    return {entry.name: _read(entry) for entry in folder.iterdir() if _suffix(entry.name) in TYPES}


@cache
def swagger() -> dict[str, File]:
    """Swagger UI as PyPI's fastapi-swagger brings it: a page that is shown without the Internet needs it here."""
    folder = files("fastapi_swagger.resources")
    return {name: _read(folder / name) for name in SWAGGER}


def _read(entry: Traversable) -> File:
    content = entry.read_bytes()
    return File(content, TYPES[_suffix(entry.name)], tag(content))


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
