"""The files that commands write say what the commands would write now."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from galvo import PluginSettings, discovery
from galvo.operating import plan
from galvo.settings import KernelSettings
from tests import forking


def test_the_settings_file_is_current_and_complete(project: Path) -> None:
    text = (project / "settings" / "galvo.toml").read_text("utf-8")
    written = forking.galvo("settings", folder=project).stdout
    assert text == written
    assert {key for key in PluginSettings.model_fields if f"#   {key} = " in text} == set(PluginSettings.model_fields)
    models = {item.name: item.cls.settings_type for item in plan(project, everything=True).blueprints}
    for name, model in {"kernel": KernelSettings, **models}.items():
        table = text.split(f"\n[{name}]\n")[1].split("\n\n")[0]
        for key in model.model_fields.keys() - PluginSettings.model_fields.keys():
            default = model.model_fields[key].get_default(call_default_factory=True)
            tables = isinstance(default, dict) and any(isinstance(value, BaseModel) for value in default.values())
            assert all(f"# {line} = " in table for line in ([f"{key}.{one}" for one in default] if tables else [key]))


def test_entrypoints_toml_is_current(project: Path) -> None:
    path = project / discovery.FILE
    assert path.read_text("utf-8") == discovery.render(discovery.lock(discovery.read(path)))
    done = forking.galvo("check", folder=project)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1), done.stdout


def test_every_overlay_is_valid(project: Path) -> None:
    overlays = [path.stem for path in (project / "settings").glob("*.toml") if path.stem != "galvo"]
    assert "production" in overlays
    for name in overlays:
        done = forking.galvo("check", folder=project, GALVO_ENV=name)
        assert done.returncode == 0, done.stdout + done.stderr
