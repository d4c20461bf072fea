"""Faults put into the kernel, each of which the kernel's tests must notice."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.kernel.builds import FAILED, SOURCES, Mutation, compiled, compiled_objects, linked, mutated, run_tests
from tests.kernel.forecaster_mutations import FORECASTERS
from tests.kernel.learning_mutations import LEARNING
from tests.kernel.special_mutations import SPECIAL

MUTATIONS = SPECIAL + FORECASTERS + LEARNING
QUICK = ("-O1", "-Wno-error")
SECONDS = 300
OPTIONS = ("--hypothesis-profile=mutation", "--timeout-method=thread")
"""A loop in the kernel that does not end must end its process: an exception would be raised in the midst of a call."""
Run = subprocess.CompletedProcess[str]


def run_of(mutation: Mutation, objects: Path) -> Run | None:
    """Run the tests that must notice a fault; nothing where they do not come to an end."""
    with TemporaryDirectory(prefix="pulse-mutation-") as name:
        folder = Path(name)
        library = linked(mutated(mutation, folder), mutation.source, objects, folder, QUICK)
        try:
            return run_tests(library, mutation.tests, {}, SECONDS, *OPTIONS)
        except subprocess.TimeoutExpired:
            return None


@pytest.fixture(scope="module")
def runs(request, tmp_path_factory) -> Iterator[dict[Mutation, Future[Run | None]]]:
    """The runs of all faults that are to be tested, as many at a time as there are processors."""
    objects = compiled_objects(tmp_path_factory.mktemp("objects"), QUICK)
    items = [item for item in request.session.items if item.module is request.module]
    mutations = [item.callspec.params["mutation"] for item in items if "mutation" in item.fixturenames]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {mutation: pool.submit(run_of, mutation, objects) for mutation in mutations}
        pool.shutdown(cancel_futures=True)


@pytest.mark.timeout(2 * SECONDS)
def test_without_a_fault_nothing_is_noticed(tmp_path):
    run = run_tests(compiled(SOURCES, tmp_path, QUICK), "test_*.py", {}, SECONDS, *OPTIONS)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_fault_is_noticed(mutation, runs):
    run = runs[mutation].result()
    if run is None:
        return  # a loop that does not end is noticed
    crashed = run.returncode < 0
    assert run.returncode == FAILED or crashed, f"pytest ended with {run.returncode}: {run.stdout}{run.stderr}"
