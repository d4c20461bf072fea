"""From its retraction on an observation is absent: from histories, predictors, actuals and forecasts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pulse_core import Observations, TooLittleData
from pulse_core.data.covariates import recent_changes
from pulse_core.data.point_in_time import PointInTime, point_in_time
from pulse_core.data.vintages import timeline
from tests.unit.core.runs import day, known, run, spec_of

NAN = math.nan

ROWS = [(number, 10.0 * number, number) for number in range(8)]


def with_rows(*rows: tuple[int, float, int]) -> Observations:
    return known([*ROWS, *rows])


def histories(point: PointInTime) -> list[list[float]]:
    pairs = zip(point.origin_path, point.origin_length, strict=True)
    return [point.paths[path][:length].tolist() for path, length in pairs]


def point_of(observations: Observations, **fields) -> PointInTime:
    return point_in_time(observations, spec_of("x", days=20, min_history=1, **fields))


def test_a_retracted_value_is_in_no_later_history_until_it_comes_back():
    made = histories(point_of(with_rows((2, NAN, 4), (2, 25.0, 6))))
    assert made[3] == [0, 10, 20, 30]
    assert made[4] == [0, 10, 30, 40]
    assert made[5] == [0, 10, 30, 40, 50]
    assert made[6] == [0, 10, 25, 30, 40, 50, 60]


def test_changes_step_over_what_is_retracted():
    made = histories(point_of(with_rows((2, NAN, 4)), target="change"))
    assert made[2] == [10, 10, 10]  # the origins begin at the second day
    assert made[3] == [10, 20, 10]


def test_a_retraction_alone_makes_no_origin_and_no_step():
    observations = known([*ROWS[:3], (1, NAN, 5), *ROWS[6:]])
    point = point_of(observations)
    assert point.origin_known_at.tolist() == [day(n).item() for n in (0, 1, 2, 6, 7)]
    assert point.step_timestamp.tolist() == [day(n).item() for n in (0, 1, 2, 6, 7)]


def test_the_newest_value_retracted_and_released_again_makes_no_second_origin():
    observations = known([*ROWS[:3], (2, NAN, 4), (2, 21.0, 5), *ROWS[6:]])
    assert point_of(observations).origin_known_at.tolist() == [day(n).item() for n in (0, 1, 2, 6, 7)]
    assert histories(point_of(observations))[3] == [0, 10, 21, 60]


@pytest.mark.parametrize("count", [4, 5])
def test_what_is_retracted_does_not_count_towards_a_history(count):
    observations = known([*ROWS[:4], (0, NAN, 4), (1, NAN, 4), *ROWS[5:7]])
    assert timeline(observations).present.tolist() == [1, 2, 3, 4, 2, 3, 4]
    spec = spec_of("x", days=20, min_history=count)
    if count == 4:
        assert len(point_in_time(observations, spec).origin_known_at) == 2  # of the 4th and of the 7th day
    else:
        with pytest.raises(TooLittleData, match="4 timestamps are known"):
            point_in_time(observations, spec)


def test_a_retracted_actual_is_scored_by_its_first_release_and_by_no_latest():
    observations = with_rows((5, NAN, 9))
    point = point_of(observations)
    assert point.step_first[5] == 50
    assert math.isnan(point.step_latest[5])
    first, latest = (
        run(observations, spec_of("x", days=20, min_history=1, horizon=1, forecasters=("naive",), actuals=actuals))
        for actuals in ("first", "latest")
    )
    assert first.variables[0].scores[0, 0, 0] == 7
    assert latest.variables[0].scores[0, 0, 0] == 6


def test_predictors_have_no_retracted_value():
    leader = known([*ROWS, (6, NAN, 7)], "leader")
    stamps = np.array([day(6), day(7)])
    changes = recent_changes(stamps, stamps, [leader])
    assert changes[:, 0].tolist() == [10, 10]
    assert changes[:, 1].tolist() == [20, 10]  # from the fifth day to the seventh


def test_all_may_be_retracted():
    observations = known([*ROWS[:2], (0, NAN, 3), (1, NAN, 3), *ROWS[6:]])
    assert histories(point_of(observations)) == [[0], [0, 10], [60], [60, 70]]
    assert np.isnan(point_of(observations).step_latest).tolist() == [True, True, False, False]


def test_rows_with_retractions_are_equal_by_content_and_cut_as_others():
    observations = with_rows((2, NAN, 4), (3, NAN, 9))
    assert observations == with_rows((2, NAN, 4), (3, NAN, 9))
    assert observations != with_rows((2, NAN, 4))
    assert observations.known_by(day(8)) == with_rows((2, NAN, 4)).known_by(day(8))
