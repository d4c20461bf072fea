"""Where disturbed runs leave their results: a folder, a small disk, a bucket."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import attrs

from tests.servers.s3 import BUCKET, S3Server

SMALL_DISK = "3m"


class Results(Protocol):
    """A place for the results of one run, and how to look at it past Pulse."""

    @property
    def name(self) -> str:
        """What is given to --results."""

    @property
    def environment(self) -> dict[str, str]:
        """What else a process needs to reach it."""

    def records(self) -> dict[str, bytes]:
        """Return the ledger: content by key."""

    def strays(self) -> list[str]:
        """Return what should not be there once a run has ended well."""


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

    def records(self) -> dict[str, bytes]:
        whole = (path for path in self.root.glob("units/*/*") if not path.name.startswith("."))
        return {path.name: path.read_bytes() for path in whole}

    def strays(self) -> list[str]:
        return [str(path) for path in self.root.rglob("*") if path.suffix in {".tmp", ".damaged"}]


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

    def records(self) -> dict[str, bytes]:
        client = self.server.client()
        keys = [key for key in self._keys() if key.startswith(f"{self.prefix}/units/")]
        return {key.rpartition("/")[2]: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    def strays(self) -> list[str]:
        uploads = self.server.client().list_multipart_uploads(Bucket=BUCKET, Prefix=self.prefix).get("Uploads", [])
        damaged = [key for key in self._keys() if key.endswith(".damaged")]
        return damaged + [f"unfinished upload of {upload['Key']}" for upload in uploads]

    def _keys(self) -> list[str]:
        pages = self.server.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{self.prefix}/")
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


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
