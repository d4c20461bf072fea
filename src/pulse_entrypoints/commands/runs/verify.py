"""`pulse runs verify`: whether every file of the results is what was written."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from pulse_adapters.sinks.verification import Checked, Finding, Verification, unreadable
from pulse_core.errors import RunNotFound, SinkUnavailable
from pulse_entrypoints.cli.command_line import CommandLine
from pulse_entrypoints.cli.exits import Ending, Exit
from pulse_entrypoints.cli.layers import Layered
from pulse_entrypoints.cli.output import run_command, show, write_csv, write_json
from pulse_entrypoints.commands.runs.command import open_archive
from pulse_entrypoints.settings.output import CSV, TABLE
from pulse_entrypoints.settings.runs import RunsVerifySettings
from pulse_entrypoints.wiring.composition import utc_now
from pulse_entrypoints.wiring.results_archive import ResultsArchive

_SILENT_SECONDS: Final = 2.0
_DAMAGED_SHOWN: Final = 20


@attrs.frozen
class Verified:
    """What was checked: the number of files, their bytes, and all findings."""

    files: int
    bytes: int
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> Counter[str]:
        """How many findings there are, by state: damaged, leftover, repaired."""
        return Counter(finding.state for finding in self.findings)

    @property
    def damaged(self) -> tuple[Finding, ...]:
        """What is damaged and was not repaired."""
        return tuple(finding for finding in self.findings if finding.state == "damaged")


def observe(seconds: float) -> None:
    """Wait, to see whether somebody renews a claim."""
    time.sleep(seconds)


def verify_runs(command_line: CommandLine, environment: Mapping[str, str]) -> Exit:
    """Verify as the settings say and return the exit status."""
    return run_command(command_line, environment, RunsVerifySettings, _verify)


def _verify(layered: Layered[RunsVerifySettings]) -> Ending:
    settings, archive = layered.settings, open_archive(layered)
    verified = _collected(_with_progress(_checked(archive, settings)))
    if settings.format == TABLE:
        from pulse_entrypoints.commands.runs.table import verification

        show(*verification(verified, archive.storage.address("")))
    elif settings.format == CSV:
        names = [field.name for field in attrs.fields(Finding)]
        write_csv(names, (attrs.asdict(finding) for finding in verified.findings))
    else:
        write_json(
            {
                "files": verified.files,
                "bytes": verified.bytes,
                **{state: verified.counts[state] for state in ("damaged", "repaired", "leftover")},
                "findings": [attrs.asdict(finding) for finding in verified.findings],
            }
        )
    return _ending(verified)


def _checked(archive: ResultsArchive, settings: RunsVerifySettings) -> Iterator[Checked]:
    """Yield every file that is checked; what cannot be read at all is a finding, and the others are checked still."""
    verification = Verification(archive.storage, archive, settings.repair, utc_now, observe)
    if settings.run is not None:
        yield from verification.run(settings.run)
        return
    try:
        yield from verification.records()
    except SinkUnavailable as error:
        yield Checked("records", 0, (unreadable(error, ""),))
    for run_id in list(archive.run_ids()):
        try:
            yield from verification.run(run_id)
        except RunNotFound:  # removed meanwhile
            continue
        except SinkUnavailable as error:
            yield Checked(run_id, 0, (unreadable(error, run_id),))


def _with_progress(checked: Iterator[Checked]) -> Iterator[Checked]:
    """Yield the same, and tell people how far it is where it takes long."""
    if not sys.stderr.isatty():
        yield from checked
        return
    from tqdm import tqdm  # for people only: its import takes longer than a quick check

    yield from tqdm(checked, "Checked", unit=" files", delay=_SILENT_SECONDS, leave=False, file=sys.stderr)


def _collected(checked: Iterator[Checked]) -> Verified:
    files, size, findings = 0, 0, list[Finding]()
    for one in checked:
        files += 1
        size += one.size
        findings += one.findings
    return Verified(files, size, tuple(findings))


def _ending(verified: Verified) -> Ending:
    damaged = verified.damaged
    if not damaged:
        return Ending(Exit.DONE)
    lines = [f"{finding.address}: {finding.sentence}" for finding in damaged[:_DAMAGED_SHOWN]]
    hidden: list[Any] = [f"and {len(damaged) - _DAMAGED_SHOWN} more"] if len(damaged) > _DAMAGED_SHOWN else []
    noun = "file is" if len(damaged) == 1 else "files are"
    return Ending(Exit.FAILED, f"pulse: {len(damaged)} {noun} damaged", [*lines, *hidden])
