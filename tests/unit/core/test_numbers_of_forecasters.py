"""What numpy would turn into other numbers without a word is refused, whichever way a forecaster returns it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pulse_core.errors import ForecasterFailed
from pulse_core.forecasters.numbers import real_numbers
from pulse_core.forecasters.per_origin import PerOriginForecaster
from tests.histories import histories_of

MASKED = np.ma.array([1.0, 2.0], mask=[False, True])


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (MASKED, "masked values"),
        (np.ma.array([1.0, 2.0]), "masked values"),
        ([MASKED, MASKED], "masked values"),
        ([1.0, np.ma.masked], "masked values"),
        (np.array([1 + 2j, 3]), "complex numbers"),
        ([1.0, 2j], "complex numbers"),
        (["1.0", "2.0"], "texts"),
        ([1.0, "2.0"], "texts"),
        (np.array(["1.0"], dtype=object), "type str"),
        ([b"1.0"], "bytes"),
        ([True, False], "truth values"),
        (np.array([True], dtype=object), "type bool"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "times"),
        (np.array([3], dtype="m8[D]"), "durations"),
        (pd.Series(["1.0"]), "str"),
        (np.array([1j], dtype=object), "type complex"),
        ([[1.0], [1.0, 2.0]], "inhomogeneous"),
    ],
)
def test_what_are_no_real_numbers_is_refused(result: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        real_numbers(result)


@pytest.mark.parametrize(
    "result",
    [
        [1, 2.0],
        (1.0, 2),
        np.array([1, 2], dtype=np.uint8),
        np.array([1, 2], dtype=np.float32),
        [np.float64(1), np.int64(2)],
        [Decimal(1), Fraction(2)],
        pd.Series([1.0, 2.0]),
        pd.Series([1, 2], dtype="Int64"),
    ],
)
def test_real_numbers_of_any_kind_are_taken(result: Any) -> None:
    assert real_numbers(result).tolist() == [1.0, 2.0]


def test_none_is_a_missing_number() -> None:
    assert np.isnan(real_numbers([None, 1.0])).tolist() == [True, False]


class Masks:
    def forecast(self, history: Any, horizon: int) -> Any:
        return np.ma.array([history[-1]] * horizon, mask=[True] * horizon)


def test_a_forecaster_that_masks_its_forecast_has_failed() -> None:
    forecaster = PerOriginForecaster("own:Masks", "1", Masks())
    with pytest.raises(ForecasterFailed, match="masked values"):
        forecaster.hindcast(histories_of([1.0, 2.0, 3.0]), 2)
