"""A wish that the work come to an end, and how backends heed it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs

AGAIN: Final = "Run the same command again: it resumes"
POLL_SECONDS: Final = 0.1
"""How often a backend that waits for others looks whether it was asked to stop."""


@attrs.define(eq=False)
class Stop:
    """A wish to stop. Whoever asks gives the reason, such as `SIGTERM`; a signal handler may.

    Backends heed it while they are at work: they begin no unit any more, finish what is under way, and raise
    RunInterrupted. How long that may take is the affair of whoever asks: closing what the backend yields from
    ends it at once.
    """

    reason: str | None = attrs.field(default=None, init=False)
    _at_work: int = attrs.field(default=0, init=False)
    _counting: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def ask(self, reason: str) -> bool:
        """Ask to stop; return whether a backend is at work that will heed it."""
        if self.reason is None:
            self.reason = reason
        return self._at_work > 0

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Be at work, and look at the wish between units."""
        with self._counting:
            self._at_work += 1
        try:
            yield
        finally:
            with self._counting:
                self._at_work -= 1

    def check(self) -> None:
        """Raise RunInterrupted where it was asked for."""
        if self.reason is not None:
            from pulse_core.errors import RunInterrupted  # signals are heard before numpy is loaded

            raise RunInterrupted(f"it was asked to stop by {self.reason}", hint=AGAIN)
