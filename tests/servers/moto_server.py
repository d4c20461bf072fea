"""moto's server, an imitation of AWS that also speaks Batch, Logs and CloudFormation; it lets anybody in."""

from __future__ import annotations

import atexit
import contextlib
import functools
import urllib.request
from collections.abc import Iterator

from tests.servers.s3 import BUCKET, S3Server


@functools.cache
def moto() -> S3Server:
    """Return the server of this process; it ends with it."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_moto())


def empty(server: S3Server) -> None:
    """Make the account new again: nothing in it but the bucket."""
    urllib.request.urlopen(urllib.request.Request(f"{server.endpoint}/moto-api/reset", method="POST")).close()  # noqa: S310  # of our own server on loopback
    server.client().create_bucket(Bucket=BUCKET)


@contextlib.contextmanager
def running_moto() -> Iterator[S3Server]:
    """Start a server of one's own, in threads of this process; what moto holds is shared by all in a process."""
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        server = S3Server(f"http://{host}:{port}")
        server.client().create_bucket(Bucket=BUCKET)
        yield server
    finally:
        running.stop()
