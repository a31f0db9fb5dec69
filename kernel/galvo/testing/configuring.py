"""Checks of a plugin's settings, without running it."""

from __future__ import annotations

import re
from typing import Any

from pydantic import SecretStr, ValidationError

from galvo.errors import SettingsError
from galvo.plugin import PluginSettings
from galvo.settings import validated
from galvo.testing.base import Contract
from galvo.testing.stage import Stage

SECRET = re.compile(r"(^|_)(password|passwd|secret|secrets|token|tokens|api_?key|dsn|credentials?)($|_)")
MARK = "kit-3f9a"


class Configuring(Contract):
    def test_settings_described(self, stage: Stage) -> None:
        """Its settings derive from PluginSettings, and every one has a description, which `galvo settings` prints."""
        model = stage.plugin.settings_type
        stage.ensure(
            issubclass(model, PluginSettings),
            f"settings_type is {model!r}",
            "Derive it from galvo.PluginSettings",
        )
        bare = [name for name, field in model.model_fields.items() if not (field.description or "").strip()]
        stage.ensure(
            not bare, f"setting {', '.join(bare)} has no description", 'Write Field(..., description="What it does.")'
        )

    def test_settings_defaults(self, stage: Stage) -> None:
        """Every setting has a default, and the defaults are valid: an empty table is enough to switch it on."""
        model = stage.plugin.settings_type
        required = [name for name, field in model.model_fields.items() if field.is_required()]
        stage.ensure(
            not required,
            f"setting {', '.join(required)} has no default",
            "Give it one, and say in lifespan() by a PluginError what has to be set",
        )
        try:
            model.model_validate({})
        except ValidationError as error:
            stage.fail(f"its defaults are not valid: {error}", "Give defaults that its own validators take")

    def test_settings_refused(self, stage: Stage) -> None:
        """Unknown keys and wrong values are refused by a sentence, and settings never change once they are made."""
        model, name = stage.plugin.settings_type, stage.plugin.name
        for table in ({"no_such_key": 1}, {"mode": "sideways"}, {"on_error": None}, {"on": "perhaps"}):
            try:
                validated(model, table, name)
            except SettingsError:
                continue
            except Exception as error:  # noqa: BLE001  # a validator of the plugin's that does not refuse, but breaks
                stage.fail(f"{table} ends in {type(error).__name__}", "Raise ValueError in validators, nothing else")
            stage.fail(f"{table} is taken", 'Keep `extra="forbid"` and the fields of PluginSettings')
        stage.ensure(
            model.model_config.get("frozen"),
            "its settings can be changed after they were checked",
            "Keep `frozen=True` of PluginSettings: a reload makes new ones",
        )

    def test_secrets(self, stage: Stage) -> None:
        """Passwords, tokens and URLs that may hold one are not in what is printed of its settings."""
        for name, field in stage.plugin.settings_type.model_fields.items():
            if SECRET.search(name) and not _hides(field.annotation):
                stage.fail(f"setting {name} shows its value when it is printed", "Make it a pydantic.SecretStr")
        given = {key: value for key, value in stage.settings.items() if isinstance(value, str) and "@" in value}
        shown = repr(validated(stage.plugin.settings_type, stage.settings, stage.plugin.name))
        for key, value in given.items():
            stage.ensure(value not in shown, f"setting {key} shows a URL with credentials", "Make it a SecretStr")


def _hides(annotation: Any) -> bool:
    if annotation is SecretStr or annotation in (bool, int, float):
        return True
    parts = [part for part in getattr(annotation, "__args__", ()) if part is not type(None)]
    return bool(parts) and all(_hides(part) or (part is str and len(parts) > 1) for part in parts)
