"""How many cores may be used, from the files of the kernel."""

from __future__ import annotations

import os

import pytest

from pulse_adapters.backends.host.cores import cpu_quota, parse_v1_limit, parse_v2_limit, usable_cores
from tests.unit.backends.machine import V1_CPU_MOUNT, V2_MOUNT, machine


@pytest.mark.parametrize(
    ("text", "cores"), [("max 100000\n", None), ("max", None), ("150000 100000\n", 1.5), ("50000", 0.5)]
)
def test_a_v2_limit_is_quota_over_period(text, cores):
    assert parse_v2_limit(text) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1\n", None), ("200000\n", 2.0)])
def test_a_v1_limit_is_quota_over_period(quota, cores):
    assert parse_v1_limit(quota, "100000\n") == cores


def test_in_a_container_the_group_is_the_mounted_root(tmp_path):
    root = machine(tmp_path, V2_MOUNT.format(root="/"), "0::/\n", {"sys/fs/cgroup/cpu.max": "250000 100000\n"})
    assert cpu_quota(root) == 2.5


def test_a_group_above_may_limit_more_than_the_own(tmp_path):
    files = {
        "sys/fs/cgroup/system.slice/job.service/cpu.max": "max 100000\n",
        "sys/fs/cgroup/system.slice/cpu.max": "100000 100000\n",
    }
    root = machine(tmp_path, V2_MOUNT.format(root="/"), "0::/system.slice/job.service\n", files)
    assert cpu_quota(root) == 1.0


def test_where_v1_shows_the_hosts_names_the_mounts_root_is_taken_off(tmp_path):
    folder = "sys/fs/cgroup/cpu,cpuacct/worker/"
    files = {folder + "cpu.cfs_quota_us": "300000\n", folder + "cpu.cfs_period_us": "100000\n"}
    root = machine(tmp_path, V1_CPU_MOUNT.format(root="/docker/x"), "1:cpu,cpuacct:/docker/x/worker\n", files)
    assert cpu_quota(root) == 3.0


def test_without_a_limit_there_is_no_quota(tmp_path):
    root = machine(tmp_path, V2_MOUNT.format(root="/"), "0::/\n", {"sys/fs/cgroup/cpu.max": "max 100000\n"})
    assert cpu_quota(root) is None


def test_without_proc_there_is_no_quota(tmp_path):
    assert cpu_quota(tmp_path) is None


def test_a_quota_is_rounded_up_and_never_below_one(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    limit = tmp_path / "sys/fs/cgroup/cpu.max"
    root = machine(tmp_path, V2_MOUNT.format(root="/"), "0::/\n", {"sys/fs/cgroup/cpu.max": "150000 100000"})
    assert usable_cores(root) == 2
    limit.write_text("10000 100000")
    assert usable_cores(root) == 1


def test_affinity_limits_what_a_quota_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5})
    root = machine(tmp_path, V2_MOUNT.format(root="/"), "0::/\n", {"sys/fs/cgroup/cpu.max": "900000 100000"})
    assert usable_cores(root) == 2


def test_this_machine_has_a_core():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
