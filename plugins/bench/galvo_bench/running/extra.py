"""The extra `galvo-bench[peers]`: what of it is not installed."""

from __future__ import annotations

import re
from importlib import metadata


def absent() -> list[str]:
    """Names of distributions."""
    return sorted(name for name in _wanted("galvo-bench", {"peers"}) if not _there(name))


def _wanted(distribution: str, extras: set[str]) -> set[str]:
    """Of these extras, and of those which they ask for."""
    found = set()
    for name, more, extra in map(_read, _requirements(distribution)):
        if extra in extras:
            found |= {name, *_wanted(name, more)}
    return found


def _requirements(distribution: str) -> list[str]:
    return (metadata.requires(distribution) or []) if _there(distribution) else []


def _read(requirement: str) -> tuple[str, set[str], str]:
    """Name, extras, and the extra that has it."""
    head, _, marker = requirement.partition(";")
    name, more = re.findall(r"^([\w.-]+)\s*(?:\[(.*?)\])?", head.strip())[0]
    extra = re.search(r"extra\s*==\s*['\"](.+?)['\"]", marker)
    return name, {part.strip() for part in more.split(",") if part}, extra[1] if extra else ""


def _there(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
