"""A drawing of the chain: what a query passes on its way to PostgreSQL. Its colours are the page's."""

from __future__ import annotations

LAYERS = (("cache", "answers what is current"), ("index", "watches what is slow"), ("pool", "runs the rest"))
TOLD = (
    "A query passes the layers cache, index and pool on its way to PostgreSQL, and its answer passes them on its way "
    "back. A hit of the cache turns back at the first layer."
)


def markdown() -> str:
    """Lying for wide screens, standing for narrow ones: SVG in the page itself, told to those who do not see it."""
    return f'<div class="onion" role="img" aria-label="{TOLD}">\n{lying()}\n{standing()}\n</div>'


def lying() -> str:
    """From left to right."""
    width, height = 720, 210
    parts = [text("end", 0, 118, "your"), text("end", 0, 136, "application")]
    for number, layer in enumerate(LAYERS):
        x, inset = 118 + 158 * number, 14 * number
        parts += box(x, inset + 8, width - 118 - x, height - 16 - 2 * inset, layer)
    end = width - 100
    parts += [
        beam("", f"M88 118H{end}", f"M{end - 8} 112l8 6-8 6"),
        beam("back", f"M{end} 140H92", "M100 134l-8 6 8 6"),
        beam("", "M88 164h56a8 8 0 0 1 0 16H92", "M100 174l-8 6 8 6"),
        text("does", 162, 176, "a hit"),
        text("end", width - 90, 133, "PostgreSQL"),
    ]
    return drawing("lying", width, height, parts)


def standing() -> str:
    """From top to bottom."""
    width, height = 340, 330
    parts = [text("end", 120, 16, "your application")]
    for number, layer in enumerate(LAYERS):
        y, inset = 44 + 76 * number, 12 * number
        parts += box(inset + 2, y, width - 4 - 2 * inset, height - 56 - y, layer)
    end = height - 26
    parts += [
        beam("", f"M236 26V{end}", f"M230 {end - 8}l6 8 6-8"),
        beam("back", f"M258 {end}V28", "M252 36l6-8 6 8"),
        beam("", "M284 26v56a8 8 0 0 0 16 0V28", "M294 36l6-8 6 8"),
        text("does", 278, 108, "a hit"),
        text("end", 200, height - 4, "PostgreSQL"),
    ]
    return drawing("standing", width, height, parts)


def drawing(name: str, width: int, height: int, parts: list[str]) -> str:
    return f'<svg class="{name}" viewBox="0 0 {width} {height}" aria-hidden="true">{"".join(parts)}</svg>'


def box(x: int, y: int, width: int, height: int, layer: tuple[str, str]) -> list[str]:
    name, does = layer
    return [
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="10"/>',
        text("name", x + 14, y + 26, name),
        text("does", x + 14, y + 43, does),
    ]


def text(kind: str, x: int, y: int, words: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{words}</text>'


def beam(kind: str, line: str, head: str) -> str:
    return f'<path class="beam {kind}" d="{line}{head}"/>'
