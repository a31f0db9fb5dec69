"""Whether two runs had the same settings, without telling what they are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from galvo.operating import plan


def fingerprint(root: Path) -> str:
    """Of what is set in that folder and in the environment, whatever the defaults are. Raises SettingsError.

    Of a URL only the scheme counts: where a server is differs from machine to machine, and may hold a password.
    """
    made = plan(root, warn=False)
    tables = {"kernel": made.kernel.model_dump(exclude_unset=True)}
    tables |= {one.name: dict(one.source[1]) for one in made.blueprints if one.source}
    tables = {name: table for name, table in tables.items() if table}
    return hashlib.sha256(json.dumps(_public(tables), sort_keys=True).encode()).hexdigest()[:12]


def _public(value: object) -> object:
    if isinstance(value, dict):
        return {key: _public(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_public(item) for item in value]
    text = str(value)
    return text.partition("://")[0] if "://" in text else text
