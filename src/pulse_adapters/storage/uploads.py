"""Uploads: what a unit stores is on its way to a distant storage while the unit goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Final

import attrs

THREADS: Final = 4
"""The uploads of a unit that go side by side: its pack, and its part of each of the three tables."""

Upload = Callable[[], None]
"""Stores something. Raises SinkUnavailable."""


@attrs.define(eq=False)
class Uploads:
    """Uploads in the order in which they were added; without threads each is done when it is added.

    As many as there are threads may be under way, so what they hold in memory does not grow with their number. Once one
    has failed, those that have not begun are left out, and whoever adds another or waits meets the first error.
    """

    _threads: ThreadPoolExecutor | None = None
    _pending: deque[Future[None]] = attrs.field(factory=deque, init=False)
    _error: BaseException | None = attrs.field(default=None, init=False)

    def add(self, upload: Upload) -> None:
        """Do an upload, or let a thread do it. Raises what an upload raised."""
        if self._threads is None:
            upload()
            return
        while len(self._pending) >= THREADS:
            self._take(self._pending.popleft())
        self._require_success()
        self._pending.append(self._threads.submit(upload))

    def finish(self) -> None:
        """Wait until all that was added is stored. Raises the error of the first upload that failed."""
        wait(self._pending)
        while self._pending:
            self._take(self._pending.popleft())
        self._require_success()

    def _take(self, upload: Future[None]) -> None:
        self._error = self._error or upload.exception()

    def _require_success(self) -> None:
        if self._error is not None:
            raise self._error


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
    try:
        uploads = Uploads(threads)
        yield uploads
        uploads.finish()
    finally:
        threads.shutdown(cancel_futures=True)
