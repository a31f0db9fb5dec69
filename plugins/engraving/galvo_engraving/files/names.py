"""Slugs of names in files, which have none of their own."""

from __future__ import annotations

from hashlib import blake2b

from galvo_engraving.fields import slug_of
from galvo_engraving.problems import Unfit


def slug(name: str) -> str:
    """Of a name without a Latin letter one that says nothing, the same each time."""
    try:
        return slug_of(name)
    except Unfit:
        return f"x{blake2b(name.encode(), digest_size=6).hexdigest()}"
