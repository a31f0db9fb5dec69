"""From files and installed packages to what the supervisor starts: one blueprint per plugin."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import msgspec

from galvo import discovery
from galvo.discovery import Listing
from galvo.errors import PluginError, SettingsError
from galvo.plugin import Plugin, PluginSettings
from galvo.settings import NAME, NAMING, KernelSettings, gather, validated

log = logging.getLogger("galvo")
_imported: dict[str, str] = {}
"""The version of each target when this process imported it: Python keeps modules."""
Overrides: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Settings laid over all others: `{"pool": {"max_size": 20}}`."""
S = TypeVar("S", bound=PluginSettings)


class Blueprint(msgspec.Struct, frozen=True):
    """A plugin's class and validated settings."""

    name: str
    cls: type[Plugin]
    settings: PluginSettings
    version: str = ""
    failure: str = ""
    """Why it cannot start; then `cls` is a stand-in."""
    source: tuple[Listing, Mapping[str, Any]] | None = None
    """What it was read from. A plugin that is off is not imported before somebody enables it."""

    def loaded(self) -> Blueprint:
        """With the real class, if it is a stand-in. Raises SettingsError."""
        return _blueprint(*self.source, everything=True) if self.source and self.cls is Plugin else self

    def same(self, read: Blueprint) -> bool:
        """Whether `read` says nothing new: it may be the stand-in of what somebody has enabled since."""
        if read.cls is Plugin:
            return self.source == read.source
        return msgspec.structs.replace(self, source=None) == msgspec.structs.replace(read, source=None)


class Plan(msgspec.Struct, frozen=True):
    """All that a kernel is made from."""

    kernel: KernelSettings
    """`[kernel]`."""
    blueprints: tuple[Blueprint, ...]
    """Of all that are listed, on or off, outermost first."""


def plan(root: Path, overrides: Overrides | None = None, *, everything: bool = False, warn: bool = True) -> Plan:
    """Read `root`'s entrypoints.toml and settings. Plugins that are off are not imported.

    `everything` imports and validates those too. Raises SettingsError. A plugin that cannot be imported gets
    a blueprint with a failure, unless it is required. `warn` when there is no entrypoints.toml.
    """
    path = root / discovery.FILE
    listings = _listings(root)
    if not path.is_file() and warn:
        log.warning(
            "no %s in %s: loading every installed plugin; `galvo lock` writes the list", path.name, root.resolve()
        )
    raw = gather(root, [listing.name for listing in listings], overrides, unlisted=_installed)
    kernel = validated(KernelSettings, raw.pop("kernel"), "kernel")
    for name in raw.keys() - {listing.name for listing in listings}:
        if raw[name] and validated(_Switch, raw[name], name).on:
            raise SettingsError(f"[{name}] is on but not listed in {path}: run `galvo lock` and review its diff")
    return Plan(kernel, tuple(_blueprint(listing, raw[listing.name], everything) for listing in listings))


def of_classes(classes: Mapping[type[Plugin], Mapping[str, Any]], kernel: Mapping[str, Any]) -> Plan:
    """A plan from plugin classes and their settings, for tests and for hosts that wire by hand.

    Raises PluginError for a class without a name, for a name that cannot be a table's or that two of them have, and for
    whatever else `discovery.check` finds.
    """
    for cls in classes:
        if not hasattr(cls, "name"):
            raise PluginError(cls.__name__, 'has no name: write `name = "..."` in the class')
        if not NAME.fullmatch(str(cls.name)):
            raise PluginError(cls.name, f"needs another name: {NAMING}")
        discovery.check(cls)
    names = [cls.name for cls in classes]
    if twice := {name for name in names if names.count(name) > 1}:
        raise PluginError(min(twice), "is given twice: two classes have this name")
    return Plan(
        validated(KernelSettings, kernel, "kernel"),
        tuple(
            Blueprint(cls.name, cls, validated(cls.settings_type, table, cls.name)) for cls, table in classes.items()
        ),
    )


def read_settings(model: type[S], name: str, root: Path) -> S:
    """`[name]` as a kernel in `root` would have it, whether that plugin is on or not; imports none.

    Raises SettingsError.
    """
    names = dict.fromkeys([name, *(listing.name for listing in _listings(root))])
    return validated(model, gather(root, names, unlisted=_installed)[name], name)


class _Switch(PluginSettings):
    """Only the keys that every plugin has; the others are not looked at."""

    model_config = PluginSettings.model_config | {"extra": "ignore"}


def _listings(root: Path) -> list[Listing]:
    path = root / discovery.FILE
    return discovery.read(path) if path.is_file() else discovery.installed()


def _installed() -> list[str]:
    return [listing.name for listing in discovery.installed()]


def _blueprint(listing: Listing, raw: Mapping[str, Any], everything: bool) -> Blueprint:
    switch = validated(_Switch, raw, listing.name)
    source = (listing, raw)
    if "on" in raw and not switch.on and not everything:
        return Blueprint(listing.name, Plugin, switch, listing.version, source=source)
    try:
        cls = discovery.load(listing)
    except PluginError as error:
        if switch.required:
            raise
        return Blueprint(listing.name, Plugin, switch, listing.version, error.why, source)
    version = _imported.setdefault(listing.target, listing.version)
    if version != listing.version:
        log.warning(
            "plugin %r: %s is listed, and this process has imported %s: restart it to run %s",
            listing.name, listing.version or "no version", version or "no version", listing.version or "that",
        )  # fmt: skip
    return Blueprint(listing.name, cls, validated(cls.settings_type, raw, listing.name), version, source=source)
