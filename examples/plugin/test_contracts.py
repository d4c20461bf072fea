"""The plug-in's store and forecaster keep the contracts of their ports: run pytest in the plug-in's folder."""

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pulse_archive.forecaster import MedianChange
from pulse_archive.store import ArchiveStore, write

from pulse.testing import DataStoreContract, ForecasterContract
from pulse_core import PerOriginForecaster, StoreUnavailable


class TestArchiveStore(DataStoreContract):
    @contextmanager
    def open(self, variables):
        with TemporaryDirectory() as folder:
            path = Path(folder, "data.npz")
            write(path, variables.values())
            yield ArchiveStore(path)


class TestMedianChange(ForecasterContract):
    def create(self):
        return PerOriginForecaster("median-change", MedianChange.version, MedianChange())


@pytest.mark.parametrize("content", [None, b"", b"timestamp,value\n"])
def test_a_file_that_is_no_archive_is_named(content, tmp_path):
    if content is not None:
        (tmp_path / "data.npz").write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"data\.npz"):
        list(ArchiveStore(tmp_path / "data.npz").names())
