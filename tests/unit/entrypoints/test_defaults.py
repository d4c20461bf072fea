"""Variables and period where nobody gives them: from the data, by rules that a sentence can say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest

from pulse_core.data.observations import Observations
from pulse_core.errors import MalformedData, SettingsError
from pulse_entrypoints.wiring.defaults import DataDefaults
from tests.fakes import FakeStore

Span = tuple[str, str, str]
"""The first and the last stamp of a variable, and the unit of numpy in which it steps."""


def defaults(variables: Mapping[str, Span], min_history: int | None = None) -> DataDefaults:
    held = {}
    for name, (first, last, unit) in variables.items():
        ends = np.array([first, last], f"M8[{unit}]")
        stamps = np.arange(ends[0], ends[1] + 1).astype("M8[us]")
        held[name] = Observations(name, stamps, np.arange(len(stamps), dtype=float))
    return DataDefaults(lambda: FakeStore(held), min_history)


DAILY: Span = ("2015-01-01", "2026-11-20", "D")
NAMES = dict.fromkeys(("eu_gas", "eu_power", "us_gas", "us_power"), DAILY)


def test_the_two_of_the_predecessor_are_taken_where_the_data_hold_both() -> None:
    both = {"other": DAILY, "spx_close": DAILY, "us_10y_yield": DAILY}
    names, why = defaults(both).variables(None)
    assert names == ("spx_close", "us_10y_yield")
    assert why == "spx_close and us_10y_yield, which the data hold"


@pytest.mark.parametrize("held", [NAMES, {"spx_close": DAILY, "other": DAILY}])
def test_else_all_variables_are_taken(held) -> None:
    names, why = defaults(held).variables(None)
    assert names == tuple(sorted(held))
    assert why.startswith(f"all {len(held)} variables of the data (")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["us_*"], ["us_gas", "us_power"]),
        (["us_*", "eu_gas"], ["us_gas", "us_power", "eu_gas"]),
        (["*", "!us_*"], ["eu_gas", "eu_power"]),
        (["!*_gas"], ["eu_power", "us_power"]),
        (["??_gas", "!us_gas"], ["eu_gas"]),
        (["us_power", "us_*"], ["us_power", "us_gas"]),
    ],
)
def test_patterns_choose_among_the_names(words, names) -> None:
    assert list(defaults(NAMES).variables(words)[0]) == names


def test_a_name_with_a_sign_of_patterns_is_a_name(tmp_path) -> None:
    assert defaults({"a[1]": DAILY, "a1": DAILY}).variables(["a[1]"])[0] == ("a[1]",)


def test_a_file_of_names_stands_for_them(tmp_path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("# gas\neu_gas\n\nus_*  # all of them\n")
    assert defaults(NAMES).variables([f"@{path}"])[0] == ("eu_gas", "us_gas", "us_power")


def test_names_alone_are_taken_as_they_are_and_nothing_is_listed() -> None:
    def fail() -> FakeStore:
        raise AssertionError

    assert DataDefaults(fail).variables(["a", "b"]) == (("a", "b"), "")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["fr_*"], r"no variable of the data fits 'fr_\*'; there are eu_gas, eu_power"),
        (["eu_*", "!*"], "leaves no variable of the data"),
        (["@missing.txt"], "@missing.txt: the file of names cannot be read"),
    ],
)
def test_words_that_choose_nothing_are_a_problem(words, problem) -> None:
    with pytest.raises(SettingsError, match=problem):
        defaults(NAMES).variables(words)


def test_data_without_a_variable_are_a_problem_with_the_option_that_names_others() -> None:
    with pytest.raises(SettingsError, match="there is no variable in the data: name another location with --data"):
        defaults({}).variables(None)


@pytest.mark.parametrize(
    ("span", "start"),
    [
        (DAILY, date(2022, 1, 1)),
        (("1990-01", "2026-10", "M"), date(2022, 1, 1)),
        (("1990", "2025", "Y"), date(2015, 1, 1)),  # four years since 2022 are too few
        (("1990-01-01", "2019-06-28", "D"), date(2009, 1, 1)),
        (("1990-01", "2020-12", "M"), date(2010, 1, 1)),
        (("2021-12-25", "2026-11-20", "D"), date(2022, 1, 1)),
        (("2024-03-01", "2026-11-20", "D"), date(2022, 1, 1)),  # its first origins come later by themselves
        (("2010-03-01", "2014-11-20", "D"), date(2011, 1, 1)),  # ten years before 2014 there is nothing
        (("2014-03-01", "2014-11-20", "D"), date(2014, 1, 1)),
    ],
)
def test_the_first_day_is_2022_where_the_data_allow_it_else_a_first_of_january(span, start) -> None:
    day, why = defaults({"x": span}).start(["x"])
    assert day == start
    assert (why == "") == (start == date(2022, 1, 1))


def test_the_first_day_stays_the_same_from_night_to_night() -> None:
    days = {defaults({"x": ("1990-01-01", f"2020-{month:02}-15", "D")}).start(["x"])[0] for month in range(1, 13)}
    assert days == {date(2010, 1, 1)}


def test_no_variable_ends_before_the_first_day() -> None:
    assert defaults({"a": DAILY, "b": ("1990-01", "2000-09", "M")}).start(["a", "b"]) == (
        date(1993, 1, 1),
        "the first year before which there is enough history",
    )
    assert defaults({"a": DAILY, "b": ("1980-01", "2010-09", "M")}).start(["a", "b"]) == (
        date(2000, 1, 1),
        "10 years before 2010, in which the first of the variables ends",
    )


def test_the_history_that_is_asked_for_counts() -> None:
    assert defaults({"x": ("2021-01-01", "2026-11-20", "D")}).start(["x"])[0] == date(2022, 1, 1)
    assert defaults({"x": ("2021-01-01", "2026-11-20", "D")}, min_history=2140).start(["x"])[0] == date(2026, 1, 1)


def test_a_variable_that_cannot_be_read_decides_nothing() -> None:
    class Broken(FakeStore):
        def read(self, variable: str) -> Observations:
            if variable == "broken":
                raise MalformedData("is broken", variable, "mend it")
            return super().read(variable)

    stamps = np.arange("2015-01-01", "2026-01-01", dtype="M8[D]").astype("M8[us]")
    store = Broken({"x": Observations("x", stamps, np.ones(len(stamps)))})
    assert DataDefaults(lambda: store).start(["broken", "x"])[0] == date(2022, 1, 1)
