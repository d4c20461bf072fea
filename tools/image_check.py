"""`make image-check`: builds the image, runs it as AWS Batch would, and sees it die as PID 1 should.

The container runs as the image's user on a read-only root, with its entry point as PID 1. Needs root, and of Debian
buildah and debootstrap.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from tools.image_build import IMAGE, ImageFault, build, buildah

INTERRUPTED: Final = 75
MOST_SECONDS: Final = 25
JOB: Final = {"AWS_BATCH_JOB_ID": "image-check", "AWS_BATCH_JOB_ATTEMPT": "1"}

OWN_FORECASTER: Final = """
import pathlib, time

class Waiting:
    def forecast(self, history, horizon):
        pathlib.Path("waiting").touch()
        time.sleep(60)
        return [history[-1]] * horizon
"""
_MOUNTS: Final = f"""
mount --bind "$ROOT" "$ROOT"
mount -o remount,bind,ro "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs -o "uid=$OWNER,gid=$GROUP" tmpfs "$ROOT$WORK"
cat > "$ROOT$WORK/own.py" <<'END'
{OWN_FORECASTER}
END
exec "$@"
"""

Found = TypeVar("Found")


def main() -> int:
    """Build the image and put it through every check; return the exit status."""
    started = time.monotonic()
    try:
        build()
        with mounted() as container:
            for check in (holds_nothing_that_it_should_not, runs_the_sample, ends_with_75_on_sigterm):
                check(container)
                print(f"image-check: it {check.__name__.replace('_', ' ')}")
    except (ImageFault, subprocess.CalledProcessError) as error:
        print(f"image-check: failed: {error}", file=sys.stderr)
        return 1
    print(f"image-check: all well after {time.monotonic() - started:.0f} s")
    return 0


@attrs.frozen
class Container:
    """The image's files, mounted, and what it says of how to be run."""

    root: Path
    config: Mapping[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the image sets."""
        return dict(pair.split("=", 1) for pair in self.config["Env"])

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the entry point as PID 1 of a namespace of its own, as the image's user, on a read-only root."""
        user, _, group = self.config["User"].partition(":")
        folder = self.config["WorkingDir"]
        variables = [f"{name}={value}" for name, value in (self.environment | JOB).items()]
        inside = ["env", "--ignore-environment", f"--chdir={folder}", *variables, *self.config["Entrypoint"]]
        chroot = ["chroot", f"--userspec={user}:{group}", str(self.root), *inside, *arguments]
        space = ["unshare", "--pid", "--fork", "--mount", "--kill-child", "bash", "-ec", _MOUNTS, "mounts"]
        outside = {"PATH": os.environ["PATH"], "ROOT": str(self.root), "WORK": folder, "OWNER": user, "GROUP": group}
        piped = subprocess.PIPE
        return subprocess.Popen([*space, *chroot], env=outside, stdout=piped, stderr=piped, text=True)

    def work(self, first: int) -> Path:
        """Return the working directory of a started container, which only its own namespace has."""
        return Path(f"/proc/{first}/root{self.config['WorkingDir']}")


@contextmanager
def mounted() -> Iterator[Container]:
    """Mount the image's files and take them away again."""
    name = buildah("from", "--pull-never", IMAGE).strip()
    try:
        root = Path(buildah("mount", name).strip())
        yield Container(root, json.loads(buildah("inspect", "--type=container", name))["OCIv1"]["config"])
    finally:
        buildah("rm", name)


def holds_nothing_that_it_should_not(container: Container) -> None:
    """Check that no pip, no credentials, no tests and no root are in what runs. Raises ImageFault."""
    python = container.root / "opt/pulse"
    for pattern in ("site-packages/pip", "site-packages/hatchling", "site-packages/tests", ".aws"):
        if list(python.rglob(pattern)) or list((container.root / "work").rglob(pattern)):
            raise ImageFault(f"{pattern} is in the image")
    if container.config["User"].split(":")[0] in {"", "0", "root"}:
        raise ImageFault("the image runs as root")
    secrets = [name for name in container.environment if re.search("KEY|SECRET|TOKEN|PASSWORD", name)]
    if secrets:
        raise ImageFault(f"variables of the image that look like credentials: {secrets}")


def runs_the_sample(container: Container) -> None:
    """Check that a job on the sample ends with 0 and has published. Raises ImageFault."""
    message = ["--data", "sample", "--variables", "spx_close", "--start-date", "2018-01-01"]
    process = container.start("pulse-batch", *message)
    out, err = process.communicate(timeout=300)
    events = [json.loads(line) for line in out.splitlines()] if process.returncode == 0 else []
    if not events or events[-1]["event"] != "run_finished" or events[-1]["job"] != JOB["AWS_BATCH_JOB_ID"]:
        raise ImageFault(f"the sample ended with {process.returncode}: {out}{err}")


def ends_with_75_on_sigterm(container: Container) -> None:
    """Check that SIGTERM to PID 1 ends a run in order, and soon enough. Raises ImageFault."""
    process = container.start("pulse-batch", "--data", "sample", "--forecasters", "own:Waiting", "naive")
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        first = int(once(lambda: children.read_text().split(), process)[0])
        once((container.work(first) / "waiting").exists, process)
        told = time.monotonic()
        os.kill(first, signal.SIGTERM)
        out, err = process.communicate(timeout=2 * MOST_SECONDS)
        seconds = time.monotonic() - told
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    if process.returncode != INTERRUPTED or seconds > MOST_SECONDS:
        raise ImageFault(f"SIGTERM ended it with {process.returncode} after {seconds:.1f} s: {out}{err}")


def once(look: Callable[[], Found], process: subprocess.Popen[str]) -> Found:
    """Return what is seen as soon as it is something. Raises ImageFault where the process ends, or after a minute."""
    for _ in range(1200):
        seen = look()
        if seen:
            return seen
        if process.poll() is not None:
            raise ImageFault(f"it ended with {process.returncode}: {process.communicate()}")
        time.sleep(0.05)
    raise ImageFault("nothing was seen of it for a minute")


if __name__ == "__main__":
    sys.exit(main())
