"""`make image-check`: builds the Dockerfile without Docker, runs the image, and sees it die as PID 1 should.

Needs root, and of Debian buildah and debootstrap. The official base image is stood in for by a Debian with Python
made by debootstrap. The wheels are fetched by this machine's pip, with the locked hashes, and handed to the build, which
checks the hashes again. Everything lies in build/image, and what costs time is used again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import attrs

ROOT: Final = Path(__file__).parents[1]
PLACE: Final = ROOT / "build" / "image"
IMAGE: Final = "pulse"
RELEASE: Final = "bookworm"
BASE_HOLDS: Final = "ca-certificates,python3,python3-pip,python3-venv"
LOCKS: Final = ("requirements/run.txt", "requirements/image.txt")
INTERRUPTED: Final = 75

WAITING: Final = """
import pathlib, time

class Waiting:
    def forecast(self, history, horizon):
        pathlib.Path("waiting").touch()
        time.sleep(60)
        return [history[-1]] * horizon
"""


class CheckFailed(Exception):
    """The image is not what it should be."""


def main() -> int:
    """Build the image and put it through every check; return the exit status."""
    started = time.monotonic()
    try:
        needs()
        build()
        with mounted() as container:
            for check in (has_no_tools, runs_the_sample, ends_with_75_on_sigterm):
                check(container)
                print(f"image-check: {check.__name__.replace('_', ' ')}")
    except (CheckFailed, subprocess.CalledProcessError) as error:
        print(f"image-check: failed: {error}", file=sys.stderr)
        return 1
    print(f"image-check: all well after {time.monotonic() - started:.0f} s")
    return 0


def needs() -> None:
    """Refuse to begin where something is missing. Raises CheckFailed."""
    missing = [tool for tool in ("buildah", "debootstrap", "unshare", "chroot", "mount") if shutil.which(tool) is None]
    if missing:
        raise CheckFailed(f"{', '.join(missing)} missing: apt-get install buildah debootstrap")
    if os.geteuid() != 0:
        raise CheckFailed("building without Docker needs root")


def build() -> None:
    """Build the image from the Dockerfile as it is."""
    PLACE.mkdir(parents=True, exist_ok=True)
    base = base_image()
    wheels = fetched_wheels()
    # the build's pip is told of the wheels by a file, so that the Dockerfile need not know of this check
    settings = PLACE / "pip.conf"
    settings.write_text("[global]\nno-index = true\nfind-links = /wheelhouse\n")
    volumes = [f"--volume={wheels}:/wheelhouse:ro", f"--volume={settings}:/etc/pip.conf:ro"]
    revision = f"--build-arg=BASE={base}"
    buildah("bud", "--layers", "--isolation=chroot", "--pull-never", *volumes, revision, f"--tag={IMAGE}", str(ROOT))


def base_image() -> str:
    """Return the name of the base, as the Dockerfile names it, under which a Debian of ours stands."""
    found = re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    if found is None:
        raise CheckFailed("the Dockerfile names no base: expected a line ARG BASE=<image>")
    name = f"localhost/{found[1]}"
    if subprocess.run([*BUILDAH, "inspect", "--type=image", name], capture_output=True, check=False).returncode:
        import_debian(name)
    return name


def import_debian(name: str) -> None:
    """Make a Debian with Python and import it as an image."""
    folder, archive = PLACE / "debian", PLACE / "base" / "base.tar"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(archive.parent, ignore_errors=True)
    archive.parent.mkdir(parents=True)
    run("debootstrap", "--variant=minbase", f"--include={BASE_HOLDS}", RELEASE, str(folder))
    # the official image has no packages either
    run("tar", "--directory", str(folder), "--exclude=./var/cache/apt/archives/*.deb", "--create", "--file", str(archive), ".")
    (archive.parent / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
    buildah("bud", "--isolation=chroot", f"--tag={name}", str(archive.parent))
    shutil.rmtree(folder)
    shutil.rmtree(archive.parent)


def fetched_wheels() -> Path:
    """Return the folder of the wheels that the locks name, which this machine's pip has fetched."""
    locks = "".join((ROOT / lock).read_text() for lock in LOCKS)
    folder = PLACE / f"wheels-{hashlib.sha256(locks.encode()).hexdigest()[:16]}"
    if not folder.exists():
        for old in PLACE.glob("wheels-*"):
            shutil.rmtree(old)
        fetching = PLACE / "wheels-under-way"
        for lock in LOCKS:
            wanted = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--python-version=3.11"]
            pip = [sys.executable, "-m", "pip", "download", "--quiet", *wanted]
            run(*pip, f"--dest={fetching}", f"--requirement={ROOT / lock}")
        fetching.rename(folder)
    return folder


@attrs.frozen
class Container:
    """The image's files, mounted, and what it says of how to be run."""

    root: Path
    config: Mapping[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the image sets."""
        return dict(pair.split("=", 1) for pair in self.config["Env"])

    def start(self, arguments: Sequence[str], **variables: str) -> subprocess.Popen[str]:
        """Start the entry point as PID 1 of a namespace of its own, as the image's user, on a read-only root."""
        user, _, group = self.config["User"].partition(":")
        words = [f"{name}={value}" for name, value in (self.environment | variables).items()]
        inner = ["env", "--ignore-environment", *words, *self.config["Entrypoint"], *arguments]
        chroot = ["chroot", f"--userspec={user}:{group}", str(self.root), *inner]
        mounts = _MOUNTS.format(root=self.root, folder=self.config["WorkingDir"], user=user, group=group)
        # cwd: chroot goes to /; the image's working directory is entered by env
        chroot.insert(chroot.index("env") + 1, f"--chdir={self.config['WorkingDir']}")
        outer = ["unshare", "--pid", "--fork", "--mount", "--kill-child", "bash", "-ec", f'{mounts}\nexec "$@"', "-"]
        return subprocess.Popen([*outer, *chroot], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def work(self, process: subprocess.Popen[str]) -> Path:
        """Return the working directory of a started container, which only its own namespace has."""
        return Path(f"/proc/{inside(process)}/root{self.config['WorkingDir']}")


_MOUNTS: Final = """
mount --bind {root} {root}
mount -o remount,bind,ro {root}
mount -t proc proc {root}/proc
mount --rbind /dev {root}/dev
mount -t tmpfs -o uid={user},gid={group} tmpfs {root}{folder}
cat > {root}{folder}/own.py <<'END'
""" + WAITING + "END\n"


@contextmanager
def mounted() -> Iterator[Container]:
    """Mount the image's files and take them away again."""
    name = buildah("from", "--pull-never", IMAGE).strip()
    try:
        root = Path(buildah("mount", name).strip())
        config = json.loads(buildah("inspect", "--type=container", name))["OCIv1"]["config"]
        yield Container(root, config)
    finally:
        buildah("rm", name)


def has_no_tools(container: Container) -> None:
    """Check that pip, credentials and root are not in what runs. Raises CheckFailed."""
    python = container.root / "opt/pulse"
    if list(python.rglob("site-packages/pip")):
        raise CheckFailed("pip is in the environment that runs")
    if container.config["User"].split(":")[0] in {"", "0", "root"}:
        raise CheckFailed("the image runs as root")
    secret = [name for name in container.environment if re.search("KEY|SECRET|TOKEN|PASSWORD", name)]
    if secret or list(container.root.rglob(".aws")):
        raise CheckFailed(f"credentials in the image: {secret}")


def runs_the_sample(container: Container) -> None:
    """Check that a job on the sample ends with 0 and publishes. Raises CheckFailed."""
    process = container.start(
        ["pulse-batch", "--data", "sample", "--variables", "spx_close", "--start-date", "2018-01-01"],
        AWS_BATCH_JOB_ID="image-check",
        AWS_BATCH_JOB_ATTEMPT="1",
    )
    out, err = process.communicate(timeout=300)
    if process.returncode:
        raise CheckFailed(f"the sample ended with {process.returncode}: {out}{err}")
    finished = json.loads(out.splitlines()[-1])
    if finished["event"] != "run_finished" or finished["job"] != "image-check":
        raise CheckFailed(f"the last event is {finished}")


def ends_with_75_on_sigterm(container: Container) -> None:
    """Check that SIGTERM to PID 1 ends a run in order within 25 s. Raises CheckFailed."""
    process = container.start(
        ["pulse-batch", "--data", "sample", "--forecasters", "own:Waiting", "--benchmark", "own:Waiting"],
        AWS_BATCH_JOB_ID="image-check",
        AWS_BATCH_JOB_ATTEMPT="1",
    )
    try:
        first = inside(process)
        wait_for(container.work(process) / "waiting", process)
        told = time.monotonic()
        os.kill(first, signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        seconds = time.monotonic() - told
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    if process.returncode != INTERRUPTED or seconds > 25:
        raise CheckFailed(f"SIGTERM ended it with {process.returncode} after {seconds:.1f} s: {out}{err}")


def inside(process: subprocess.Popen[str]) -> int:
    """Return the id, out here, of the process that is PID 1 in there."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return int(wait_until(lambda: children.read_text().split(), process)[0])


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait until there is a file."""
    wait_until(path.exists, process)


def wait_until(found: Any, process: subprocess.Popen[str]) -> Any:
    """Return what is found, as soon as it is something. Raises CheckFailed."""
    for _ in range(1200):
        value = found()
        if value:
            return value
        if process.poll() is not None:
            raise CheckFailed(f"it ended with {process.returncode}: {process.communicate()}")
        time.sleep(0.05)
    raise CheckFailed("it did not begin within a minute")


BUILDAH: Final = [
    *("buildah", "--storage-driver=overlay"),
    f"--root={PLACE / 'storage'}",
    f"--runroot={PLACE / 'run'}",
]


def buildah(*arguments: str) -> str:
    """Run buildah on a storage of our own; return what it says. Raises CalledProcessError."""
    return run(*BUILDAH, *arguments)


def run(*command: str) -> str:
    """Run a command, its progress and errors shown; return its output. Raises CalledProcessError."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
