"""The units of a run that have no outcome yet, and what becomes of those whose worker died.

A worker that dies takes a bundle of units with it, and does not say which of them killed it, or whether a unit beside
it did (by taking all memory, say). So a unit is tried again; a unit that is under suspicion is tried alone, while no
other unit runs; and a unit is set aside only for deaths of bundles in which it was the only unit.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

import attrs

from pulse_core.plan import WorkUnit


@attrs.frozen(eq=False)
class Bundle:
    """Units that one worker does in one go; `alone` where no other bundle may run meanwhile."""

    units: tuple[WorkUnit, ...]
    alone: bool = False


def _deque(units: Iterable[WorkUnit]) -> deque[WorkUnit]:
    return deque(units)


@attrs.define(eq=False)
class RetryQueue:
    """Units in three states: waiting for a worker, suspects that wait to be tried alone, and out with a worker.

    A unit survives `deaths_allowed` deaths. From its `deaths_before_alone`-th death on it is a suspect. What a death is
    the backend says: of one process, or of all those that Dask has tried by itself.

    Every unit leaves the queue exactly once: by `finish` or `set_aside`, or set aside by `record_death`.
    """

    _waiting: deque[WorkUnit] = attrs.field(converter=_deque)
    deaths_allowed: int = attrs.field(kw_only=True, validator=attrs.validators.ge(0))
    deaths_before_alone: int = attrs.field(kw_only=True, validator=attrs.validators.ge(1))
    _suspects: deque[WorkUnit] = attrs.field(factory=deque, init=False)
    _bundles: set[Bundle] = attrs.field(factory=set, init=False)
    _deaths: Counter[WorkUnit] = attrs.field(factory=Counter, init=False)

    def __len__(self) -> int:
        """Return the number of units without an outcome."""
        return len(self._waiting) + len(self._suspects) + sum(len(bundle.units) for bundle in self._bundles)

    @property
    def waiting(self) -> int:
        """Return the number of units that may be bundled."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Whether any bundle is out."""
        return bool(self._bundles)

    def next_bundle(self, size: int = 1) -> Bundle | None:
        """Hand out the next units, at most `size`; a suspect once nothing else is left or out; None for not now."""
        if any(bundle.alone for bundle in self._bundles):
            return None
        if self._waiting:
            return self._hand_out([self._waiting.popleft() for _ in range(min(size, len(self._waiting)))])
        if self._suspects and not self._bundles:
            return self._hand_out([self._suspects.popleft()], alone=True)
        return None

    def finish(self, bundle: Bundle) -> None:
        """Forget a bundle whose units have their outcomes. Raises KeyError for one that is not out."""
        self._bundles.remove(bundle)

    def give_back(self, bundle: Bundle) -> None:
        """Take back a bundle that no worker began, or that was lost through no fault of a unit. Raises KeyError."""
        self._bundles.remove(bundle)
        (self._suspects if bundle.alone else self._waiting).extend(bundle.units)

    def set_aside(self, bundle: Bundle, unit: WorkUnit) -> None:
        """Forget a unit that has its outcome, and take back the others of its bundle. Raises KeyError."""
        self._bundles.remove(bundle)
        self._waiting.extend(other for other in bundle.units if other != unit)

    def record_death(self, bundle: Bundle) -> tuple[WorkUnit, ...]:
        """Note that the worker of a bundle died; return the unit that is set aside for it, if any. Raises KeyError."""
        self._bundles.remove(bundle)
        self._deaths.update(bundle.units)
        if len(bundle.units) > 1:
            self._suspects.extend(bundle.units)
            return ()
        (unit,) = bundle.units
        if self._deaths[unit] > self.deaths_allowed:
            return (unit,)
        (self._suspects if self._deaths[unit] >= self.deaths_before_alone else self._waiting).append(unit)
        return ()

    def deaths(self, unit: WorkUnit) -> int:
        """Return how many deaths of its workers a unit has seen."""
        return self._deaths[unit]

    def _hand_out(self, units: Sequence[WorkUnit], *, alone: bool = False) -> Bundle:
        bundle = Bundle(tuple(units), alone)
        self._bundles.add(bundle)
        return bundle
