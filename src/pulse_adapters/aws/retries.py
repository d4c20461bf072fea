"""Retries beyond those of botocore: of bodies that break off and writers that collide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stamina import Attempt

Retried = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]
"""The errors after which an attempt is repeated."""


def attempts(count: int, on: Retried) -> Iterator[Attempt]:
    """Yield up to `count` contexts, one an attempt, until one ends without such an error; wait longer each time."""
    import stamina

    _log_retries()
    return iter(stamina.retry_context(on=on, attempts=count, timeout=None, wait_initial=0.05, wait_jitter=0.1))


@cache
def _log_retries() -> None:
    """Log retries by the standard library unless structlog is set up: its default prints to stdout, into the result."""
    import stamina.instrumentation
    import structlog

    if not structlog.is_configured():
        hooks = [hook for hook in stamina.instrumentation.get_on_retry_hooks() if "structlog" not in repr(hook)]
        stamina.instrumentation.set_on_retry_hooks([*hooks, stamina.instrumentation.LoggingOnRetryHook])
