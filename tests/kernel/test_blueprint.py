"""From files and real installed distributions to a running kernel. Each in a process of its own, so imports show."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from galvo import Plugin, PluginError, SettingsError, discovery
from galvo.blueprint import of_classes, plan

MODULE = """
from galvo import Plugin, PluginSettings, Rows, hookimpl
print("import {name}")

class Settings(PluginSettings):
    size: int = 1
    {extra}

class P(Plugin):
    name = "{name}"
    settings_type = Settings

    @hookimpl
    async def on_query(self, query, proceed):
        return Rows((f"{name} {{self.settings.size}}",))
"""
RUN = """
import anyio, logging, sys
from galvo import Kernel, GalvoError
logging.basicConfig(format="%(levelname)s %(message)s", stream=sys.stdout)

async def main():
    async with Kernel.from_settings(".") as kernel:
        for info in kernel.plugins():
            print(info["name"], info["state"], info["reason"])
        {body}

try:
    anyio.run(main)
except GalvoError as error:
    print(type(error).__name__, error)
"""


class Site:
    """A folder of installed distributions and a project that uses them."""

    def __init__(self, root: Path) -> None:
        self.site = root / "site"
        self.project = root / "project"
        (self.project / "settings").mkdir(parents=True)
        self.listed: list[str] = []

    def install(self, name: str, code: str = "", extra: str = "") -> None:
        info = self.site / f"galvo_x_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: galvo-x-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[galvo.plugins]\n{name} = galvo_x_{name}:P\n")
        (self.site / f"galvo_x_{name}.py").write_text(code or MODULE.format(name=name, extra=extra))

    def list(self, *names: str, **versions: str) -> None:
        text = "".join(
            f'[[plugin]]\nname = "{n}"\ntarget = "galvo_x_{n}:P"\nversion = "{versions.get(n, "")}"\n'
            for n in (*names, *versions)
        )
        (self.project / "entrypoints.toml").write_text(text)

    def settings(self, text: str) -> None:
        (self.project / "settings" / "galvo.toml").write_text(text)

    def run(self, body: str = "pass") -> list[str]:
        # Without the developer's own site-packages metadata, only this site's plugins count as installed.
        prelude = """
            from importlib import metadata
            real = metadata.entry_points
            metadata.entry_points = lambda **kw: [p for p in real(**kw) if p.value.startswith("galvo_x_")]
        """
        code = textwrap.dedent(prelude) + RUN.format(body=textwrap.indent(body, " " * 8).strip())
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=self.project, env=os.environ | {"PYTHONPATH": str(self.site)}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.stderr == ""
        return done.stdout.splitlines()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


B = MODULE.format(name="b", extra="")
FETCH = "print(await kernel.fetch('q'))"


def test_installed_but_not_listed_is_not_imported(site: Site) -> None:
    site.install("a")
    site.install("b", "print('import b')\nraise SystemExit")
    site.list("a")
    assert site.run(FETCH) == ["import a", "a active ", "['a 1']"]


def test_unlisted_with_a_table_must_be_off(site: Site) -> None:
    site.install("a")
    site.install("b")
    site.list("a")
    site.settings("[b]\non = false\nsize = 5")
    assert site.run() == ["import a", "a active "]
    site.settings("[b]\nsize = 5")
    (line,) = site.run()
    assert line.startswith("SettingsError [b] is on but not listed in entrypoints.toml: run `galvo lock`")
    site.settings("[c]\non = true")
    (line,) = site.run()
    assert line.startswith("SettingsError settings/galvo.toml: no plugin table 'c'")


def test_off_is_not_imported_until_it_is_enabled(site: Site) -> None:
    site.install("a")
    site.list("a")
    site.settings("[a]\non = false\nsize = 5")
    assert site.run(f"print('now')\nawait kernel.enable('a')\n{FETCH}") == ["a listed ", "now", "import a", "['a 5']"]


def test_off_and_broken_fails_when_it_is_enabled(site: Site) -> None:
    site.install("a", "raise ValueError('broken')")
    site.list("a")
    site.settings("[a]\non = false")
    body = """
for _ in range(2):
    try:
        await kernel.enable("a")
    except GalvoError as error:
        print(error)
"""
    message = "plugin 'a': cannot import galvo_x_a:P: ValueError: broken"
    assert site.run(body) == ["a listed ", message, message]


def test_no_file_loads_what_is_installed_with_one_line_of_warning(site: Site) -> None:
    site.install("b")
    site.install("a")
    assert site.run(FETCH) == [
        f"WARNING no entrypoints.toml in {site.project}: loading every installed plugin; `galvo lock` writes the list",
        "import a", "import b", "a active ", "b active ", "['a 1']",
    ]  # fmt: skip


def test_the_files_order_is_the_chains(site: Site) -> None:
    site.install("a")
    site.install("b")
    site.list("b", "a")
    assert site.run(FETCH) == ["import b", "import a", "b active ", "a active ", "['b 1']"]


def test_a_plugin_that_cannot_be_imported(site: Site) -> None:
    site.install("a")
    site.install("b", "import galvo_nothing")
    site.list("b", "a")
    why = "cannot import galvo_x_b:P: ModuleNotFoundError: No module named 'galvo_nothing'"
    assert site.run(FETCH) == [
        "import a", f"ERROR plugin 'b': {why}; going on without it", f"b failed {why}", "a active ", "['a 1']",
    ]  # fmt: skip
    site.settings("[b]\nrequired = true")
    assert site.run(FETCH) == [f"PluginError plugin 'b': {why}"]


def test_a_bad_value_names_table_and_key(site: Site) -> None:
    site.install("a")
    site.list("a")
    site.settings("[a]\nsize = 'hunter2'")
    (_, line) = site.run()
    assert line.startswith("SettingsError [a] size: input should be a valid integer")
    assert "hunter2" not in line


def test_reload_reads_everything_again(site: Site) -> None:
    site.install("a")
    site.install("b")
    site.list("a")
    site.settings("[a]\nsize = 1")
    body = """
from pathlib import Path
Path("settings/galvo.toml").write_text("[a]\\nsize = 2\\n[b]\\nsize = 7")
Path("entrypoints.toml").write_text(Path("new.toml").read_text())
print(await kernel.reload(), await kernel.fetch("q"))
Path("settings/galvo.toml").write_text("[a]\\nsize = []")
try:
    await kernel.reload()
except GalvoError as error:
    print(error)
print(await kernel.fetch("q"), await kernel.reload({"b": {"on": False}, "a": {"size": 2}}), await kernel.fetch("q"))
"""
    site.list("b", "a")
    (site.project / "entrypoints.toml").rename(site.project / "new.toml")
    site.list("a")
    assert site.run(body) == [
        "import a", "a active ", "import b", "['a', 'b'] ['b 7']", "[a] size: input should be a valid integer",
        "['b 7'] ['b'] ['a 2']",
    ]  # fmt: skip


def test_a_reload_keeps_what_was_enabled_tries_what_failed_and_tells_of_what_it_cannot_import_again(site: Site) -> None:
    site.install("a")
    site.install("b", "from pathlib import Path\nif Path('away').exists(): raise OSError('away')\n" + B)
    site.install("c")
    (site.project / "away").touch()
    listed = {"a": "1", "b": "1", "c": "1.0"}
    site.list(**listed)
    site.settings("[a]\non = false")
    body = """
from pathlib import Path
def write(file, text):
    Path(file).write_text(text)
def states():
    return [(info["name"], info["state"], info["version"]) for info in kernel.plugins()]
await kernel.enable("a")
write("settings/galvo.toml", "[a]\\non = false\\n[c]\\nsize = 2")
print(await kernel.reload(), states())
Path("away").unlink()
print(await kernel.reload(), states())
write("entrypoints.toml", Path("entrypoints.toml").read_text().replace('"1.0"', '"2.0"'))
print(await kernel.reload(), states())
write("settings/galvo.toml", "[a]\\non = false\\nsize = 3\\n[c]\\nsize = 2")
print(await kernel.reload(), states())
"""
    a, b, c = ("a", "active", "1"), ("b", "active", "1"), ("c", "active", "1.0")
    away = "plugin 'b': cannot import galvo_x_b:P: OSError: away; going on without it"
    assert [line for line in site.run(body) if line[0] in "[WE"] == [
        f"ERROR {away}",
        f"ERROR {away}",
        str(["c"]) + " " + str([a, ("b", "failed", "1"), c]),
        str(["b"]) + " " + str([a, b, c]),
        "WARNING plugin 'c': 2.0 is listed, and this process has imported 1.0: restart it to run 2.0",
        str([]) + " " + str([a, b, c]),
        "WARNING plugin 'c': 2.0 is listed, and this process has imported 1.0: restart it to run 2.0",
        str(["a"]) + " " + str([("a", "listed", "1"), b, c]),
    ]


def test_two_classes_of_one_name_are_refused() -> None:
    one = type("One", (Plugin,), {"name": "same"})
    two = type("Two", (Plugin,), {"name": "same"})
    with pytest.raises((PluginError, SettingsError), match="same"):
        of_classes({one: {}, two: {}}, {})


def test_a_class_without_a_name_is_told_so() -> None:
    class Nameless(Plugin):
        pass

    with pytest.raises(PluginError, match=r"plugin 'Nameless': has no name: write `name = \"...\"` in the class"):
        of_classes({Nameless: {}}, {})


def test_with_the_file_site_packages_are_looked_through_only_for_an_unlisted_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def installed() -> list[discovery.Listing]:
        raise LookupError

    monkeypatch.setattr(discovery, "installed", installed)
    (tmp_path / "entrypoints.toml").write_text("")
    (tmp_path / "settings").mkdir()
    settings = tmp_path / "settings" / "galvo.toml"
    settings.write_text("[kernel]\nfaults = 3\n")
    assert plan(tmp_path).kernel.faults == 3
    settings.write_text("[other]\non = false\n")
    with pytest.raises(LookupError):
        plan(tmp_path)
