"""Every Storage there is. A new one is one more line, and is then held to all contracts of storages and sinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.storage.folder import FolderStorage
from pulse_adapters.storage.port import Storage
from pulse_adapters.storage.s3 import S3Storage
from tests.fakes import FakeStorage
from tests.servers.moto_server import moto
from tests.servers.s3 import BUCKET, S3Server, environment_of
from tests.servers.seaweedfs import seaweedfs


@contextmanager
def _folder() -> Iterator[Storage]:
    with TemporaryDirectory() as folder:
        yield FolderStorage(Path(folder, "results"))


@contextmanager
def _bucket(server: Callable[[], S3Server]) -> Iterator[Storage]:
    with TemporaryDirectory() as kept, environment_of(server()):
        yield S3Storage(BUCKET, server().corner(), AwsSettings(endpoint_url=server().endpoint), Path(kept))


STORAGES: dict[str, Callable[[], AbstractContextManager[Storage]]] = {
    "fake": lambda: nullcontext(FakeStorage()),
    "folder": _folder,
    "S3 in moto": partial(_bucket, moto),
    "S3 in SeaweedFS": partial(_bucket, seaweedfs),
}
