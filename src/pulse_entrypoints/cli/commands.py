"""The commands of `pulse`, in one table. A further command is a settings class, a function, and an entry here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import attrs

from pulse_entrypoints.cli.help import (
    CHECK_HELP,
    COMPARE_HELP,
    FORECAST_HELP,
    JOB_EPILOGUE,
    PRUNE_HELP,
    REPORT_HELP,
    SUBMIT_HELP,
    TRAIN_EPILOGUE,
    TRAIN_HELP,
    VERIFY_HELP,
)

if TYPE_CHECKING:
    from pulse_entrypoints.cli.options import Option

Run = Callable[[Any, Mapping[str, str]], int]
"""Takes the command line (a `layers.CommandLine`) and the environment; returns the exit status."""


@attrs.frozen(kw_only=True)
class Command:
    """A command: its words after `pulse`, and its help.

    `settings` and `run` are the dotted paths of its settings class and of the function that runs it: neither is
    imported before it is needed, for help must not wait for numpy, nor one command for the settings of all.
    """

    words: tuple[str, ...]
    settings: str
    run: str
    help: str
    epilogue: str = ""

    @property
    def name(self) -> str:
        """The command as people write it."""
        return " ".join(("pulse", *self.words))

    @property
    def options(self) -> tuple[Option, ...]:
        """The options that the command's settings declare."""
        from pulse_entrypoints.cli.options import options_of  # with the kinds of values, which help need not load

        return options_of(self.settings_class)

    @property
    def settings_class(self) -> Any:
        """The class of the command's settings."""
        return _imported(self.settings)

    @property
    def usage(self) -> str:
        """The command with its operands."""
        return " ".join((self.name, *(option.shape for option in self.options if option.operand)))

    def load(self) -> Run:
        """Import the function that runs the command."""
        run: Run = _imported(self.run)
        return run


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        words=("train",),
        settings="pulse_entrypoints.settings.train:TrainSettings",
        run="pulse_entrypoints.commands.train.command:train",
        help=TRAIN_HELP,
        epilogue=TRAIN_EPILOGUE,
    ),
    Command(
        words=("report",),
        settings="pulse_entrypoints.settings.report:ReportSettings",
        run="pulse_entrypoints.commands.report:report",
        help=REPORT_HELP,
    ),
    Command(
        words=("check",),
        settings="pulse_entrypoints.settings.train:TrainSettings",
        run="pulse_entrypoints.commands.check.command:check",
        help=CHECK_HELP,
        epilogue="Exit status: 0 ready, 1 not ready, 2 wrong usage or settings.",
    ),
    Command(
        words=("forecast",),
        settings="pulse_entrypoints.settings.forecast:ForecastSettings",
        run="pulse_entrypoints.commands.forecast.command:forecast",
        help=FORECAST_HELP,
        epilogue="Exit status: 0 done, 1 failed, 2 wrong usage or settings, 3 without some variables (--skip-failed).",
    ),
    Command(
        words=("compare",),
        settings="pulse_entrypoints.settings.compare:CompareSettings",
        run="pulse_entrypoints.commands.compare.command:compare",
        help=COMPARE_HELP,
        epilogue="Exit status: 0 done, 1 failed, 2 wrong usage or settings, 4 skill was lost beyond --max-loss.",
    ),
    Command(
        words=("init",),
        settings="pulse_entrypoints.settings.init:InitSettings",
        run="pulse_entrypoints.commands.init:init",
        help="Write a configuration file with every option in it, explained and commented out. Nothing is overwritten.",
    ),
    Command(
        words=("runs", "list"),
        settings="pulse_entrypoints.settings.runs:RunsListSettings",
        run="pulse_entrypoints.commands.runs.command:list_runs",
        help="List the runs, the newest first, and the size of all records.",
    ),
    Command(
        words=("runs", "show"),
        settings="pulse_entrypoints.settings.runs:RunsShowSettings",
        run="pulse_entrypoints.commands.runs.command:show_run",
        help="Show a run: its period, its forecasters, how much was recalled, and the best forecasters.",
    ),
    Command(
        words=("runs", "verify"),
        settings="pulse_entrypoints.settings.runs:RunsVerifySettings",
        run="pulse_entrypoints.commands.runs.verify:verify_runs",
        help=VERIFY_HELP,
        epilogue="Exit status: 0 done, 1 something is damaged and was not repaired, 2 wrong usage or settings.",
    ),
    Command(
        words=("runs", "prune"),
        settings="pulse_entrypoints.settings.runs:RunsPruneSettings",
        run="pulse_entrypoints.commands.runs.prune:prune_runs",
        help=PRUNE_HELP,
    ),
    Command(
        words=("data", "list"),
        settings="pulse_entrypoints.settings.data_tools:ListSettings",
        run="pulse_entrypoints.commands.data.inspect:list_data",
        help="List the variables: rows, first and last timestamp, calendar, and whether they have a column known_at.",
    ),
    Command(
        words=("data", "check"),
        settings="pulse_entrypoints.settings.data_tools:CheckSettings",
        run="pulse_entrypoints.commands.data.inspect:check_data",
        help="Check the variables: gaps against their calendar, outliers, stale values, revisions, "
        "repeats, rows of the future.",
        epilogue="Exit status: 0 done, 1 a variable cannot be read or, with --strict, has findings, 2 wrong "
        "usage or settings.",
    ),
    Command(
        words=("data", "convert"),
        settings="pulse_entrypoints.settings.data_tools:ConvertSettings",
        run="pulse_entrypoints.commands.data.convert:convert_data",
        help="Write the variables as Parquet, a file each, to another location. Runs give the same numbers from these.",
    ),
    Command(
        words=("plugins",),
        settings="pulse_entrypoints.settings.plugins:PluginSettings",
        run="pulse_entrypoints.commands.plugins:list_plugins",
        help="List the forecasters, stores and backends that installed packages add.",
        epilogue="Exit status: 0 done, 1 one of them cannot be loaded, 2 wrong usage or settings.",
    ),
    Command(
        words=("data", "sample"),
        settings="pulse_entrypoints.settings.data_tools:SampleSettings",
        run="pulse_entrypoints.commands.data.convert:copy_sample",
        help="Copy the series that come with Pulse into a folder, as an example or a start.",
    ),
    Command(
        words=("batch", "submit"),
        settings="pulse_entrypoints.settings.batch:SubmitSettings",
        run="pulse_entrypoints.batch.submit:submit",
        help=SUBMIT_HELP,
        epilogue=JOB_EPILOGUE,
    ),
    Command(
        words=("batch", "status"),
        settings="pulse_entrypoints.settings.batch:StatusSettings",
        run="pulse_entrypoints.batch.status:status",
        help="Show the state of a job: progress, attempts, why it waits, its cost.",
        epilogue=JOB_EPILOGUE,
    ),
    Command(
        words=("batch", "logs"),
        settings="pulse_entrypoints.settings.batch:JobLogSettings",
        run="pulse_entrypoints.batch.queries:logs",
        help="Show the logs of a job's attempts, from CloudWatch Logs.",
    ),
    Command(
        words=("batch", "cancel"),
        settings="pulse_entrypoints.settings.batch:CancelSettings",
        run="pulse_entrypoints.batch.queries:cancel",
        help="Cancel a job, or all children of an array. What they have finished stays recorded.",
    ),
    Command(
        words=("batch", "collect"),
        settings="pulse_entrypoints.settings.batch:CollectSettings",
        run="pulse_entrypoints.batch.collect:collect",
        help="Collect and publish here what an array's children have recorded; fail if any is missing.",
        epilogue=JOB_EPILOGUE,
    ),
    Command(
        words=("batch", "list"),
        settings="pulse_entrypoints.settings.batch:ListJobSettings",
        run="pulse_entrypoints.batch.queries:list_jobs",
        help="List the jobs of a queue that Pulse has submitted.",
    ),
    Command(
        words=("batch", "run"),
        settings="pulse_entrypoints.settings.batch:RunJobSettings",
        run="pulse_entrypoints.batch.run:run",
        help="Do a job's share of the training, in its container; also as pulse-batch.",
        epilogue=TRAIN_EPILOGUE,
    ),
)


@cache
def all_options() -> Mapping[str, Option]:
    """Return the options of all commands by name: the keys that a configuration file may hold."""
    return {option.name: option for command in COMMANDS for option in command.options}


def _imported(path: str) -> Any:
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)
