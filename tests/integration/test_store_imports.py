"""What reading costs at the start of a process: no library is loaded before it is needed, pandas never."""

import subprocess
import sys

import pytest

from pulse.testing.data_store import sample
from tests.contracts.data_files import one_file

HEAVY = ("pandas", "pyarrow", "pyarrow.compute", "pyarrow.parquet", "msgspec")
SCRIPT = """
import sys
from pulse_adapters.stores.folder import FolderStore
store = FolderStore(sys.argv[1])
if sys.argv[2:]:
    assert len(store.read("x")) == 2
print(*(name for name in {heavy} if name in sys.modules))
"""


def loaded(*arguments):
    command = [sys.executable, "-c", SCRIPT.format(heavy=HEAVY), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_naming_a_store_loads_no_heavy_library(tmp_path):
    assert loaded(tmp_path) == []


@pytest.mark.parametrize(
    ("suffix", "libraries"),
    [(".csv", ["pyarrow"]), (".jsonl", ["msgspec"]), (".parquet", ["pyarrow", "pyarrow.parquet"])],
)
def test_reading_loads_the_formats_own_library(tmp_path, suffix, libraries):
    (tmp_path / f"x{suffix}").write_bytes(one_file(sample("x")["x"], suffix))
    assert loaded(tmp_path, "x") == libraries
