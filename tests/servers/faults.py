"""A proxy that stands before an HTTP server and does to chosen requests what networks and servers do.

    with proxied(server.endpoint) as proxy:
        proxy.plan(Reset(), None, CutBody(100))        # the first request, the second, the third; sound from then on
        ...
        assert [seen.status for seen in proxy.seen] == [0, 200, 200, 200]

`Host` and signature pass through, so a server that checks signatures is content.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import attrs

_HOP_BY_HOP: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "date", "server"}
_SLOW_DOWN: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message><RequestId>0</RequestId></Error>"
)


@attrs.frozen
class Reset:
    """The connection is reset before the server hears of the request."""


@attrs.frozen
class LoseAnswer:
    """The server does what it is asked, but the connection is reset before it can say so."""


@attrs.frozen
class CutBody:
    """The connection breaks off after so many bytes of the answer's body; all of it, if it has fewer."""

    after: int


@attrs.frozen
class Shorten:
    """The answer's body ends after so many bytes, and its headers agree: nothing in it says that bytes are missing."""

    after: int


@attrs.frozen
class Flip:
    """One bit of the answer's body is another one, that of the byte at this position."""

    position: int


@attrs.frozen
class Trickle:
    """The answer's body comes at a byte per so many seconds."""

    seconds: float


@attrs.frozen
class Stall:
    """Nothing comes until the client gives up."""


@attrs.frozen
class SlowDown:
    """503 SlowDown."""


@attrs.frozen
class Answer:
    """An answer made up: status, headers and body."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/xml"),)


Fault = Reset | LoseAnswer | CutBody | Shorten | Flip | Trickle | Stall | SlowDown | Answer


@attrs.define
class Seen:
    """A request that came by, its path unquoted and without query; status and bytes of the body it was answered with.

    Status 0 is no answer.
    """

    method: str
    path: str
    status: int = 0
    body: int = 0
    fault: Fault | None = None


Choose = Callable[[Seen], Fault | None]


@attrs.define(eq=False)
class Proxy:
    """A proxy that is up: where it is, what it has seen, and what it does to the next requests."""

    endpoint: str
    upstream: str
    seen: list[Seen] = attrs.field(factory=list)
    dropped: set[str] = attrs.field(factory=set)
    """Headers, in lower case, that are not passed on: so a server seems not to know them."""
    delay: float = 0.0
    """Seconds that each request waits, as on its way to a distant server."""
    stopped: threading.Event = attrs.field(factory=threading.Event)
    _choose: Choose = attrs.field(default=lambda _: None)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def plan(self, *faults: Fault | None, where: Callable[[Seen], bool] = lambda _: True) -> None:
        """Do these to the next requests for which `where` holds, one after another; then nothing more."""
        left = iter(faults)
        self.choose(lambda seen: next(left, None) if where(seen) else None)

    def every(self, count: int, faults: Iterable[Fault]) -> None:
        """Do one of the faults, in turn and for ever, to every so-manieth request."""
        turn, number = itertools.cycle(faults), itertools.count(1)
        self.choose(lambda _: next(turn) if next(number) % count == 0 else None)

    def choose(self, choose: Choose) -> None:
        """Ask this function what to do to each request; forget what was seen."""
        with self._lock:
            self._choose = choose
            self.seen.clear()

    def count(self, method: str, *, with_body: bool = False) -> int:
        """Return how many requests of a method came by; those answered 200 with a body only, if so asked."""
        sound = (seen for seen in list(self.seen) if seen.method == method)
        return sum(1 for seen in sound if not with_body or (seen.status in {200, 206} and seen.body))

    def note(self, method: str, target: str) -> Seen:
        """Note a request and decide what becomes of it."""
        seen = Seen(method, unquote(urlsplit(target).path))
        with self._lock:
            self.seen.append(seen)
            seen.fault = self._choose(seen)
        return seen


@contextlib.contextmanager
def proxied(upstream: str) -> Iterator[Proxy]:
    """Stand before the server at this address; the proxy's own address is `endpoint`."""
    server = _Server(("127.0.0.1", 0), _Handler)
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}", upstream)
    server.proxy = proxy
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    proxy: Proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what this is about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        proxy = self.server.proxy
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = proxy.note(self.command, self.path)
        fault = seen.fault
        time.sleep(proxy.delay)
        if isinstance(fault, Reset):
            self._reset()
        elif isinstance(fault, Stall):
            self._stall(proxy)
        elif isinstance(fault, SlowDown):
            self._answer(seen, 503, _SLOW_DOWN, (("Content-Type", "application/xml"),))
        elif isinstance(fault, Answer):
            self._answer(seen, fault.status, fault.body, fault.headers)
        else:
            self._pass_on(seen, content)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815  # the base class's names

    def _pass_on(self, seen: Seen, content: bytes) -> None:
        with contextlib.closing(HTTPConnection(urlsplit(self.server.proxy.upstream).netloc, timeout=60)) as upstream:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP | self.server.proxy.dropped:
                    upstream.putheader(name, value)
            upstream.putheader("Content-Length", str(len(content)))
            upstream.endheaders(content)
            answer = upstream.getresponse()
            body = answer.read()
        if isinstance(seen.fault, LoseAnswer):
            self._reset()
            return
        cut = seen.fault.after if isinstance(seen.fault, CutBody) else None
        if isinstance(seen.fault, Shorten | Flip):
            headers = [(name, value) for name, value in answer.getheaders() if "checksum" not in name.lower()]
            self._answer(seen, answer.status, _damaged(body, seen.fault), headers)
            return
        self._answer(seen, answer.status, body, answer.getheaders(), cut, _length(answer, body))

    def _answer(
        self,
        seen: Seen,
        status: int,
        body: bytes,
        headers: Iterable[tuple[str, str]],
        cut: int | None = None,
        length: str | None = None,
    ) -> None:
        seen.status, seen.body = status, len(body[:cut])
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("Content-Length", str(len(body)) if length is None else length)
        self.end_headers()
        if isinstance(seen.fault, Trickle):
            self._trickle(body, seen.fault.seconds)
        elif self.command != "HEAD":
            self.wfile.write(body[:cut])
        if cut is not None:
            self._reset()

    def _trickle(self, body: bytes, seconds: float) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):  # the client has had enough
            for position in range(len(body)):
                if self.server.proxy.stopped.wait(seconds):
                    return
                self.wfile.write(body[position : position + 1])
                self.wfile.flush()

    def _reset(self) -> None:
        """Close at once, so that the client reads 'connection reset' and not a polite end."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _stall(self, proxy: Proxy) -> None:
        self.close_connection = True
        self.connection.settimeout(0.05)
        while not proxy.stopped.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(1):
                    return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing: `seen` has it all."""


def _damaged(body: bytes, fault: Shorten | Flip) -> bytes:
    if isinstance(fault, Shorten):
        return body[: fault.after]
    damaged = bytearray(body)
    damaged[fault.position] ^= 1
    return bytes(damaged)


def _length(answer: HTTPResponse, body: bytes) -> str:
    """Return the length to tell; that of the object, where HEAD brings no body."""
    return answer.getheader("Content-Length") or str(len(body))
