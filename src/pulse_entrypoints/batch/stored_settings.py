"""The settings of a submission, stored with the run, so that all its jobs and attempts train the same.

The file `batch-<spec>-<content>.toml` is named by the hash of what is trained, and by that of its own content: nothing
is ever stored over it.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import attrs

from pulse_core.errors import SettingsError
from pulse_core.season import SeasonSetting
from pulse_core.spec import RunSpec
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.options import options_of
from pulse_entrypoints.settings.reading import ByPattern
from pulse_entrypoints.settings.train import TrainSettings
from pulse_entrypoints.wiring.results_archive import ResultsArchive

SPEC_OPTIONS: Final = {"start": "start_date", "end": "end_date"}
"""Fields of a spec whose options have another name."""

NOT_FOR_JOBS: Final = frozenset(
    {"config", "slice", "output_file", "s3_output_file", "log_dir", "log_format"}
    | {"cache_dir", "cache_expiration_hours", "cache_max_size", "dry_run", "json", "quiet"}
)
"""Options of the machine that submits, and options that each job decides by itself."""


def is_location(name: str) -> bool:
    """Whether an option locates data or results: these stand in the command of a job."""
    return name in {"data", "results"} or name.startswith(("s3_", "aws_"))


def for_jobs(layered: Layered[Any], spec: RunSpec) -> dict[str, Any]:
    """Return the options that jobs need: the resolved spec with its last day, and every other option that is set."""
    options = {
        option.name: getattr(layered.settings, option.name)
        for option in options_of(TrainSettings)
        if option.name in layered.sources and option.name not in NOT_FOR_JOBS and not is_location(option.name)
    }
    resolved = {SPEC_OPTIONS.get(name, name): value for name, value in attrs.asdict(spec, recurse=False).items()}
    return {name: value for name, value in (options | resolved).items() if value not in (None, ())}


def store_settings(archive: ResultsArchive, run_id: str, trained: str, content: bytes) -> str:
    """Store options with the run; return `<run>/<file>`. `trained` is the hash of what is trained."""
    name = f"batch-{trained}-{hashlib.sha256(content).hexdigest()[:16]}.toml"
    archive.attach(run_id, name, content)
    return f"{run_id}/{name}"


@contextmanager
def with_stored_settings(command_line: CommandLine, archive: ResultsArchive, stored: str) -> Iterator[CommandLine]:
    """Yield the command line with the stored settings as its configuration file."""
    run_id, _, name = stored.partition("/")
    with tempfile.TemporaryDirectory(prefix="pulse-") as folder:
        path = Path(folder) / name
        path.write_bytes(archive.read(run_id, name))
        yield attrs.evolve(command_line, values={**command_line.values, "config": [str(path)], "run_id": [run_id]})


def refuse_other_spec(stored: str, spec: RunSpec) -> None:
    """Raise SettingsError where the job's own environment or command has changed the spec."""
    trained = stored.rpartition("/")[2].split("-")[1]
    if trained != spec.run_id:
        message = f"--stored-settings: {stored} is of another training than this job's variables and command make of it"
        raise SettingsError([f"{message}; take the options of the training out of the job definition"])


def to_toml(options: Mapping[str, Any]) -> bytes:
    """Return options as TOML."""
    return "".join(f"{name} = {_value(value)}\n" for name, value in sorted(options.items())).encode()


def _value(value: Any) -> str:
    if isinstance(value, SeasonSetting | ByPattern):
        return _value(value.to_document())
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_value(name)} = {_value(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, date):
        return value.isoformat()
    # what JSON writes of texts, numbers, true and false is TOML as well; names hold no control characters
    return json.dumps(value if isinstance(value, str | int | float) else str(value), ensure_ascii=False)
