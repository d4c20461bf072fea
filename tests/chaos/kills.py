"""Writers that are killed by SIGKILL before each of their changes to a folder.

    python -m tests.chaos.kills FOLDER [WRITER ...]

A process that has loaded everything forks for each kill: the child makes the writer's changes, counts them by audit
events of Python (a file is opened for writing, renamed, linked, removed; a folder is made or removed), and kills itself
before the n-th. Another child judges what is left. Prints a line of JSON a writer; 1 is the status where one lost any.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

from pulse_adapters.storage.folder import FolderStorage
from tests.chaos.writers import WRITERS, found, judge

_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES: Final = frozenset({"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"})


def main(folder: Path, names: list[str]) -> int:
    """Kill these writers, or all; return the exit status."""
    problems = 0
    for name in names or WRITERS:
        kills, lost = killed_everywhere(name, folder)
        sys.stdout.write(json.dumps({"writer": name, "kills": kills, "problems": lost}) + "\n")
        sys.stdout.flush()
        problems += len(lost)
    return 1 if problems else 0


def killed_everywhere(name: str, folder: Path) -> tuple[int, list[str]]:
    """Kill a writer before each of its changes; return the number of kills, and what was wrong after any."""
    former, writer = WRITERS[name]
    original, copy, expected = folder / "original", folder / "copy", folder / "expected"
    shutil.rmtree(original, ignore_errors=True)

    def prepare() -> None:
        for action in former:
            action(FolderStorage(original))
        _copied(original, copy)
        before = found(FolderStorage(copy))
        writer(FolderStorage(copy))
        expected.write_bytes(pickle.dumps((before, found(FolderStorage(copy)))))

    if in_child(prepare) != 0:
        raise RuntimeError(f"undisturbed, {name} fails")
    before, after = pickle.loads(expected.read_bytes())
    problems: list[str] = []
    for number in count(1):
        _copied(original, copy)
        status = in_child(partial(_doomed, copy, number, partial(writer, FolderStorage(copy))))
        if status == 0:
            return number - 1, problems
        if status != -signal.SIGKILL:
            problems.append(f"before change {number}: the writer ended with {status}")
        context = f"before change {number}"
        if in_child(partial(judge, FolderStorage(copy), before, after, writer, context)) != 0:
            problems.append(context)
    raise AssertionError("counting does not end")


def in_child(action: Callable[[], object]) -> int:
    """Do something in a forked process; return its exit status, or the negative number of the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:  # noqa: BLE001 - a forked process must not go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _doomed(folder: Path, number: int, action: Callable[[], object]) -> None:
    """Do something, and die before the n-th change to the folder."""
    changes = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal changes
        if not (event in _CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES)):
            return
        if not str(arguments[0]).startswith(str(folder)):
            return
        changes += 1
        if changes == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    action()


def _copied(original: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    if original.exists():
        shutil.copytree(original, copy)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute(), sys.argv[2:]))
