"""The code gives what was recorded, piece by piece and bit by bit: point forecasts and scores since commit 57881d2.

Probabilities, bounds and p-values come from special functions: these pieces agree to 1e-12. The run's digest is not
compared.
"""

from __future__ import annotations

import json
from functools import cache

import attrs
import numpy as np
import pytest

from tests.golden import runs
from tests.golden.differences import SPECIAL_PIECES, Document, differences, distance, near
from tests.golden.runs import DIGESTS, RUNS, digest_of, digests_of, pieces_of, record_anew

SMALL_RUN = "roster-ensemble-of-two"


@cache
def recorded() -> Document:
    document: Document = json.loads(DIGESTS.read_text(encoding="utf-8"))["runs"]
    return document


@pytest.mark.parametrize("name", RUNS)
def test_a_run_gives_what_it_gave(name):
    lines = differences(recorded()[name], digests_of(pieces_of(name)))
    assert not lines, "\n".join([f"{name} moved:", *lines])


@pytest.mark.parametrize("name", [name for name in RUNS if name in recorded()])
def test_a_run_s_point_forecasts_give_what_they_gave(name):
    lines = differences(recorded()[name], digests_of(pieces_of(name)), of_points=True)
    assert not lines, "\n".join([f"{name} moved:", *lines])


def test_every_recorded_run_is_compared():
    assert list(RUNS) == list(recorded())


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A file with the recording of one run alone."""
    monkeypatch.setattr(runs, "RUNS", {SMALL_RUN: RUNS[SMALL_RUN]})
    path = tmp_path / "digests.json"
    path.write_text(json.dumps({"commit": "57881d2", "runs": {SMALL_RUN: digests_of(pieces_of(SMALL_RUN))}}))
    return path


def changed(path, piece: str) -> str:
    """Change the hash of a piece in a recording; return what was there."""
    document = json.loads(path.read_text())
    ((_, content),) = document["runs"][SMALL_RUN]["variables"].items()
    before, content["hashes"][piece] = content["hashes"][piece], "00" * 32
    path.write_text(json.dumps(document))
    return str(before)


@pytest.mark.parametrize(
    "piece", ["scores.pinball_0.5", "scores.coverage_80", "record.sums.quantiles", "trust.log10_e"]
)
def test_what_follows_from_quantiles_or_trust_is_recorded_anew(small, piece):
    before = changed(small, piece)
    record_anew(small)
    ((_, content),) = json.loads(small.read_text())["runs"][SMALL_RUN]["variables"].items()
    assert content["hashes"][piece] == before
    assert json.loads(small.read_text())["commit"] == "57881d2"


@pytest.mark.parametrize("piece", ["scores.mae", "scores.skill_mse", "weights", "regret", "record.sums.points"])
def test_what_follows_from_point_forecasts_is_not_recorded_anew(small, piece):
    changed(small, piece)
    content = small.read_bytes()
    with pytest.raises(ValueError, match=piece):
        record_anew(small)
    assert small.read_bytes() == content


def test_a_flipped_bit_is_noticed_in_the_piece_it_is_in():
    result = pieces_of(SMALL_RUN)
    before = digests_of(result)
    ((variable, pieces),) = result.pieces.items()
    flipped = [name for name, values in pieces.items() if np.isfinite(values).any()]
    assert len(flipped) > 55
    for name in flipped:
        spoilt = pieces[name].copy()
        number = int(np.flatnonzero(np.isfinite(spoilt))[-1])
        spoilt.reshape(-1).view(np.uint64)[number] ^= np.uint64(1)
        now = digests_of(attrs.evolve(result, pieces={variable: {**pieces, name: spoilt}}))
        lines = [line.split(" (")[0] for line in differences(before, now)]
        assert lines == ([] if name in SPECIAL_PIECES else [f"{variable}: {name}"])


def test_special_functions_may_move_by_their_rounding_alone():
    assert near([0.5, None, 1e-5], [0.5 + 4e-13, None, 1e-5])
    assert not near([0.5, None], [0.5 + 2e-12, None])
    assert not near([0.5, None], [0.5, 0.5])


def test_a_missing_number_is_noticed_and_the_sign_of_zero_is_not():
    zeros = np.zeros(3)
    assert digest_of(-zeros) == digest_of(zeros)
    assert digest_of(np.array([0.0, np.nan, 0.0])) != digest_of(zeros)
    assert distance([0.5, None], [0.5, 0.5]) == "other numbers are missing"
    assert distance([0.5, None, 0.0], [0.25, None, 0.0]) == "by up to 2.5e-01, 5.0e-01 of its size"
