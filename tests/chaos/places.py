"""Where disturbed runs leave their results: a folder, a small disk, a bucket."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import attrs

from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.sinks.layout import group_file, is_pack, key_of
from pulse_adapters.sinks.packs import decode_head
from pulse_adapters.sinks.records import decode_record
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_adapters.storage.folder import FolderStorage
from pulse_adapters.storage.port import Storage
from pulse_adapters.storage.s3 import S3Storage
from pulse_core.results import VariableScores
from tests.chaos.writers import strays
from tests.servers.s3 import BUCKET, S3Server

SMALL_DISK = "5m"
"""Room for a result of 2 MB and for the `result.json` that takes the place of its own, 1.1 MB, but for little more."""


class Results(Protocol):
    """A place for the results of one run, and how to look at it past Pulse."""

    @property
    def name(self) -> str:
        """What is given to --results."""

    @property
    def environment(self) -> dict[str, str]:
        """What else a process needs to reach it."""

    @property
    def storage(self) -> Storage:
        """The place as a storage."""

    def temporary(self) -> list[str]:
        """Return the temporary files and unfinished uploads."""


@attrs.frozen
class FolderResults:
    """Results in a folder."""

    root: Path

    @property
    def name(self) -> str:
        return str(self.root)

    @property
    def environment(self) -> dict[str, str]:
        return {}

    @property
    def storage(self) -> Storage:
        return FolderStorage(self.root)

    def temporary(self) -> list[str]:
        return [str(path) for path in self.root.rglob("*") if path.suffix in {".tmp", ".lock"}]


@attrs.frozen
class BucketResults:
    """Results in a bucket."""

    server: S3Server
    prefix: str

    @property
    def name(self) -> str:
        return f"s3://{BUCKET}/{self.prefix}"

    @property
    def environment(self) -> dict[str, str]:
        return self.server.environment

    @property
    def storage(self) -> Storage:
        os.environ.update(self.server.environment)
        return S3Storage(BUCKET, f"{self.prefix}/", AwsSettings(endpoint_url=self.server.endpoint))

    def temporary(self) -> list[str]:
        uploads = self.server.client().list_multipart_uploads(Bucket=BUCKET, Prefix=self.prefix).get("Uploads", [])
        return [f"unfinished upload of {upload['Key']}" for upload in uploads]


def records_of(results: Results) -> dict[str, list[bytes]]:
    """Return all records, encoded, by key; a key that was recorded twice has two."""
    records: dict[str, list[bytes]] = {}
    for entry in results.storage.entries(""):
        content = results.storage.read(entry.name)
        file = group_file(entry.name)
        key = key_of(entry.name)
        if content is not None and key is not None:
            records.setdefault(key, []).append(content)
        elif content is not None and file is not None and is_pack(file[1]):
            for packed, (start, length) in decode_head(content).places.items():
                records.setdefault(packed, []).append(content[start : start + length])
    return records


def finished_variables(records: Mapping[str, Sequence[bytes]]) -> int:
    """Return how many variables are recorded to their end: those with scores."""
    decoded = (decode_record(key, contents[0]) for key, contents in records.items())
    return sum(isinstance(record, VariableScores) for record in decoded)


def strays_of(results: Results) -> list[str]:
    """Return what should not be there once a run has ended well."""
    sink = StorageSink(results.storage)
    of_runs = [name for run_id in sink.run_ids() for name in strays(results.storage, run_id)]
    return [*of_runs, *results.temporary()]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of a few MiB, in memory. Needs to be root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        for _ in range(50):  # a process that has just been killed may hold a file for a moment
            if subprocess.run(["umount", folder], check=False, capture_output=True).returncode == 0:
                break
            time.sleep(0.1)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Use up what a disk has left."""
    filler = disk / "filler"
    try:
        with filler.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
    except OSError:
        pass
    try:
        yield
    finally:
        filler.unlink()
