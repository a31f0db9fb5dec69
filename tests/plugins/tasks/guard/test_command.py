"""`galvo tasks dead`, on a list without a worker."""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from galvo_tasks.cli import main
from galvo_tasks.guard.dead import InRedis
from galvo_tasks.guard.entry import entry
from galvo_tasks.guard.letter import Letter
from galvo_tasks.guard.shown import types_of
from galvo_tasks.guard.verdict import MAY_HAVE_RUN
from tests.plugins.tasks.guard.perilous import MODULE, Perilous, perilous

IDS = ("3f2a8c1e-0001", "3f2a8c1e-0002", "9b")


@pytest.fixture(scope="module")
def place(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perilous]:
    with perilous(tmp_path_factory.mktemp("perils"), broker) as those:
        yield those


@pytest.fixture
def those(place: Perilous, monkeypatch: pytest.MonkeyPatch) -> Iterator[Perilous]:
    monkeypatch.chdir(place.stand.folder)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)  # it reads the settings when it is imported
    with place.app.connection_for_write() as connection:
        for queue in place.app.amqp.queues.values():
            queue(connection.default_channel).declare()
            queue(connection.default_channel).purge()
    for number, id in enumerate(IDS):
        text = "ValueError: secret 4711" if number else ""
        place.letters.put(entry(letter(id), f"reason {number}", ValueError("x") if number else None, text))
    yield place
    place.letters.drop()


def letter(id: str, queue: str = "perils.quick") -> Letter:
    return Letter(
        body=json.dumps([["secret", 4711], {"path": "/secret"}, {}]).encode(),
        content_type="application/json",
        content_encoding="utf-8",
        headers={"id": id, "task": f"{MODULE}.once", "lang": "py", "retries": 2, "galvo-lost": 3, "galvo-key": "k"},
        exchange="",
        routing_key=queue,
        priority=5,
    )


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["dead", *words])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_list(those: Perilous, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys)
    head, *lines = said.splitlines()
    assert (code, len(lines)) == (0, 3)
    assert [line.split()[0] for line in lines] == list(IDS)  # whole, since shorter ones are not told apart
    assert max(map(len, said.splitlines())) <= 80
    assert "secret" not in said
    assert head.split() == ["ID", "AGO", "TASK", "WHY"]
    rows = json.loads(run(capsys, "--json")[1])
    assert [(row["id"], row["lost"], row["retries"], row["exception"]) for row in rows] == [
        (IDS[0], 3, 2, None),
        (IDS[1], 3, 2, "ValueError"),
        (IDS[2], 3, 2, "ValueError"),
    ]


def test_arguments_are_shown_when_asked_for(those: Perilous, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "show", IDS[0])[1]
    assert "arguments str of 6, int, path: str of 7" in said
    assert "secret" not in said
    assert max(map(len, said.splitlines())) <= 80
    assert "'secret', 4711, path='/secret'" in run(capsys, "show", IDS[0], "--arguments")[1]
    assert json.loads(run(capsys, "show", "9", "--json")[1])[0]["arguments"] == "str of 6, int, path: str of 7"


def test_an_id_may_be_cut_short(those: Perilous, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "drop", "9") == (0, "1 task dropped\n")
    assert run(capsys, "drop", "9") == (1, "galvo: no task 9 on the dead-letter list: see galvo tasks dead\n")
    code, said = run(capsys, "retry", "3f2a8c1e")
    assert (code, "is the beginning of 2 ids" in said) == (1, True)
    assert those.letters.count() == 2


def test_retry_sends_it_to_its_queue_once_and_forgives(those: Perilous, capsys: pytest.CaptureFixture[str]) -> None:
    before = time.time()
    entries = those.letters.entries()
    assert run(capsys, "retry", "--all") == (0, "3 tasks given to the workers again\n")
    assert those.letters.count() == 0
    if isinstance(those.letters, InRedis):
        those.letters.put(entries[0])  # as if who gave it back had died before it was off the list
        those.letters.retry()
    with closing(those.app.connection_for_read()) as connection:
        channel = connection.default_channel
        taken = [channel.basic_get("perils.quick", no_ack=True) for _ in range(4)]
        found = [channel.message_to_python(one) if not hasattr(one, "headers") else one for one in taken if one]
    assert sorted(one.headers["id"] for one in found) == sorted(IDS)
    for one in found:
        assert (one.headers["galvo-again"], one.headers["retries"]) == (1, 0)
        assert one.headers["galvo-at"] >= before
        assert "galvo-lost" not in one.headers
        assert one.properties["priority"] == 5
    assert run(capsys, "list") == (0, "no task was put aside\n")


def test_what_no_worker_would_get_stays(those: Perilous, capsys: pytest.CaptureFixture[str]) -> None:
    those.letters.put(entry(letter("astray", "no.such.queue"), "why"))
    code, said = run(capsys, "retry", "--all")
    assert (code, said.splitlines()[0]) == (1, "3 tasks given to the workers again")
    assert "galvo: 1 task stays on the dead-letter list: astray: its queue 'no.such.queue'" in said
    assert [one.letter.id for one in those.letters.entries()] == ["astray"]


def test_a_queue_that_is_gone_takes_none(those: Perilous, capsys: pytest.CaptureFixture[str]) -> None:
    """RabbitMQ confirms what it drops; a list of Redis is there once something is in it."""
    if isinstance(those.letters, InRedis):
        return
    with closing(those.app.connection_for_write()) as connection:
        those.app.amqp.queues["perils.quick"](connection.default_channel).delete()
        code, said = run(capsys, "retry", "--all")
    assert (code, said.count("NO_ROUTE")) == (1, len(IDS))
    assert those.letters.count() == len(IDS)


def test_the_same_message_is_on_the_list_once(those: Perilous) -> None:
    those.letters.put(entry(letter(IDS[0]), "again"))
    assert [one.letter.id for one in those.letters.entries()].count(IDS[0]) == 1
    assert len(those.letters.drop([IDS[0]])) == 1
    assert IDS[0] not in [one.letter.id for one in those.letters.entries()]


def test_what_was_called_lost_is_settled(those: Perilous) -> None:
    """Only that, and only of the messages that are asked for."""
    for id in ("x", "y"):
        those.letters.put(entry(letter(id), MAY_HAVE_RUN))
    assert [one.id for one in those.letters.settle({letter(id).key for id in ("x", IDS[0], "none")})] == ["x"]
    assert sorted(one.id for one in those.letters.entries()) == sorted([*IDS, "y"])


@pytest.mark.parametrize("words", ["drop", "retry", "show", "show a b", "drop a --all", "list a"])
def test_wrong_usage(those: Perilous, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(capsys, *words.split())
    assert ended.value.code == 2
    assert those.letters.count() == 3


def test_a_broker_that_is_away_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with perilous(tmp_path, f"unix://{tmp_path}/none.sock"):
        monkeypatch.chdir(tmp_path)
        monkeypatch.delitem(sys.modules, MODULE, raising=False)  # it reads the settings when it is imported
        code, said = run(capsys)
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("galvo: the broker does not answer (")


def test_a_body_that_is_nested_too_deeply_is_told_by_its_size() -> None:
    letter = Letter(b"[" * 100_000, "application/json", "utf-8", {"id": "a"}, "", "q")
    assert types_of(entry(letter, "why")) == "97.7 KiB of application/json"


def forge(those: Perilous, *those_entries: bytes) -> None:
    with those.app.connection_for_write() as connection:
        for number, data in enumerate(those_entries):
            if isinstance(those.letters, InRedis):
                connection.default_channel.client.hset(those.letters.name, number, data)
            else:
                connection.Producer(auto_declare=False).publish(data, routing_key=those.letters.name)


def forged(id: str, *, body: bytes = b"[]", at: float = 1.0, **headers: object) -> bytes:
    letter = {
        "body": base64.b64encode(body).decode(),
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "headers": {"id": id, "task": f"{MODULE}.once", **headers},
        "exchange": "",
        "routing_key": "perils.quick",
    }
    return json.dumps({"letter": letter, "reason": "r", "at": at}).encode()


FORGED = (
    b"not json",
    b"[" * 100_000,
    b"\xff",
    forged("future", at=1e300),
    forged("past", at=-1e300),
    forged("counts", retries="x", **{"galvo-again": "x", "galvo-lost": "x"}),
    forged("high", retries=10**30, **{"galvo-again": -5}),
    forged("deep", body=b"[" * 100_000),
    forged("deeper", body=b"[[" + b"[" * 900 + b"]" * 900 + b"], {}]"),
    forged("packed", compression="nope"),
    forged(""),
)


def test_what_is_forged_is_shown_and_dropped(those: Perilous, capsys: pytest.CaptureFixture[str]) -> None:
    forge(those, *FORGED)
    code, said = run(capsys)
    assert (code, said.count("\n"), said.count("its entry cannot be")) == (0, 4 + len(FORGED), 3)
    assert max(map(len, said.splitlines())) <= 80
    ids = [row["id"] for row in json.loads(run(capsys, "--json")[1])]
    assert len({*ids}) == len(ids) == those.letters.count()
    for id in ids:
        assert run(capsys, "show", id)[0] == run(capsys, "show", id, "--arguments")[0] == 0
        assert run(capsys, "show", id, "--json")[0] == 0
        assert run(capsys, "drop", id) == (0, "1 task dropped\n")
    assert those.letters.count() == 0


def test_what_is_forged_does_not_stop_the_others(those: Perilous, capsys: pytest.CaptureFixture[str]) -> None:
    forge(those, *FORGED)
    code, said = run(capsys, "retry", "--all")
    assert (code, said.splitlines()[0]) == (1, f"{3 + len(FORGED) - 4} tasks given to the workers again")
    assert "4 tasks stay on the dead-letter list" in said
    assert run(capsys, "drop", "--all") == (0, "4 tasks dropped\n")
    assert those.letters.count() == 0


def test_an_empty_word_is_no_id(those: Perilous, capsys: pytest.CaptureFixture[str]) -> None:
    those.letters.drop(IDS[1:])
    with pytest.raises(SystemExit) as ended:
        run(capsys, "drop", "")
    assert ended.value.code == 2
    assert those.letters.count() == 1


def test_ids_that_are_long_or_steer_a_terminal(those: Perilous, capsys: pytest.CaptureFixture[str]) -> None:
    for end in ("a", "b"):
        those.letters.put(entry(letter("x\x1b" * 60 + end), "why"))
    said = run(capsys)[1]
    assert max(map(len, said.splitlines())) <= 80
    for words in (["show", "\x1b"], ["show", "x\x1b"]):
        code, more = run(capsys, *words)
        assert (code, "\x1b" in said + more) == (1, False)
