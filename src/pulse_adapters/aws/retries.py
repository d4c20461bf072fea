"""Retries of what botocore does not retry itself: bodies that break off, writers that collide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stamina import Attempt

Retried = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]
"""The errors after which to try again."""


def attempts(count: int, on: Retried) -> Iterator[Attempt]:
    """Yield contexts to try in until one ends well or `count` have not; between them wait, longer every time."""
    import stamina

    _tell_of_retries_by_the_log()
    return iter(stamina.retry_context(on=on, attempts=count, timeout=None, wait_initial=0.05, wait_jitter=0.1))


@cache
def _tell_of_retries_by_the_log() -> None:
    """Where nobody has set structlog up, it would print to stdout, where the result goes."""
    import stamina.instrumentation
    import structlog

    if not structlog.is_configured():
        others = [hook for hook in stamina.instrumentation.get_on_retry_hooks() if "structlog" not in repr(hook)]
        stamina.instrumentation.set_on_retry_hooks([*others, stamina.instrumentation.LoggingOnRetryHook])
