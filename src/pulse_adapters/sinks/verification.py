"""Verification of a results location: every result, part, pack and record is read and checked; what can be is repaired.

A file is damaged where its bytes are not those that were written; a leftover is a file that nobody needs: of a killed
writer, of a run whose process is dead, or set aside before. Records of other versions of Pulse, and files attached to a
run, are no findings.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import attrs

from pulse_adapters.published.archive import Archive
from pulse_adapters.published.document import RESULT, Part
from pulse_adapters.published.result_reader import PublishedRun, read_result
from pulse_adapters.published.table_writer import TABLES
from pulse_adapters.sinks.layout import (
    RECORDS,
    UNITS,
    claim_name,
    file_name,
    group_file,
    is_of_run,
    is_pack,
    key_of,
    part_of,
    result_name,
    run_folder,
)
from pulse_adapters.sinks.leases import LAPSE_SECONDS, PRUNE, Claim, claimed, decoded, while_held
from pulse_adapters.sinks.pack_index import decode_index
from pulse_adapters.sinks.packs import OutdatedPack, decode_head, pack_digits
from pulse_adapters.sinks.records import DamagedRecord, OutdatedRecord, decode_record
from pulse_adapters.storage.port import DAMAGED, Entry, Storage, stands_in_the_way
from pulse_core.errors import MalformedData, PulseError, RunInterrupted, RunNotFound, SinkUnavailable

Kind = Literal["result", "part", "pack", "index", "record", "claim", "temporary"]
State = Literal["damaged", "leftover", "repaired"]
Clock = Callable[[], datetime]

_TRAIN_AGAIN: Final = "run the same training again"
_COMPUTED: Final = "what it held is computed again by the run that needs it"


@attrs.frozen
class Finding:
    """What is wrong with a file, and what to do about it, or what was done.

    `run` is the run that the file belongs to; records belong to none.
    """

    kind: Kind
    address: str
    run: str
    problem: str
    state: State
    remedy: str

    @property
    def sentence(self) -> str:
        """What is wrong, and what to do."""
        return f"{self.problem}; {self.remedy[:1].lower()}{self.remedy[1:]}"

    def repaired(self, remedy: str) -> Finding:
        """Return the finding as one that was repaired."""
        return attrs.evolve(self, state="repaired", remedy=remedy)


@attrs.frozen
class Checked:
    """A file that was checked: its size in bytes, and what was found."""

    name: str
    size: int
    findings: tuple[Finding, ...] = ()


@attrs.frozen
class Verification:
    """Checks the files of results; with `repair` it sets damaged records aside, and removes leftovers."""

    storage: Storage
    archive: Archive
    repair: bool
    now: Clock = lambda: datetime.now(UTC)
    wait: Callable[[float], object] = time.sleep

    def records(self) -> Iterator[Checked]:
        """Check packs, indexes and single records, and temporary files among them. Raises SinkUnavailable."""
        for folder in (RECORDS, UNITS):
            for entry in list(self.storage.entries(folder)):
                yield self._record_file(entry)
            yield from self._temporary(folder)

    def run(self, run_id: str) -> Iterator[Checked]:
        """Check the result of a run, its parts, its claim, and what is left. Raises RunNotFound, SinkUnavailable."""
        folder = run_folder(run_id)
        sizes = {entry.name: entry.size for entry in self.storage.entries(folder) if is_of_run(run_id, entry.name)}
        if not sizes:
            raise RunNotFound(f"no run '{run_id}'", self.storage.address(folder), "pulse runs list shows the runs")
        parts: tuple[Part, ...] = ()
        run, finding = self._result(run_id)  # read also where it is not listed: a folder may stand in its place
        if finding or run is not None:
            yield Checked(result_name(run_id), sizes.get(result_name(run_id), 0), finding)
        if finding:  # nobody knows which parts are its own: all stay
            return
        if run is not None:
            parts, checked = self._parts(run)
            yield from checked
        named = {file_name(run_id, part.name) for part in parts}
        unnamed = [name for name in sizes if part_of(run_id, name) is not None and name not in named]
        yield from self._leftovers(run_id, sizes, unnamed)
        yield from self._temporary(folder)

    def _result(self, run_id: str) -> tuple[PublishedRun | None, tuple[Finding, ...]]:
        try:
            return read_result(self.archive, run_id), ()
        except RunNotFound:  # never published, or removed meanwhile
            return None, ()
        except MalformedData as error:
            finding = Finding("result", error.context, run_id, error.message, "damaged", error.hint)
            return None, (finding,)

    def _parts(self, run: PublishedRun) -> tuple[tuple[Part, ...], list[Checked]]:
        """Return the parts of a run with what was found; of one that was published anew meanwhile, of the new one."""
        while True:
            parts = tuple(part for table in TABLES for part in run.parts(table))
            checked = [self._part(run.run_id, part) for part in parts]
            if not any(one.findings for one in checked):
                return parts, checked
            with suppress(RunNotFound, MalformedData):
                newer = read_result(self.archive, run.run_id)
                if newer.content != run.content:
                    run = newer
                    continue
            return parts, checked

    def _part(self, run_id: str, part: Part) -> Checked:
        name = file_name(run_id, part.name)
        remedy = f"{_TRAIN_AGAIN}, with --run-id {run_id}: it writes this part anew"
        try:
            problem = _problem_of_part(self.storage.read(name), part)
        except SinkUnavailable as error:
            if not stands_in_the_way(error):
                raise
            aside = self.storage.clear(name) if self.repair else None
            problem = "is no file, which the training cannot replace"
            remedy = f"{'--repair sets it aside' if aside is None else f'it was set aside as {aside}'}; then {remedy}"
        if problem is None:
            return Checked(name, part.bytes)
        return Checked(name, part.bytes, (self._finding("part", name, problem, remedy, run_id),))

    def _record_file(self, entry: Entry) -> Checked:
        """Check a pack, an index or a single record."""
        if entry.name.endswith(DAMAGED):
            finding = self._finding(
                "record", entry.name, "was set aside as damaged", "--repair removes it", state="leftover"
            )
            return self._checked(entry, finding, self._removed)
        kind = _kind_of_record(entry.name)
        content = None if kind is None else self.storage.read(entry.name)
        if kind is None or content is None:
            return Checked(entry.name, entry.size)
        problem = _problem_of_record(kind, entry.name, content)
        if problem is None:
            return Checked(entry.name, entry.size)
        if kind == "index":
            finding = self._finding(kind, entry.name, problem, "--repair removes it: the next run makes another")
            return self._checked(entry, finding, self._removed)
        remedy = f"--repair sets it aside: {_COMPUTED}"
        return self._checked(entry, self._finding(kind, entry.name, problem, remedy), self._set_aside(content))

    def _removed(self, name: str) -> str:
        self.storage.remove(name)
        return "removed"

    def _set_aside(self, content: bytes) -> Callable[[str], str]:
        def set_aside(name: str) -> str:
            aside = self.storage.set_aside(name, content)
            return f"set aside as {aside}: {_COMPUTED}" if aside is not None else f"gone meanwhile: {_COMPUTED}"

        return set_aside

    def _checked(self, entry: Entry, finding: Finding, repair: Callable[[str], str]) -> Checked:
        """Return what was found, repaired where that is asked for."""
        if self.repair:
            finding = finding.repaired(repair(entry.name))
        return Checked(entry.name, entry.size, (finding,))

    def _leftovers(self, run_id: str, sizes: dict[str, int], unnamed: Sequence[str]) -> Iterator[Checked]:
        """Check the claim of a run, and the parts that its result does not name, unless a process is at work."""
        name = claim_name(run_id)
        content = self.storage.read(name)
        held = None if content is None else decoded(content)
        is_dead = held is not None and (held.process.has_ended or self._is_still(name))
        if held is not None and not is_dead:
            return  # what a process writes now is named by no result yet
        findings = list(self._claim_findings(run_id, content, held))
        for part in unnamed:
            problem = "is not named by any result"
            findings.append(
                self._finding("part", part, problem, "--repair removes leftovers", run_id, state="leftover")
            )
        if self.repair and findings:
            findings = self._tidied(run_id, content, held, unnamed, findings)
        if findings:
            yield Checked(name, sizes.get(name, 0), tuple(findings))

    def _claim_findings(self, run_id: str, content: bytes | None, held: Claim | None) -> Iterator[Finding]:
        if content is None:
            return
        remedy = "--repair removes it, as the next run does"
        if held is None:
            yield self._finding("claim", claim_name(run_id), "is damaged: it cannot be read", remedy, run_id)
        else:
            problem = "is the claim of a process that has ended"
            yield self._finding("claim", claim_name(run_id), problem, remedy, run_id, state="leftover")

    def _is_still(self, name: str) -> bool:
        """Whether a claim seems not to have been renewed for long: by two clocks, of which one may be wrong."""
        modified = [entry.modified for entry in self.storage.entries(name.rpartition("/")[0]) if entry.name == name]
        return bool(modified) and self.now() - modified[0] > timedelta(seconds=10 * LAPSE_SECONDS)

    def _tidied(
        self, run_id: str, content: bytes | None, held: Claim | None, unnamed: Sequence[str], findings: list[Finding]
    ) -> list[Finding]:
        """Remove the claim and the parts that no result names, under a claim of our own."""
        name = claim_name(run_id)
        if content is not None and (held is None or not held.process.has_ended) and self._is_still(name):
            # whose end cannot be seen: the clocks of two machines are never compared, so it is observed by our own
            self.wait(LAPSE_SECONDS)
            if not self.storage.exchange(name, content, None):
                return []
        try:
            with claimed(self.storage, name, Claim.of(run_id, PRUNE), _give_up) as lease:
                named = self._named(run_id)
                self.storage.remove_all(while_held((part for part in unnamed if part not in named), lease))
        except (_UnderWay, RunInterrupted):
            return findings
        return [finding.repaired("removed") for finding in findings]

    def _named(self, run_id: str) -> set[str]:
        """Return the files of the parts that the result names now."""
        try:
            run = read_result(self.archive, run_id)
        except RunNotFound:
            return set()
        return {file_name(run_id, part.name) for table in TABLES for part in run.parts(table)}

    def _temporary(self, folder: str) -> Iterator[Checked]:
        """Check for temporary files of killed writers."""
        found = list(self.storage.abandoned(folder))
        if self.repair and found:
            self.storage.sweep(folder)
        for address in found:
            finding = Finding(
                "temporary", address, "", "was left by a killed writer", "leftover", "--repair removes it"
            )
            yield Checked(address, 0, (finding.repaired("removed") if self.repair else finding,))

    def _finding(
        self, kind: Kind, name: str, problem: str, remedy: str, run_id: str = "", state: State = "damaged"
    ) -> Finding:
        return Finding(kind, self.storage.address(name), run_id, problem, state, remedy)


def unreadable(error: PulseError, run_id: str) -> Finding:
    """Return the finding of a run or of records that cannot be read at all."""
    kind: Kind = "result" if run_id else "record"
    return Finding(kind, error.context, run_id, error.message, "damaged", error.hint)


def _problem_of_part(content: bytes | None, part: Part) -> str | None:
    if content is None:
        return f"is missing: {RESULT} names it"
    if len(content) != part.bytes:
        return f"has {len(content):,} bytes, and had {part.bytes:,} when it was written"
    return None if hashlib.sha256(content).hexdigest() == part.sha256 else "its SHA-256 is another"


def _kind_of_record(name: str) -> Kind | None:
    """Return what a file among the records is, by its name; None for one of somebody else."""
    packed = group_file(name)
    if packed is not None:
        return "pack" if is_pack(packed[1]) else "index"
    return "record" if key_of(name) is not None else None


def _problem_of_record(kind: Kind, name: str, content: bytes) -> str | None:
    """Return what is wrong with a pack, an index or a single record; None for a sound or an outdated one."""
    base = name.rpartition("/")[2]
    if kind == "record":
        return _problem_of_single(base, content)
    digits = base.rpartition("-")[2]
    if pack_digits(content) != digits:
        return "is damaged: its bytes are not those that its name is the hash of"
    if kind == "index":
        return None if decode_index(content) or not content else "is of another version, or damaged"
    try:
        decode_head(content)
    except OutdatedPack:
        return None
    except SinkUnavailable as damage:
        return damage.message
    return None


def _problem_of_single(key: str, content: bytes) -> str | None:
    try:
        decode_record(key, content)
    except OutdatedRecord:
        return None
    except DamagedRecord as damage:
        return damage.message
    return None


class _UnderWay(Exception):
    """The run id is claimed by another."""


def _give_up(sentence: str) -> None:
    """Take the sentence of a claim that would be waited for."""
    raise _UnderWay(sentence)
