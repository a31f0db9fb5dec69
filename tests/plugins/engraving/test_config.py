"""The application's own settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from galvo import SettingsError
from galvo_engraving.config import EngravingSettings, read


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_file_they_are_the_defaults() -> None:
    assert read() == EngravingSettings.model_construct()


def test_the_environment_wins_over_the_file(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (elsewhere / "engraving.toml").write_text("token_days = 2\nwarm = 7\n")
    monkeypatch.setenv("ENGRAVING_WARM", "8")
    assert (read().token_days, read().warm) == (2, 8)


@pytest.mark.parametrize(
    "text, said",
    [
        ("warm = -1", "warm: Input should be greater than or equal to 0"),
        ("wram = 1", "wram: Extra inputs are not permitted"),
        ("token_days = inf", "token_days: Input should be a finite number"),
        ("warm = ", "engraving.toml: Invalid value"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(elsewhere: Path, text: str, said: str) -> None:
    (elsewhere / "engraving.toml").write_text(text)
    with pytest.raises(SettingsError, match=said):
        read()


def test_the_readme_lists_every_key_with_its_default(project: Path) -> None:
    text = (project / "plugins" / "engraving" / "README.md").read_text("utf-8")
    listed = text.split("<!-- settings -->\n")[1].split("<!-- /settings -->")[0].splitlines()[2:]
    assert listed == [
        f"| `{key}` | `{str(field.default).lower()}` | {field.description} |"
        for key, field in EngravingSettings.model_fields.items()
    ]
