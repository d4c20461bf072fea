"""The settings of locations: of the data, of the results, and of further outputs."""

from __future__ import annotations

from typing import Final

import attrs

from pulse_entrypoints.cli.kinds import FLAG, PATH, RUN_ID, TEXT
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import WHERE
from pulse_entrypoints.settings.reading import ReadingSettings
from pulse_entrypoints.settings.s3 import S3DataSettings, S3OutputSettings, S3ResultsSettings

SAMPLE: Final = "sample"
DEFAULT_RESULTS: Final = "results"


_FILE: Final = attrs.evolve(PATH, parse=str)


@attrs.frozen(kw_only=True, slots=False)
class DataSettings(ReadingSettings, S3DataSettings):
    """The location of the data: the bucket where one is named, else `data`."""

    data: str = option(
        attrs.evolve(TEXT, metavar="LOCATION"),
        WHERE,
        "A folder with one file a variable (CSV, Parquet or JSON Lines), one long file with a variable "
        "column, s3://bucket/folder, or 'sample' for the series that come with Pulse.",
        "data",
    )

    @property
    def data_location(self) -> str:
        """The location in one word."""
        return self.data if self.s3_data_bucket is None else f"s3://{self.s3_data_bucket}/{self.s3_data_prefix}"


@attrs.frozen(kw_only=True, slots=False)
class ResultsSettings(S3ResultsSettings):
    """The location of the results of all runs: the bucket where one is named, else `results`."""

    results: str = option(
        attrs.evolve(TEXT, metavar="LOCATION"),
        WHERE,
        "The folder for results, created where it is missing; or s3://bucket/folder.",
        DEFAULT_RESULTS,
    )

    @property
    def results_location(self) -> str:
        """The location in one word."""
        bucket = self.s3_results_bucket
        return self.results if bucket is None else f"s3://{bucket}/{self.s3_results_prefix}"


@attrs.frozen(kw_only=True, slots=False)
class OutputSettings(S3OutputSettings):
    """The outputs of a run."""

    output_file: str | None = option(_FILE, WHERE, "Write the result, as JSON, to this file as well.")
    hindcasts: bool = option(
        FLAG, WHERE, "Write the forecasts of every origin, with quantiles, as Parquet.", default=False
    )
    report: bool = option(
        FLAG, WHERE, "Write report.html, the results in figures; includes --hindcasts.", default=False
    )
    run_id: str | None = option(RUN_ID, WHERE, "The run's name in the results.", default_text="from what is trained")
