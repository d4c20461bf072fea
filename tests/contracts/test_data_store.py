from contextlib import contextmanager

import pytest
from hypothesis import Phase

from pulse_core.errors import PulseError
from tests.contracts import broken_stores as broken
from tests.contracts import data_store as contract
from tests.contracts.data_store import RULES, STORES, Adapter

BREACHES = {
    broken.Truncating: contract.reads_every_bit,
    broken.Rounding: contract.reads_every_bit,
    broken.WithoutVintages: contract.reads_every_bit,
    broken.NotCounting: contract.reads_every_bit,
    broken.Swapping: contract.reads_every_bit,
    broken.Forgetful: contract.reads_the_same_again,
    broken.AheadOfItself: contract.reads_the_same_ahead,
    broken.Hasty: contract.fails_ahead_for_the_variable_that_fails,
    broken.Unchanging: contract.tells_other_rows_by_another_version,
    broken.Mistaken: contract.bears_the_version_that_it_tells,
    broken.Writeable: contract.hands_out_read_only_arrays,
    broken.NameLosing: contract.lists_every_name_once_sorted,
    broken.NameDuplicating: contract.lists_every_name_once_sorted,
    broken.NameReordering: contract.lists_every_name_once_sorted,
    broken.Guessing: contract.refuses_an_unknown_variable_with_near_names,
    broken.Tongueless: contract.refuses_an_unknown_variable_with_near_names,
    broken.Normalising: contract.takes_no_hostile_name,
    broken.Inventive: contract.knows_no_variable_when_empty,
}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_store_keeps_the_contract(rule, store):
    rule(STORES[store])


@pytest.mark.parametrize("kind", BREACHES, ids=lambda kind: kind.__name__)
def test_the_contract_catches_a_store_that_breaks_it(kind):
    @contextmanager
    def opened(variables):
        yield kind(dict(variables))

    with pytest.raises((AssertionError, PulseError, pytest.fail.Exception)):
        BREACHES[kind](Adapter(opened, phases=(Phase.generate,)))


def test_every_rule_of_the_contract_catches_somebody():
    assert set(BREACHES.values()) == set(RULES)
