"""Every DataStore keeps the contract, and the contract catches every broken one."""

from contextlib import nullcontext

import pytest
from hypothesis import Phase

from pulse.testing import DataStoreContract
from pulse_core.errors import PulseError
from tests.contracts import broken_stores as broken
from tests.contracts.stores import STORES

BREACHES = {
    broken.Truncating: "test_every_bit_is_read",
    broken.Rounding: "test_every_bit_is_read",
    broken.WithoutVintages: "test_every_bit_is_read",
    broken.Unretracting: "test_every_bit_is_read",
    broken.NotCounting: "test_every_bit_is_read",
    broken.Swapping: "test_every_bit_is_read",
    broken.Forgetful: "test_the_same_is_read_again",
    broken.AheadOfItself: "test_the_same_is_read_ahead",
    broken.Hasty: "test_reading_ahead_fails_for_the_variable_that_fails",
    broken.Unchanging: "test_other_rows_have_another_version",
    broken.Mistaken: "test_observations_bear_the_version_that_the_store_tells",
    broken.Writeable: "test_arrays_are_read_only",
    broken.NameLosing: "test_every_name_is_listed_once_and_sorted",
    broken.NameDuplicating: "test_every_name_is_listed_once_and_sorted",
    broken.NameReordering: "test_every_name_is_listed_once_and_sorted",
    broken.Guessing: "test_an_unknown_variable_is_refused_with_near_names",
    broken.Tongueless: "test_an_unknown_variable_is_refused_with_near_names",
    broken.Normalising: "test_no_hostile_name_is_taken",
    broken.Literal: "test_a_name_is_found_in_any_unicode_normal_form",
    broken.Inventive: "test_an_empty_store_has_no_variable",
}


class TestStores(DataStoreContract):
    @pytest.fixture(autouse=True, params=STORES)
    def choose(self, request):
        self.opener = STORES[request.param]
        self.examples = self.opener.examples

    def open(self, variables):
        return self.opener.open(variables)


class BrokenStores(DataStoreContract):
    phases = (Phase.generate,)

    def __init__(self, kind):
        self.kind = kind

    def open(self, variables):
        return nullcontext(self.kind(dict(variables)))


@pytest.mark.parametrize("kind", BREACHES, ids=lambda kind: kind.__name__)
def test_the_contract_catches_a_store_that_breaks_it(kind):
    with pytest.raises((AssertionError, PulseError, pytest.fail.Exception)):
        getattr(BrokenStores(kind), BREACHES[kind])()


def test_every_promise_of_the_contract_is_seen_to_bite():
    assert set(BREACHES.values()) == {name for name in vars(DataStoreContract) if name.startswith("test_")}
