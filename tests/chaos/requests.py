"""Writers to a bucket that are stopped at each of their requests to S3.

    python -m tests.chaos.requests [WRITER ...]

A proxy before the server resets the n-th connection, loses the n-th answer, or lets no request through from the n-th
on, as where the writer has died. Prints a line of JSON a writer and fault; exits with 1 where anything was lost.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Final

import attrs

from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.storage.s3 import S3Storage
from pulse_core.errors import PulseError
from tests.chaos.writers import WRITERS, Found, found, judge
from tests.servers.faults import Fault, LoseAnswer, Proxy, Reset, Seen, proxied
from tests.servers.s3 import BUCKET, S3Server

RESET, LOSE, DEAD = "reset", "answer lost", "dead"
FAULTS: Final = (RESET, LOSE, DEAD)
MOST: Final = 1_000


@attrs.frozen
class Corner:
    """A corner of a bucket: as it is, and as it is seen through the proxy."""

    prefix: str
    server: S3Server
    proxy: Proxy

    @property
    def storage(self) -> S3Storage:
        """The storage, past the proxy."""
        return S3Storage(BUCKET, self.prefix, AwsSettings(endpoint_url=self.server.endpoint, retry_attempts=1))

    @property
    def disturbed(self) -> S3Storage:
        """The storage behind the proxy; no request is repeated."""
        return S3Storage(BUCKET, self.prefix, AwsSettings(endpoint_url=self.proxy.endpoint, retry_attempts=1))


def stopped_at_requests(
    server: S3Server, proxy: Proxy, name: str, fault: str, numbers: Callable[[int], bool] = lambda _: True
) -> tuple[int, list[str]]:
    """Stop a writer at the requests of these numbers; return how often it was stopped, and what was wrong after any."""
    former, writer = WRITERS[name]
    original = Corner(server.corner(), server, proxy)
    for action in former:
        action(original.storage)
    objects = _objects(original)
    before, after = _expected(server, proxy, name, objects)
    problems = list[str]()
    for stops, number in enumerate(filter(numbers, count(1))):
        corner = _copied(objects, server, proxy)
        corner.disturbed.exchange("warm", None, None)  # the server is probed once
        hits: list[str] = []
        proxy.choose(_at(number, fault, hits))
        with suppress(PulseError):
            writer(corner.disturbed)
        proxy.plan()
        if not hits:
            return stops, problems
        context = f"{name}: {fault} at request {number}, {hits[0]}"
        try:
            judge(corner.storage, before, after, writer, context)
        except (AssertionError, PulseError) as error:
            problems.append(f"{context}: {type(error).__name__} {error}")
        if number > MOST:
            raise RuntimeError("the requests do not end")
    raise AssertionError("counting does not end")


def _at(number: int, fault: str, hits: list[str]) -> Callable[[Seen], Fault | None]:
    """Return what chooses the fault of each request."""
    numbers = count(1)

    def choose(seen: Seen) -> Fault | None:
        current = next(numbers)
        if current == number or (fault == DEAD and current > number):
            hits.append(f"{seen.method} {seen.path}")
            return LoseAnswer() if fault == LOSE else Reset()
        return None

    return choose


def _expected(server: S3Server, proxy: Proxy, name: str, objects: dict[str, bytes]) -> tuple[Found, Found]:
    """Return what is found before an undisturbed writer and after it."""
    corner = _copied(objects, server, proxy)
    before = found(corner.storage)
    WRITERS[name][1](corner.storage)
    return before, found(corner.storage)


def _objects(corner: Corner) -> dict[str, bytes]:
    names = [entry.name for entry in corner.storage.entries("")]
    return {name: corner.storage.read(name) or b"" for name in names}


def _copied(objects: dict[str, bytes], server: S3Server, proxy: Proxy) -> Corner:
    corner = Corner(server.corner(), server, proxy)
    server.put(corner.prefix, objects)
    return corner


@contextmanager
def servers() -> Iterator[tuple[S3Server, Proxy]]:
    """Start a server and a proxy before it."""
    from tests.servers.moto_server import running_moto

    with running_moto() as server, proxied(server.endpoint) as proxy:
        os.environ.update(server.environment)
        yield server, proxy


def main(names: list[str]) -> int:
    """Stop these writers, or all; return the exit status."""
    wrong = 0
    with servers() as (server, proxy):
        for name in names or WRITERS:
            for fault in FAULTS:
                stops, problems = stopped_at_requests(server, proxy, name, fault)
                verdict = {"writer": name, "fault": fault, "stops": stops, "problems": problems}
                sys.stdout.write(json.dumps(verdict) + "\n")
                sys.stdout.flush()
                wrong += len(problems)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
