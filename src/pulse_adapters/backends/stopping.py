"""A request that the work come to an end, and how backends obey it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs

RESUME_HINT: Final = "Run the same command again: it resumes"
POLL_SECONDS: Final = 0.1
"""How often a backend that waits for workers checks whether it was asked to stop."""
GRACE_SECONDS: Final = 1.0
"""What units under way may take after a request to stop: a run then ends within two seconds."""


@attrs.define(eq=False)
class Stop:
    """A request to stop. Whoever asks gives the reason, such as `SIGTERM`; a signal handler may ask.

    Backends at work check it: they start no further unit, give the units under way `grace` seconds to finish, then end
    their workers, and raise RunInterrupted. Nothing is lost but what the dropped units had computed, since records
    appear whole. Only the serial backend cannot drop its unit: it runs in the thread that would have to do so.
    """

    grace: float = GRACE_SECONDS
    reason: str | None = attrs.field(default=None, init=False)
    _deadline: float = attrs.field(default=math.inf, init=False)
    _backends_at_work: int = attrs.field(default=0, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def ask(self, reason: str) -> bool:
        """Ask to stop; return whether a backend is at work that will obey. The first reason and deadline stay."""
        if self.reason is None:
            self._deadline = time.monotonic() + self.grace
            self.reason = reason
        return self._backends_at_work > 0

    @property
    def overdue(self) -> bool:
        """Whether the grace for units under way has passed."""
        return time.monotonic() >= self._deadline

    @contextmanager
    def obeyed(self) -> Iterator[None]:
        """Count as a backend at work, which checks for the request."""
        with self._lock:
            self._backends_at_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._backends_at_work -= 1

    def check(self, *, busy: bool = False) -> None:
        """Raise RunInterrupted where a stop was asked for: at once, or for a `busy` backend once it is overdue."""
        if self.reason is None or (busy and not self.overdue):
            return
        from pulse_core.errors import RunInterrupted  # signals are handled before numpy is loaded

        dropped = ", and what was under way was dropped" if busy else ""
        raise RunInterrupted(f"it was asked to stop by {self.reason}{dropped}", hint=RESUME_HINT)
