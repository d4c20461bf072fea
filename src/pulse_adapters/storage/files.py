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
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO, Final

import attrs

LOCK_SECONDS: Final = 60.0
"""How long `exchange` waits for another process: who holds the lock only compares and renames."""

_TEMPORARY: Final = re.compile(r"\.(.+)\.(?:[0-9a-f]{16}\.tmp|lock)")
_FOLDER_ATTEMPTS: Final = 100
_LOCK_POLL_SECONDS: Final = 0.002
_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_NO_HARD_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def absolute(path: str | Path) -> Path:
    """Return a path that means the same file in a worker with another working directory."""
    return Path(path).absolute()


def opened(path: Path) -> FileIO:
    """Open a file for reading, without a buffer: all of it is read at once.

    Raises OSError; EINVAL where something else stands there, such as a pipe, which would keep its reader waiting.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file", str(path))
    return FileIO(descriptor)


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a folder is a file, or a link to one; a link to itself is none."""
    try:
        return entry.is_file()
    except OSError:
        return False


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a folder is a folder, or a link to one; a link to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def status_of(path: Path) -> os.stat_result:
    """Return the status of a file; of a link to itself that of the link. Raises OSError."""
    try:
        return path.stat()
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return path.lstat()


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


def exchange(path: Path, before: bytes | None, after: bytes | None) -> bool:
    """Write `after` where the file holds `before`; None is no file. Return whether it held that. Raises OSError.

    Of several processes that exchange the same content one succeeds. A link is replaced itself, never written through.
    On a file system without locks, two that replace a file in the same instant may both succeed.
    """
    if after is None:
        return _removed(path, before)
    if content_of(path) != before:
        return False
    make_folder(path.parent)
    with _written(path, after) as temporary, _locked(path):  # under the lock nothing waits for the disk
        return _exchanged(path, before, temporary)


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


def abandoned_below(folder: Path) -> Iterator[Path]:
    """Yield the temporary files of killed writers in and below a folder. Raises OSError."""
    for path, _, names in os.walk(folder):
        for name in filter(is_temporary, names):
            with _abandoned(Path(path, name)) as is_one:
                if is_one:
                    yield Path(path, name)


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
    """Create a folder and its parents, durably, also while another process removes empty ones. Raises OSError."""
    for attempt in range(_FOLDER_ATTEMPTS):
        if folder.is_dir():
            return
        make_folder(folder.parent)
        try:
            folder.mkdir(exist_ok=True)
        except (FileNotFoundError, FileExistsError):  # the parent, or this one, was removed in this moment
            stands_in_the_way = folder.exists() and not folder.is_dir()  # a folder was made again by another
            if attempt == _FOLDER_ATTEMPTS - 1 or stands_in_the_way:
                raise
        else:
            _flush_folder(folder.parent)
            return


def remove_all(paths: Iterable[Path], root: Path) -> None:
    """Remove files that exist, and folders below `root` that this empties. Raises OSError."""
    folders: set[Path] = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in sorted(folders, reverse=True):  # the deeper ones first
        remove_empty(folder, root)


def remove_empty(folder: Path, root: Path) -> None:
    """Remove a folder below `root`, and those above it, as far as they are empty. Raises no error."""
    with suppress(OSError):  # it is not empty, or another process has removed it
        while root in folder.parents:
            folder.rmdir()
            folder = folder.parent


def _removed(path: Path, before: bytes | None) -> bool:
    try:
        with _locked(path):
            return _exchanged(path, before, None)
    except FileNotFoundError:  # there is no such folder
        return before is None


def _exchanged(path: Path, before: bytes | None, temporary: Path | None) -> bool:
    if content_of(path) != before:
        return False
    if temporary is not None:
        temporary.replace(path)
    elif before is not None:
        path.unlink()
    return True


def content_of(path: Path) -> bytes | None:
    """Return a file's content, or None where there is none. Raises OSError."""
    try:
        with opened(path) as file:
            return file.readall()
    except FileNotFoundError:
        return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock `.<name>.lock` beside a file: a file of its own, which network file systems can lock as well.

    Whoever has the lock removes its file in the end, so a lock counts only on the file that bears the name still.
    """
    lock = path.with_name(f".{path.name}.lock")
    descriptor = _lock(lock)
    try:
        try:
            yield
        finally:
            with suppress(FileNotFoundError):
                lock.unlink()
    finally:
        os.close(descriptor)


def _lock(lock: Path) -> int:
    """Create and lock a file; return its descriptor. Raises OSError, ETIMEDOUT after LOCK_SECONDS."""
    end = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < end:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if _is_locked(descriptor, lock):
                return descriptor
        except BaseException:  # an interruption as well: the lock would be held as long as this process lives
            os.close(descriptor)
            raise
        os.close(descriptor)
        time.sleep(_LOCK_POLL_SECONDS)
    raise OSError(errno.ETIMEDOUT, "another process holds the lock, and does not end", str(lock))


def _is_locked(descriptor: int, lock: Path) -> bool:
    """Lock a file; return whether that could be done, and it bears its name still. Raises OSError."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return True
        raise
    with suppress(FileNotFoundError):
        return os.path.samestat(lock.stat(), os.fstat(descriptor))
    return False


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
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileNotFoundError:  # the folder was empty, and another process has removed it
            make_folder(path.parent)
            continue
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
    with _abandoned(temporary) as is_one:
        if is_one:
            temporary.unlink(missing_ok=True)  # under the lock: no writer can rename the file meanwhile


@contextmanager
def _abandoned(temporary: Path) -> Iterator[bool]:
    """Lock a temporary file; yield whether that could be done, so that its writer is dead."""
    try:
        descriptor = os.open(temporary, os.O_RDWR)
    except (FileNotFoundError, PermissionError):  # finished meanwhile, or the file of another user
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # its writer lives, or the file system has no locks
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:  # removed meanwhile, with all that was in it
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot flush a folder
            raise
    finally:
        os.close(descriptor)
