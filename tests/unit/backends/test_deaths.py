"""What is said of a worker process that has died, by what the kernel counts."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from pulse_adapters.backends.host.deaths import BY_MEMORY, MemoryKills, cause_of_death
from tests.unit.backends.machine import V1_MEMORY_MOUNT, V2_MOUNT, machine

MACHINE = {"proc/vmstat": "nr_free_pages 12\noom_kill 37\noom_kill_disable 1\n"}
V1_FOLDER = "sys/fs/cgroup/memory"


def v1(count: int) -> str:
    return f"oom_kill_disable 0\nunder_oom 0\noom_kill {count}\n"


def v2(count: int) -> str:
    return f"low 0\nhigh 12\nmax 340\noom 9\noom_kill {count}\noom_group_kill 1\n"


def kills(count: int, *, machine: bool = False) -> MemoryKills:
    return MemoryKills(Path("counted"), machine, count)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "its process was killed by SIGKILL, most likely because memory ran out"),
        (-11, "its process was killed by SIGSEGV"),
        (-99, "its process was killed by signal 99"),
        (3, "its process ended with exit status 3"),
        (None, "its process ended with exit status unknown"),
    ],
)
def test_a_death_is_put_in_words(code, words):
    assert cause_of_death(code) == words


def test_a_kill_that_was_counted_of_the_group_was_for_want_of_memory():
    assert cause_of_death(-9, kills(4), kills(5)) == "its process was killed because memory ran out"


@pytest.mark.parametrize("machine", [False, True])
def test_a_kill_that_was_not_counted_came_from_outside(machine):
    words = "its process was killed by SIGKILL from outside; memory had not run out"
    assert cause_of_death(-9, kills(4, machine=machine), kills(4, machine=machine)) == words


def test_a_kill_that_was_counted_somewhere_on_the_machine_may_have_been_anothers():
    words = cause_of_death(-9, kills(4, machine=True), kills(5, machine=True))
    assert words.startswith("its process was killed by SIGKILL; meanwhile memory ran out for some process")
    assert words.endswith("which may have been another")
    assert BY_MEMORY not in words


def test_a_group_that_is_gone_tells_nothing():
    assert cause_of_death(-9, kills(4), None) == cause_of_death(-9)


def test_the_kernels_count_changes_nothing_of_another_death():
    assert cause_of_death(-11, kills(4), kills(5)) == "its process was killed by SIGSEGV"


def test_of_v2_the_count_of_the_own_group_is_read(tmp_path):
    files = {"sys/fs/cgroup/work/memory.events": v2(3), "sys/fs/cgroup/memory.events": v2(30), **MACHINE}
    found = MemoryKills.near(root=machine(tmp_path, V2_MOUNT.format(root="/"), "0::/work\n", files))
    assert found == MemoryKills(tmp_path / "sys/fs/cgroup/work/memory.events", machine=False, count=3)


def test_of_v2_a_group_that_does_not_control_memory_is_counted_with_the_one_above(tmp_path):
    files = {"sys/fs/cgroup/work/memory.events": v2(3), **MACHINE}
    found = MemoryKills.near(root=machine(tmp_path, V2_MOUNT.format(root="/"), "0::/work/part\n", files))
    assert found == MemoryKills(tmp_path / "sys/fs/cgroup/work/memory.events", machine=False, count=3)


def test_of_v1_the_count_of_the_own_group_is_read(tmp_path):
    files = {f"{V1_FOLDER}/work/memory.oom_control": v1(3), f"{V1_FOLDER}/memory.oom_control": v1(30), **MACHINE}
    found = MemoryKills.near(root=machine(tmp_path, V1_MEMORY_MOUNT.format(root="/"), "4:memory:/work\n", files))
    assert found == MemoryKills(tmp_path / V1_FOLDER / "work/memory.oom_control", machine=False, count=3)


def test_of_v1_a_group_above_stands_for_no_other_since_it_counts_its_own_alone(tmp_path):
    files = {f"{V1_FOLDER}/memory.oom_control": v1(30), **MACHINE}
    found = MemoryKills.near(root=machine(tmp_path, V1_MEMORY_MOUNT.format(root="/"), "4:memory:/hidden\n", files))
    assert found == MemoryKills(tmp_path / "proc/vmstat", machine=True, count=37)


@pytest.mark.parametrize(
    "files",
    [
        {"sys/fs/cgroup/cgroup.procs": "1\n", **MACHINE},  # the root of v2 counts nothing
        {"sys/fs/cgroup/memory.events": "low 0\nhigh 0\nmax 0\noom 9\n", **MACHINE},  # before Linux 4.13
    ],
)
def test_where_no_group_counts_the_machine_does(tmp_path, files):
    found = MemoryKills.near(root=machine(tmp_path, V2_MOUNT.format(root="/"), "0::/\n", files))
    assert found == MemoryKills(tmp_path / "proc/vmstat", machine=True, count=37)


def test_a_kernel_that_counts_nothing_is_no_error(tmp_path):
    assert MemoryKills.near(root=tmp_path) is None


def test_the_count_is_read_again(tmp_path):
    root = machine(tmp_path, V2_MOUNT.format(root="/"), "0::/\n", {"sys/fs/cgroup/memory.events": v2(3)})
    before = MemoryKills.near(root=root)
    assert before is not None
    before.file.write_text(v2(5))
    now = before.now()
    assert now == attrs.evolve(before, count=5)
    assert now.since(before) == 2
    before.file.unlink()
    assert before.now() is None
