"""Long statements without the length: a bulk insert has a thousand rows of values, and one says what it touches.

All constants and parameters are made the same. Of the elements of a list that then read the same, and of statements
that do, one is kept. What is left is parsed instead: it names the same tables, functions, operators and types.
"""

from __future__ import annotations

import re

from galvo_sql import parsable

LONGEST = 512 * 1024
"""Characters: of 30,000 parameters, which fold in 50 ms; a hostile text takes 0.5 s."""

# PostgreSQL's scanner knows ASCII only: whatever else there is, is a letter of a name.
_FLAGS = re.ASCII | re.IGNORECASE | re.DOTALL
_HIGH = r"\x80-\U0010ffff"
_IN_NAME = rf"[\w${_HIGH}]"
_NAME = rf"[a-z_{_HIGH}]{_IN_NAME}*+"

# What may hold anything, read from left to right: literals, names in quotes, comments. What matches as the mark alone
# that begins it is unclear: it never ends, has comments or dollar quotes in it, or may go on in the next line. Each
# branch begins with a letter, so that the others are skipped fast.
_ESCAPED = rf"(?<![\w$.{_HIGH}].)'(?:[^'\\]|\\.|'')*+'(?!\s*+(?:'|--))"
_OPAQUE = re.compile(
    rf"e{_ESCAPED}|E{_ESCAPED}"
    rf"|'(?<!(?<![\w{_HIGH}])[eE]')(?<!\d[eE]')[^']*+(?:''[^']*+)*+'"
    r'|"[^"]*+(?:""[^"]*+)*+"'
    r"|--[^\n\r]*+"
    r"|/\*(?:[^*/]|\*(?!/)|/(?!\*))*+\*/"
    rf"|'|\"|/\*|\$(?:[a-zA-Z_{_HIGH}][\w{_HIGH}]*+)?\$",
    re.ASCII | re.DOTALL,
)
_NUMBER = re.compile(rf"(?<![\w$.{_HIGH}])(?:\d++(?:\.\d*+)?+|\.\d++)(?:e[+-]?\d++)?+(?![\w$.{_HIGH}])", _FLAGS)
_PARAMETER = re.compile(rf"(?<!{_IN_NAME})\$\d++(?![\w$.{_HIGH}])", _FLAGS)
_SPACE = re.compile(r"\s+", _FLAGS)
# `-1::int` is -(1::int), and names an operator
_ELEMENT = re.compile(r"(?<=[,(\[])(?:-1(?!::)|''|\$1|null|true|false|default)(?=[,)\]]|::)", _FLAGS)
_KEPT_NAME = re.compile(r'"x(\d+)"')


def _list(depth: int) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A list and its elements, in which brackets nest so deeply: constants, rows, calls, and casts of these.

    None has a word that may end the list; so all elements between two commas are of the same list.
    """
    inside = r"[^()\[\];]"
    group = rf"[(\[]{inside}*+[)\]]"
    for _ in range(depth - 1):
        group = rf"[(\[](?:{inside}++|{group})*+[)\]]"
    word = rf'(?:{_NAME}|"x\d++")'
    names = rf"{word}(?:\.{word})*+"
    length = r"(?:\(1(?:,1)?\))?+"
    cast = rf"::{names}(?: varying| precision)?+{length}(?: with(?:out)? time zone)?+(?:\[\])*+"
    call = rf"|(?:{names} ?)?+{group}" if depth else ""
    element = rf"(?:(?:{names} ?)?+''{call}|\$?1(?!{_IN_NAME}))(?:{cast})*+"
    return re.compile(rf"(?<=[,(\[]){element}(?:,{element}(?=[,)\]]))++", _FLAGS), re.compile(element, _FLAGS)


# rows of calls of calls first: there are most of them, and they may read the same as they are
_LISTS = [_list(depth) for depth in (3, 0, 1)]


class _UnclearError(Exception):
    """Where a literal or a comment begins or ends."""


def folded(sql: str) -> str | None:
    """`sql` with its elements once, values aside; None if it stays too long, or is unclear where its literals end."""
    if len(sql) > LONGEST:
        return None
    names: dict[str, str] = {}

    def shown(found: re.Match[str]) -> str:
        whole = found[0]
        if whole in ("'", '"', "/*") or whole[0] == "$":
            raise _UnclearError
        if whole[0] == '"':
            return names.setdefault(whole, f'"x{len(names)}"')
        return "''" if whole[-1] == "'" and whole[0] in "eE'" else " "

    try:
        short = _OPAQUE.sub(shown, sql)
    except _UnclearError:
        return None
    short = _SPACE.sub(" ", _PARAMETER.sub("$1", _NUMBER.sub("1", short)))
    for spaced, mark in ((" ,", ","), (", ", ","), ("( ", "("), (" )", ")"), ("[ ", "["), (" ]", "]")):
        short = short.replace(spaced, mark)
    short = _ELEMENT.sub("1", short)
    for run, element in _LISTS:
        short = _once(short, run, element)
    statements = [statement.strip(" ") for statement in short.split(";")]
    if len(statements) > 2:
        once = [*dict.fromkeys(statements)]
        short = ";".join(once if len(once) > 2 else once * 2)
    texts = [*names]
    short = _KEPT_NAME.sub(lambda found: texts[int(found[1])], short)
    return short if parsable(short) else None


def _once(text: str, run: re.Pattern[str], element: re.Pattern[str]) -> str:
    """One of each; of a single sort two, as a list of one may be something else: `(1)` is no row, nullif(1) nothing."""

    def kept(found: re.Match[str]) -> str:
        once = [*dict.fromkeys(element.findall(found[0]))]
        return ",".join(once if len(once) > 1 else once * 2)

    return run.sub(kept, text)
