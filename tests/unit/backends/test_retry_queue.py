"""RetryQueue: no unit is lost or yielded twice, killers are set aside, and innocent units are not."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pulse.testing.tasks import units
from pulse_adapters.backends.retry_queue import Bundle, RetryQueue
from pulse_core.plan import WorkUnit


def queue_of(count: int, deaths_allowed: int = 2, deaths_before_alone: int = 2) -> RetryQueue:
    return RetryQueue(units(count), deaths_allowed=deaths_allowed, deaths_before_alone=deaths_before_alone)


def indices(bundle: Bundle | None) -> list[int]:
    assert bundle is not None
    return [unit.index for unit in bundle.units]


def next_bundle(queue: RetryQueue, size: int = 1) -> Bundle:
    bundle = queue.next_bundle(size)
    assert bundle is not None
    return bundle


def test_units_are_handed_out_in_order_and_in_bundles():
    queue = queue_of(5)
    assert [indices(queue.next_bundle(2)) for _ in range(3)] == [[0, 1], [2, 3], [4]]
    assert (queue.next_bundle(2), len(queue), queue.waiting, queue.busy) == (None, 5, 0, True)


def test_a_queue_whose_bundles_are_finished_is_empty():
    queue = queue_of(2)
    queue.finish(next_bundle(queue, 2))
    assert (len(queue), queue.busy, queue.next_bundle()) == (0, False, None)


def test_a_unit_whose_worker_died_once_goes_to_the_end_of_the_queue():
    queue = queue_of(3)
    assert queue.record_death(next_bundle(queue)) == ()
    assert [indices(queue.next_bundle()) for _ in range(3)] == [[1], [2], [0]]


def test_a_suspect_is_tried_only_while_nothing_else_waits_or_runs():
    queue = queue_of(2, deaths_before_alone=1)
    queue.record_death(next_bundle(queue))
    other = next_bundle(queue)
    assert queue.next_bundle() is None
    queue.finish(other)
    alone = next_bundle(queue)
    assert (indices(alone), alone.alone) == ([0], True)
    assert queue.next_bundle() is None


def test_a_unit_that_kills_each_of_its_workers_is_set_aside_with_the_number_of_its_deaths():
    queue = queue_of(1, deaths_allowed=2)
    assert [queue.record_death(next_bundle(queue)) for _ in range(2)] == [(), ()]
    (unit,) = queue.record_death(next_bundle(queue))
    assert (unit.index, queue.deaths(unit), len(queue)) == (0, 3, 0)


def test_without_retries_the_first_death_sets_a_unit_aside():
    queue = queue_of(1, deaths_allowed=0)
    assert [unit.index for unit in queue.record_death(next_bundle(queue))] == [0]


def test_all_units_of_a_bundle_whose_worker_died_are_tried_alone():
    queue = queue_of(3, deaths_allowed=1, deaths_before_alone=1)
    assert queue.record_death(next_bundle(queue, 3)) == ()
    for index in range(3):
        bundle = next_bundle(queue, 3)
        assert (indices(bundle), bundle.alone) == ([index], True)
        queue.finish(bundle)


def test_a_bundle_that_is_given_back_costs_its_units_no_try():
    queue = queue_of(1, deaths_allowed=0)
    queue.give_back(next_bundle(queue))
    assert indices(queue.next_bundle()) == [0]
    assert queue.deaths(units(1)[0]) == 0


def test_a_suspect_that_is_given_back_stays_a_suspect():
    queue = queue_of(1, deaths_allowed=1, deaths_before_alone=1)
    queue.record_death(next_bundle(queue))
    queue.give_back(next_bundle(queue))
    assert next_bundle(queue).alone


@pytest.mark.parametrize("leave", [RetryQueue.finish, RetryQueue.give_back, RetryQueue.record_death])
def test_a_bundle_leaves_once(leave):
    queue = queue_of(2)
    bundle = next_bundle(queue)
    leave(queue, bundle)
    with pytest.raises(KeyError):
        leave(queue, bundle)


class Pool(RuleBasedStateMachine):
    """A pool in which some units kill their worker, and with it, as it happens, those that run beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.running: list[Bundle] = []
        self.finished: list[WorkUnit] = []
        self.set_aside: list[WorkUnit] = []

    @initialize(
        count=st.integers(0, 12),
        killers=st.sets(st.integers(0, 11), max_size=4),
        deaths_before_alone=st.integers(1, 3),
        patience=st.integers(0, 2),
    )
    def start(self, count: int, killers: set[int], deaths_before_alone: int, patience: int) -> None:
        self.units = units(count)
        self.killers = killers
        self.deaths_allowed = deaths_before_alone + patience
        self.queue = queue_of(count, self.deaths_allowed, deaths_before_alone)

    @rule(size=st.integers(1, 4))
    def hand_out(self, size: int) -> None:
        bundle = self.queue.next_bundle(size)
        if bundle is not None:
            assert 1 <= len(bundle.units) <= size
            self.running.append(bundle)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        bundle = self._pick(data)
        threatened = any(self._kills(other) for other in self.running)
        if self._kills(bundle) or (threatened and data.draw(st.booleans())):
            self.set_aside.extend(self.queue.record_death(bundle))
        else:
            self.queue.finish(bundle)
            self.finished.extend(bundle.units)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.queue.give_back(self._pick(data))

    @invariant()
    def each_unit_is_in_one_state(self) -> None:
        if hasattr(self, "queue"):
            out = sum(len(bundle.units) for bundle in self.running)
            assert len(self.queue) == len(self.units) - len(self.finished) - len(self.set_aside)
            assert self.queue.waiting + out <= len(self.queue)
            assert len(self.running) == 1 or not any(bundle.alone for bundle in self.running)

    def teardown(self) -> None:
        if not hasattr(self, "queue"):
            return
        while self.queue:
            bundle = self.running.pop() if self.running else self.queue.next_bundle(3)
            assert bundle is not None
            if self._kills(bundle):
                self.set_aside.extend(self.queue.record_death(bundle))
            else:
                self.queue.finish(bundle)
                self.finished.extend(bundle.units)
        assert sorted(unit.index for unit in self.finished + self.set_aside) == list(range(len(self.units)))
        assert {unit.index for unit in self.set_aside} == {unit.index for unit in self.units} & self.killers
        assert all(self.queue.deaths(unit) == self.deaths_allowed + 1 for unit in self.set_aside)

    def _pick(self, data: st.DataObject) -> Bundle:
        return self.running.pop(data.draw(st.integers(0, len(self.running) - 1)))

    def _kills(self, bundle: Bundle) -> bool:
        return any(unit.index in self.killers for unit in bundle.units)


TestPool = Pool.TestCase
