"""Files that appear whole or not at all, whenever the writer is killed.

Content goes to a temporary file beside its destination, is flushed to the disk, and only then takes its name.
A writer holds a lock on its temporary file; one that nobody holds was left by a killed writer, of whatever
machine.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import attrs

_TEMPORARY: Final = re.compile(r"\.(.+)\.[0-9a-f]{16}\.tmp")
_NO_HARD_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def create(path: Path, content: bytes) -> bool:
    """Give `path` this content unless it exists; return whether it did not. Raises OSError."""
    if path.exists():
        return False
    make_folder(path.parent)
    with _written(path, content) as temporary:
        return _take_name(temporary, path)


def replace(path: Path, content: bytes) -> None:
    """Give `path`, or the file it links to, this content instead of any other. Raises OSError."""
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # renaming would put a file in the place of, say, /dev/stdout
        raise OSError(errno.EINVAL, "it is a folder or a device, not a file", str(path))
    make_folder(path.parent)
    with _written(path, content) as temporary:
        temporary.replace(path)


def copy(source: Path, path: Path) -> bool:
    """Let a file stand at `path` too unless one does; return whether one does now. Raises OSError.

    It is the same file where links can be made: files here are replaced, never written to.
    """
    make_folder(path.parent)
    try:
        path.hardlink_to(source)
    except FileExistsError:
        return True
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        return _copy_content(source, path)
    _flush_folder(path.parent)
    return True


@attrs.frozen
class Draft:
    """A file under way: written bit by bit beside `path`, which is its name once it is finished."""

    path: Path
    file: IO[bytes]
    _temporary: Path

    def finish(self) -> None:
        """Flush it and let it stand at `path`, in the place of any other. Raises OSError."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self._temporary.replace(self.path)
        _flush_folder(self.path.parent)

    def discard(self) -> None:
        """Leave nothing of it, unless it is finished. Raises OSError."""
        self._temporary.unlink(missing_ok=True)
        self.file.close()


def draft(path: Path) -> Draft:
    """Begin a file that takes the name `path` when it is finished; afterwards discard it. Raises OSError."""
    make_folder(path.parent)
    descriptor, temporary = _open_temporary(path)
    return Draft(path, os.fdopen(descriptor, "wb"), temporary)


def sweep(folder: Path, name: str | None = None) -> None:
    """Remove what killed writers left in a folder: of the file `name`, or of any. Raises OSError."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            match = _TEMPORARY.fullmatch(entry.name)
            if match and name in {None, match[1]}:
                _remove_abandoned(Path(entry.path))


def sweep_below(folder: Path) -> None:
    """Remove what killed writers left in a folder and in those below it. Raises OSError."""
    for path, _, names in os.walk(folder):
        for name in filter(is_temporary, names):
            _remove_abandoned(Path(path, name))


def is_temporary(name: str) -> bool:
    """Whether a file of this name is one under way, or what is left of one."""
    return _TEMPORARY.fullmatch(name) is not None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _flush_folder(folder.parent)


@contextmanager
def _written(path: Path, content: bytes) -> Iterator[Path]:
    """Hold a flushed temporary file beside `path` that can take its name; afterwards flush the folder too."""
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
    """Make a temporary file and lock it; make another if somebody swept it before it was locked."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with suppress(OSError):  # where there are no locks nothing is swept
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if temporary.exists():
            return descriptor, temporary
        os.close(descriptor)


def _copy_content(source: Path, path: Path) -> bool:
    try:
        original = source.open("rb")
    except FileNotFoundError:
        return False
    with original:
        copied = draft(path)
        try:
            shutil.copyfileobj(original, copied.file)
            copied.finish()
        finally:
            copied.discard()
    return True


def _take_name(temporary: Path, path: Path) -> bool:
    """Name the file unless the name is taken: by a hard link, which looks and names in one."""
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
    """Where there are no hard links, look and rename while no other writer of this folder can."""
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
    except (FileNotFoundError, PermissionError):  # finished meanwhile, or another user's
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # its writer lives, or this file system cannot tell
        return
    else:
        temporary.unlink(missing_ok=True)  # under the lock, so that no writer takes the file up meanwhile
    finally:
        os.close(descriptor)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems have no such thing
            raise
    finally:
        os.close(descriptor)
