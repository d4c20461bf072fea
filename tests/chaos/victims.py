"""Processes of a session: who they are, and which of them does units."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import attrs


@attrs.frozen
class Process:
    """A living process: what /proc says of it."""

    pid: int
    parent: int
    command: str


def session(leader: int) -> list[Process]:
    """Return the living processes of a session."""
    return list(_session(leader))


def workers_of_pulse(coordinator: int) -> list[int]:
    """Return the processes that the coordinator's fork server has started."""
    processes = session(coordinator)
    servers = {each.pid for each in processes if each.parent == coordinator and "forkserver" in each.command}
    return [each.pid for each in processes if each.parent in servers]


def workers_of_dask(nanny: int) -> list[int]:
    """Return the worker process that a nanny, which leads a session, has started."""
    return [each.pid for each in session(nanny) if each.parent == nanny and "spawn_main" in each.command]


def kill(pid: int) -> bool:
    """Kill a process; return whether it was still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def ends(leader: int, seconds: float) -> bool:
    """Whether all processes of a session end within some seconds."""
    end = time.monotonic() + seconds
    while session(leader):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _session(leader: int) -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        with suppress(OSError):  # it has ended meanwhile
            state, parent, _, of_session = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:4]
            if int(of_session) == leader and state != "Z":
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                yield Process(int(folder.name), int(parent), command)
