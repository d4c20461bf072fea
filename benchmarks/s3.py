"""What reading variables from S3 costs beside a bare loop of boto3, against a real server (SeaweedFS on loopback).

400 variables of 256 KiB each, by four threads; least of several runs in turn; wall-clock and CPU seconds of this
process. Then: requests of a second run from the cache, and peak memory as the number of variables grows.
`python benchmarks/s3.py [--repeats 5]`; how to read it: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # the servers of the tests

from pulse_adapters.aws.clients import AwsSettings, client
from pulse_adapters.stores.formats.parquet_bytes import parquet_bytes
from pulse_adapters.stores.formats.registry import parse
from pulse_adapters.stores.formats.table import observations
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.s3 import S3Store
from pulse_core import Observations
from tests.servers.faults import proxied
from tests.servers.s3 import BUCKET, S3Server, environment_of
from tests.servers.seaweedfs import running_seaweedfs

VARIABLES: Final = 400
BYTES: Final = 256 * 2**10
THREADS: Final = 4
PREFIX: Final = "bench/"
GIBI: Final = 2**30


@attrs.frozen
class Cost:
    """Wall-clock and CPU seconds of a run."""

    wall: float
    cpu: float


def cost(action: Callable[[], int]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    if action() != VARIABLES:
        raise RuntimeError("not every variable was read")
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def names(count: int = VARIABLES) -> list[str]:
    return [f"variable_{number:04}" for number in range(count)]


def content(seed: int) -> bytes:
    """A series that is 256 KiB of Parquet, within a few per cent."""
    rows = BYTES * 10 // 170
    stamps = np.datetime64("1960-01-01", "us") + np.arange(rows) * np.timedelta64(86_400_000_000, "us")
    values = np.cumsum(np.random.default_rng(seed).normal(size=rows)).round(6)
    return bytes(parquet_bytes(Observations("x", stamps[:rows], values)))


def bare(server: S3Server) -> int:
    """The loop that the issue names: get_object and read, no more."""
    s3 = client("s3", AwsSettings(endpoint_url=server.endpoint, max_workers=THREADS))

    def get(name: str) -> int:
        return len(s3.get_object(Bucket=BUCKET, Key=f"{PREFIX}{name}.parquet")["Body"].read())

    with ThreadPoolExecutor(THREADS) as threads:
        return sum(size > 0 for size in threads.map(get, names()))


def bare_parsed(server: S3Server) -> int:
    """The same loop, each object made into observations by its thread."""
    s3 = client("s3", AwsSettings(endpoint_url=server.endpoint, max_workers=THREADS))

    def get(name: str) -> Observations:
        body = s3.get_object(Bucket=BUCKET, Key=f"{PREFIX}{name}.parquet")["Body"].read()
        return observations(parse(body, f"{name}.parquet", name), name, name)

    with ThreadPoolExecutor(THREADS) as threads:
        return sum(len(rows) > 0 for rows in threads.map(get, names()))


def by_obstore(server: S3Server) -> int:
    """Another client, written in Rust: bytes alone."""
    from obstore.store import S3Store as RustStore

    store = RustStore(
        BUCKET,
        endpoint=server.endpoint,
        access_key_id=server.access_key,
        secret_access_key=server.secret_key,
        region="us-east-1",
        client_options={"allow_http": True},
    )
    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(lambda name: len(store.get(f"{PREFIX}{name}.parquet").bytes()) > 0, names()))


def store_of(endpoint: str, cache: ObjectCache | None = None, workers: int = THREADS) -> S3Store:
    # every store with a time of its own, so that each run lists the bucket anew
    return S3Store(BUCKET, PREFIX, AwsSettings(endpoint_url=endpoint, max_workers=workers), cache, time.monotonic())


def fetched(server: S3Server) -> int:
    """Ours, bytes alone: listing, threads, retries of bodies."""
    store = store_of(server.endpoint)
    with ThreadPoolExecutor(THREADS) as threads:
        return sum(len(fetched.content) > 0 for _, fetched in threads.map(store.fetch, names()))


def read(store: S3Store, count: int = VARIABLES) -> int:
    """Ours, as a unit reads: variables one after another, fetched ahead."""
    variables = names(count)
    with store.ahead(variables) as ahead:
        return sum(len(ahead.read(name)) > 0 for name in variables)


def in_turn(sides: dict[str, Callable[[], int]], repeats: int) -> dict[str, Cost]:
    runs: dict[str, list[Cost]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, side in sides.items():
            runs[name].append(cost(side))
    return {name: Cost(min(c.wall for c in costs), min(c.cpu for c in costs)) for name, costs in runs.items()}


def speed(server: S3Server, repeats: int, folder: str) -> None:
    cache = ObjectCache(folder, GIBI)
    read(store_of(server.endpoint, cache))
    costs = in_turn(
        {
            "bare boto3 loop": lambda: bare(server),
            "bare loop, parsed": lambda: bare_parsed(server),
            "ours, bytes": lambda: fetched(server),
            "ours, parsed": lambda: read(store_of(server.endpoint)),
            "ours, from cache": lambda: read(store_of(server.endpoint, cache)),
            "obstore, bytes": lambda: by_obstore(server),
        },
        repeats,
    )
    base, parsed = costs["bare boto3 loop"], costs["bare loop, parsed"]
    print(f"{'':22}{'wall s':>8}{'objects/s':>11}{'CPU s':>8}{'x bare':>8}{'x bare parsed':>15}")
    for name, side in costs.items():
        ratios = f"{side.wall / base.wall:8.2f}{side.wall / parsed.wall:15.2f}"
        print(f"{name:22}{side.wall:8.2f}{VARIABLES / side.wall:11.0f}{side.cpu:8.2f}{ratios}")


def requests_of_second_run(server: S3Server) -> None:
    with TemporaryDirectory() as folder, proxied(server.endpoint) as proxy:
        for run in ("first", "second"):
            proxy.plan()
            read(store_of(proxy.endpoint, ObjectCache(folder, GIBI)))
            data = [request for request in proxy.seen if request.method == "GET" and request.path.endswith(".parquet")]
            size = sum(request.body for request in data)
            print(f"{run} run: {len(proxy.seen)} requests, {len(data)} for data, {size:,} bytes of it")


def memory(server: S3Server) -> Iterator[tuple[int, float]]:
    for count in (50, 100, 200, VARIABLES):
        command = [sys.executable, __file__, "--memory", str(count), "--endpoint", server.endpoint]
        process = subprocess.run(
            command, env={**os.environ, **server.environment}, capture_output=True, text=True, check=True
        )
        yield count, float(json.loads(process.stdout))


def main(arguments: Any) -> None:
    if arguments.memory:
        read(store_of(arguments.endpoint), arguments.memory)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    with running_seaweedfs() as server, environment_of(server), TemporaryDirectory() as folder:
        contents = [content(number) for number in range(8)]
        server.put(PREFIX, {f"{name}.parquet": contents[number % 8] for number, name in enumerate(names())})
        print(
            f"{VARIABLES} variables of {len(contents[0]) / 1024:.0f} KiB, {THREADS} threads, {os.cpu_count()} cores\n"
        )
        speed(server, arguments.repeats, folder)
        print()
        requests_of_second_run(server)
        print()
        for count, peak in memory(server):
            print(f"peak memory, {count:4} variables: {peak:6.0f} MiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--memory", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--endpoint", default="", help=argparse.SUPPRESS)
    main(parser.parse_args())
