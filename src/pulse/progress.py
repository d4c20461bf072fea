"""The progress of a call: a bar after a second, in a notebook and on a terminal; cautions are warnings."""

from __future__ import annotations

import sys
import warnings
from types import TracebackType
from typing import Any, Final, Self

from pulse_core.events import DataCaution, Event, ForecasterCaution, RunPlanned, RunWaiting, UnitFinished

_DELAY_SECONDS: Final = 1.0
_LEVEL: Final = 6
"""Frames between a caution and the line of the caller that it is about; a notebook shows the text alone."""


class Bar:
    """An observer of a run."""

    def __init__(self, counted: str, *, quiet: bool) -> None:
        self._counted, self._quiet = counted, quiet
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, event: Event) -> None:
        """Receive an event of the core."""
        if isinstance(event, RunPlanned) and not self._quiet and _is_watched():
            self._bar = _new_bar(event.variables, self._counted)
        elif isinstance(event, UnitFinished) and self._bar is not None:
            self._bar.update(event.finished - self._bar.n)
        elif isinstance(event, RunWaiting):
            warnings.warn(event.reason, stacklevel=_LEVEL)
        elif isinstance(event, DataCaution):
            warnings.warn(f"{event.variable}: {event.message}", stacklevel=_LEVEL)
        elif isinstance(event, ForecasterCaution):
            warnings.warn(f"{event.forecaster}: {event.message}", stacklevel=_LEVEL)

    def announce(self, scheduler: str, dashboard: str) -> None:
        """Receive the addresses of a cluster of Dask."""
        if not self._quiet and _is_watched():
            print(f"pulse: Dask at {scheduler}, dashboard {dashboard}", file=sys.stderr)  # noqa: T201  # as the bar


def in_notebook() -> bool:
    """Whether the caller is a cell of a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def _is_watched() -> bool:
    return in_notebook() or sys.stderr.isatty()


def _new_bar(total: int, counted: str) -> Any:
    from tqdm import tqdm

    return tqdm(
        total=total, desc="Replaying", unit=f" {counted}", leave=False, file=sys.stderr, delay=_DELAY_SECONDS, ncols=80
    )
