"""A store of your own in one file: variables in a SQLite database, with the releases of revised values.

A store needs `names` and `read`, no base class. It is pickled to every worker, so it holds the path and opens the
database on use; and it says what is wrong in Pulse's own errors, so that a run can name the variable.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import attrs
import numpy as np

from pulse_adapters.backends.processes.backend import ProcessesBackend
from pulse_adapters.sample import FOLDER
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.stores.folder import FolderStore
from pulse_core import Observations, RetrodictionTraining, RunResult, RunSpec, StoreUnavailable, VariableNotFound

_ROWS = "SELECT timestamp, value, known_at FROM observations WHERE variable = ?"


@attrs.frozen
class SqliteStore:
    """Reads the table `observations` (variable, timestamp, value, known_at), times as ISO text in UTC."""

    path: Path

    def names(self) -> Iterator[str]:
        """Yield the variables' names, sorted."""
        yield from (name for (name,) in self._query("SELECT DISTINCT variable FROM observations ORDER BY variable"))

    def read(self, variable: str) -> Observations:
        """Return a variable's rows. Raises VariableNotFound."""
        rows = self._query(_ROWS, variable)
        if not rows:
            near = get_close_matches(variable, list(self.names()), n=1)
            raise VariableNotFound(f"no variable '{variable}'", str(self.path), f"Near: {near[0]}" if near else "")
        timestamps, values, known_at = zip(*rows, strict=True)
        return Observations(
            variable,
            np.array(timestamps, dtype="datetime64[us]"),
            np.array(values, dtype=np.float64),
            np.array(known_at, dtype="datetime64[us]"),
            source=f"{self.path}, variable {variable}",
        )

    def _query(self, statement: str, *values: str) -> list[tuple[str, ...]]:
        try:
            with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)) as database:
                return database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"cannot be read: {error}", str(self.path), "Check the database") from error


def fill(path: Path) -> None:
    """Write two series of the sample to a new database, as if each value had been published 20 days later."""
    sample = FolderStore(FOLDER)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE observations (variable TEXT, timestamp TEXT, value REAL, known_at TEXT)")
        for variable in ("core_cpi", "baa_yield"):
            read = sample.read(variable)
            published = read.timestamps + np.timedelta64(20, "D")
            rows = zip(map(str, read.timestamps), read.values.tolist(), map(str, published), strict=True)
            database.executemany("INSERT INTO observations VALUES (?, ?, ?, ?)", ((variable, *row) for row in rows))


def train(store: SqliteStore, results: Path) -> RunResult:
    """Train on all that the store has, in worker processes where that pays."""
    training = RetrodictionTraining(store=store, backend=ProcessesBackend(), sink=FolderSink(results))
    spec = RunSpec(
        variables=tuple(store.names()),
        start=date(2010, 1, 1),
        end=date(2018, 12, 31),
        horizon=2,
        forecasters=["naive", "drift", "ari"],
    )
    return training.execute(spec)


def main() -> None:
    """Fill a database, train on it, print who was best."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.sqlite"
        fill(path)
        for summary in train(SqliteStore(path), Path(folder) / "results").variables:
            print(f"{summary.variable:10} best one month ahead: {summary.best(horizon=1)}")


if __name__ == "__main__":
    main()
