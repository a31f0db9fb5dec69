from __future__ import annotations

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

from galvo_tasks.scaling.tree import Tree, Use, family

MIB = 1 << 20


def hold(pipe: Connection) -> None:
    held = []
    while size := pipe.recv():
        held.append(bytearray(os.urandom(4096)) * (size // 4096))
        pipe.send(len(held))


def test_what_a_child_has_for_itself() -> None:
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=hold, args=(there,))
    child.start()
    assert child.pid is not None
    try:
        tree = Tree()
        before = tree.look([child.pid])[child.pid].own
        here.send(100 * MIB)
        here.recv()
        after = tree.look([child.pid])[child.pid]
        assert before < 50 * MIB  # it shares the rest with this process
        assert 95 * MIB < after.own - before < 105 * MIB
        assert after.peak >= after.own
        assert child.pid in family([os.getpid()])
    finally:
        here.send(0)
        child.join()
    assert tree.look([child.pid]) == {}
    here.close()
    there.close()


def test_what_is_shared_is_asked_anew_now_and_then(tmp_path: Path) -> None:
    process = tmp_path / "7"
    (process / "task").mkdir(parents=True)
    (process / "status").write_text("VmHWM:\t  300 kB\nVmRSS:\t  200 kB\n")
    now = [0.0]
    tree = Tree(tmp_path, lambda: now[0])
    found = []
    for shared, at in ((50, 0), (80, 1), (80, 31)):
        (process / "smaps_rollup").write_text(f"Rss: 200 kB\nPrivate_Clean: 10 kB\nPrivate_Dirty: {190 - shared} kB\n")
        now[0] = at
        found.append(tree.look([7])[7])
    assert found == [Use(150 << 10, 250 << 10)] * 2 + [Use(120 << 10, 220 << 10)]
