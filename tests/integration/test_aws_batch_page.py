"""docs/how-to/aws-batch.md is a promise: its commands are run as they are written, in one shell, from top to bottom.

`aws` asks moto, `docker` takes note, and `pulse batch` asks the launcher, whose jobs are real processes on moto's S3.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from tests.integration import stack
from tests.integration.cli import environment
from tests.servers.batch_api import serving
from tests.servers.batch_jobs import Launcher
from tests.servers.dask_cluster import free_port

pytestmark = pytest.mark.integration

PAGE = (stack.ROOT / "docs/how-to/aws-batch.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```shell\n(.*?)```", PAGE, flags=re.DOTALL)
AWS = f'#!/bin/sh\nexec env $FOR_MOTO {sys.executable} -W ignore -m tests.servers.aws_cli "$@"\n'
DOCKER = '#!/bin/sh\necho "$1" >> "$DOCKER_LOG"\n[ "$1" = build ] && test -f Dockerfile || true\n'
PULSE = f'#!/bin/sh\nexec {sys.executable} -m pulse_entrypoints "$@"\n'


@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")
def test_every_command_of_the_page_succeeds_from_an_empty_account_to_a_collected_result(tmp_path, moto_server) -> None:
    for name, text in {"aws": AWS, "docker": DOCKER, "pulse": PULSE}.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    place = tmp_path / "repository"
    place.mkdir()
    for name in ("deploy", "Dockerfile", "tests"):
        (place / name).symlink_to(stack.ROOT / name)
    (tmp_path / "containers").mkdir()
    launcher = Launcher(tmp_path / "containers", environment(**moto_server.environment), node_port=free_port())
    with serving(launcher) as endpoints:
        everywhere = environment(**moto_server.environment, **endpoints)
        only_moto = "".join(f"-u {name} " for name in endpoints)
        variables = everywhere | {
            "PATH": f"{tmp_path / 'bin'}:{everywhere['PATH']}",
            "DOCKER_LOG": str(tmp_path / "docker.log"),
            "FOR_MOTO": f"{only_moto}AWS_ENDPOINT_URL={moto_server.endpoint}",
            "PYTHONWARNINGS": "default",
        }
        script = "set -eu\n" + "\n".join(BLOCKS)
        done = subprocess.run(
            ["bash", "-c", script], cwd=place, env=variables, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr + done.stdout
    assert (tmp_path / "docker.log").read_text().split() == ["build", "login", "push"]
    collected = [json.loads(path.read_text()) for path in (place / "collected").glob("*/result.json")]
    assert [sorted(result["variables"]) for result in collected] == [
        ["baa_yield", "core_cpi", "spx_close", "wti_price"]
    ]


def test_the_page_shows_every_command_of_the_group() -> None:
    from pulse_entrypoints.cli.commands import COMMANDS

    commands = [" ".join(command.words) for command in COMMANDS if command.words[0] == "batch"]
    assert [each for each in commands if f"pulse {each}" not in PAGE and each != "batch run"] == []
