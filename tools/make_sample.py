"""Write the sample series in src/pulse_adapters/sample from the data sets that come with the package arch.

Run it in the development environment: `.venv/bin/python tools/make_sample.py`. It writes the CSV files
anew and prints the rows of the table in PROVENANCE.md. Numbers are read from the source's text as the
nearest float and written as the shortest text that gives the same float.
"""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import attrs

SAMPLE = Path(__file__).resolve().parent.parent / "src" / "pulse_adapters" / "sample"
ABSENT = {"", "."}


@attrs.frozen
class Source:
    """One column of one data set in arch.data."""

    package: str
    file: str
    column: str

    def rows(self) -> Iterator[tuple[str, str]]:
        """Each day as an ISO date, with the text of its value."""
        packed = files(self.package).joinpath(self.file).read_bytes()
        for row in csv.DictReader(io.StringIO(gzip.decompress(packed).decode("ascii"))):
            day = datetime.strptime(row["Date"], "%m/%d/%Y").date()  # noqa: DTZ007 - a calendar day has no zone
            yield day.isoformat(), row[self.column].strip()


SOURCES = {
    "spx_close": Source("arch.data.sp500", "sp500.csv.gz", "Close"),
    "wti_price": Source("arch.data.wti", "wti.csv.gz", "DCOILWTICO"),
    "baa_yield": Source("arch.data.default", "default.csv.gz", "BAA"),
    "core_cpi": Source("arch.data.core_cpi", "core-cpi.csv.gz", "CPILFESL"),
}


def write(variable: str, source: Source) -> str:
    """Write one variable's file; return its row of the table in PROVENANCE.md."""
    rows = list(source.rows())
    present = [(day, repr(float(text))) for day, text in rows if text not in ABSENT]
    days = [day for day, _ in present]
    if days != sorted(set(days)):
        raise ValueError(f"{source.package}: its days are not in order, or one comes twice")
    content = "".join(f"{day},{value}\n" for day, value in [("timestamp", "value"), *present]).encode("ascii")
    (SAMPLE / f"{variable}.csv").write_bytes(content)
    cells = (f"`{variable}.csv`", days[0], days[-1], len(present), len(rows) - len(present))
    return "| " + " | ".join(map(str, cells)) + f" | `{hashlib.sha256(content).hexdigest()}` |"


def main() -> None:
    """Write all of the sample."""
    print(f"arch {version('arch')}")
    for variable, source in SOURCES.items():
        print(write(variable, source))


if __name__ == "__main__":
    main()
