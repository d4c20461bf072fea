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
LIBRARY: Final = "kernel_under_test.so"
PLUGINS: Final = ("_hypothesis_pytestplugin", "pytest_timeout")
"""The plug-ins that the kernel's tests need; to load all that are installed takes as long as some of the tests."""

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
    library = folder / LIBRARY
    hatch_build.compile_kernel(sources, library, flags, str(folder))
    return library


def compiled_objects(folder: Path, flags: Sequence[str]) -> Path:
    """Compile each C file of the kernel into an object file of its name."""
    for source in SOURCES.glob("*.c"):
        run_compiler(*flags, "-c", str(source), "-o", str(folder / f"{source.stem}.o"))
    return folder


def linked(sources: Path, changed: str, objects: Path, folder: Path, flags: Sequence[str]) -> Path:
    """Compile the changed file of a folder of sources (a header: all files) and link it with the other object files."""
    files = [path for path in sources.glob("*.c") if path.name == changed or changed.endswith(".h")]
    unchanged = [objects / f"{path.stem}.o" for path in sources.glob("*.c") if path not in files]
    library = folder / LIBRARY
    run_compiler(*flags, *map(str, files + unchanged), "-o", str(library), *hatch_build.NO_LIBM)
    return library


def run_compiler(*arguments: str) -> None:
    """Run the compiler as the build hook does."""
    command = [*hatch_build.compiler(), *hatch_build.FLAGS, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def run_tests(
    library: Path, tests: str, environment: Mapping[str, str], seconds: int, *more_options: str
) -> subprocess.CompletedProcess[str]:
    """Run the kernel's tests in these files against a library; the first failure ends them."""
    # a sanitizer ends the process: what pytest has captured until then would be lost
    options = ["-x", "-q", "--capture=no", "-p", "no:cacheprovider", *more_options]
    plugins = [f"-p{name}" for name in PLUGINS]
    command = [sys.executable, "-m", "pytest", *plugins, *options]
    # a failing example is not worth its place among those that the next run of the real kernel tries first
    settings = (
        os.environ
        | environment
        | {
            "HYPOTHESIS_STORAGE_DIRECTORY": str(library.parent / "hypothesis"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
    )
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
