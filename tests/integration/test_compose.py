"""docker-compose.yaml: what its services run is there, and nothing of it is open to a network."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.cli import environment

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    return found


def test_ports_are_open_to_this_machine_alone(services) -> None:
    ports = [port for each in services.values() for port in each.get("ports", ())]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_services_of_the_image_cannot_write_beside_their_volume(services) -> None:
    ours = {name: each for name, each in services.items() if each["image"] == "pulse"}
    assert set(ours) == {"scheduler", "worker", "bucket", "train"}
    for each in ours.values():
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
        assert [volume.rpartition(":")[2] for volume in each["volumes"]] == ["/work"]


def test_the_bucket_is_made_once_and_then_let_be(services, seaweedfs_server) -> None:
    _, *words = services["bucket"]["command"]
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, *words], env=environment(**seaweedfs_server.environment), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert "results" in {each["Name"] for each in seaweedfs_server.client().list_buckets()["Buckets"]}


def test_the_training_is_one_that_pulse_understands(services, tmp_path) -> None:
    words = [*services["train"]["command"][1:], "--dry-run"]
    done = subprocess.run(
        [sys.executable, "-m", "pulse_entrypoints", *words],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, shlex.join(words) + done.stderr.decode()
