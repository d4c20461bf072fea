"""Where a process's control groups are, from the files of the kernel."""

from __future__ import annotations

from pathlib import PurePosixPath

from pulse_adapters.backends.host.control_groups import Mount, group_folders, parse_groups, parse_mounts
from tests.unit.backends.machine import OTHER_MOUNTS, V1_CPU_MOUNT, V1_MEMORY_MOUNT, V2_MOUNT, machine

GROUPS = "9:name=systemd:/init\n4:memory:/m\n3:cpuset:/s\n1:cpuacct,cpu:/docker/a:b\n0::/user.slice\n"


def test_groups_are_those_of_v2_and_of_the_controller():
    assert parse_groups(GROUPS, "cpu") == {1: PurePosixPath("/docker/a:b"), 2: PurePosixPath("/user.slice")}
    assert parse_groups(GROUPS, "memory") == {1: PurePosixPath("/m"), 2: PurePosixPath("/user.slice")}


def test_mounts_without_the_controller_are_left_out():
    text = OTHER_MOUNTS + V1_CPU_MOUNT.format(root="/docker/x") + V1_MEMORY_MOUNT.format(root="/")
    v2 = Mount(2, PurePosixPath("/"), PurePosixPath("/sys/fs/cgroup"))
    assert parse_mounts(text + V2_MOUNT.format(root="/"), "cpu") == [
        Mount(1, PurePosixPath("/docker/x"), PurePosixPath("/sys/fs/cgroup/cpu,cpuacct")),
        v2,
    ]
    assert parse_mounts(text + V2_MOUNT.format(root="/"), "memory") == [
        Mount(1, PurePosixPath("/"), PurePosixPath("/sys/fs/cgroup/memory")),
        v2,
    ]


def test_a_blank_in_a_mount_point_is_unescaped():
    (mount,) = parse_mounts("35 24 0:30 / /my\\040groups rw - cgroup2 cgroup2 rw\n", "cpu")
    assert mount.point == PurePosixPath("/my groups")


def test_the_groups_of_another_process_are_found_by_its_number(tmp_path):
    root = machine(tmp_path, V2_MOUNT.format(root="/"), "0::/mine\n", {"proc/7/cgroup": "0::/work/its\n"})
    top = tmp_path / "sys/fs/cgroup"
    assert group_folders("memory", 7, root) == [(2, [top / "work/its", top / "work", top])]


def test_a_process_that_is_gone_has_no_groups(tmp_path):
    assert group_folders("memory", 7, machine(tmp_path, V2_MOUNT.format(root="/"), "0::/\n", {})) == []
