"""A drawing of the chain: what a query passes on its way to PostgreSQL. Its colours are the page's."""

from __future__ import annotations

LAYERS = (("cache", "answers what is current"), ("index", "watches what is slow"), ("pool", "runs the rest"))
WIDTH, HEIGHT, STEP = 720, 210, 44


def markdown() -> str:
    """An SVG in the page itself, with a description for those who do not see it."""
    parts = [
        f'<svg class="onion" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="onion-title">',
        '<title id="onion-title">A query passes the layers cache, index and pool on its way to PostgreSQL, and its '
        "answer passes them on its way back. A hit of the cache turns back at the first layer.</title>",
        '<text class="end" x="0" y="92">your</text><text class="end" x="0" y="110">application</text>',
    ]
    for number, (name, does) in enumerate(LAYERS):
        x, inset = 118 + 158 * number, 14 * number
        parts += [
            f'<rect class="layer layer-{number}" x="{x}" y="{inset + 8}" width="{WIDTH - 118 - x}" '
            f'height="{HEIGHT - 16 - 2 * inset}" rx="10"/>',
            f'<text class="name" x="{x + 14}" y="{inset + 34}">{name}</text>',
            f'<text class="does" x="{x + 14}" y="{inset + 51}">{does}</text>',
        ]
    end = WIDTH - 104
    parts += [
        f'<path class="beam" d="M84 118H{end}"/><path class="beam head" d="m{end - 8} 112 8 6-8 6"/>',
        f'<path class="beam back" d="M{end} 140H92"/><path class="beam back head" d="m92 134-8 6 8 6"/>',
        '<path class="beam hit" d="M84 162h66a8 8 0 0 1 0 16H92"/><path class="beam hit head" d="m92 172-8 6 8 6"/>',
        '<text class="does" x="166" y="174">a hit</text>',
        f'<text class="end" x="{WIDTH - 92}" y="133">PostgreSQL</text>',
        "</svg>",
    ]
    return '<figure class="onion" markdown="0">\n' + "\n".join(parts) + "\n</figure>"
