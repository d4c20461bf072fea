"""Every writer, stopped at each of its operations: a reader finds old or new, whole; the next run makes it right."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from pulse_adapters.sinks.processes import ProcessIdentity
from pulse_adapters.storage.folder import FolderStorage
from pulse_adapters.storage.port import Storage
from pulse_core.errors import PulseError
from tests.chaos.faulty import DIE, FAULTS, Died, FaultyStorage, Plan
from tests.chaos.writers import WRITERS, found, judge

Copies = Callable[[], Storage]
MOST_OPERATIONS = 400
NAMES = ("publish", "publish revised data", "prune", "attach", "repair")
"""The others are left to `make chaos`."""


@pytest.fixture(scope="session")
def ended_process() -> ProcessIdentity:
    """The identity of a process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        pass
    return attrs.evolve(ProcessIdentity.current(), pid=process.pid, started=1)


@pytest.mark.parametrize("name", NAMES)
def test_a_writer_stopped_anywhere_leaves_old_or_new(name, tmp_path, monkeypatch, ended_process):
    former, writer = WRITERS[name]
    copies = prepared(former, tmp_path)
    before = found(copies())
    undisturbed = copies()
    writer(undisturbed)
    after = found(undisturbed)
    for fault in FAULTS:
        number = 0
        while (number := number + 1) < MOST_OPERATIONS:
            storage, plan = copies(), Plan(fault, number)
            with monkeypatch.context() as dying:
                if fault == DIE:
                    dying.setattr(ProcessIdentity, "current", classmethod(lambda _: ended_process))
                with suppress(PulseError, Died):
                    writer(FaultyStorage(storage, plan))
            if not plan.hit:
                break
            judge(storage, before, after, writer, f"{fault} at {plan.hit} ({number})")
        assert 1 < number < MOST_OPERATIONS


def prepared(former: tuple[Callable[[Storage], None], ...], folder: Path) -> Copies:
    """Return what makes copies of a folder after the former actions."""
    original, copy = folder / "original", folder / "copy"
    for action in former:
        action(FolderStorage(original))

    def copied() -> Storage:
        shutil.rmtree(copy, ignore_errors=True)
        if original.exists():
            shutil.copytree(original, copy)
        return FolderStorage(copy)

    return copied
