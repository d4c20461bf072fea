"""Numbers as people read them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pulse_adapters.report.figures.heat import steps
from pulse_adapters.report.formats import NONE, amount, chance, chance_words, evidence, share, signed
from pulse_adapters.report.sparklines import interval, line


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5, "1,234"),
        (-0.012345, "\u22120.01235"),
        (1e-9, "1.000e\u221209"),
        (0.0, "0"),
        (None, NONE),
        (math.nan, NONE),
    ],
)
def test_amounts(value, text) -> None:
    assert amount(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "+12.3%"), (-0.5, "\u221250.0%"), (0.00001, "0.0%"), (-0.0, "0.0%"), (None, NONE)]
)
def test_signed_shares(value, text) -> None:
    assert signed(value) == text


def test_shares_and_evidence() -> None:
    assert share(0.805) == "80%"
    assert [evidence(one) for one in (0.0, 2.0, 19.2, -3.0, None)] == ["1.00", "100", "10¹⁹", "below 0.01", NONE]
    assert [chance(one) for one in (0.999, 0.5, 0.001, None)] == [">99%", "50%", "<1%", NONE]
    assert chance_words(0.999) == "more than 99%"


def test_a_small_plot_breaks_where_there_is_no_value() -> None:
    drawn = str(line(np.array([1.0, 2.0, math.nan, 1.0, 3.0])))
    assert drawn.count("M2.0") == 1
    assert drawn.count("M") == 2
    assert line(np.array([1.0, math.nan])) == ""


def test_an_interval_off_the_scale_ends_at_its_edge() -> None:
    assert 'cx="92.0"' in str(interval(9.0, (-9.0, 99.0), 1.0))
    assert interval(None, None, 1.0) == ""


def test_colours_of_the_heat_map_go_from_better_to_worse() -> None:
    assert steps(np.array([0.0, 0.5, 1.0, 1.2, 3.0])) == [0, 0, 5, 8, 10]
