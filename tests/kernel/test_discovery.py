"""entrypoints.toml: what it says, what is wrong with it, what a plugin class must be."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from pydantic import BaseModel

from galvo import Kernel, Plugin, PluginError, SettingsError, discovery, hookimpl
from galvo.discovery import Listing

TEXT = st.text(st.characters(min_codepoint=32, blacklist_categories=["Cs", "Cc"]), max_size=20)


class Good(Plugin):
    name = "good"

    @hookimpl
    def on_metric(self) -> None: ...


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("galvo_test_plugins")
    monkeypatch.setitem(sys.modules, "galvo_test_plugins", made)
    made.Good = Good  # type: ignore[attr-defined]
    return made


def listing(name: str = "good", target: str = "galvo_test_plugins:Good") -> Listing:
    return Listing(name, target, "galvo-good", "1.2")


@given(
    st.lists(
        st.builds(Listing, TEXT, TEXT, TEXT, TEXT, st.lists(TEXT, max_size=3).map(tuple)),
        unique_by=lambda item: item.name,
        max_size=4,
    )
)
def test_what_is_rendered_is_read_again(tmp_path_factory: pytest.TempPathFactory, listings: list[Listing]) -> None:
    path = tmp_path_factory.getbasetemp() / discovery.FILE
    path.write_text(discovery.render(listings), "utf-8")
    assert discovery.read(path) == listings


@pytest.mark.parametrize(
    "text,trouble",
    [
        ("[[plugin]\n", "line 1"),
        ('[[plugin]]\nname = "a"\n', "missing required field `target`"),
        ('[[plugin]]\nname = 1\ntarget = "b"\n', "Expected `str`, got `int`"),
        ('[plugin]\nname = "a"\ntarget = "b"\n', "Expected `array`, got `object`"),
        ("plugin = 5\n", "Expected `array`, got `int`"),
        ('[[plugins]]\nname = "a"\ntarget = "b"\n', "unknown field `plugins`"),
        ('[[plugin]]\nname = "a"\ntarget = "b"\nhoks = []\n', "unknown field `hoks`"),
        (b"\xff", "utf-8"),
    ],
)
def test_a_broken_file_is_named_with_its_cure(text: str | bytes, trouble: str, tmp_path: Path) -> None:
    path = tmp_path / discovery.FILE
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as caught:
        discovery.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert trouble in str(caught.value)
    assert "`galvo lock` writes it anew" in str(caught.value)


def test_listed_twice(tmp_path: Path) -> None:
    path = tmp_path / discovery.FILE
    path.write_text(discovery.render([listing(), listing("other"), listing()]))
    with pytest.raises(SettingsError, match="plugin 'good' is listed twice"):
        discovery.read(path)


def test_an_empty_file_lists_nothing(tmp_path: Path) -> None:
    path = tmp_path / discovery.FILE
    path.write_text("")
    assert discovery.read(path) == []


def test_lock_keeps_the_order_adds_new_ones_last_and_drops_what_is_gone(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType
) -> None:
    found = []
    for name in ("a", "b", "c"):
        setattr(module, name, type(name, (Good,), {"name": name}))
        found.append(listing(name, f"galvo_test_plugins:{name}"))
    monkeypatch.setattr(discovery, "installed", lambda: found)
    locked = discovery.lock([listing("c"), listing("gone"), listing("b")])
    assert [item.name for item in locked] == ["c", "b", "a"]
    assert {item.hooks for item in locked} == {("on_metric",)}
    assert discovery.lock(locked) == locked


def test_load(module: ModuleType) -> None:
    assert discovery.load(listing()) is Good


@pytest.mark.parametrize(
    "target,members,trouble",
    [
        ("galvo_no_such_module:X", {}, "cannot import galvo_no_such_module:X: ModuleNotFoundError"),
        ("galvo_test_plugins:Missing", {}, "cannot import galvo_test_plugins:Missing: AttributeError"),
        ("", {}, "cannot import"),
        ("galvo_test_plugins", {}, "is not a subclass of galvo.Plugin"),
        ("galvo_test_plugins:thing", {}, "galvo_test_plugins:thing is not a subclass of galvo.Plugin"),
        ("galvo_test_plugins:Wrong", {"name": "other"}, "calls itself 'other': the names must agree"),
        ("galvo_test_plugins:Wrong", {"api": ">=2"}, "wants plugin API '>=2', this kernel has 1.2"),
        ("galvo_test_plugins:Wrong", {"api": ">=2,<1"}, "wants plugin API '>=2,<1', this kernel has 1.2"),
        ("galvo_test_plugins:Wrong", {"api": 2}, "api = 2 is no range of API versions: write"),
        ("galvo_test_plugins:Wrong", {"api": "newest"}, "api = 'newest' is no range of API versions"),
        ("galvo_test_plugins:Wrong", {"api": None}, "api = None is no range of API versions"),
        ("galvo_test_plugins:Wrong", {"settings_type": BaseModel}, "must be a subclass of galvo.PluginSettings, not"),
        ("galvo_test_plugins:Wrong", {"settings_type": dict}, "settings_type must be a subclass of"),
        ("galvo_test_plugins:Wrong", {"settings_type": None}, "must be a subclass of galvo.PluginSettings, not None"),
        ("galvo_test_plugins:Wrong", {"requires": "pool"}, "`requires` must be a tuple of names"),
        ("galvo_test_plugins:Wrong", {"after": ["pool"]}, "`after` must be a tuple of names"),
    ],
)
def test_what_a_class_gets_wrong(target: str, members: Any, trouble: str, module: ModuleType) -> None:
    module.thing = 5  # type: ignore[attr-defined]
    module.Wrong = type("Wrong", (Good,), members)  # type: ignore[attr-defined]
    with pytest.raises(PluginError) as caught:
        discovery.load(listing(target=target))
    assert str(caught.value).startswith("plugin 'good': ")
    assert trouble in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_class_without_a_name(module: ModuleType) -> None:
    module.Nameless = type("Nameless", (Plugin,), {})  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match="calls itself None"):
        discovery.load(listing(target="galvo_test_plugins:Nameless"))


@pytest.mark.parametrize("statement", ["1 / 0", "raise SystemExit(1)", "this is no python", "import galvo_nothing"])
def test_a_module_that_cannot_be_imported(statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "galvo_broken_module.py").write_text(statement)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError, match="plugin 'good': cannot import galvo_broken_module:X"):
        discovery.load(listing(target="galvo_broken_module:X"))


@pytest.mark.parametrize(
    "statement", ["from galvo import Later", "import galvo.later", "from galvo.sizes import later"]
)
def test_what_a_newer_kernel_may_have(statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"galvo_newer_{len(statement)}"
    (tmp_path / f"{name}.py").write_text(statement)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError, match=r"[Ll]ater.*; this kernel has plugin API 1\.2, and it may need a newer one"):
        discovery.load(listing(target=f"{name}:X"))


VERSION = st.tuples(st.integers(0, 3), st.integers(0, 3))
BOUND = st.integers(0, 3).map(str) | VERSION.map(lambda v: f"{v[0]}.{v[1]}")
RANGE = st.lists(st.tuples(st.sampled_from([">=", "<=", "==", "<", ">"]), BOUND), min_size=1, max_size=3)


@given(RANGE, VERSION, st.sampled_from([",", ", ", " ,"]))
def test_ranges_mean_what_they_mean_to_pip(parts: list[tuple[str, str]], version: tuple[int, int], comma: str) -> None:
    wanted = comma.join(sign + bound for sign, bound in parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discovery, "API_VERSION", version)
        found = discovery.compatible(wanted)
    assert found is SpecifierSet(wanted).contains(Version(f"{version[0]}.{version[1]}"))


@pytest.mark.parametrize("wanted", ["", "1", "any", ">=1,", ">=x", "~=1.0", ">=1 <2", ">=1;", "\u0661", ">=1.1.0"])
def test_what_is_no_range_fits_nothing(wanted: str) -> None:
    assert not discovery.compatible(wanted)
    with pytest.raises(PluginError, match="is no range of API versions"):
        discovery.check(type("Odd", (Good,), {"api": wanted}))


def test_a_class_that_is_given_is_looked_at_as_well() -> None:
    with pytest.raises(PluginError, match="plugin 'good': wants plugin API '>=9'"):
        Kernel.of({type("Later", (Good,), {"api": ">=9"}): {}})
    with pytest.raises(PluginError, match="plugin 'good': `requires` must be a tuple of names"):
        Kernel.of({type("Loose", (Good,), {"requires": "pool"}): {}})
    for name in ("Upper-N", "kernel", 3):
        with pytest.raises(PluginError, match=f"plugin {name!r}: needs another name: a-z, 0-9 and single _, not 'ke"):
            Kernel.of({type("Odd", (Good,), {"name": name}): {}})
    with pytest.raises(PluginError, match="plugin 'good': settings_type must be a subclass"):
        Kernel.of({type("Plain", (Good,), {"settings_type": BaseModel}): {}})
