from typing import Any

import numpy as np
import pandas as pd
import pytest

import pulse

DAYS = pd.bdate_range("2018-01-02", "2020-12-31")
OPTIONS: dict[str, Any] = {
    "horizon": 3,
    "forecasters": ["naive", "drift", "ses", "ensemble"],
    "start_date": "2020-01-01",
    "end_date": "2020-12-31",
}


def values(seed):
    return 100 + np.random.default_rng(seed).normal(0, 1, len(DAYS)).cumsum()


@pytest.fixture(scope="session")
def wide():
    return pd.DataFrame({"a": values(1), "b": values(2)}, index=DAYS)


@pytest.fixture(scope="session")
def run(wide):
    return pulse.train(wide, **OPTIONS)


@pytest.fixture
def options():
    return dict(OPTIONS)
