"""Every DataStore there is. A new one is one more line, and is then held to the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pandas as pd

from pulse.testing.data_store import Variables
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.stores.folder import FolderStore
from pulse_adapters.stores.formats.registry import SUFFIXES
from pulse_adapters.stores.frames import FrameStore
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.s3 import S3Store
from pulse_adapters.stores.s3_long import S3LongStore
from pulse_core.ports import DataStore
from tests.contracts.data_files import columns_of, long_file, one_file, rows_of
from tests.fakes import FakeStore, VersionedStore
from tests.servers.moto_server import moto
from tests.servers.s3 import BUCKET, S3Server, environment_of
from tests.servers.seaweedfs import seaweedfs

WRITTEN = tuple(suffix for suffix in SUFFIXES if suffix != ".xlsx")
"""Endings of the files that the contract is held to: a workbook cannot hold every name and bit."""


@attrs.frozen
class Opener:
    """How to open a new store that holds given variables, and how many examples the store is worth."""

    open: Callable[[Variables], AbstractContextManager[DataStore]]
    examples: int = 20


@contextmanager
def _fake(variables: Variables) -> Iterator[DataStore]:
    yield FakeStore(dict(variables))


@contextmanager
def _versioned(variables: Variables) -> Iterator[DataStore]:
    yield VersionedStore(dict(variables))


@contextmanager
def _folder(suffix: str, variables: Variables) -> Iterator[DataStore]:
    with TemporaryDirectory() as folder:
        for name, observations in variables.items():
            (Path(folder) / f"{name}{suffix}").write_bytes(one_file(observations, suffix))
        yield FolderStore(folder)


@contextmanager
def _long(suffix: str, variables: Variables) -> Iterator[DataStore]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"long{suffix}"
        path.write_bytes(long_file(variables, suffix))
        yield FolderStore(path)


@contextmanager
def _bucket(server: Callable[[], S3Server], suffix: str, variables: Variables) -> Iterator[DataStore]:
    corner = server().corner()
    server().put(
        corner, {f"{name}{suffix}": one_file(observations, suffix) for name, observations in variables.items()}
    )
    with TemporaryDirectory() as folder, environment_of(server()):
        yield S3Store(BUCKET, corner, AwsSettings(endpoint_url=server().endpoint), ObjectCache(folder, 2**20))


@contextmanager
def _long_object(server: Callable[[], S3Server], suffix: str, variables: Variables) -> Iterator[DataStore]:
    corner = server().corner()
    server().put(corner, {f"long{suffix}": long_file(variables, suffix)})
    with environment_of(server()):
        yield S3LongStore(BUCKET, f"{corner}long{suffix}", AwsSettings(endpoint_url=server().endpoint))


@contextmanager
def _frames(variables: Variables) -> Iterator[DataStore]:
    columns = columns_of(variables)
    yield FrameStore(
        {name: pd.DataFrame(list(rows_of(observations)))[columns] for name, observations in variables.items()}
    )


STORES: dict[str, Opener] = {
    "fake": Opener(_fake),
    "fake, with versions": Opener(_versioned),
    "frames": Opener(_frames),
    **{f"folder, *{suffix}": Opener(partial(_folder, suffix)) for suffix in WRITTEN},
    **{f"folder, long{suffix}": Opener(partial(_long, suffix)) for suffix in WRITTEN},
    "s3 in moto, *.csv": Opener(partial(_bucket, moto, ".csv"), examples=3),
    "s3 in moto, *.jsonl.gz": Opener(partial(_bucket, moto, ".jsonl.gz"), examples=3),
    "s3 in SeaweedFS, *.parquet": Opener(partial(_bucket, seaweedfs, ".parquet"), examples=5),
    "s3 in SeaweedFS, *.csv.gz": Opener(partial(_bucket, seaweedfs, ".csv.gz"), examples=3),
    "s3 in SeaweedFS, long.csv": Opener(partial(_long_object, seaweedfs, ".csv"), examples=3),
}
