"""A ResultSink in a folder: `<root>/units/<kk>/<key>` for records, `<root>/<run id>/` for a run's files and parts."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Container, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec

from pulse_adapters.sinks import files
from pulse_adapters.sinks.documents import encode_document, result_document
from pulse_adapters.sinks.parts import SUFFIX, TABLES, ParquetPart, is_part_name
from pulse_adapters.sinks.records import DamagedRecord, decode_record, encode_record
from pulse_core.errors import RunIdTaken, SettingsError, SinkUnavailable
from pulse_core.ports import Write
from pulse_core.results import Record, RunResult
from pulse_core.spec import RunSpec
from pulse_core.tables import Columns

UNITS: Final = "units"
RESULT: Final = "result.json"
DAMAGED: Final = ".damaged"

_KEY: Final = re.compile(r"[0-9a-f]{4,128}")
_NAME: Final = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,128}")
_MENDS: Final = {
    errno.ENOSPC: "The disk is full: make room there, or choose another place for the results",
    errno.EDQUOT: "The quota is used up: make room there, or choose another place for the results",
    errno.EACCES: "Let this user write there, or choose another place for the results",
    errno.EPERM: "Let this user write there, or choose another place for the results",
    errno.EROFS: "It can only be read: choose another place for the results",
    errno.EEXIST: "A file stands where a folder should be: move it, or choose another place for the results",
    errno.ENOTDIR: "A file stands where a folder should be: move it, or choose another place for the results",
}
_log = logging.getLogger(__name__)


def _absolute(path: str | Path) -> Path:
    return Path(path).absolute()


def _all_absolute(paths: Sequence[str | Path]) -> tuple[Path, ...]:
    return tuple(_absolute(path) for path in paths)


@attrs.frozen
class FilesystemSink:
    """A ResultSink in the folder `root`; `result.json` is also put at every path in `outputs`.

    Paths are made absolute, so that a copy means the same place in a worker with another working directory.
    """

    root: Path = attrs.field(converter=_absolute)
    outputs: tuple[Path, ...] = attrs.field(converter=_all_absolute, default=())

    def recall(self, key: str) -> Record | None:
        """Return what was recorded under the key, or None; set it aside if damaged. Raises SinkUnavailable."""
        path = self._record_path(key)
        with _translated("read a record", path):
            try:
                with path.open("rb") as file:
                    content, identity = file.read(), os.fstat(file.fileno())
            except FileNotFoundError:
                return None
        try:
            return decode_record(content)
        except DamagedRecord as damage:
            _set_aside(path, identity, damage)
            return None

    def record(self, key: str, result: Record) -> None:
        """Store the result under the key unless something is there already. Raises SinkUnavailable."""
        path = self._record_path(key)
        with _translated("write a record", path):
            files.create(path, encode_record(result))

    @contextmanager
    def part(self, run_id: str, name: str) -> Iterator[Write]:
        """Open `<name>.parquet` in the run's folder for rows; without any, it will not be there.

        Raises SettingsError where the run id is no name, ValueError where the part's is none, SinkUnavailable.
        """
        part = _Part(self._part_path(run_id, name))
        try:
            yield part.write
            part.finish()
        finally:
            part.discard()

    def publish(self, result: RunResult) -> Sequence[str]:
        """Put `result.json` in the run's folder and at the outputs; return all their paths.

        Parts that the result does not name are removed.

        Raises RunIdTaken where the run id holds another spec, SettingsError where it is no name,
        SinkUnavailable.
        """
        self.claim(result.run_id, result.spec)
        content = encode_document(result_document(result))
        paths = (self._run_path(result.run_id, RESULT), *self.outputs)
        for path in paths:
            with _translated("write the result", path):
                files.replace(path, content)
        self._remove_parts(result.run_id, set(result.parts))
        self._sweep(result.run_id)
        return [str(path) for path in paths]

    def claim(self, run_id: str, spec: RunSpec) -> None:
        """Refuse a run id that cannot be used for this spec: RunIdTaken, SettingsError; SinkUnavailable."""
        path = self._run_path(run_id, RESULT)
        with _translated("read the result that is there", path):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                return
        if _spec_of(content) != spec.to_document():
            mend = "choose another run id, or move that result"
            raise RunIdTaken([f"run id '{run_id}' holds the result of another spec ({path}): {mend}"])

    def attach(self, run_id: str, name: str, content: bytes) -> str:
        """Put a file of another kind, e.g. `run.log`, in the run's folder, whole; return its path.

        Raises SettingsError where run id or name are no names, SinkUnavailable.
        """
        if not _NAME.fullmatch(name) or name == RESULT:
            raise SettingsError([f"'{name}' cannot be the name of a run's file"])
        path = self._run_path(run_id, name)
        with _translated("write a run's file", path):
            files.replace(path, content)
        return str(path)

    def _record_path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"'{key}' is no key: expected 4 to 128 lower-case hexadecimal digits")
        return self.root / UNITS / key[:2] / key

    def _part_path(self, run_id: str, name: str) -> Path:
        if not is_part_name(name):
            raise ValueError(f"'{name}' is no name of a part: expected such as {TABLES[0]}/part-00001")
        return self._run_path(run_id, f"{name}{SUFFIX}")

    def _remove_parts(self, run_id: str, kept: Container[str]) -> None:
        for table in TABLES:
            folder = self._run_path(run_id, table)
            with _translated("remove the parts of an earlier go", folder):
                for path in folder.glob(f"*{SUFFIX}"):
                    name = f"{table}/{path.stem}"
                    if is_part_name(name) and name not in kept:
                        path.unlink(missing_ok=True)

    def _run_path(self, run_id: str, name: str) -> Path:
        if not _NAME.fullmatch(run_id) or run_id == UNITS:
            rule = f"1 to 128 of A-Z a-z 0-9 . _ -, no dot first, and not '{UNITS}'"
            raise SettingsError([f"run id '{run_id}' cannot name a folder: use {rule}"])
        return self.root / run_id / name

    def _sweep(self, run_id: str) -> None:
        """Remove what killed writers left in the ledger and beside this run's files."""
        with suppress(OSError):  # the result is where it should be, tidy or not
            for folder in (self.root / run_id, *(self.root / run_id / table for table in TABLES)):
                files.sweep(folder)
            for output in self.outputs:
                files.sweep(output.parent, output.name)
            for folder in (self.root / UNITS).iterdir():
                files.sweep(folder)


class _Part:
    """A part under way; a file is opened with the first rows. Raises SinkUnavailable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft: files.Draft | None = None
        self._parquet: ParquetPart | None = None

    def write(self, columns: Columns) -> None:
        with self._translated():
            if self._draft is None or self._parquet is None:
                self._draft = files.draft(self._path)
                self._parquet = ParquetPart(self._draft.file)
            self._parquet.write(columns)

    def finish(self) -> None:
        with self._translated():
            if self._draft is None or self._parquet is None:
                self._path.unlink(missing_ok=True)  # this go has no rows
            else:
                self._parquet.finish()
                self._draft.finish()

    def discard(self) -> None:
        if self._parquet is not None:
            self._parquet.abandon()
        if self._draft is not None:
            with self._translated():
                self._draft.discard()

    def _translated(self) -> AbstractContextManager[None]:
        return _translated("write a part", self._path)


def _spec_of(content: bytes) -> dict[str, Any] | None:
    """Return the spec in a published document, or None where it is none."""
    try:
        return msgspec.json.decode(content, type=_Published).run.spec
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class _Run(msgspec.Struct):
    spec: dict[str, Any]


class _Published(msgspec.Struct):
    run: _Run


def _set_aside(path: Path, identity: os.stat_result, damage: DamagedRecord) -> None:
    """Rename a damaged record, unless another worker has put a new one in its place meanwhile."""
    with _translated("set a damaged record aside", path), suppress(FileNotFoundError):
        if os.path.samestat(path.stat(), identity):
            aside = path.with_name(path.name + DAMAGED)
            path.replace(aside)
            _log.warning("%s: %s; set aside as %s and computed again", path, damage.what, aside.name)


@contextmanager
def _translated(action: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        mend = _MENDS.get(error.errno or 0, "See to the place, or choose another for the results")
        raise SinkUnavailable(f"cannot {action}: {error.strerror or error}", str(path), mend) from error
