"""Locations of data and results, as the settings name them."""

from __future__ import annotations

from collections.abc import Iterator

import pulse_adapters.sample
from pulse_adapters.aws.location import SCHEME, S3Location, s3_folder
from pulse_adapters.location import FOLDER, Location
from pulse_entrypoints.settings.locations import SAMPLE, DataSettings, OutputSettings, ResultsSettings

SAMPLE_LOCATION = Location(FOLDER, str(pulse_adapters.sample.FOLDER))


def data_location(settings: DataSettings) -> Location:
    """Return the location of the data: the bucket, where one is named, else `data`."""
    if settings.s3_data_bucket is not None:
        return _in_bucket(settings.s3_data_bucket, settings.s3_data_prefix)
    return SAMPLE_LOCATION if settings.data == SAMPLE else Location.parse(settings.data)


def results_location(settings: ResultsSettings) -> Location:
    """Return the location of the results: the bucket, where one is named, else `results`."""
    if settings.s3_results_bucket is not None:
        return _in_bucket(settings.s3_results_bucket, settings.s3_results_prefix)
    return Location.parse(settings.results)


def output_locations(settings: OutputSettings) -> Iterator[Location]:
    """Yield the locations of the further files that receive a run's result."""
    if settings.output_file is not None:
        yield Location.parse(settings.output_file)
    if settings.s3_output_file is not None:
        bucket, key = settings.s3_output_file
        yield Location(SCHEME, f"{bucket}/{key}")


def results_in_s3(settings: ResultsSettings) -> S3Location | None:
    """Return bucket and prefix of the results for jobs of AWS Batch, or None where the results are not in S3."""
    location = results_location(settings)
    if location.scheme != SCHEME:
        return None
    return s3_folder(location)


def _in_bucket(bucket: str, prefix: str) -> Location:
    return Location(SCHEME, f"{bucket}/{prefix}", exact=True)
