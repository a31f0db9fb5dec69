"""What ends a run before it begins, and what does not end it at all."""

from __future__ import annotations

import json
import re
import tempfile
from importlib import metadata
from pathlib import Path

import msgspec
import pytest

from galvo import GalvoError, cli
from galvo_bench.claims import listed
from galvo_bench.claims.claim import Claim, Found
from galvo_bench.claims.listed import CLAIMS
from galvo_bench.results import store
from galvo_bench.results.model import Values
from galvo_bench.results.store import LAST, load
from galvo_bench.running import disk, subjects
from galvo_bench.running.options import command_of
from galvo_bench.running.stand import Stand
from galvo_bench.running.subjects import GROUPS, SUBJECTS, Subject
from tests.plugins.bench.running.planted import plant


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """In an empty folder, with bad subjects, waiting for no other bench."""
    known = dict(SUBJECTS)
    plant(known)
    monkeypatch.setattr(subjects, "SUBJECTS", known)
    monkeypatch.setattr(subjects, "GROUPS", (*GROUPS, "planted"))
    (folder / "tmp").mkdir(mode=0o711)
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "tmp"))
    monkeypatch.chdir(folder)


def bench(*arguments: str) -> int:
    return cli.main(["bench", *arguments])


def test_a_subject_that_fails_is_a_problem_and_the_run_goes_on(
    server_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No room on a disk says so, and a password is not told."""
    url = server_dsn.replace("postgres@", "postgres:s3cret@", 1)
    names = ("wrong", "full", "server_full", "nothing", "quick")
    assert bench(*names, "--url", url, "--json", "--save", "kept.json") == 1
    out, err = capsys.readouterr()
    run = load(Path("kept.json"))
    assert json.loads(out)["partial"] is True
    assert run.done == ["quick"]
    assert [section.subject for section in run.sections] == ["quick"]
    assert {problem.subject: problem.said for problem in run.problems} == {
        "wrong": "ValueError: who knows ***, and host",
        "full": "a disk is full: [Errno 28] No space left on device",
        "server_full": "a disk is full: could not extend file",
        "nothing": "the benchmark is wrong: nan is no result (Divided: count)",
    }
    assert sorted(run.took) == sorted(run.chosen)
    assert run.machine.postgres
    assert "s3cret" not in f"{out}{err}{run}"


def test_a_run_that_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("quick", "--rounds", "3", "--html", "a/deep/page.html") == 0
    out = capsys.readouterr().out
    assert "Counted" in out
    run = load(LAST)
    assert (run.partial, run.rounds, run.groups) == (False, 3, {"quick": "planted"})
    assert run.command == "galvo bench quick --rounds 3"
    assert Path("a/deep/page.html").is_file()


@pytest.mark.parametrize("words, said", [
    (("fast",), "there is no 'fast'"),
    (("quick", "--rounds", "0"), "'0' is not a number from 1 on"),
    (("quick", "--force"), "--force needs --against"),
])  # fmt: skip
def test_wrong_usage(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench(*words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words, said", [
    (("quick", "--against", "none.json"), r"no run in none\.json: run `galvo bench` first, or name another \(No such"),
    (("quick", "--save", "."), r"cannot write \.: Is a directory"),
    (("quick", "--html", "/dev/null/page.html"), r"cannot write /dev/null/page\.html: /dev/null is not a directory"),
    (("quick", "--url", "postgresql://me:s3cret@127.0.0.1:1/shop"),
     r"no PostgreSQL at postgresql://127\.0\.0\.1:1/shop \(nothing listens there\): change --url, or leave"),
    (("quick", "--url", "postgresql://me:s3cret@/shop?host=/nowhere"), r"no PostgreSQL at postgresql:///nowhere/shop"),
    (("quick", "--url", "postgresql://me:s3cr/et@x/shop"), r"--url must look like postgresql://"),
    (("quick", "--url", "host=x password=s3cret"), r"--url must look like postgresql://"),
    (("quick", "--amqp", "amqp://me:s3cret@127.0.0.1:1/"), r"no RabbitMQ at amqp://127\.0\.0\.1:1/ \(nothing listens"),
    (("quick", "--amqp", "http://me:s3cret@127.0.0.1/"), r"--amqp must look like amqp://"),
])  # fmt: skip
def test_what_cannot_be_is_one_sentence_before_the_run(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.match(f"galvo: {said}.*\n$", err)
    assert "s3c" not in err
    assert not LAST.exists()


def test_too_little_room_is_no_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench("huge") == 1
    said = r"galvo: huge needs 1,000,000,000 MB in .*/\.galvo, where [\d,]+ MB are left: make room, or run it in"
    assert re.match(said, capsys.readouterr().err)


def test_a_run_against_an_earlier_one(capsys: pytest.CaptureFixture[str]) -> None:
    """What was counted must be the same again; of another machine it is refused before anything is measured."""
    base = Path("base.json")
    assert bench("quick", "--save", str(base)) == 0
    assert bench("quick", "--against", str(base)) == 0
    run = load(base)
    fewer = msgspec.structs.replace(run.sections[0], rows=[Values("things", {"count": 1})])
    store.save(base, msgspec.structs.replace(run, sections=[fewer]))
    assert bench("quick", "--against", str(base)) == 1
    assert "\ngalvo: worse: " in capsys.readouterr().err
    LAST.unlink()
    store.save(base, msgspec.structs.replace(run, rounds=7))
    assert bench("quick", "--against", str(base)) == 2
    assert "the number of rounds was 7 and is 11" in capsys.readouterr().err
    assert not LAST.exists()
    assert bench("quick", "--against", str(base), "--force") == 0


def test_the_temporary_folder_needs_room_too() -> None:
    wants = [Subject("little", "", "", disk=1), Subject("much", "", "", disk=20)]
    room = {Path("/"): 21 * disk.MB, Path(tempfile.gettempdir()): 19 * disk.MB}
    disk.must_fit(wants, [Path("/nowhere/deep")], room.__getitem__)
    with pytest.raises(GalvoError, match=r"much needs 20 MB in .*, where 19 MB are left: make room, or set TMPDIR"):
        disk.must_fit(wants, [Path("/nowhere/deep"), Path(tempfile.gettempdir())], room.__getitem__)


def test_a_private_server_that_does_not_start_ends_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """No other subject would do better. What was measured is kept."""
    foreign = Path(".galvo/bench/redis/somebody's")
    foreign.parent.mkdir(parents=True)
    foreign.touch()
    assert bench("quick", "served", "wrong") == 1
    assert re.search(r"\ngalvo: .*/redis holds files that are not galvo's.*\n$", capsys.readouterr().err)
    run = load(LAST)
    assert (run.partial, run.done, run.problems) == (True, ["quick"], [])


def test_results_that_cannot_be_kept_meanwhile_do_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(store, "LAST", Path("/dev/full"))
    assert bench("quick", "--save", "kept.json") == 1
    out, err = capsys.readouterr()
    assert "Counted" in out
    assert err.count("cannot write /dev/full: No space left on device") == 1
    assert load(Path("kept.json")).done == ["quick"]


def test_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Every subject can be imported and says what it measures."""
    assert bench("--list", "--json") == 0
    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert list(told) == list(subjects.SUBJECTS)
    assert [one["name"] for one in told.values() if one["group"] != "planted" and len(one["about"]) < 10] == []
    assert bench("quick", "hit", "--list") == 0
    assert capsys.readouterr().out.split()[:2] == ["kernel", "hit"]


def test_claims_come_with_a_run_where_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A claim that is missed fails the run. No claim is called as a subject is: a run keeps both by name."""

    async def measure(stand: Stand) -> Found:
        return Found(galvo=3, middle=3, low=3, high=3, explains="By hand.", rounds=6)

    assert CLAIMS.keys() & SUBJECTS.keys() == set()
    monkeypatch.setattr(Claim, "measure", lambda _: measure)
    monkeypatch.setattr(listed, "CLAIMS", {"slow": Claim("slow", "Slowness", "", promised=1, relative=False)})
    assert bench("quick", "--claims") == 1
    run = load(LAST)
    assert run.done == run.chosen == ["slow", "quick"]
    assert [claim.verdict for claim in run.claims] == ["missed"]
    assert "Slowness" in capsys.readouterr().out


def test_missing_peers_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    there = metadata.version

    def version(name: str) -> str:
        if name in ("pyvips", "psycopg"):
            raise metadata.PackageNotFoundError
        return there(name)

    monkeypatch.setattr(metadata, "version", version)
    assert bench("quick") == 0
    assert "galvo: not installed: psycopg, pyvips (the extra galvo-bench[peers]" in capsys.readouterr().err


@pytest.mark.parametrize("words, told", [
    ("--url postgresql://me:s3cret@db:5433/shop?sslmode=require", "--url postgresql://db:5433/shop"),
    ("--amqp=amqp://me:s3cret@mq/ hit", "--amqp amqp://mq/ hit"),
    ("hit --url postgresql://me:a/b@db/shop", "hit --url URL"),
    ("hit --json --save /home/me/run.json --rounds 3 --html=page.html", "hit --rounds 3"),
    ("--claims --markdown /home/me/BENCHMARKS.md", "--claims --markdown BENCHMARKS.md"),
    ("hit --against base.json --force", "hit"),
    ("hit --save", "hit"),
])  # fmt: skip
def test_a_command_is_kept_without_passwords_and_paths(words: str, told: str) -> None:
    assert command_of(words.split()) == f"galvo bench {told}"


def test_an_abbreviated_option_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    """What follows it would be kept as it is."""
    with pytest.raises(SystemExit):
        bench("quick", "--ur", "postgresql://me:s3cret@db/shop")


def test_a_report_that_cannot_be_written_costs_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor what is printed."""
    assert bench("quick", "--json", "--save", "/dev/full", "--markdown", "kept.md") == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["done"] == ["quick"]
    assert "cannot write /dev/full: No space left on device" in err
    assert Path("kept.md").is_file()
