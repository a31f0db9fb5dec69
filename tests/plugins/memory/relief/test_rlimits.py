"""The limits that a process has itself: a child's, for nobody gets out of them again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from galvo_memory.signals import Paths, Sampler

MIB = 1 << 20
CHILD = """
import ctypes, json, resource
from galvo_memory.signals import Sampler

LIMIT = 700 << 20
resource.setrlimit(resource.{name}, (LIMIT, resource.RLIM_INFINITY))
sampler = Sampler()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
samples = [sampler.sample()]
blocks = [libc.malloc(60_000) for _ in range(7000)]  # each below the size for which the system is asked
samples.append(sampler.sample())
last = blocks.pop()  # the one above all others, so that nothing is given back
for block in blocks:
    libc.free(block)
samples.append(sampler.sample())
resource.setrlimit(resource.{name}, (samples[1].used * 21 // 20, resource.RLIM_INFINITY))
samples.append(sampler.sample())
print(json.dumps([(sample.bound, sample.limit, sample.used, sample.tight.name) for sample in samples]))
"""


@pytest.mark.parametrize("name", ["RLIMIT_DATA", "RLIMIT_AS"])
def test_a_limit_of_the_process_counts_and_what_can_be_used_again_does_not(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", CHILD.format(name=name)], capture_output=True, text=True, check=True)
    before, full, freed, near = json.loads(done.stdout)
    assert {(sample[0], sample[1]) for sample in (before, full, freed)} == {(name, 700 * MIB)}
    assert full[2] - before[2] == pytest.approx(7000 * 60_000, rel=0.05)
    assert full[3] == name, "the largest share of it is used"
    assert freed[2] < before[2] + 5 * MIB
    assert near[2] - freed[2] == pytest.approx((full[2] - before[2]) / 2, rel=0.05), "no more can be asked for"


def test_without_one_there_is_none() -> None:
    assert not Sampler().sample().bound.startswith("RLIMIT")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    child = (
        "import json, resource, sys; from pathlib import Path; from galvo_memory.signals import *; "
        "resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30)); "
        "sampler = Sampler(Paths(statm=Path(sys.argv[1]))); sampler.sample(); print(json.dumps(sampler.problems))"
    )
    missing = str(tmp_path / "statm")
    done = subprocess.run([sys.executable, "-c", child, missing], capture_output=True, text=True, check=True)
    assert [problem for problem in json.loads(done.stdout) if missing in problem and "limits of the process" in problem]


def test_of_another_process(tmp_path: Path) -> None:
    child = "import resource; resource.setrlimit(resource.RLIMIT_DATA, (1 << 28, 1 << 28)); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        sample = Sampler(Paths.of(other.pid)).sample()
        other.communicate(b"\n")
    assert (sample.bound, sample.limit) == ("RLIMIT_DATA", 1 << 28)
    assert 0 < sample.used < 1 << 28
