"""Every place of results there is. One more is one more line, and is then held to all contracts of places and sinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.storage.folder import Folder
from pulse_adapters.storage.port import Place
from pulse_adapters.storage.s3 import BucketPlace
from tests.fakes import FakePlace
from tests.servers.moto_server import moto
from tests.servers.s3 import BUCKET, S3Server, environment_of
from tests.servers.seaweedfs import seaweedfs


@contextmanager
def _folder() -> Iterator[Place]:
    with TemporaryDirectory() as folder:
        yield Folder(Path(folder, "results"))


@contextmanager
def _bucket(server: Callable[[], S3Server]) -> Iterator[Place]:
    with TemporaryDirectory() as kept, environment_of(server()):
        yield BucketPlace(BUCKET, server().corner(), AwsSettings(endpoint_url=server().endpoint), Path(kept))


PLACES: dict[str, Callable[[], AbstractContextManager[Place]]] = {
    "fake": lambda: nullcontext(FakePlace()),
    "folder": _folder,
    "bucket in moto": partial(_bucket, moto),
    "bucket in SeaweedFS": partial(_bucket, seaweedfs),
}
