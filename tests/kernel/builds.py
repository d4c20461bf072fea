"""Libraries compiled for a test, and the kernel's tests run against them in a process of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

import hatch_build

ROOT: Final = Path(hatch_build.__file__).parent
SOURCES: Final = ROOT / hatch_build.KERNEL
LOADER: Final = "test_bindings.py"
"""What it tests is how the installed library is found."""

TESTS: Final = ROOT / "tests/unit/kernel"
FAILED: Final = 1
"""pytest's exit status where it ran and a test failed."""


@attrs.frozen
class Mutation:
    """One change to the text of a source file, which the kernel's tests in these files (a pattern) must notice."""

    source: str
    before: str
    after: str
    tests: str = "test_*.py"

    def __str__(self) -> str:
        return f"{self.source}: {self.before} -> {self.after}"


def mutated(mutation: Mutation, folder: Path) -> Path:
    """Copy the kernel's sources into a folder and change them. Fails unless the text stands there exactly once."""
    sources = folder / "sources"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    path = sources / mutation.source
    text = path.read_text()
    assert text.count(mutation.before) == 1, f"{mutation} stands {text.count(mutation.before)} times in the source"
    path.write_text(text.replace(mutation.before, mutation.after))
    return sources


def compiled(sources: Path, folder: Path, flags: Sequence[str]) -> Path:
    """Compile the kernel of a folder of sources into another folder."""
    library = folder / "kernel_under_test.so"
    hatch_build.compile_kernel(sources, library, flags, str(folder))
    return library


def run_tests(
    library: Path, tests: str, environment: Mapping[str, str], seconds: int
) -> subprocess.CompletedProcess[str]:
    """Run the kernel's tests in these files against a library; the first failure ends them."""
    # a sanitizer ends the process: what pytest has captured until then would be lost
    options = ["-x", "-q", "--capture=no", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    command = [sys.executable, "-m", "pytest", *options]
    # a failing example is not worth its place among those that the next run of the real kernel tries first
    settings = os.environ | environment | {"HYPOTHESIS_STORAGE_DIRECTORY": str(library.parent / "hypothesis")}
    files = [str(path) for path in sorted(TESTS.glob(tests)) if path.name != LOADER]
    return subprocess.run(
        [*command, *files, f"--kernel-library={library}"],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
