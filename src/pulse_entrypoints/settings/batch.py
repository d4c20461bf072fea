"""The settings of AWS Batch: of a job itself, of its submission, and of the commands about jobs."""

from __future__ import annotations

import re
from typing import Final

import attrs

from pulse_entrypoints.cli.kinds import COUNT, FLAG, NUMBER, PORT, POSITIVE, SECONDS, TEXT, Kind
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import BATCH, OPERANDS
from pulse_entrypoints.settings.logs import ConfigSettings
from pulse_entrypoints.settings.s3 import RegionSettings
from pulse_entrypoints.settings.train import TrainSettings

MOST_CHILDREN: Final = 10_000
"""Of an array of AWS Batch."""

_STORED: Final = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,128}/batch-[0-9a-f]{16}-[0-9a-f]{16}\.toml")


def _stored(text: str) -> str:
    if not _STORED.fullmatch(text):
        raise ValueError
    return text


def _children(text: str) -> int:
    if not text.isdecimal() or int(text) >= MOST_CHILDREN:
        raise ValueError
    return int(text)


STORED: Final = Kind(expected="<run>/batch-<hash>-<hash>.toml", metavar="RUN/FILE", parse=_stored)
CHILDREN: Final = Kind(
    expected=f"whole numbers of at least 0 and less than {MOST_CHILDREN}",
    metavar="N...",
    parse=_children,
    toml=(int,),
    many=True,
    in_toml="a list of whole numbers such as [3, 17]",
)


@attrs.frozen(kw_only=True, slots=False)
class RunJobSettings(TrainSettings):
    """The settings of a job's own process, `pulse batch run`, alias `pulse-batch`."""

    stored_settings: str | None = option(
        STORED, BATCH, "Take all other settings from this file in the results: `pulse batch submit` puts it there."
    )
    collect: bool = option(
        FLAG, BATCH, "Collect and publish what the children have recorded; fail if any is missing.", default=False
    )
    children: tuple[int, ...] | None = option(
        CHILDREN,
        BATCH,
        "Child I of this array does the I-th of these shares (of --shares), not share I.",
        default_text="all",
    )
    shares: int | None = option(
        POSITIVE, BATCH, "How many shares --children counts by.", default_text="the array's size"
    )
    node_address: str | None = option(
        attrs.evolve(TEXT, metavar="ADDRESS"),
        BATCH,
        "Multi-node: where this node listens for the others.",
        default_text="its address in the network",
    )
    node_port: int = option(PORT, BATCH, "Multi-node: the port of the Dask scheduler on the main node.", 8786)
    node_wait_seconds: float = option(
        SECONDS,
        BATCH,
        "Multi-node: how long to wait for the other nodes; then the run begins with those here.",
        600.0,
    )


@attrs.frozen(kw_only=True, slots=False)
class PriceSettings:
    """The price of a job."""

    price_per_vcpu_hour: float | None = option(
        NUMBER, BATCH, "What a vCPU costs an hour, for the estimated cost.", default_text="no cost is estimated"
    )


@attrs.frozen(kw_only=True, slots=False)
class SubmitSettings(PriceSettings, TrainSettings):
    """The settings of `pulse batch submit`."""

    queue: str | None = option(attrs.evolve(TEXT, metavar="NAME"), BATCH, "The job queue.")
    definition: str | None = option(attrs.evolve(TEXT, metavar="NAME"), BATCH, "The job definition, or name:revision.")
    vcpus: int | None = option(POSITIVE, BATCH, "vCPUs of each job.", default_text="the definition's")
    memory_mib: int | None = option(POSITIVE, BATCH, "Memory of each job, in MiB.", default_text="the definition's")
    timeout_minutes: int | None = option(
        POSITIVE, BATCH, "Time limit of an attempt; what is finished by then stays.", default_text="the definition's"
    )
    attempts: int | None = option(
        POSITIVE,
        BATCH,
        "Attempts of a job that is interrupted or loses its machine, 1 to 10.",
        default_text="the definition's",
    )
    array_size: int | None = option(
        POSITIVE,
        BATCH,
        f"Children of the array, 2 to {MOST_CHILDREN}; 1 for a single job.",
        default_text="from the plan",
    )
    units_per_child: int | None = option(
        POSITIVE, BATCH, "Units of a child at most.", default_text="some five minutes of work, and at most 100"
    )
    nodes: int | None = option(POSITIVE, BATCH, "Submit one multi-node job of this many nodes instead of an array.")
    failed_only: str | None = option(
        attrs.evolve(TEXT, metavar="JOB"), BATCH, "Submit the failed children of this array job again, and them alone."
    )
    collect_job: bool = option(
        FLAG, BATCH, "Submit a second job that collects once the array is done (--no-collect-job: none).", default=True
    )
    watch: bool = option(FLAG, BATCH, "Wait for the end, and exit as the run does.", default=False)


@attrs.frozen(kw_only=True, slots=False)
class JobSettings(RegionSettings, ConfigSettings):
    """A job, by its id."""

    job: str = option(
        attrs.evolve(TEXT, metavar="JOB"),
        OPERANDS,
        "The job's id; of an array, its own or a child's.",
        "",
        operand=True,
        required=True,
        environment="PULSE_BATCH_JOB",
    )


@attrs.frozen(kw_only=True, slots=False)
class StatusSettings(PriceSettings, JobSettings):
    """The settings of `pulse batch status`."""

    watch: bool = option(FLAG, BATCH, "Wait for the end, and exit as the run does.", default=False)


@attrs.frozen(kw_only=True, slots=False)
class JobLogSettings(JobSettings):
    """The settings of `pulse batch logs`."""

    log_group: str = option(
        attrs.evolve(TEXT, metavar="NAME"), BATCH, "The log group that the job definition names.", "/aws/batch/job"
    )
    child: int | None = option(
        COUNT, BATCH, "Of an array: this child alone.", default_text="all that failed, or else all"
    )
    attempt: int | None = option(POSITIVE, BATCH, "This attempt alone, from 1.", default_text="all")


@attrs.frozen(kw_only=True, slots=False)
class CancelSettings(JobSettings):
    """The settings of `pulse batch cancel`."""

    reason: str = option(TEXT, BATCH, "The reason in the job's history.", "cancelled by pulse batch cancel")


@attrs.frozen(kw_only=True, slots=False)
class CollectSettings(PriceSettings, JobSettings):
    """The settings of `pulse batch collect`."""

    keep_going: bool = option(
        FLAG, BATCH, "Publish the others where some results are missing (exit status 3).", default=False
    )


@attrs.frozen(kw_only=True, slots=False)
class ListJobSettings(RegionSettings, ConfigSettings):
    """The settings of `pulse batch list`."""

    queue: str | None = option(attrs.evolve(TEXT, metavar="NAME"), BATCH, "The job queue.", required=True)
