"""The kernel's tests under AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import hatch_build
from tests.kernel.builds import SOURCES, Mutation, compiled, mutated, run_tests

SANITIZED = (
    "-O1", "-g", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all",
    "-Wl,-z,undefs",
)  # fmt: skip
SECONDS = 900


def runtime(name: str) -> str:
    """The path of a library of the compiler's; the sanitizer's has to be in the process before Python is."""
    command = [*hatch_build.compiler(), f"-print-file-name={name}"]
    path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert Path(path).is_absolute(), f"{hatch_build.compiler()} brings no {name}: use gcc"
    return path


def environment() -> dict[str, str]:
    """Python does not free all it holds at its end; the C++ library is there for what scipy throws."""
    libraries = f"{runtime('libasan.so')} {runtime('libstdc++.so')}"
    return {"LD_PRELOAD": libraries, "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


@pytest.mark.timeout(SECONDS)
def test_the_kernel_reads_and_writes_only_what_is_its_own_and_does_nothing_undefined(tmp_path):
    library = compiled(SOURCES, tmp_path, SANITIZED)
    run = run_tests(library, "test_*.py", environment(), SECONDS)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize(
    ("mutation", "message"),
    [
        (
            Mutation("special.c", "result[i] = special_exp", "result[i + 1] = special_exp", "test_special.py"),
            "AddressSanitizer",
        ),
        (
            Mutation("special.c", "if (x.high > 710.0)", "if (x.high > 1e307)", "test_special.py"),
            "outside the range of representable",
        ),
        (
            Mutation("trust.c", "store(difference + i, d);", "store(difference + i + 2 * width, d);", "test_trust.py"),
            "AddressSanitizer",
        ),
    ],
)
def test_the_sanitizers_bite(tmp_path, mutation, message):
    library = compiled(mutated(mutation, tmp_path), tmp_path, SANITIZED)
    run = run_tests(library, mutation.tests, environment(), SECONDS)
    assert run.returncode != 0
    assert message in run.stdout + run.stderr
