"""The time limit of transfers: a request whose answer is not here whole in time is cut off.

A read timeout starts anew with every byte: a body that comes at a byte per 5 s never meets it. So the connections of a
client with a limit note when a request begins, and a thread shuts the socket of one that is overdue; whoever reads from
it meets the end of the stream, as if the network had broken off, and tries again. The limit holds for each request,
from its first byte sent to the last byte received; a large upload is several requests.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any, Final

import attrs


def limit_transfers(client: Any, seconds: float) -> None:
    """Let each request of a client of boto3 take at most so long; 0 for no limit.

    Where it must reach into botocore: no setting of its own is about more than the next byte.
    """
    if seconds:
        client._endpoint.http_session._pool_classes_by_scheme.update(_pool_classes(seconds))  # noqa: SLF001


def cut_off() -> int:
    """Return how many transfers of this process were cut off so far."""
    return _observer().cut_off


@attrs.define(eq=False)
class _Observer:
    """The requests of a process that are under way, by their connections: socket and deadline (monotonic, s)."""

    cut_off: int = 0
    _transfers: dict[Any, tuple[Any, float]] = attrs.field(factory=dict)
    _changed: threading.Condition = attrs.field(factory=threading.Condition)
    _thread: threading.Thread | None = None
    _awaited: float = float("inf")

    def begin(self, connection: Any, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self._changed:
            self._transfers[connection] = (None, deadline)
            if self._thread is None:
                self._thread = threading.Thread(target=self._observe, name="pulse-transfers", daemon=True)
                self._thread.start()
            elif deadline < self._awaited:
                self._changed.notify()

    def connected(self, connection: Any) -> None:
        with self._changed:
            transfer = self._transfers.get(connection)
            if transfer is not None:
                self._transfers[connection] = (connection.sock, transfer[1])

    def end(self, connection: Any) -> None:
        with self._changed:
            self._transfers.pop(connection, None)

    def _observe(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                overdue = [connection for connection, (_, end) in self._transfers.items() if end <= now]
                sockets = [self._transfers.pop(connection)[0] or connection.sock for connection in overdue]
                self.cut_off += len(overdue)
                for open_socket in sockets:
                    if open_socket is not None:
                        with suppress(OSError):  # it has just ended by itself
                            socket.socket.shutdown(open_socket, socket.SHUT_RDWR)  # past TLS, which a thread reads
                self._awaited = min((end for _, end in self._transfers.values()), default=float("inf"))
                self._changed.wait(min(max(0.0, self._awaited - now), threading.TIMEOUT_MAX))


_observers: Final[dict[int, _Observer]] = {}


def _observer() -> _Observer:
    """Return this process's own: threads do not survive a fork."""
    return _observers.setdefault(os.getpid(), _Observer())


class _LimitedConnection:
    """A connection whose requests are observed until their answers have been read."""

    seconds: float
    sock: Any
    _answering = False

    def request(self, *arguments: Any, **options: Any) -> Any:
        _observer().begin(self, self.seconds)
        result = super().request(*arguments, **options)  # type: ignore[misc]
        _observer().connected(self)
        return result

    def getresponse(self, *arguments: Any, **options: Any) -> Any:
        self._answering = True
        try:
            return super().getresponse(*arguments, **options)  # type: ignore[misc]
        finally:
            self._answering = False

    def close(self) -> None:
        if not self._answering:  # http.client closes a connection that is not to be used again, before its body is read
            _observer().end(self)
        super().close()  # type: ignore[misc]


class _LimitedPool:
    """A pool that gets a connection back when the answer has been read."""

    def _put_conn(self, connection: Any) -> None:
        _observer().end(connection)
        super()._put_conn(connection)  # type: ignore[misc]


def _pool_classes(seconds: float) -> dict[str, type]:
    from botocore import awsrequest

    bases = {
        "http": (awsrequest.AWSHTTPConnectionPool, awsrequest.AWSHTTPConnection),
        "https": (awsrequest.AWSHTTPSConnectionPool, awsrequest.AWSHTTPSConnection),
    }
    return {scheme: _limited(pool, connection, seconds) for scheme, (pool, connection) in bases.items()}


def _limited(pool: type, connection: type, seconds: float) -> type:
    limited = type(f"Limited{connection.__name__}", (_LimitedConnection, connection), {"seconds": seconds})
    return type(f"Limited{pool.__name__}", (_LimitedPool, pool), {"ConnectionCls": limited})
