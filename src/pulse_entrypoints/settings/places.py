# ruff: noqa: RUF009 - option() declares an attrs field and is meant to be called once, here
"""Where data come from and results go."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs

from pulse_entrypoints.options import FLAG, PATH, RUN_ID, TEXT, option
from pulse_entrypoints.settings.groups import WHERE

SAMPLE: Final = "sample"


@attrs.frozen(kw_only=True, slots=False)
class DataSettings:
    """Where data come from."""

    data: str = option(
        attrs.evolve(TEXT, metavar="PLACE"),
        WHERE,
        "A folder with one file a variable (CSV, Parquet or JSON Lines), one long file with a variable "
        "column, or 'sample' for the series that come with Pulse.",
        "data",
    )


@attrs.frozen(kw_only=True, slots=False)
class ResultsSettings:
    """The place of results, of all runs."""

    results: str = option(
        attrs.evolve(TEXT, metavar="PLACE"),
        WHERE,
        "The folder for results. Made where it is missing.",
        "results",
    )


@attrs.frozen(kw_only=True, slots=False)
class OutputSettings:
    """What a run leaves in its place."""

    output_file: Path | None = option(PATH, WHERE, "Write the result, as JSON, to this file as well.")
    hindcasts: bool = option(
        FLAG, WHERE, "Write every forecast that would have been made, with quantiles, as Parquet.", default=False
    )
    run_id: str | None = option(RUN_ID, WHERE, "The run's name in the results.", shown="from what is trained")
