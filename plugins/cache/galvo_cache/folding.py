"""Long statements without the length: a bulk insert has a thousand rows of values, and one says what it touches.

From lists of constants and parameters all but one are dropped, literals are emptied. What is left is parsed instead: it
names the same tables, functions, operators and types.
"""

from __future__ import annotations

import re

from galvo_sql import parsable

LONGEST = 512 * 1024
"""Characters: of 30,000 parameters, which fold in 20 ms; a hostile text takes 200 ms."""

_TEXT = r"'(?:[^']|'')*+'"
_CAST = (
    r"(\s*+::\s*+[\w.]++(?:\ varying|\ precision)?(?:\(\d+(?:,\ ?\d+)?\))?(?:\ with(?:out)?\ time\ zone)?(?:\[\])*)?+"
)
_ATOM = rf"(?:\$\d++|[+-]?\d++(?:\.\d++)?|{_TEXT}|(?:null|true|false|default)\b){_CAST}"
_LATER = rf"(?:\s*+,\s*+{_ATOM}(?=\s*+[,)]))"
_ROW = rf"\(\s*+{_ATOM}{_LATER}*+\s*+\)"
_PARTS = re.compile(
    rf"(?P<row>{_ROW})(?:\s*+,\s*+{_ROW})++"
    rf"|(?<![\w$])(?P<atom>{_ATOM}){_LATER}++"
    rf'|{_TEXT}|"[^"]*+"|[^\W\d]\w*+|/\*(?:[^*/]|\*(?!/)|/(?!\*))*+\*/'
    r"|(?P<unclear>['\"]|--|/\*|\$(?:[^\W\d]\w*+)?\$)",
    re.IGNORECASE,
)
_CASTS = re.compile(_ATOM, re.IGNORECASE)
_TEXTS = re.compile(_TEXT)


def folded(sql: str) -> str | None:
    """`sql` with one element for each list of values, and one for each type it is cast to; None if it stays too long.

    Also None if it is not clear where its literals and comments end.
    """
    if len(sql) > LONGEST or "\\" in sql:
        return None
    clear = True

    def fold(part: re.Match[str]) -> str:
        nonlocal clear
        whole = part[0]
        if part["unclear"]:
            clear = False
        kept = part["row"] or part["atom"]
        if not kept:
            return "''" if whole[0] == "'" else whole
        kept = _TEXTS.sub("''", kept)
        casts = {cast: f"null{cast}" for cast in _CASTS.findall(whole) if cast} if "::" in whole else {}
        if not casts:
            return kept
        others = ", ".join(casts.values())
        return f"{kept}, ({others})" if part["row"] else f"{kept}, {others}"

    short = _PARTS.sub(fold, sql)
    return short if clear and parsable(short) else None
