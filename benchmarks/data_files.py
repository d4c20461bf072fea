"""What reading data costs as it grows: one CSV file by its rows, a folder by its files.

`python benchmarks/data_files.py [--large]`; how to read it: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from pulse_adapters.stores.folder import FolderStore
from pulse_core.data.quality import overview
from pulse_entrypoints.commands.data.reading import outcomes

ROWS: Final = (10_000, 100_000, 1_000_000)
FILES: Final = (1_000, 10_000)
ROWS_A_FILE: Final = 60
LARGE_ROWS: Final = 10_000_000
LARGE_FILES: Final = 100_000
_AT_ONCE: Final = 1_000_000


def main() -> None:
    """Print a line a file, and one a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help=f"also {LARGE_ROWS:,} rows and {LARGE_FILES:,} files")
    large = parser.parse_args().large
    print("one CSV file      rows   MB      CPU s   us a row   peak MB")
    for rows in (*ROWS, *([LARGE_ROWS] if large else [])):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "x.csv"
            with path.open("w") as file:
                file.write("timestamp,value\n")
                for lines in _minutes(rows):
                    file.write(lines)
            seconds, peak = _alone(path)
            size = path.stat().st_size / 1e6
            print(f"{rows:>22,} {size:>6.1f} {seconds:>8.2f} {seconds / rows * 1e6:>10.2f} {peak:>9.0f}")
    print(f"list of a folder  files of {ROWS_A_FILE} rows   seconds   ms a file")
    for files in (*FILES, *([LARGE_FILES] if large else [])):
        with TemporaryDirectory() as folder:
            _write_files(Path(folder), files)
            start = time.perf_counter()
            store = FolderStore(folder)
            count = sum(1 for _ in outcomes(store, list(store.names()), overview))
            seconds = time.perf_counter() - start
            print(f"{count:>22,} {'':>12} {seconds:>12.1f} {seconds / files * 1e3:>11.2f}")


def _minutes(rows: int) -> Iterator[str]:
    """Yield lines of a series of minutes."""
    random = np.random.default_rng(1)
    for start in range(0, rows, _AT_ONCE):
        minutes = np.datetime64("2000-01-01T00:00", "m") + np.arange(start, min(start + _AT_ONCE, rows))
        values = random.normal(100, 10, len(minutes))
        yield "".join(f"{minute},{value:.4f}\n" for minute, value in zip(minutes.astype(str), values, strict=True))


def _write_files(folder: Path, files: int) -> None:
    days = (np.datetime64("2020-01-01") + np.arange(ROWS_A_FILE)).astype(str)
    random = np.random.default_rng(1)
    for number in range(files):
        rows = zip(days, random.normal(100, 10, ROWS_A_FILE), strict=True)
        (folder / f"v{number:06d}.csv").write_text(
            "timestamp,value\n" + "".join(f"{day},{value:.4f}\n" for day, value in rows)
        )


def _alone(path: Path) -> tuple[float, float]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_read, path).result()


def _read(path: Path) -> tuple[float, float]:
    """Return the CPU seconds of reading a file, and the peak memory of the process in MB."""
    FolderStore(path.parent).names()
    start = time.process_time()
    overview(FolderStore(path.parent).read("x"))
    return time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
