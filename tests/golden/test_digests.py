"""The code gives what the old code gave at commit 57881d2, piece by piece and bit by bit.

Probabilities, bounds and evidence came from scipy's special functions then, and come from the kernel's now: these
pieces agree to 1e-12, and the run's digest, which holds them, is not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import attrs
import numpy as np
import pytest

from tests.golden.runs import DIGESTS, RUNS, Document, digest_of, digests_of, pieces_of

SMALL_RUN = "roster-ensemble-of-two"
SPECIAL_PIECES = ("scores.dm_p", "trust.low", "trust.high", "log10_e")
SPECIAL_DISTANCE = 1e-12


@cache
def recorded() -> Document:
    document: Document = json.loads(DIGESTS.read_text(encoding="utf-8"))["runs"]
    return document


def differences(before: Document, now: Document) -> list[str]:
    """What differs between two digests of a run, a line for each variable or fact of the run."""
    lines = []
    if before["failures"] != now["failures"]:
        lines.append(f"failures: {before['failures']} became {now['failures']}")
    for variable in before["variables"].keys() | now["variables"].keys():
        earlier, later = before["variables"].get(variable), now["variables"].get(variable)
        if earlier is None or later is None:
            lines.append(f"{variable}: {'is new' if earlier is None else 'is missing'}")
        elif earlier["forecasters"] != later["forecasters"]:
            lines.append(f"{variable}: forecasters are {later['forecasters']}, not {earlier['forecasters']}")
        elif pieces := list(_moved_pieces(earlier, later)):
            lines.append(f"{variable}: {', '.join(pieces)}")
    return sorted(lines)


def _moved_pieces(before: Document, now: Document) -> Iterator[str]:
    for name in [*before["hashes"], *(name for name in now["hashes"] if name not in before["hashes"])]:
        is_near = name in SPECIAL_PIECES and near(before["values"][name], now["values"][name])
        if before["hashes"].get(name) != now["hashes"].get(name) and not is_near:
            has_values = name in before["values"] and name in now["values"]
            yield f"{name} ({distance(before['values'][name], now['values'][name])})" if has_values else name


def near(before: list[float | None], now: list[float | None]) -> bool:
    """Whether the numbers of a piece of special functions are as far apart as these may be."""
    earlier, later = (np.array(values, dtype=np.float64) for values in (before, now))
    return earlier.shape == later.shape and np.allclose(
        later, earlier, rtol=SPECIAL_DISTANCE, atol=SPECIAL_DISTANCE, equal_nan=True
    )


def distance(before: list[float | None], now: list[float | None]) -> str:
    """How far apart the numbers of a piece are."""
    earlier, later = (np.array(values, dtype=np.float64) for values in (before, now))
    if earlier.shape != later.shape or (np.isnan(earlier) != np.isnan(later)).any():
        return "other numbers are missing"
    gap = np.nan_to_num(np.abs(later - earlier))
    size = np.nan_to_num(np.maximum(np.abs(earlier), np.abs(later)))
    return f"by up to {gap.max():.1e}, {(gap[size > 0] / size[size > 0]).max(initial=0.0):.1e} of its size"


@pytest.mark.parametrize("name", RUNS)
def test_a_run_gives_what_it_gave(name):
    lines = differences(recorded()[name], digests_of(pieces_of(name)))
    assert not lines, "\n".join([f"{name} moved:", *lines])


def test_every_recorded_run_is_compared():
    assert list(RUNS) == list(recorded())


def test_a_flipped_bit_is_noticed_in_the_piece_it_is_in():
    result = pieces_of(SMALL_RUN)
    before = digests_of(result)
    assert differences(recorded()[SMALL_RUN], before) == []
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
