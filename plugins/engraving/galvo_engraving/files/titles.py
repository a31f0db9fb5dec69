"""What words of a title mean, where LightBurn has no type for it."""

from __future__ import annotations

import re

ALONE = r"(?<![^\W\d_]){}(?![^\W\d_])"
"""A whole word: between letters there is none. A bookmark is cut."""
CUTS = re.compile(ALONE.format("cut(s|ting)?"), re.IGNORECASE)
ON_THE_SURFACE = re.compile(
    ALONE.format(
        "(scor(e|es|ed|ing)|mark(s|ed|ing)?|etch(ed|ing)?|creas(e|es|ed|ing)|fold(s|ed|ing)?|scrib(e|ed|ing)"
        "|engrav(e|ed|ing)|reliefs?|fill(ed)?)"
    ),
    re.IGNORECASE,
)


def of_a_line(title: str) -> str:
    """Whether a line goes through: `cut`; or not, whatever the title calls that: `score`."""
    return "score" if ON_THE_SURFACE.search(title) and not CUTS.search(title) else "cut"
