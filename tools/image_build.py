"""Builds the Dockerfile without Docker: buildah, on a Debian made by debootstrap in place of the official base.

The wheels are fetched by this machine's pip, with the locked hashes, and handed to the build, which checks the hashes
again. Everything lies in build/image, and what costs time is used again.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PLACE: Final = ROOT / "build" / "image"
IMAGE: Final = "pulse"
RELEASE: Final = "bookworm"
BASE_HOLDS: Final = "ca-certificates,python3,python3-pip,python3-venv"
LOCKS: Final = ("requirements/run.txt", "requirements/image.txt", "requirements/compiler.txt")
TOOLS: Final = ("buildah", "debootstrap", "unshare", "chroot", "mount")
BUILDAH: Final = ("buildah", "--storage-driver=overlay", f"--root={PLACE / 'storage'}", f"--runroot={PLACE / 'run'}")


class ImageFault(Exception):
    """The image cannot be built here, or is not what it should be."""


def build() -> None:
    """Build the image from the Dockerfile as it is. Raises ImageFault, CalledProcessError."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise ImageFault(f"{', '.join(missing)} missing: apt-get install buildah debootstrap")
    if os.geteuid() != 0:
        raise ImageFault("building without Docker needs root")
    PLACE.mkdir(parents=True, exist_ok=True)
    base, wheels = base_image(), fetched_wheels()
    # the build's pip is told of the wheels by a file, so that the Dockerfile need not know of them
    settings = PLACE / "pip.conf"
    settings.write_text("[global]\nno-index = true\nfind-links = /wheelhouse\n")
    volumes = [f"--volume={wheels}:/wheelhouse:ro", f"--volume={settings}:/etc/pip.conf:ro"]
    how = ["--format=docker", "--layers", "--isolation=chroot", "--pull-never"]
    buildah("bud", *how, *volumes, f"--build-arg=BASE={base}", f"--tag={IMAGE}", str(ROOT))


def base_image() -> str:
    """Return the name of the base, as the Dockerfile names it, under which a Debian of ours stands."""
    found = re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    if found is None:
        raise ImageFault("the Dockerfile names no base: expected a line ARG BASE=<image>")
    name = f"localhost/{found[1]}"
    if subprocess.run([*BUILDAH, "inspect", "--type=image", name], capture_output=True, check=False).returncode:
        import_debian(name)
    return name


def import_debian(name: str) -> None:
    """Make a Debian with Python and import it as an image."""
    folder, context = PLACE / "debian", PLACE / "base"
    for old in (folder, context):
        shutil.rmtree(old, ignore_errors=True)
    context.mkdir()
    run("debootstrap", "--variant=minbase", f"--include={BASE_HOLDS}", RELEASE, str(folder))
    packages = "--exclude=./var/cache/apt/archives/*.deb"
    run("tar", f"--directory={folder}", packages, "--create", f"--file={context / 'base.tar'}", ".")
    (context / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
    buildah("bud", "--isolation=chroot", f"--tag={name}", str(context))
    for done in (folder, context):
        shutil.rmtree(done)


def fetched_wheels() -> Path:
    """Return the folder of the wheels that the locks name, which this machine's pip has fetched."""
    locks = "".join((ROOT / lock).read_text() for lock in LOCKS)
    folder = PLACE / f"wheels-{hashlib.sha256(locks.encode()).hexdigest()[:16]}"
    if not folder.exists():
        for old in PLACE.glob("wheels-*"):
            shutil.rmtree(old)
        fetching = PLACE / "wheels-under-way"
        wanted = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--python-version=3.11"]
        for lock in LOCKS:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", *wanted]
            run(*pip, f"--dest={fetching}", f"--requirement={ROOT / lock}")
        fetching.rename(folder)
    return folder


def buildah(*arguments: str) -> str:
    """Run buildah on a storage of our own; return what it says. Raises CalledProcessError."""
    return run(*BUILDAH, *arguments)


def run(*command: str) -> str:
    """Run a command, its progress and errors shown; return its output. Raises CalledProcessError."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
