"""Which plugins may load: `entrypoints.toml`, or without that file whatever is installed.

With the file, nothing else is imported, no site-packages are scanned, and the chain's order is reviewed in a
diff. `galvo lock` writes it.
"""

from __future__ import annotations

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import msgspec

from galvo.errors import PluginError, SettingsError
from galvo.plugin import API_VERSION, Plugin, PluginSettings
from galvo.registry import hooks_of, validate

GROUP = "galvo.plugins"
FILE = "entrypoints.toml"
SEVERAL = "(several)"
HAVE = ".".join(map(str, API_VERSION))
BOUND = r"\s*(>=|<=|==|<|>)\s*(\d+(?:\.\d+)?)\s*"
RANGE = re.compile(f"{BOUND}(,{BOUND})*", re.ASCII)
HEADER = """\
# Which plugins may load, outermost layer first. Written by `galvo lock`; reorder by hand, review in diffs.
# What is on, and how, is in settings/galvo.toml.
"""


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One plugin that may load."""

    name: str
    target: str
    """`module:class`"""
    distribution: str = ""
    version: str = ""
    hooks: tuple[str, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    plugin: list[Listing] = []


def installed() -> list[Listing]:
    """Every `galvo.plugins` entry point of this environment, by name. Imports none of them.

    A name that several distributions bring is in it once, with all of them; its target is SEVERAL: `load` refuses it.
    """
    found: dict[str, Listing] = {}
    for point in metadata.entry_points(group=GROUP):
        dist = point.dist
        new = Listing(point.name, point.value, dist.name if dist else "", dist.version if dist else "")
        if other := found.get(point.name):
            both = " and ".join(sorted((other.distribution, new.distribution)))
            new = msgspec.structs.replace(new, target=SEVERAL, distribution=both, version="")
        found[point.name] = new
    return sorted(found.values(), key=lambda listing: listing.name)


def read(path: Path) -> list[Listing]:
    """The file's listings, in its order. Raises SettingsError that names what is wrong with it."""
    try:
        listings = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File).plugin
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path}: {error}; `galvo lock` writes it anew") from None
    names = [listing.name for listing in listings]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError(f"{path}: plugin {min(twice)!r} is listed twice: remove one")
    return listings


def render(listings: list[Listing]) -> str:
    """The file's text."""
    lines = [HEADER]
    for listing in listings:
        lines.append("[[plugin]]")
        lines += [
            f"{key} = {json.dumps(getattr(listing, key), ensure_ascii=False)}"
            for key in ("name", "target", "distribution", "version")
        ]
        lines.append(f"hooks = {json.dumps(listing.hooks, ensure_ascii=False)}\n")
    return "\n".join(lines)


def lock(old: list[Listing]) -> list[Listing]:
    """What the file should say now: installed plugins with their hooks, in `old`'s order, new ones last.

    Raises PluginError for a plugin that cannot be imported, and names its distribution.
    """
    place = {listing.name: index for index, listing in enumerate(old)}
    found = [msgspec.structs.replace(listing, hooks=_hooks(listing)) for listing in installed()]
    return sorted(found, key=lambda listing: place.get(listing.name, len(place)))


def _hooks(listing: Listing) -> tuple[str, ...]:
    try:
        return tuple(sorted(hooks_of(load(listing))))
    except PluginError as error:
        if listing.target == SEVERAL or not listing.distribution:
            raise
        why = f"{error.why}; it comes with {listing.distribution}: uninstall that, if nothing needs it"
        raise PluginError(listing.name, why) from error


def drift(path: Path) -> list[str]:
    """In what the file and the installed plugins differ.

    Raises SettingsError, or PluginError for one that cannot be imported.
    """
    found: list[str] = []
    listed = read(path) if path.is_file() else []
    if not path.is_file():
        found.append(f"there is no {path}: `galvo lock` writes it")
    now = {listing.name: listing for listing in lock(listed)}
    for listing in listed:
        fresh = now.pop(listing.name, None)
        if fresh is None:
            cure = f"install {listing.distribution}" if listing.distribution else "install what brings it, or remove it"
            found.append(f"{listing.name} is listed and not installed: {cure}")
            continue
        for field in listing.__struct_fields__:
            old, new = getattr(listing, field), getattr(fresh, field)
            if old != new:
                found.append(f"{listing.name}: {field} was {old!r}, is now {new!r}")
    found += [f"{name} is installed and not listed" for name in now]
    return found


def load(listing: Listing) -> type[Plugin]:
    """Import a plugin's class. Raises PluginError for whatever is wrong with it."""
    if listing.target == SEVERAL:
        raise PluginError(listing.name, f"comes with {listing.distribution}: uninstall all of them but one")
    try:
        cls = metadata.EntryPoint(listing.name, listing.target, GROUP).load()
    except (Exception, SystemExit) as error:  # whatever an import raises is this plugin's failure
        text = " ".join(str(error).split())
        why = f"cannot import {listing.target}: {type(error).__name__}: {text}{_newer(error)}"
        raise PluginError(listing.name, why) from error
    if not (isinstance(cls, type) and issubclass(cls, Plugin)):
        raise PluginError(listing.name, f"{listing.target} is not a subclass of galvo.Plugin")
    if getattr(cls, "name", None) != listing.name:
        raise PluginError(
            listing.name,
            f"{listing.target} calls itself {getattr(cls, 'name', None)!r}: the names must agree",
        )
    validate(cls)
    check(cls)
    return cls


def _newer(error: BaseException) -> str:
    """More to say when it is this kernel that lacks what is imported: `api` has not been read then."""
    if not isinstance(error, ImportError) or (error.name or "").partition(".")[0] != "galvo":
        return ""
    return f"; this kernel has plugin API {HAVE}, and it may need a newer one: upgrade galvo"


def check(cls: type[Plugin]) -> None:
    """Raise PluginError unless the plugin names what it needs, has settings, and was written for this kernel's API."""
    for key in ("requires", "after", "provides"):
        if not isinstance(getattr(cls, key), tuple):
            raise PluginError(cls.name, f"`{key}` must be a tuple of names")
    settings: object = cls.settings_type
    if not (isinstance(settings, type) and issubclass(settings, PluginSettings)):
        raise PluginError(cls.name, f"settings_type must be a subclass of galvo.PluginSettings, not {settings!r}")
    if not RANGE.fullmatch(str(cls.api)):
        raise PluginError(cls.name, f'api = {cls.api!r} is no range of API versions: write api = ">=1,<2"')
    if not compatible(cls.api):
        cure = "install a version of the plugin that fits, or of galvo"
        raise PluginError(cls.name, f"wants plugin API {cls.api!r}, this kernel has {HAVE}: {cure}")


def compatible(wanted: str) -> bool:
    """Whether a range such as ">=1,<2" holds this kernel's API version."""
    if not RANGE.fullmatch(wanted):
        return False
    for sign, text in re.findall(BOUND, wanted):
        bound = (*(int(number) for number in text.split(".")), 0)[:2]
        if not {
            ">=": bound <= API_VERSION,
            "<=": bound >= API_VERSION,
            "==": bound == API_VERSION,
            "<": bound > API_VERSION,
            ">": bound < API_VERSION,
        }[sign]:
            return False
    return True
