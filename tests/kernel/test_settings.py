"""Layers, their precedence, what is refused, and that no value ever shows in a message."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, SecretStr

from galvo import Kernel, Plugin, PluginSettings, SettingsError
from galvo.settings import KernelSettings, gather, validated


class PoolSettings(PluginSettings):
    url: str = ""
    password: SecretStr = SecretStr("")
    max_size: int = Field(10, gt=0)
    ratio: float = 0.5
    warm: bool = False
    size: int | Literal["auto"] = "auto"
    limit: int | None = 5
    hosts: tuple[str, ...] = ()
    ports: list[int] = Field(default_factory=list)
    server: dict[str, str] = Field(default_factory=dict)


def write(root: Path, name: str = "galvo", text: str = "") -> Path:
    path = root / "settings" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def pool(root: Path, **overrides: Any) -> PoolSettings:
    raw = gather(root, ["pool", "cache"], {"pool": overrides} if overrides else None)
    return validated(PoolSettings, raw["pool"], "pool")


def refusal(root: Path, **overrides: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        pool(root, **overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_layer_lies_over_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pool(tmp_path).max_size == 10
    write(
        tmp_path, text="[pool]\nmax_size = 20\nratio = 0.2\nwarm = true\nurl = 'base'\n[pool.server]\na = '1'\nb = '1'"
    )
    assert pool(tmp_path).max_size == 20
    write(tmp_path, "production", "[pool]\nmax_size = 30\nratio = 0.3\n[pool.server]\nb = '2'\nc = '2'")
    assert pool(tmp_path).max_size == 20, "an overlay that nobody asked for"
    monkeypatch.setenv("GALVO_ENV", "production")
    assert pool(tmp_path).max_size == 30
    monkeypatch.setenv("GALVO_POOL__MAX_SIZE", "40")
    monkeypatch.setenv("GALVO_POOL__SERVER__C", "3")
    assert pool(tmp_path).max_size == 40
    result = pool(tmp_path, max_size=50)
    assert (result.max_size, result.ratio, result.warm, result.url) == (50, 0.3, True, "base")
    assert result.server == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize(
    "key,text,value",
    [
        ("max_size", "7", 7),
        ("max_size", " 7 ", 7),
        ("warm", "true", True),
        ("warm", "0", False),
        ("warm", "yes", True),
        ("ratio", "1e-3", 0.001),
        ("limit", "null", None),
        ("limit", "3", 3),
        ("hosts", '["a", "b"]', ("a", "b")),
        ("ports", "[1, 2]", [1, 2]),
        ("server", '{"a": "1"}', {"a": "1"}),
        ("url", "12345", "12345"),
        ("url", "true", "true"),
        ("url", "[1]", "[1]"),
        ("url", "", ""),
        ("url", "héllo", "héllo"),
        ("mode", "shadow", "shadow"),
        ("on", "false", False),
    ],
)
def test_types_of_variables(key: str, text: str, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"GALVO_POOL__{key.upper()}", text)
    found = getattr(pool(tmp_path), key)
    assert found == value
    assert type(found) is type(value)


def test_a_secret_that_looks_like_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALVO_POOL__PASSWORD", "0012")
    assert pool(tmp_path).password.get_secret_value() == "0012"
    monkeypatch.setenv("GALVO_POOL__PASSWORD", "12")
    assert pool(tmp_path).password.get_secret_value() == "12"


@pytest.mark.parametrize("name", ["galvo_pool__max_size", "Galvo_Pool__Max_Size", "GALVO_POOL__MAX_SIZE"])
def test_variables_in_any_case(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "3")
    assert pool(tmp_path).max_size == 3


@pytest.mark.parametrize("name", ["GALVO_ENV", "galvo_env"])
def test_the_overlays_name_in_any_case(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "test", "[pool]\nmax_size = 3")
    monkeypatch.setenv(name, "test")
    assert pool(tmp_path).max_size == 3


def test_a_value_that_none_of_several_types_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALVO_POOL__SIZE", "x")
    assert refusal(tmp_path) == (
        "[pool] size: input should be a valid integer, unable to parse string as an integer, or input should be 'auto'"
    )


def test_a_file_that_is_none_or_may_not_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings/galvo.toml").mkdir(parents=True)
    assert refusal(tmp_path).endswith("settings/galvo.toml: is no file")

    def refused(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refused)  # the tests run as root
    assert refusal(tmp_path).endswith("settings/galvo.toml: Permission denied")


@pytest.mark.parametrize("overlay", ["staging", "sub/dir", ".."])
def test_an_overlay_that_is_not_there(overlay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setenv("GALVO_ENV", overlay)
    message = refusal(tmp_path)
    assert message.startswith(f"GALVO_ENV={overlay} wants ")
    assert message.endswith("which does not exist")


@pytest.mark.parametrize(
    "text,parts",
    [
        ("[pol]\nmax_size = 1", ["galvo.toml", "no plugin table 'pol'", "did you mean 'pool'?"]),
        ("[pool]\nmax_sise = 1", ["[pool] has no key 'max_sise'", "did you mean 'max_size'?"]),
        ("[pool]\nzzz = 1", ["[pool] has no key 'zzz'"]),
        ("pool = 5", ["galvo.toml", "pool must be a table", "[pool]"]),
        ("[[pool]]\nx = 1", ["galvo.toml", "pool must be a table"]),
        ("[pool\n", ["galvo.toml", "line 1"]),
        ("[pool]\nx = 1\nx = 2", ["galvo.toml", "Cannot overwrite a value"]),
        ("[pool]\nmax_size = 'many'", ["[pool] max_size: input should be a valid integer"]),
        ("[pool]\nmax_size = 0", ["[pool] max_size: input should be greater than 0"]),
        ("[pool]\nmode = 'on'", ["[pool] mode: input should be 'active', 'shadow' or 'off'"]),
        ("[pool]\nhosts = 'a'", ["[pool] hosts: input should be a valid tuple"]),
        ("[pool]\nmax_size = 0\nratio = 'x'", ["[pool] max_size", "; [pool] ratio"]),
    ],
)
def test_what_a_file_gets_wrong(text: str, parts: list[str], tmp_path: Path) -> None:
    write(tmp_path, text=text)
    message = refusal(tmp_path)
    for part in parts:
        assert part in message


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    write(tmp_path).write_bytes(b"\xff\xfe[pool]")
    assert "galvo.toml" in refusal(tmp_path)


@pytest.mark.parametrize(
    "name,part",
    [
        ("GALVO_POL__MAX_SIZE", "no plugin 'pol'; did you mean 'pool'?"),
        ("GALVO_POOL__MAX_SISE", "[pool] has no key 'max_sise'; did you mean 'max_size'?"),
        ("galvo_pool_max_size", "write GALVO_<PLUGIN>__<KEY>"),
        ("GALVO_POOL__", "write GALVO_<PLUGIN>__<KEY>"),
        ("GALVO_POOL", "write GALVO_<PLUGIN>__<KEY>"),
        ("GALVO_", "write GALVO_<PLUGIN>__<KEY>"),
        ("GALVO___X", "no plugin ''"),
        ("GALVO_POOL__MAX_SIZE", "[pool] max_size: input should be a valid integer"),
        ("GALVO_POOL__PORTS", "[pool] ports: input should be a valid list"),
    ],
)
def test_what_a_variable_gets_wrong(name: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hunter2")
    message = refusal(tmp_path)
    assert part in message
    assert "hunter2" not in message


def test_what_overrides_get_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="overrides: no plugin 'pol'; did you mean 'pool'"):
        gather(tmp_path, ["pool"], {"pol": {}})
    assert "max_sise" in refusal(tmp_path, max_sise=3)


@pytest.mark.parametrize("key", ["password", "max_size", "hosts", "server", "ratio", "mode", "on", "ports"])
def test_a_value_never_shows_in_a_message(key: str, tmp_path: Path) -> None:
    for bad in ({"hunter2": {"hunter2"}}, ["hunter2"], 17.17, "hunter2"):
        caught: SettingsError | None = None
        try:
            pool(tmp_path, **{key: bad})
        except SettingsError as error:
            caught = error
        if caught is not None:  # some of them are fine for some keys
            shown = str(caught).replace(f"{key}.hunter2", "")  # a key of a table may be named
            assert "hunter2" not in shown
            assert "17.17" not in shown
            assert caught.__cause__ is None
            assert caught.__suppress_context__


@pytest.mark.parametrize("name", ["kernel", "my-plugin", "Pool", "a__b", "_a", "1a", ""])
def test_names_that_tables_and_variables_cannot_tell_apart(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="needs another name"):
        gather(tmp_path, [name])


@pytest.mark.parametrize("name", ["copy", "json", "schema", "a1_b2", "model_x"])
def test_names_that_pydantic_uses_itself(name: str, tmp_path: Path) -> None:
    write(tmp_path, text=f"[{name}]\nkey = 1")
    assert gather(tmp_path, [name]) == {"kernel": {}, name: {"key": 1}}


def test_the_kernels_own_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, text="[kernel]\nfaults = 2")
    monkeypatch.setenv("GALVO_KERNEL__EJECT_FOR", "0.5")
    kernel = validated(KernelSettings, gather(tmp_path, [])["kernel"], "kernel")
    assert (kernel.faults, kernel.eject_for) == (2, 0.5)
    with pytest.raises(SettingsError, match=r"\[kernel\] faults: input should be greater than or equal to 1"):
        Kernel.of({}, faults=0)
    with pytest.raises(SettingsError, match=r"\[kernel\] has no key 'fautls'; did you mean 'faults'\?"):
        Kernel.of({}, fautls=1)


def test_a_plugins_own_check_speaks_for_itself() -> None:
    class Settings(PluginSettings):
        size: int = 1

        def model_post_init(self, context: Any) -> None:
            if self.size == 13:
                raise ValueError("Thirteen is bad luck")

    class Careful(Plugin):
        name = "careful"
        settings_type = Settings

    with pytest.raises(SettingsError, match="thirteen is bad luck"):
        Kernel.of({Careful: {"size": 13}})
