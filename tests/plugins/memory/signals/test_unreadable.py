"""Files that are missing, may not be read or say nonsense: one sentence that names the file, and the rest is known."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from galvo_memory.errors import Unreadable
from galvo_memory.signals import Paths, Sampler, files
from tests.plugins.memory.signals.trees import MIB, V1, V2, Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path)
    made.mount(V2)
    made.member("0::/shop")
    made.v2("shop", current=300, most=512)
    return made


def gone(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    """What even root cannot read."""
    path.unlink()
    path.mkdir()


def empty(path: Path) -> None:
    path.write_text("")


def nonsense(path: Path) -> None:
    path.write_bytes(b"\xff\xfe banana 12 x\n")


@pytest.mark.parametrize("spoil", [gone, folder, empty, nonsense])
@pytest.mark.parametrize("name", ["meminfo", "pressure", "mountinfo", "cgroup"])
def test_one_sentence_names_the_file(tree: Tree, name: str, spoil: Callable[[Path], None]) -> None:
    spoil(tree.folder / name)
    sampler = Sampler(tree.paths)
    found = sampler.sample()
    [problem] = sampler.problems
    assert problem.startswith(f"{tree.folder / name} cannot be read (")
    assert found.rss == 100 * MIB
    assert found.limit in (512 * MIB, 1000 * MIB)
    sampler.close()


@pytest.mark.parametrize(
    "name, spoil",
    [
        *(("memory.max", spoil) for spoil in (gone, folder, empty, nonsense)),
        *(("memory.stat", spoil) for spoil in (gone, folder)),  # of an empty one all of the usage counts
    ],
)
def test_a_cgroup_file(tree: Tree, name: str, spoil: Callable[[Path], None]) -> None:
    path = tree.at / "shop" / name
    spoil(path)
    sampler = Sampler(tree.paths)
    assert sampler.sample().bound == "machine"
    [problem] = sampler.problems
    assert problem.startswith(f"{path} cannot be read (")
    assert problem.endswith("this cgroup's limit is not known")
    sampler.close()


def test_a_version_1_group_that_has_vanished(tree: Tree) -> None:
    tree.mount(V1)
    tree.member("4:memory:/gone")
    sampler = Sampler(tree.paths)
    assert sampler.sample().limit == 1000 * MIB
    [problem] = sampler.problems
    assert "memory.limit_in_bytes" in problem
    sampler.close()


def test_problems_end(tree: Tree) -> None:
    sampler = Sampler(tree.paths)
    gone(tree.at / "shop" / "memory.max")
    sampler.sample()
    assert sampler.problems
    tree.v2("shop", current=300, most=512)
    assert sampler.sample().limit == 512 * MIB
    assert sampler.problems == []
    sampler.close()


@pytest.mark.parametrize("spoil", [gone, folder, empty, nonsense])
def test_rss_comes_from_psutil_then(tree: Tree, spoil: Callable[[Path], None]) -> None:
    spoil(tree.folder / "statm")
    sampler = Sampler(tree.paths)
    assert abs(sampler.sample().rss - psutil.Process().memory_info().rss) < 16 * MIB
    assert [str(tree.folder / "statm") in problem for problem in sampler.problems] == [True]
    if not (tree.folder / "statm").is_dir():
        tree.rss(100)
        assert (sampler.sample().rss, sampler.problems) == (100 * MIB, [])
    sampler.close()


def test_no_rss_at_all() -> None:
    """Another process, which has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with pytest.raises(Unreadable, match=f"/proc/{ended.pid}/statm cannot be read"):
        Sampler(Paths.of(ended.pid)).sample()


def test_no_linux(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("statm", "cgroup", "mountinfo", "pressure", "meminfo"):
        gone(tree.folder / name)
    monkeypatch.setattr(sys, "platform", "darwin")
    sampler = Sampler(tree.paths)
    found = sampler.sample()
    assert found.rss > MIB
    assert found.limit == psutil.virtual_memory().total
    [problem] = sampler.problems
    assert problem.startswith("darwin has no /proc: psutil tells of memory")


def test_the_file_stays_open_but_not_over_a_fork() -> None:
    """A forked child that read on would see its parent's memory."""
    sampler = Sampler()
    parent = sampler.rss()
    handle = sampler._resident._handle
    assert sampler.rss() > 0
    assert sampler._resident._handle == handle, "opened once"
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        kept = b"x" * (128 * MIB)
        os.write(write, f"{sampler.rss()} {psutil.Process(os.getpid()).memory_info().rss} {len(kept)}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    told, real, _ = map(int, os.read(read, 100).split())
    assert abs(told - real) < 8 * MIB
    assert abs(told - parent) > 8 * MIB, "the child's differs"
    os.close(read)
    os.close(write)
    sampler.close()


def test_another_process() -> None:
    """Its memory, its group, and none of its Python's numbers."""
    code = "kept = bytearray(80 << 20); kept[::4096] = b'x' * len(kept[::4096]); print('ready', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        sampler = Sampler(Paths.of(child.pid))
        found = sampler.sample()
        assert 80 * MIB < found.rss < 200 * MIB
        assert found.blocks == 0
        assert found.limit
        sampler.close()
        child.communicate(b"\n")


def test_a_group_that_may_not_be_seen(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root all may be seen, so it is said here."""
    stat = Path.stat

    def refused(path: Path, **options: Any) -> Any:
        if "cgroup" in path.parts or "memory" in path.name:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refused)
    sampler = Sampler(tree.paths)
    assert sampler.sample().rss > 0
    assert any("Permission denied" in problem for problem in sampler.problems)


def test_a_list_that_comes_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As mountinfo does."""
    read = os.read
    monkeypatch.setattr(os, "read", lambda handle, size: read(handle, min(size, 4000)))
    (tmp_path / "long").write_text("line\n" * 2000)
    assert files.read(tmp_path / "long") == "line\n" * 2000
