"""Faults put into the kernel, each of which the kernel's tests must notice."""

from __future__ import annotations

import subprocess

import pytest

from tests.kernel.builds import FAILED, compiled, mutated, run_tests
from tests.kernel.special_mutations import SPECIAL

MUTATIONS = SPECIAL
QUICK = ("-O1", "-Wno-error")
SECONDS = 300


@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_fault_is_noticed(mutation, tmp_path):
    library = compiled(mutated(mutation, tmp_path), tmp_path, QUICK)
    try:
        run = run_tests(library, mutation.tests, {}, SECONDS)
    except subprocess.TimeoutExpired:
        return  # a loop that does not end is noticed
    crashed = run.returncode < 0
    assert run.returncode == FAILED or crashed, f"pytest ended with {run.returncode}: {run.stdout}{run.stderr}"
