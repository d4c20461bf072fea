"""The table of commands. One more: a file with its settings, a file with what it does, and one line here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import attrs

from pulse_entrypoints.cli.options import Option, options_of
from pulse_entrypoints.settings import TrainSettings
from pulse_entrypoints.settings.batch import (
    CancelSettings,
    CollectSettings,
    JobLogSettings,
    ListJobSettings,
    RunJobSettings,
    StatusSettings,
    SubmitSettings,
)
from pulse_entrypoints.settings.compare import CompareSettings
from pulse_entrypoints.settings.data_tools import CheckSettings, ConvertSettings, ListSettings, SampleSettings
from pulse_entrypoints.settings.forecast import ForecastSettings
from pulse_entrypoints.settings.init import InitSettings
from pulse_entrypoints.settings.plugins import PluginSettings
from pulse_entrypoints.settings.report import ReportSettings
from pulse_entrypoints.settings.runs import RunsListSettings, RunsPruneSettings, RunsShowSettings

Run = Callable[[Any, Mapping[str, str]], int]
"""Takes what was typed (a `layers.CommandLine`) and the environment; returns the exit status."""


@attrs.frozen(kw_only=True)
class Command:
    """A command: its words after `pulse`, its settings, the dotted path of what runs it, and its help."""

    words: tuple[str, ...]
    settings: type[attrs.AttrsInstance]
    run: str
    help: str
    epilogue: str = ""

    @property
    def name(self) -> str:
        """The command as it is typed."""
        return " ".join(("pulse", *self.words))

    @property
    def usage(self) -> str:
        """The command with its operands."""
        return " ".join((self.name, *(option.shape for option in options_of(self.settings) if option.operand)))

    def load(self) -> Run:
        """Import what runs the command."""
        module, name = self.run.split(":")
        run: Run = getattr(importlib.import_module(module), name)
        return run


_TRAIN_HELP: Final = """\
Replay history and learn how far each forecaster can be trusted.

Try it on the series that come with Pulse:

    pulse train --data sample

Your own series: my_folder/sales.csv and my_folder/stock.csv, each with the
columns timestamp and value (and known_at, where values are revised):

    pulse train --data my_folder --variables sales stock --start-date 2020-01-01

A forecaster of your own, class Best in my_models.py of this folder:

    pulse train --data sample --forecasters naive ses my_models:Best

Interrupt it at any time: the same command resumes."""

_TRAIN_EPILOGUE: Final = (
    "Every option can also be set by an environment variable, PULSE_ and its name (PULSE_BATCH_SIZE_DAYS; "
    "for logs LOG_LEVEL, LOG_FORMAT, LOG_DIR), and in the TOML file of --config (batch_size_days = 30). The "
    "command line beats the environment, the environment the file.\n\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage or settings, 3 finished without some variables, 75 "
    "interrupted (run the same command again)."
)

_CHECK_HELP: Final = """\
Look whether a training could begin, without beginning it.

It takes the options of pulse train, and looks at the settings, credentials,
the place of the data, its variables, and every place that results go to."""

_FORECAST_HELP: Final = """\
Say what comes next, and how far that can be trusted.

The learners of a finished run (quantiles, ensemble, trust) are brought to the
newest rows by the same replay, and quote the next steps:

    pulse train --data sample --end-date 2018-06-30 --run-id half
    pulse forecast half --data sample

Rows that were known by the run's end must be those it was trained on."""

_COMPARE_HELP: Final = """\
Say what changed between two runs, and whether it is more than noise.

Both are scored on what they have in common, origin by origin where both were
trained with --hindcasts, else batch by batch:

    pulse compare last_week this_week --max-loss 0.02

As a check in CI it ends with 4 where a forecaster has lost more skill than
--max-loss, and more surely than --certainty."""

_SUBMIT_HELP: Final = """\
Train on AWS Batch, as an array of jobs that share the work and a job that collects.

    pulse batch submit --queue pulse --definition pulse --s3-data-bucket my-data
        --s3-results-bucket my-results --variables sales stock --watch

Every option of pulse train is one of this command too. When some children have
failed, and their cause is mended, submit these alone again:

    pulse batch submit --failed-only JOB"""

_JOB_EPILOGUE: Final = (
    "Exit status: that of the run where its end was waited for: 0 done, 1 failed, 3 finished without some variables, "
    "75 interrupted; 2 wrong usage or settings."
)

_PRUNE_HELP: Final = """\
Remove what is old: runs, and records of the ledger.

    pulse runs prune --older-than 90 --dry-run

A run goes when none of its files was written for so many days, a record when it
was written before then. Nothing is lost but time: a record that is needed again
is computed again. Records set aside because they were damaged always go."""

_REPORT_HELP: Final = """\
Tell what a run found, in one HTML file that asks nothing of any network.

    pulse report RUN

The report is written beside the run's result. That of a run trained with
--report shows the forecasts themselves too, their calibration, and the
ensemble's weights."""

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        words=("train",),
        settings=TrainSettings,
        run="pulse_entrypoints.commands.train.command:train",
        help=_TRAIN_HELP,
        epilogue=_TRAIN_EPILOGUE,
    ),
    Command(
        words=("report",),
        settings=ReportSettings,
        run="pulse_entrypoints.commands.report:report",
        help=_REPORT_HELP,
    ),
    Command(
        words=("check",),
        settings=TrainSettings,
        run="pulse_entrypoints.commands.check.command:check",
        help=_CHECK_HELP,
        epilogue="Exit status: 0 ready, 1 not ready, 2 wrong usage or settings.",
    ),
    Command(
        words=("forecast",),
        settings=ForecastSettings,
        run="pulse_entrypoints.commands.forecast.command:forecast",
        help=_FORECAST_HELP,
        epilogue="Exit status: 0 done, 1 failed, 2 wrong usage or settings, 3 without some variables (--skip-failed).",
    ),
    Command(
        words=("compare",),
        settings=CompareSettings,
        run="pulse_entrypoints.commands.compare.command:compare",
        help=_COMPARE_HELP,
        epilogue="Exit status: 0 done, 1 failed, 2 wrong usage or settings, 4 skill was lost beyond --max-loss.",
    ),
    Command(
        words=("init",),
        settings=InitSettings,
        run="pulse_entrypoints.commands.init:init",
        help="Write a configuration file with every option in it, explained and commented out. Nothing is overwritten.",
    ),
    Command(
        words=("runs", "list"),
        settings=RunsListSettings,
        run="pulse_entrypoints.commands.runs.command:list_runs",
        help="List the runs in a place of results, the newest first, and how much the ledger holds.",
    ),
    Command(
        words=("runs", "show"),
        settings=RunsShowSettings,
        run="pulse_entrypoints.commands.runs.command:show_run",
        help="Show a run: what was trained, how much was recalled, and who forecast best.",
    ),
    Command(
        words=("runs", "prune"),
        settings=RunsPruneSettings,
        run="pulse_entrypoints.commands.runs.prune:prune_runs",
        help=_PRUNE_HELP,
    ),
    Command(
        words=("data", "list"),
        settings=ListSettings,
        run="pulse_entrypoints.commands.data.inspect:list_data",
        help="List the variables: rows, first and last timestamp, calendar, whether they say when rows became known.",
    ),
    Command(
        words=("data", "check"),
        settings=CheckSettings,
        run="pulse_entrypoints.commands.data.inspect:check_data",
        help="Tell what is odd about the variables: gaps against their calendar, outliers, stale values, revisions, "
        "repeats, rows of the future.",
        epilogue="Exit status: 0 done, 1 something cannot be read or, with --strict, something was found, 2 wrong "
        "usage or settings.",
    ),
    Command(
        words=("data", "convert"),
        settings=ConvertSettings,
        run="pulse_entrypoints.commands.data.convert:convert_data",
        help="Write the variables as Parquet, one file each, into another place. Runs give the same numbers from it.",
    ),
    Command(
        words=("plugins",),
        settings=PluginSettings,
        run="pulse_entrypoints.commands.plugins:list_plugins",
        help="List the forecasters, stores and backends that installed packages add.",
        epilogue="Exit status: 0 done, 1 one of them cannot be loaded, 2 wrong usage or settings.",
    ),
    Command(
        words=("data", "sample"),
        settings=SampleSettings,
        run="pulse_entrypoints.commands.data.convert:copy_sample",
        help="Copy the series that come with Pulse into a folder, to look at or to start from.",
    ),
    Command(
        words=("batch", "submit"),
        settings=SubmitSettings,
        run="pulse_entrypoints.batch.submit:submit",
        help=_SUBMIT_HELP,
        epilogue=_JOB_EPILOGUE,
    ),
    Command(
        words=("batch", "status"),
        settings=StatusSettings,
        run="pulse_entrypoints.batch.status:status",
        help="Say how a job stands: progress, attempts, why it waits, what it has cost.",
        epilogue=_JOB_EPILOGUE,
    ),
    Command(
        words=("batch", "logs"),
        settings=JobLogSettings,
        run="pulse_entrypoints.batch.looks:logs",
        help="Show what a job's attempts said, from CloudWatch Logs.",
    ),
    Command(
        words=("batch", "cancel"),
        settings=CancelSettings,
        run="pulse_entrypoints.batch.looks:cancel",
        help="End a job, or all children of an array. What they have finished stays recorded.",
    ),
    Command(
        words=("batch", "collect"),
        settings=CollectSettings,
        run="pulse_entrypoints.batch.collect:collect",
        help="Put together and publish here what an array's children have recorded; fail if any is missing.",
        epilogue=_JOB_EPILOGUE,
    ),
    Command(
        words=("batch", "list"),
        settings=ListJobSettings,
        run="pulse_entrypoints.batch.looks:list_jobs",
        help="List the jobs of a queue that Pulse has submitted.",
    ),
    Command(
        words=("batch", "run"),
        settings=RunJobSettings,
        run="pulse_entrypoints.batch.run:run",
        help="What a job's container runs, also as pulse-batch: this job's share of the training.",
        epilogue=_TRAIN_EPILOGUE,
    ),
)

GROUP_HELP: Final[Mapping[str, str]] = {
    "runs": "See which runs there are, what one found, and remove old ones.",
    "data": "See what data there are, check and convert them.",
    "batch": "Train on AWS Batch: submit jobs, watch them, collect their results.",
}
"""What the first of two words stands for: `pulse runs list` needs a line for `runs`."""


@cache
def all_options() -> Mapping[str, Option]:
    """Return the options of all commands by name: the keys that a configuration file may hold."""
    return {option.name: option for command in COMMANDS for option in options_of(command.settings)}
