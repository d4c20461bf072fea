"""The settings of the configuration file and of logs."""

from __future__ import annotations

from pathlib import Path

import attrs

from pulse_entrypoints.cli.kinds import PATH, choice
from pulse_entrypoints.cli.options import option
from pulse_entrypoints.settings.groups import LOGS


@attrs.frozen(kw_only=True, slots=False)
class ConfigSettings:
    """The configuration file."""

    config: Path | None = option(attrs.evolve(PATH, metavar="FILE"), LOGS, "A TOML file with any of these options.")


@attrs.frozen(kw_only=True, slots=False)
class LogSettings(ConfigSettings):
    """The configuration file and the logs."""

    log_level: str = option(
        choice("DEBUG", "INFO", "WARNING", "ERROR", metavar="LEVEL"),
        LOGS,
        "The least serious events to log.",
        "INFO",
        environment="LOG_LEVEL",
    )
    log_format: str = option(
        choice("auto", "console", "json", metavar="FORMAT"),
        LOGS,
        "console: lines for people on stderr; json: JSON lines on stdout; auto: a progress bar and a table "
        "on a terminal, json elsewhere.",
        "auto",
        environment="LOG_FORMAT",
    )
    log_dir: Path = option(
        attrs.evolve(PATH, metavar="FOLDER"),
        LOGS,
        "The folder of the log file, retrodiction_training.log.",
        Path("logs"),
        environment="LOG_DIR",
    )
