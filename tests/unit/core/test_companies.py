"""Variables that are computed side by side: all of them, once, of similar length, and not too many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pulse_core.backtest.companies import companies

LENGTHS = st.lists(st.integers(1, 100), max_size=30)


@given(LENGTHS, st.integers(1, 500))
def test_everybody_is_in_one_company_and_the_longest_come_first(lengths, most):
    cut = list(companies(lengths, int, most))
    assert [length for company in cut for length in company] == sorted(lengths, reverse=True)


@given(LENGTHS, st.integers(1, 500))
def test_no_company_is_larger_than_it_may_be_or_holds_one_half_as_long(lengths, most):
    for company in companies(lengths, int, most):
        assert len(company) == 1 or company[0] * len(company) <= most
        assert 2 * company[-1] >= company[0]


def test_those_of_equal_length_stay_in_order():
    members = [("a", 3), ("b", 3), ("c", 3)]
    assert list(companies(members, lambda member: member[1], 6)) == [members[:2], members[2:]]
