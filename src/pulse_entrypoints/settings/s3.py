"""The settings of S3 and of compatible servers: buckets, connections, and the cache of objects."""

from __future__ import annotations

from pathlib import Path

import attrs

from pulse_entrypoints.cli.kinds import BYTES, HOURS, OBJECT, PATH, POSITIVE, SECONDS, TEXT, URL, choice
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import S3


@attrs.frozen(kw_only=True, slots=False)
class RegionSettings:
    """The region of AWS."""

    aws_region: str | None = option(
        attrs.evolve(TEXT, metavar="REGION"),
        S3,
        "The region of the buckets, and of AWS Batch.",
        default_text="AWS_DEFAULT_REGION, else us-east-1",
        environment="AWS_REGION",
    )


@attrs.frozen(kw_only=True, slots=False)
class S3Settings(RegionSettings):
    """The connection to S3. Credentials are no options: boto3 finds them as every tool of AWS does."""

    s3_endpoint_url: str | None = option(
        URL,
        S3,
        "The address of a server that speaks S3.",
        default_text="AWS itself",
        environment="AWS_ENDPOINT_URL_S3",
    )
    s3_addressing_style: str = option(
        choice("auto", "path", "virtual", metavar="STYLE"),
        S3,
        "Whether the bucket stands in the path or in the name of the host.",
        "auto",
    )
    s3_max_workers: int = option(POSITIVE, S3, "Objects fetched at a time, by each worker process.", 16)
    s3_retry_attempts: int = option(POSITIVE, S3, "Attempts for a request, the first included.", 3)
    s3_retry_mode: str = option(
        choice("standard", "adaptive", metavar="MODE"),
        S3,
        "adaptive also slows down where the server demands it.",
        "standard",
    )
    s3_transfer_timeout: float = option(
        SECONDS,
        S3,
        "Seconds that one request may take, from its first byte to the last one of its answer; then it is cut off and "
        "tried again. 0 for no limit.",
        300.0,
    )
    s3_checksums: str = option(
        choice("when_supported", "when_required", metavar="WHEN"),
        S3,
        "Send and check checksums; some servers that speak S3 need when_required.",
        "when_supported",
    )


@attrs.frozen(kw_only=True, slots=False)
class S3DataSettings(S3Settings):
    """The data in a bucket."""

    s3_data_bucket: str | None = option(
        attrs.evolve(TEXT, metavar="BUCKET"),
        S3,
        "Read the data from this bucket instead of --data.",
        environment="S3_DATA_BUCKET",
        instead_of="data",
    )
    s3_data_prefix: str = option(
        attrs.evolve(TEXT, metavar="PREFIX"),
        S3,
        "The prefix of the data: the key of a variable is PREFIX, variable, .parquet, .csv or .jsonl, and "
        ".gz where compressed.",
        "datasets/",
        environment="S3_DATA_PREFIX",
    )
    cache_dir: Path | None = option(
        attrs.evolve(PATH, metavar="FOLDER"),
        S3,
        "The folder of fetched objects, which are used again while their ETag stays the same.",
        default_text="~/.cache/pulse",
    )
    cache_expiration_hours: float = option(
        HOURS, S3, "How long a listing of the bucket is used before it is fetched again.", 1.0
    )
    cache_max_size: int = option(
        BYTES, S3, "Room for the cache, such as 500MB or 2GiB; 0 for none.", default_text="2GiB", default=2 * 2**30
    )


@attrs.frozen(kw_only=True, slots=False)
class S3ResultsSettings(S3Settings):
    """The results in a bucket."""

    s3_results_bucket: str | None = option(
        attrs.evolve(TEXT, metavar="BUCKET"),
        S3,
        "Put the results into this bucket instead of --results.",
        environment="S3_RESULTS_BUCKET",
        instead_of="results",
    )
    s3_results_prefix: str = option(
        attrs.evolve(TEXT, metavar="PREFIX"),
        S3,
        "The prefix of every key.",
        "results/",
        environment="S3_RESULTS_PREFIX",
    )


@attrs.frozen(kw_only=True, slots=False)
class S3OutputSettings(S3Settings):
    """The result as an object of its own."""

    s3_output_file: tuple[str, str] | None = option(
        OBJECT, S3, "Write the result, as JSON, to this object as well.", environment="S3_OUTPUT_FILE"
    )
