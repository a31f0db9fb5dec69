"""The plugin API is what `CHANGELOG-API.md` says, and no signature changes without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import galvo
from galvo import Context, GalvoError, Plugin, Proceed, Query, Rows, api, changelog, hookspecs, operating, sizes
from galvo.plugin import API_VERSION

RELEASED = {
    (1, 1): "0e35212a3b62ec02d4e917e05d1fa431d9fbaded0a6774e2241588094f8bb4f1",
    (1, 0): "05eab3d49885494bdb87fa205b9dbe4f93f30b8d5175b2fb3dc35269980155b8",
}
"""Checksums: those in the file could be rewritten with their blocks."""
TEXT = (Path(__file__).parents[2] / changelog.FILE).read_text("utf-8")


def problems(text: str = TEXT, version: tuple[int, int] = API_VERSION) -> list[str]:
    return list(changelog.problems(text, api.render(), version))


def test_the_changelog_tells_the_api() -> None:
    assert not problems(), "\n".join(problems())
    older = {one.version: one.checksum for one in changelog.versions(TEXT)[1:]}
    assert older == RELEASED, "begin a version and add the one below it here; none of them changes or goes"


def test_every_public_name_is_in_it() -> None:
    told = {name.rpartition(".")[2] for name in changelog.names(api.render())}
    assert {*galvo.__all__, *operating.__all__, *sizes.__all__} - told == set()


def _hook(monkeypatch: pytest.MonkeyPatch) -> None:
    async def on_query(query: Query, proceed: Proceed, hurry: bool) -> Rows: ...  # type: ignore[empty-body]

    monkeypatch.setattr(hookspecs, "on_query", on_query)


def _colour(monkeypatch: pytest.MonkeyPatch) -> None:
    async def record(self: Context, metric: object, value: float = 1) -> None: ...

    monkeypatch.setattr(Context, "record", record)


def _default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plugin, "api", ">=1")


def _addition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Plugin, "paused", lambda self: None, raising=False)


@pytest.mark.parametrize(
    "change, said",
    [
        (_colour, "async record(self: Context, metric: object, value: float = 1) -> None"),
        (_default, "api: ClassVar[str] = '>=1'"),
        (_addition, "paused(self)"),
    ],
)
def test_a_change_that_it_does_not_tell_is_named(
    change: Callable[[pytest.MonkeyPatch], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(monkeypatch)
    (problem,) = problems()
    assert said in problem
    assert "galvo api --write CHANGELOG-API.md" in problem
    assert "raise API_VERSION" in problem
    assert not problems(changelog.renewed(TEXT, api.render())), "what it says to do"


def test_what_is_gone_needs_another_first_number() -> None:
    old = changelog.versions(TEXT)[1]
    block = old.block.replace("  settled(self)", "  paused(self) -> None\n  settled(self)")
    (problem,) = problems(TEXT.replace(old.block, block).replace(old.checksum, changelog.checksum(block)))
    assert problem.startswith("Plugin.paused of 1.1 is gone")
    assert "this is 2.0" in problem


@pytest.mark.parametrize(
    "old, new, gone",
    [
        ("on_query(query: Query, proceed: Proceed)", "on_query(query: Query)", "hooks.on_query"),
        ("on_cache_miss(query: Query, reason: str)", "on_cache_miss(query: Query)", "hooks.on_cache_miss"),
        ("record(self, metric: Metric, value: float = 1)", "record(self, metric: Metric)", ""),
        ("record(self, metric: Metric, value: float = 1)", "record(self, value: float = 1)", "Context.record"),
    ],
)
def test_what_is_called_otherwise_needs_another_first_number(old: str, new: str, gone: str) -> None:
    released = changelog.versions(TEXT)[1]
    block = released.block.replace(old, new)
    assert block != released.block
    told = problems(TEXT.replace(released.block, block).replace(released.checksum, changelog.checksum(block)))
    assert [one.partition(" cannot be called")[0] for one in told] == [gone] * bool(gone)


def test_a_hook_with_another_parameter_breaks_plugins_though_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _hook(monkeypatch)
    untold, _ = problems()
    assert "around: async on_query(query: Query, proceed: Proceed, hurry: bool) -> Rows" in untold
    (problem,) = problems(changelog.renewed(TEXT, api.render()))
    assert problem.startswith("hooks.on_query cannot be called as in 1.1")
    assert "this is 2.0" in problem


def test_what_was_released_never_changes() -> None:
    (problem,) = problems(TEXT.replace("```\nsha256 `", "\n```\nsha256 `", 1))
    assert problem.startswith("the block of 1.1 in CHANGELOG-API.md is not what was released")
    assert problems(TEXT.partition("sha256 `")[0]), "nor loses its checksum"


def test_a_version_without_a_word() -> None:
    (problem,) = problems(version=(1, 9))
    assert "write a part for 1.9 on top" in problem
    silent = changelog.versions(TEXT)[0].changes
    assert any("does not tell what 1.2 has changed" in one for one in problems(TEXT.replace(silent, "")))
    with pytest.raises(GalvoError, match="has no version"):
        changelog.renewed("", "")
