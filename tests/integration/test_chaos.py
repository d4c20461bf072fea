"""A share of `make chaos`: real runs, killed at random moments of a fixed seed, lose nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.campaign import Campaign, Kind, campaign
from tests.chaos.disturbed import started

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

# one of each kind; small disks, which only root can mount, and what waits for a server are left to the benchmark
KINDS: tuple[Kind, ...] = (
    ("processes", "folder", "worker"),
    ("processes", "folder", "parent"),
    ("processes", "folder", "SIGTERM"),
    ("serial", "folder", "SIGHUP"),
    ("serial", "bucket", "SIGINT"),
    ("dask", "folder", "worker"),
    ("dask", "folder", "parent"),
    ("processes", "bucket", "server"),
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Iterator[Campaign]:
    with campaign(tmp_path_factory.mktemp("chaos"), started, seed=7) as opened:
        yield opened


@pytest.mark.parametrize("kind", KINDS, ids=" ".join)
def test_a_disturbed_run_loses_nothing(runs, kind) -> None:
    runs.kinds = {kind: 1}
    _, verdict = runs.run(KINDS.index(kind))
    assert verdict.problems == ()
