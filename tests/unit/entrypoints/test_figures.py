"""Numbers in the tables for people."""

from __future__ import annotations

import pytest

from pulse_entrypoints.commands.figures import percent, points


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.1234, "+12.3%"), (-0.1234, "-12.3%"), (-0.0001, "0.0%"), (0.0, "0.0%"), (0.0004, "0.0%"), (-1.0, "-100.0%")],
)
def test_what_rounds_to_nothing_has_no_sign(share, text):
    assert percent(share) == text


def test_points_have_no_per_cent_sign():
    assert [points(share) for share in (0.012345, -0.00001, -0.5)] == ["+1.23", "0.00", "-50.00"]
