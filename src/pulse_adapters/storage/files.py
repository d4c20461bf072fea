"""Writing of files on a disk: a file appears whole or not at all, whenever its writer is killed.

The content goes to a temporary file beside the destination, is flushed to the disk, and only then takes its name.
A writer locks its temporary file; a temporary file without a lock is the remainder of a killed writer, of any machine.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import attrs

_TEMPORARY: Final = re.compile(r"\.(.+)\.[0-9a-f]{16}\.tmp")
_NO_HARD_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def absolute(path: str | Path) -> Path:
    """Return a path that means the same file in a worker with another working directory."""
    return Path(path).absolute()


def create(path: Path, content: bytes) -> bool:
    """Write a file unless `path` exists; return whether it was free. Raises OSError."""
    if path.exists():
        return False
    make_folder(path.parent)
    with _written(path, content) as temporary:
        return _take_name(temporary, path)


def replace(path: Path, content: bytes) -> None:
    """Write a file, replacing the one at `path` or behind its link. Raises OSError."""
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # renaming would replace, say, /dev/stdout
        raise OSError(errno.EINVAL, "it is a folder or a device, not a file", str(path))
    make_folder(path.parent)
    with _written(path, content) as temporary:
        temporary.replace(path)


@attrs.frozen
class Draft:
    """A file that is being written beside `path`, and takes that name once it is finished."""

    path: Path
    file: IO[bytes]
    _temporary: Path

    def finish(self, path: Path | None = None) -> None:
        """Give the file its name, or another in its folder, replacing an older one; flush_disk makes it durable.

        Raises OSError.
        """
        self.file.flush()
        self._temporary.replace(path or self.path)

    def discard(self) -> None:
        """Remove the file unless it is finished. Raises OSError."""
        self._temporary.unlink(missing_ok=True)
        self.file.close()


def draft(path: Path) -> Draft:
    """Open a file that takes the name `path` once it is finished; discard it afterwards. Raises OSError."""
    make_folder(path.parent)
    descriptor, temporary = _open_temporary(path)
    return Draft(path, os.fdopen(descriptor, "wb"), temporary)


def sweep(folder: Path, name: str | None = None) -> None:
    """Remove the temporary files of killed writers in a folder: of the file `name`, or of any. Raises OSError."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            match = _TEMPORARY.fullmatch(entry.name)
            if match and name in {None, match[1]}:
                _remove_abandoned(Path(entry.path))


def sweep_below(folder: Path) -> None:
    """Remove the temporary files of killed writers in and below a folder. Raises OSError."""
    for path, _, names in os.walk(folder):
        for name in filter(is_temporary, names):
            _remove_abandoned(Path(path, name))


def flush_disk(folder: Path) -> None:
    """Flush everything that was written to the disk of a folder. Raises OSError."""
    folder = next(path for path in (folder, *folder.parents) if path.exists())
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:  # not Linux
        os.sync()
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(descriptor):
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), str(folder))
    finally:
        os.close(descriptor)


def is_temporary(name: str) -> bool:
    """Whether this is the name of a temporary file."""
    return _TEMPORARY.fullmatch(name) is not None


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, durably. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _flush_folder(folder.parent)


@contextmanager
def _written(path: Path, content: bytes) -> Iterator[Path]:
    """Yield a flushed temporary file beside `path` that can take its name; afterwards flush the folder."""
    descriptor, temporary = _open_temporary(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
            yield temporary
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _open_temporary(path: Path) -> tuple[int, Path]:
    """Create a temporary file and lock it; create another if it was swept before it was locked."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with suppress(OSError):  # without locks nothing is swept
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if temporary.exists():
            return descriptor, temporary
        os.close(descriptor)


def _take_name(temporary: Path, path: Path) -> bool:
    """Name the file unless the name is taken: a hard link checks and names in one step."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        return _take_name_under_lock(temporary, path)
    return True


def _take_name_under_lock(temporary: Path, path: Path) -> bool:
    """Check and rename under a lock on the folder, for disks without hard links."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if path.exists():
            return False
        temporary.replace(path)
        return True
    finally:
        os.close(folder)


def _remove_abandoned(temporary: Path) -> None:
    try:
        descriptor = os.open(temporary, os.O_RDWR)
    except (FileNotFoundError, PermissionError):  # finished meanwhile, or the file of another user
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # its writer lives, or the file system has no locks
        return
    else:
        temporary.unlink(missing_ok=True)  # under the lock: no writer can rename the file meanwhile
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot flush a folder
            raise
    finally:
        os.close(descriptor)
