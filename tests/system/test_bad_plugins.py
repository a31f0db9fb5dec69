"""Installed plugins that cannot work, alone or together: each is named, and the application keeps answering."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from galvo import Kernel, PluginError, SettingsError, discovery
from galvo.scaffold.naming import named
from galvo.scaffold.rendering import rendered

pytestmark = pytest.mark.anyio
FIRST_PARTY = {listing.distribution for listing in discovery.installed()}


class Site:
    """A folder of installed distributions on the path, each as `galvo new` writes it, and an application's folder."""

    def __init__(self, folder: Path) -> None:
        self.packages = folder / "site-packages"
        self.app = folder / "app"
        self.packages.mkdir()
        self.app.mkdir()

    def install(self, name: str, attributes: str = "", point: str = "") -> None:
        """Plugin `name`, its class with `attributes` too; `point` is its entry point's name, where that differs."""
        names = named(name)
        files = rendered(names, ["on_query"])
        package = self.packages / names.package
        package.mkdir()
        for file in ("__init__.py", "plugin.py", "settings.py"):
            (package / file).write_text(files[f"{names.package}/{file}"])
        text = (package / "plugin.py").read_text()
        text = text.replace('    api = ">=1,<2"\n', attributes or '    api = ">=1,<2"\n')
        (package / "plugin.py").write_text(text.replace(f'name = "{name}"', f'name = "{point or name}"'))
        info = self.packages / f"{names.package}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {names.distribution}\nVersion: 0.1.0\n")
        entry = f"[galvo.plugins]\n{point or name} = {names.package}:{names.stem}Plugin\n"
        (info / "entry_points.txt").write_text(entry)

    def lock(self, *names: str) -> None:
        """List the pool and these."""
        listings = {listing.name: listing for listing in discovery.installed()}
        (self.app / discovery.FILE).write_text(discovery.render([listings[name] for name in (*names, "pool")]))

    def kernel(self, dsn: str) -> Kernel:
        """Of what is listed, or else of all that is installed here and the pool."""
        ours = [listing.name for listing in discovery.installed() if listing.distribution in FIRST_PARTY]
        listed = (self.app / discovery.FILE).exists()
        off = {} if listed else {name: {"on": False} for name in ours if name != "pool"}
        return Kernel.from_settings(self.app, overrides={"pool": {"url": dsn}, **off})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site(tmp_path)
    monkeypatch.syspath_prepend(str(made.packages))
    yield made
    for name in [
        name for name, module in sys.modules.items() if str(made.packages) in str(getattr(module, "__file__", ""))
    ]:
        del sys.modules[name]


def failed(kernel: Kernel) -> dict[str, str]:
    return {info["name"]: info["reason"] for info in kernel.plugins() if info["state"] == "failed"}


async def answers(kernel: Kernel) -> bool:
    return bool(await kernel.fetchval("select 6 * 7") == 42)


async def test_one_for_another_api(site: Site, dsn: str) -> None:
    site.install("newer", '    api = ">=2,<3"\n')
    site.install("good")
    site.lock("newer", "good")
    async with site.kernel(dsn) as kernel:
        assert [*failed(kernel)] == ["newer"]
        assert failed(kernel)["newer"].startswith("wants plugin API '>=2,<3', this kernel has ")
        assert await answers(kernel)
        assert kernel.plugin_stats("good")["queries"] == 1
        with pytest.raises(PluginError, match="plugin 'newer': wants plugin API"):
            await kernel.enable("newer")
        assert await answers(kernel)
    with pytest.raises(PluginError, match="it comes with galvo-newer: uninstall that, if nothing needs it"):
        discovery.lock([])


async def test_a_name_that_two_distributions_bring(site: Site, dsn: str) -> None:
    site.install("mine")
    site.install("theirs", point="mine")
    site.install("good")
    why = "comes with galvo-mine and galvo-theirs: uninstall all of them but one"
    async with site.kernel(dsn) as kernel:
        assert failed(kernel) == {"mine": why}
        assert await answers(kernel)
        assert kernel.plugin_stats("good")["queries"] == 1
    with pytest.raises(PluginError, match=f"plugin 'mine': {why}"):
        discovery.lock([])


async def test_a_name_that_is_listed_twice_while_the_application_runs(site: Site, dsn: str) -> None:
    site.install("mine")
    site.lock("mine")
    async with site.kernel(dsn) as kernel:
        site.lock("mine", "mine")
        with pytest.raises(SettingsError, match="plugin 'mine' is listed twice: remove one"):
            await kernel.reload()
        assert await answers(kernel)
        assert kernel.plugin_stats("mine")["queries"] == 1


async def test_a_cycle(site: Site, dsn: str) -> None:
    site.install("hen", '    requires = ("egg",)\n')
    site.install("egg", '    requires = ("hen",)\n')
    site.install("good", '    after = ("hen",)\n')
    site.lock("hen", "egg", "good")
    async with site.kernel(dsn) as kernel:
        assert failed(kernel) == {
            "hen": "`requires` and `after` form a cycle: hen -> egg -> hen",
            "egg": "requires 'hen', which is not active",
        }
        assert await answers(kernel)
        assert kernel.plugin_stats("good")["queries"] == 1


async def test_a_cycle_that_comes_while_the_application_runs(site: Site, dsn: str) -> None:
    site.install("good")
    site.lock("good")
    async with site.kernel(dsn) as kernel:
        site.install("hen", '    requires = ("egg",)\n')
        site.install("egg", '    requires = ("hen",)\n')
        site.lock("good", "hen", "egg")
        with pytest.raises(PluginError, match="form a cycle: hen -> egg -> hen"):
            await kernel.reload()
        assert [info["name"] for info in kernel.plugins()] == ["good", "pool"]
        assert await answers(kernel)
        assert kernel.plugin_stats("good")["queries"] == 1


async def test_a_cycle_with_what_is_required_stops_the_start(site: Site, dsn: str) -> None:
    site.install("hen", '    requires = ("egg",)\n')
    site.install("egg", '    requires = ("hen",)\n')
    site.lock("hen", "egg")
    (site.app / "settings").mkdir()
    (site.app / "settings" / "galvo.toml").write_text("hen.required = true\n")
    with pytest.raises(PluginError, match=r"plugin 'hen': .* form a cycle: hen -> egg -> hen"):
        async with site.kernel(dsn):
            raise AssertionError("it must not start")
