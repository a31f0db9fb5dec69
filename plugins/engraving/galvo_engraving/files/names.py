"""Slugs of names in files, which have none of their own."""

from __future__ import annotations

from hashlib import blake2b
from itertools import count

from galvo_engraving.fields import SLUG, slug_of
from galvo_engraving.problems import Unfit


def slug(name: str) -> str:
    """Of a name without a Latin letter one that says nothing, the same each time."""
    try:
        return slug_of(name)
    except Unfit:
        return f"x{blake2b(name.encode(), digest_size=6).hexdigest()}"


def free_slug(name: str, taken: set[str]) -> str:
    """That of the name, with a number (-2) where it is taken; from now on it is."""
    first = slug(name)
    found = next(one for number in count(1) if (one := _numbered(first, number)) not in taken)
    taken.add(found)
    return found


def _numbered(first: str, number: int) -> str:
    end = f"-{number}" if number > 1 else ""
    return first[: SLUG - len(end)].rstrip("-") + end


def same_name(name: str) -> str:
    """Equal for names that mean the same: in any case, with any white space."""
    return " ".join(name.split()).casefold()
