"""Uploads: what a unit stores is on its way to a distant storage while the unit goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import attrs

THREADS: Final = 4
"""The uploads of a unit that go side by side: its pack, and its part of each of the three tables."""

Upload = Callable[[], None]
"""Stores something. Raises SinkUnavailable."""


def _nothing() -> None:
    pass


@attrs.define(eq=False)
class Uploads:
    """Uploads in the order in which they were added; without threads each is done when it is added.

    As many as there are threads may be under way, so what they hold in memory does not grow with their number. Once one
    has failed, those that have not begun are dropped, and whoever adds another or waits meets the first error.
    """

    _threads: ThreadPoolExecutor | None = None
    _pending: deque[tuple[Future[None], Upload]] = attrs.field(factory=deque, init=False)
    _error: BaseException | None = attrs.field(default=None, init=False)

    def add(self, upload: Upload, drop: Upload = _nothing) -> None:
        """Do an upload, or let a thread do it; `drop` is called in its place where it never begins.

        Raises what an upload raised.
        """
        if self._threads is None:
            upload()
            return
        while len(self._pending) >= THREADS:
            self._take()
        if self._error is not None:
            drop()
            raise self._error
        self._pending.append((self._threads.submit(upload), drop))

    def finish(self) -> None:
        """Wait until all that was added is stored. Raises the error of the first upload that failed."""
        while self._pending:
            self._take()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Drop what has not begun."""
        while self._pending:
            upload, drop = self._pending.popleft()
            if upload.cancel():
                drop()

    def _take(self) -> None:
        """Wait for the first upload; once one has failed, drop it where it has not begun."""
        upload, drop = self._pending.popleft()
        if self._error is not None and upload.cancel():
            drop()
        else:
            self._error = self._error or upload.exception()


AT_ONCE: Final = Uploads()
"""Does each upload when it is added."""


@contextmanager
def uploading(requests_at_once: int) -> Iterator[Uploads]:
    """Open for uploads to a storage that takes so many requests at once; after a good end of the context all stand.

    Raises the error of the first upload that failed.
    """
    if requests_at_once < 2:
        yield AT_ONCE
        return
    threads = ThreadPoolExecutor(min(THREADS, requests_at_once), thread_name_prefix="pulse-uploads")
    uploads = Uploads(threads)
    try:
        yield uploads
        uploads.finish()
    finally:
        uploads.close()
        threads.shutdown()
