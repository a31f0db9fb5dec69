"""The limit that counts, whatever control groups there are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from galvo_memory.signals import Bound, Sample, Sampler
from tests.plugins.memory.signals.trees import MIB, V1, V2, Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def sample(tree: Tree, limit: int | None = None) -> Sample:
    """Without problems."""
    sampler = Sampler(tree.paths, limit=limit)
    found = sampler.sample()
    assert sampler.problems == []
    sampler.close()
    return found


def bound(found: Sample) -> tuple[str, int, int]:
    return Path(found.bound).name, (found.limit or 0) // MIB, found.used // MIB


def test_version_2(tree: Tree) -> None:
    tree.mount(V2)
    tree.member("0::/system.slice/shop.service")
    tree.v2("system.slice/shop.service", current=300, most=512, cache=50)
    found = sample(tree)
    assert bound(found) == ("shop.service", 512, 250), "cache that can be taken back at once is not used"
    assert (found.rss, found.psi_some10, found.fullest) == (100 * MIB, 0.0, None)
    assert found.blocks > 1000


def test_version_2_high_is_a_limit_too(tree: Tree) -> None:
    tree.mount(V2)
    tree.member("0::/shop")
    tree.v2("shop", current=300, most=None, high=400)
    assert bound(sample(tree)) == ("shop", 400, 300)
    tree.v2("shop", current=300, most=350, high=400)
    assert bound(sample(tree)) == ("shop", 350, 300)


def test_version_1(tree: Tree) -> None:
    tree.mount(V1)
    tree.member("9:name=systemd:/x", "4:cpu,memory:/docker/abc", "0::/")
    tree.v1("docker/abc", usage=200, limit=256, cache=20)
    assert bound(sample(tree)) == ("abc", 256, 180)


def test_hybrid_takes_the_version_that_has_the_controller(tree: Tree) -> None:
    """As on a systemd of years ago: version 2 is mounted for names, version 1 for limits."""
    unified = tree.folder / "unified"
    unified.mkdir()
    tree.mount(V2.replace("{at}", str(unified)), V1)
    tree.member("4:memory:/a", "0::/b")
    tree.v1("a", usage=10, limit=256)
    assert bound(sample(tree)) == ("a", 256, 10)


def test_no_limit(tree: Tree) -> None:
    tree.mount(V1)
    tree.member("4:memory:/a")
    tree.v1("a", usage=10, limit=None)
    assert bound(sample(tree)) == ("machine", 1000, 400)
    tree.mount(V2)
    tree.member("0::/b")
    tree.v2("b", current=10, most=None)
    assert bound(sample(tree)) == ("machine", 1000, 400)


def test_nested_groups_the_smallest_is_the_limit(tree: Tree) -> None:
    tree.mount(V2)
    tree.member("0::/slice/service/worker")
    tree.v2("slice", current=100, most=600)
    tree.v2("slice/service", current=90, most=300)
    tree.v2("slice/service/worker", current=50, most=None)
    assert bound(sample(tree)) == ("service", 300, 90)


def test_nested_groups_the_fullest_is_told_apart(tree: Tree) -> None:
    """Its siblings have nearly filled the slice, though this service is far from its own limit."""
    tree.mount(V2)
    tree.member("0::/slice/service")
    tree.v2("slice", current=580, most=600)
    tree.v2("slice/service", current=90, most=300)
    found = sample(tree)
    assert bound(found) == ("service", 300, 90)
    assert found.tight == Bound(str(tree.at / "slice"), 600 * MIB, 580 * MIB)


def test_groups_without_the_controller_are_passed(tree: Tree) -> None:
    """A user's session has a group of its own, in which nobody counts memory."""
    tree.mount(V2)
    tree.member("0::/user/session")
    (tree.at / "user" / "session").mkdir(parents=True)
    tree.v2("user", current=120, most=200)
    assert bound(sample(tree)) == ("user", 200, 120)


def test_in_a_container_with_a_namespace(tree: Tree) -> None:
    """The container's group is the root of what it sees; only version 1 tells of a limit outside."""
    tree.mount(V2, root="/")
    tree.member("0::/")
    tree.v2(".", current=120, most=200)
    assert bound(sample(tree))[1:] == (200, 120)
    tree.mount(V1, root="/")
    tree.member("4:memory:/")
    tree.v1(".", usage=120, limit=None, whole=150)
    assert bound(sample(tree))[1:] == (150, 120)


def test_in_a_container_without_a_namespace(tree: Tree) -> None:
    """It knows its group by the host's name, and sees it alone."""
    tree.mount(V1, root="/docker/abc")
    tree.member("4:memory:/docker/abc")
    tree.v1(".", usage=120, limit=200)
    assert bound(sample(tree))[1:] == (200, 120)
    tree.member("4:memory:/docker/abc/job")
    tree.v1("job", usage=20, limit=50)
    assert bound(sample(tree)) == ("job", 50, 20)


def test_a_group_outside_of_the_namespace(tree: Tree) -> None:
    tree.mount(V2)
    tree.member("0::/../elsewhere")
    tree.v2(".", current=120, most=200)
    assert bound(sample(tree))[1:] == (200, 120)


def test_the_smallest_of_three(tree: Tree) -> None:
    assert bound(sample(tree)) == ("machine", 1000, 400)
    assert bound(sample(tree, limit=800 * MIB)) == ("[memory] limit", 800, 100)
    tree.mount(V2)
    tree.member("0::/shop")
    tree.v2("shop", current=300, most=512)
    assert bound(sample(tree, limit=800 * MIB)) == ("shop", 512, 300)
    assert bound(sample(tree, limit=256 * MIB)) == ("[memory] limit", 256, 100)


def test_limits_change_and_processes_move(tree: Tree) -> None:
    tree.mount(V2)
    tree.member("0::/one")
    tree.v2("one", current=100, most=512)
    tree.v2("two", current=200, most=300)
    sampler = Sampler(tree.paths)
    assert bound(sampler.sample()) == ("one", 512, 100)
    tree.v2("one", current=100, most=256)
    assert bound(sampler.sample()) == ("one", 256, 100)
    tree.member("0::/two")
    assert bound(sampler.sample()) == ("two", 300, 200)
    sampler.close()


def test_waiting_is_that_of_the_group(tree: Tree) -> None:
    tree.waiting(7.5)
    assert sample(tree).psi_some10 == 7.5
    tree.mount(V2)
    tree.member("0::/shop")
    tree.v2("shop", current=300, most=512)
    assert sample(tree).psi_some10 == 7.5, "a kernel that has none of the group"
    tree.write(f"{tree.at.name}/shop/memory.pressure", "some avg10=12.25 avg60=0 avg300=0 total=0\n")
    assert sample(tree).psi_some10 == 12.25


def test_this_process_as_it_is() -> None:
    """The machine that the tests run on, whatever it is."""
    sampler = Sampler()
    found = sampler.sample()
    assert 1 * MIB < found.rss < (found.limit or 0)
    assert found.used > 0
    assert 0 <= found.psi_some10 <= 100
    real = int(Path(f"/proc/{os.getpid()}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert abs(real - found.rss) < 16 * MIB
    sampler.close()
