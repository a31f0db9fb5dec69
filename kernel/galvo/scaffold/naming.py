"""What a new plugin is called, in all places that want the name; and whether it may be called so."""

from __future__ import annotations

import difflib
import keyword
from collections.abc import Iterable
from importlib import metadata, util

import msgspec

from galvo.discovery import installed
from galvo.errors import GalvoError
from galvo.hookspecs import KINDS
from galvo.settings import NAME

LONGEST = 24
"""Characters: longer ones would break the lines of the templates."""
TAKEN = ("plugin", "galvo")
"""Their classes would be called as galvo's own."""


class Misnamed(GalvoError):
    """The command line asks for what cannot be."""


class Names(msgspec.Struct, frozen=True):
    """Of one new plugin."""

    name: str
    """Its entry point, its table in the settings: `query_log`."""
    distribution: str
    """`galvo-query-log`"""
    package: str
    """`galvo_query_log`"""
    stem: str
    """What its classes begin with: `QueryLog`."""


def named(name: str) -> Names:
    """Raises Misnamed, in one sentence, for a name that cannot be a plugin's or is somebody's already."""
    if not NAME.fullmatch(name):
        raise Misnamed(f"{name!r} cannot be a plugin's name: use a-z, 0-9 and single _, and not 'kernel'")
    if keyword.iskeyword(name) or name in TAKEN:
        what = "a word of Python's" if keyword.iskeyword(name) else "galvo's own"
        raise Misnamed(f"{name!r} cannot be a plugin's name: it is {what}; take another, such as {name}_log")
    if name.startswith("test"):
        raise Misnamed(
            f"{name!r} cannot be a plugin's name: pytest takes its classes for tests; take another, such as a_{name}"
        )
    if len(name) > LONGEST:
        raise Misnamed(f"{name!r} is too long for a plugin's name: use at most {LONGEST} characters")
    names = Names(
        name, f"galvo-{name.replace('_', '-')}", f"galvo_{name}", "".join(map(str.capitalize, name.split("_")))
    )
    if owner := _owner(names):
        raise Misnamed(f"{name!r} is taken by {owner}, which is installed here: take another name")
    return names


def hooks_named(hooks: Iterable[str]) -> tuple[str, ...]:
    """In the specification's order, each once. Raises Misnamed for one that does not exist."""
    asked = set(hooks)
    for hook in sorted(asked - KINDS.keys()):
        close = difflib.get_close_matches(hook, KINDS, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise Misnamed(f"there is no hook {hook!r}{hint}; the hooks are {', '.join(KINDS)}")
    return tuple(hook for hook in KINDS if hook in asked)


def _owner(names: Names) -> str:
    """The distribution that has this name; "" for none. Imports nothing."""
    for listing in installed():
        if listing.name == names.name:
            return listing.distribution or listing.target
    try:
        return metadata.distribution(names.distribution).name
    except metadata.PackageNotFoundError:
        return names.package if util.find_spec(names.package) else ""
