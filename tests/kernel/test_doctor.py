"""`galvo doctor`: whatever is broken is a finding, and the rest is told all the same."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from galvo import Finding, Plugin, surroundings
from galvo.blueprint import Plan, of_classes
from galvo.commands import doctor as command
from galvo.doctor import Section, examine, started

pytestmark = pytest.mark.anyio
FINE = Finding("thing", "is there")


class Well(Plugin):
    name = "well"

    async def checkup(self) -> Sequence[Finding]:
        return [FINE]


class Silent(Plugin):
    name = "silent"


class Hangs(Plugin):
    name = "hangs"

    async def checkup(self) -> Sequence[Finding]:
        await anyio.sleep_forever()
        return ()


class Raises(Plugin):
    name = "raises"

    async def checkup(self) -> Sequence[Finding]:
        raise ZeroDivisionError("a number\nof nothing")


class Odd(Plugin):
    name = "odd"

    async def checkup(self) -> Any:
        return [Finding("thing", "is", "fine")]  # type: ignore[arg-type]  # that is what is odd


class Wordless(Plugin):
    name = "wordless"

    async def checkup(self) -> Any:
        return [Finding("thing", object())]  # type: ignore[arg-type]  # that is what is odd


class Blocks(Plugin):
    name = "blocks"

    async def checkup(self) -> Sequence[Finding]:
        time.sleep(0.5)  # noqa: ASYNC251  # that is what is wrong
        return [FINE]


class Patient(Plugin):
    name = "patient"

    async def checkup(self) -> Sequence[Finding]:
        await anyio.sleep(0.01)
        return [FINE]


class Broken(Plugin):
    name = "broken"

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        raise ValueError("no licence file")
        yield


class Left(Plugin):
    name = "left"
    after = ("right",)


class Right(Plugin):
    name = "right"
    after = ("left",)


def plan(*classes: type[Plugin], **settings: Any) -> Plan:
    return of_classes(dict.fromkeys(classes, settings), {})


async def told(whole: Plan) -> dict[str, tuple[Finding, ...]]:
    return {section.about: section.findings for section in await started(whole, 0.2)}


async def test_each_says_what_it_has_to_say() -> None:
    found = await told(plan(Well, Silent))
    assert found == {"plugins": (Finding("running", "well, silent"),), "well": (FINE,)}


@pytest.mark.parametrize(
    "cls, said",
    [
        (Hangs, "has not answered within 0.2 s"),
        (Blocks, "has not answered within 0.2 s"),
        (Raises, "`checkup` failed, and what it would have said is missing: ZeroDivisionError: a number of nothing"),
        (Wordless, "TypeError: checkup must return findings, not Finding"),
        (Odd, "TypeError: checkup must return findings, not Finding"),
    ],
)
async def test_one_that_cannot_say_it_is_a_problem_and_the_others_are_told(cls: type[Plugin], said: str) -> None:
    found = await told(plan(Patient, cls, Well))
    (problem,) = found[cls.name]
    assert (problem.subject, problem.verdict) == ("checkup", "problem")
    assert said in f"{problem.found} {problem.advice}"
    assert found["well"] == found["patient"] == (FINE,)


@pytest.mark.parametrize("required", [False, True])
async def test_a_plugin_that_does_not_start(required: bool) -> None:
    found = await told(plan(Broken, Well, required=required))
    assert found["plugins"] == (
        Finding("running", "well"),
        Finding("broken", "does not run", "problem", "ValueError: no licence file"),
    )
    assert found["well"] == (FINE,)


async def test_plugins_that_cannot_run_together() -> None:
    problems = [one for one in (await told(plan(Left, Right)))["plugins"] if one.verdict == "problem"]
    assert problems
    assert all("cycle: left -> right -> left" in one.advice for one in problems)


async def test_a_cancelled_look_ends() -> None:
    with anyio.move_on_after(0.05) as scope:
        await started(plan(Hangs), 60)
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    "files, variables, said",
    [
        ({"settings/galvo.toml": "[kernel\n"}, {}, "settings/galvo.toml: "),
        ({"settings/galvo.toml": "[kernel]\nfault = 1\n"}, {}, "[kernel] has no key 'fault'; did you mean 'faults'?"),
        ({}, {"GALVO_KERNL__FAULTS": "1"}, "GALVO_KERNL__FAULTS: no plugin 'kernl'; did you mean 'kernel'?"),
        ({}, {"GALVO_ENV": "nowhere"}, "nowhere.toml, which does not exist"),
        ({"entrypoints.toml": "[[plugin]]\n"}, {}, "entrypoints.toml: "),
    ],
)
async def test_settings_that_cannot_be_used(
    files: dict[str, str], variables: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"entrypoints.toml": "", **files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    sections = {section.about: section.findings for section in await examine(tmp_path)}
    assert list(sections) == ["versions", "settings", "limits"], "nothing can be started, the rest is told"
    assert any(said in one.advice for one in sections["settings"] if one.verdict == "problem")


async def test_variables_are_named_and_their_values_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "entrypoints.toml").write_text("")
    monkeypatch.setenv("GALVO_KERNEL__FAULTS", "31415")
    sections = await examine(tmp_path)
    text = "\n".join(command.shown(sections))
    assert "GALVO_KERNEL__FAULTS" in text
    assert "31415" not in text
    assert sections[-1].about == "limits", "without plugins there is nothing to say of them"


@pytest.mark.parametrize(
    "text, found, expected",
    [("max 100000", "", "ok"), ("50000 100000", "and of their time 0.5", "advice"), ("", "", "ok"), (None, "", "ok")],
)
def test_a_share_of_the_cpus(
    text: str | None, found: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "QUOTA", tmp_path / "cpu.max")
    if text is not None:
        (tmp_path / "cpu.max").write_text(text)
    (cpus,) = [one for one in surroundings.limits() if one.subject == "CPUs"]
    assert found in cpus.found
    assert cpus.verdict == expected


@pytest.mark.parametrize("soft, expected", [(100, "problem"), (512, "advice"), (4096, "ok")])
def test_open_files(soft: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, 4096))
    (files,) = [one for one in surroundings.limits() if one.subject == "open files"]
    assert files.verdict == expected
    assert ("ulimit -n 1024 (hard limit: 4096)" in files.advice) is (expected != "ok")


@pytest.mark.parametrize("verdict, code", [("ok", 0), ("advice", 0), ("problem", 1)])
def test_exit_code_and_eighty_columns(
    verdict: Any, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = Finding(
        "a subject that is rather long", 'an index "\x1b[31m\x07" ' + "word " * 40, verdict, "change\nthis " * 20
    )
    run: Callable[..., list[Section]] = lambda *_: [Section("mine", (finding,))]  # noqa: E731  # in place of a look
    monkeypatch.setattr(anyio, "run", run)
    monkeypatch.setattr(command.logging, "disable", lambda: None)
    from galvo.cli import main

    assert main(["doctor"]) == code
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert 'an index "?[31m?"' in shown
    assert f"  {verdict:8} a subject that is rather long\n" in shown
    assert main(["doctor", "--json"]) == code
    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["counts"][verdict]) == (code == 0, 1)
    assert said["sections"][0]["findings"][0]["subject"] == "a subject that is rather long"
