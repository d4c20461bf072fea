"""`make chaos` counts what it did, and CI does a share of at least 60 kills and faults."""

from __future__ import annotations

import json

from tests.chaos.__main__ import counts_of, summary
from tests.integration.test_chaos import KINDS
from tests.integration.test_stopped_writers import LEAST_KILLS, LEAST_STOPS


def test_disturbed_runs_are_counted_with_their_statuses_by_kind():
    runs = [
        {"kind": "serial folder SIGTERM", "statuses": [75, 0], "hit": True, "problems": []},
        {"kind": "serial folder SIGTERM", "statuses": [0], "hit": False, "problems": []},
        {"kind": "dask folder parent", "statuses": [-9, 0], "hit": True, "problems": ["the digest is another"]},
    ]
    counts = counts_of("runs", ["A line for people", *map(json.dumps, runs)])
    assert counts == {
        "disturbed": 3,
        "hit": 2,
        "lost": 1,
        "statuses": {"serial folder SIGTERM": {"75 then 0": 1, "0": 1}, "dask folder parent": {"-9 then 0": 1}},
    }
    lines = list(summary([counts | {"seconds": 5}, {"disturbed": 10, "hit": 10, "lost": 0, "seconds": 2}]))
    assert lines[0].split(maxsplit=3)[3] == "1 x -9 then 0"
    assert lines[-1].startswith("13 kills and faults, 12 of which hit; 0 pairs of runs at once; 1 with anything lost")


def test_stopped_writers_and_pairs_are_counted():
    stopped = [{"writer": "prune", "kills": 7, "problems": []}, {"writer": "attach", "kills": 5, "problems": ["x"]}]
    assert counts_of("kills", list(map(json.dumps, stopped))) == {"disturbed": 12, "hit": 12, "lost": 1}
    pairs = [{"pair": 0, "problems": []}, {"pair": 1, "problems": ["x"]}, {"pairs": 2}]
    assert counts_of("folder", list(map(json.dumps, pairs))) == {"pairs": 2, "lost": 1}


def test_ci_does_60_of_them():
    assert len(KINDS) + sum(LEAST_KILLS.values()) + sum(LEAST_STOPS.values()) >= 60
