"""Claims of run ids: of those who write to a run's folder, one at a time.

Whoever writes holds the file `<run id>/claim`, and renews it every few seconds: its content changes. Who finds the
claim of another waits until it is gone, or until its holder is: at once where the holder's process is seen to have
ended, else when the content has stood still for LAPSE_SECONDS of the observer's own clock. The clocks of two machines
are never compared. Every step is one exchange of the file's content, so of several who see a holder gone one takes its
place.

A holder that was suspended, and was taken for gone meanwhile, finds another claim when it renews its own: its lease is
lost, and it must write no more. Between two writes it looks at its own clock, which counts the machine's sleep too.
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Final

import attrs
import msgspec

from pulse_adapters.sinks.processes import ProcessIdentity, boot_seconds
from pulse_adapters.storage.port import Storage
from pulse_core.errors import RunIdTaken, RunInterrupted, SinkUnavailable

RENEW_SECONDS: Final = 5.0
LAPSE_SECONDS: Final = 30.0
"""How long a claim may stand still before its holder counts as gone."""
SAFE_SECONDS: Final = 20.0
"""How long after the last renewal its holder may still write: no observer counts it as gone that early."""
RELEASE_SECONDS: Final = 2.0
"""How long the release waits for a renewal under way, which may hang in a network. A claim that stays, lapses."""
POLL_SECONDS: Final = 0.5
_CONFIRMATIONS: Final = 3

TRAIN, PRUNE = "train", "prune"

_tokens: Final[set[str]] = set()
"""The tokens of the claims that this process holds. A claim may outlast its release, which can fail."""

Waiting = Callable[[str], None]
"""Receives a sentence: who holds the claim that is waited for."""


@attrs.frozen
class Claim:
    """Content of a claim: for what the run id is held, since when (UTC), and by whom. `renewals` counts those.

    `purpose` is TRAIN or PRUNE; `spec` is the hash of the spec that is trained, empty for PRUNE. `token` tells one
    holder from another.
    """

    run_id: str
    purpose: str
    spec: str
    since: str
    host: str
    process: ProcessIdentity
    token: str = attrs.field(factory=lambda: secrets.token_hex(16))
    renewals: int = 0
    groups: tuple[str, ...] = ()
    """The groups of packed records that the run uses."""

    @classmethod
    def of(cls, run_id: str, purpose: str, spec: str = "") -> Claim:
        """Return a claim of this process."""
        since = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(run_id, purpose, spec, since, socket.gethostname(), ProcessIdentity.current())

    @property
    def is_over(self) -> bool:
        """Whether its holder is seen to be gone: its process has ended, or is this one and has released it."""
        if self.process == ProcessIdentity.current():
            return self.token not in _tokens
        return self.process.has_ended

    @property
    def holder(self) -> str:
        """Who holds it, for people: process, host and time."""
        action = "being pruned" if self.purpose == PRUNE else "under way"
        return f"is {action} in process {self.process.pid} on {self.host} since {self.since}"

    def renewed(self, groups: tuple[str, ...]) -> Claim:
        """Return the next content."""
        return attrs.evolve(self, renewals=self.renewals + 1, groups=groups)

    def encoded(self) -> bytes:
        """Return the content of the file."""
        return msgspec.json.encode(self)


def decoded(content: bytes) -> Claim | None:
    """Return a claim, or None for content that is none."""
    try:
        return msgspec.json.decode(content, type=Claim)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


@attrs.define(eq=False)
class Lease:
    """A claim that this process holds, and renews from a thread of its own until it is released."""

    _storage: Storage
    _name: str
    _claim: Claim
    _confirmed: float
    """When the last renewal began that was seen to succeed, by `boot_seconds`."""
    _lost: bool = False
    _groups: tuple[str, ...] = ()
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _released: threading.Event = attrs.field(factory=threading.Event, init=False)

    def keep(self) -> None:
        """Begin to renew. The thread ends with the release; it keeps no process alive."""
        threading.Thread(target=self._renew_until_released, name="pulse-claim", daemon=True).start()

    def use(self, group: str) -> None:
        """Note in the claim that a group of packed records is used. Raises as `confirm`."""
        self._groups = (*self._groups, group)
        self.confirm()

    def confirm(self) -> None:
        """Renew. Raises RunInterrupted where the lease was lost, SinkUnavailable where that cannot be told."""
        with self._lock:
            started = boot_seconds()
            renewed = self._claim.renewed(self._groups)
            if self._lost or not self._exchanged(renewed):
                self._lost = True
                raise self._interruption()
            self._claim, self._confirmed = renewed, started

    def require(self) -> None:
        """Return where this process may write now; renew first where the last renewal is too old.

        Raises RunInterrupted where the lease was lost, SinkUnavailable where that cannot be told.
        """
        for _ in range(_CONFIRMATIONS):
            if not self._lost and boot_seconds() - self._confirmed < SAFE_SECONDS:
                return
            self.confirm()
        message = f"a renewal of the claim takes more than {SAFE_SECONDS:g} s"
        raise SinkUnavailable(message, self._storage.address(self._name), "Run the same command again: it resumes")

    def release(self) -> None:
        """Stop renewing, and give the claim up unless it is lost. Never raises, and never waits long."""
        self._released.set()
        if not self._lock.acquire(timeout=RELEASE_SECONDS):
            return
        try:
            if not self._lost:
                with suppress(SinkUnavailable):  # what stays lapses
                    self._storage.exchange(self._name, self._claim.encoded(), None)
        finally:
            self._lost = True
            self._lock.release()

    def _exchanged(self, renewed: Claim) -> bool:
        """Whether the claim still was this one's. A renewal whose answer got lost may have succeeded."""
        if self._storage.exchange(self._name, self._claim.encoded(), renewed.encoded()):
            return True
        content = self._storage.read(self._name)
        stored = None if content is None else decoded(content)
        if content is None or stored is None or stored.token != self._claim.token:
            return False
        return self._storage.exchange(self._name, content, renewed.encoded())

    def _renew_until_released(self) -> None:
        while not self._released.wait(RENEW_SECONDS):
            try:
                self.confirm()
            except SinkUnavailable:
                continue  # a publication will ask again
            except RunInterrupted:
                return

    def _interruption(self) -> RunInterrupted:
        message = (
            f"this process was suspended, or cut off from its results, for more than {LAPSE_SECONDS:g} s, and lost its "
            f"claim of run id '{self._claim.run_id}' meanwhile; nothing was published"
        )
        return RunInterrupted(message, self._storage.address(self._name), "Run the same command again: it resumes")


@contextmanager
def claimed(storage: Storage, name: str, claim: Claim, waiting: Waiting) -> Iterator[Lease]:
    """Hold a claim in the file `name`. Waits while another holds it, and then calls `waiting` once.

    Raises RunIdTaken where a run of another spec holds it, SinkUnavailable.
    """
    _tokens.add(claim.token)
    try:
        lease = _acquired(storage, name, claim, waiting)
        try:
            lease.keep()
            yield lease
        finally:
            lease.release()
    finally:
        _tokens.discard(claim.token)


def while_held(names: Iterable[str], lease: Lease) -> Iterator[str]:
    """Yield names, each while the lease holds. Raises RunInterrupted where it was lost, SinkUnavailable."""
    for name in names:
        lease.require()
        yield name


def is_seen_alive(content: bytes) -> bool:
    """Whether the holder of a claim is a process of this machine that lives."""
    held = decoded(content)
    return held is not None and held.process.is_seen_from_here and not held.is_over


def refuse_other_run(storage: Storage, name: str, claim: Claim) -> None:
    """Raise RunIdTaken where a run of another spec is seen to hold the claim; SinkUnavailable."""
    content = storage.read(name)
    held = None if content is None else decoded(content)
    if content is not None and held is not None and is_seen_alive(content):
        _refuse(claim, held)


def groups_in_use(storage: Storage, names: Iterable[str]) -> frozenset[str]:
    """Return the groups of packed records that the holders of these claims use; of those that are not seen to be gone.

    Raises SinkUnavailable.
    """
    contents = (storage.read(name) for name in names)
    claims = (decoded(content) for content in contents if content is not None)
    return frozenset(group for held in claims if held and not held.is_over for group in held.groups)


@attrs.define
class _Observation:
    """A claim of another, as observed so far: its content, and since when it has stood still."""

    content: bytes | None = None
    since: float = 0.0
    renewed: bool = False

    def note(self, content: bytes | None) -> None:
        if content != self.content:
            self.renewed = self.content is not None and _same_holder(self.content, content)
            self.content, self.since = content, time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether nobody holds the claim any more. Judged after it was read: who was suspended reads it anew first."""
        if self.content is None:
            return True
        held = decoded(self.content)
        return (held is not None and held.is_over) or time.monotonic() - self.since >= LAPSE_SECONDS


def _acquired(storage: Storage, name: str, claim: Claim, waiting: Waiting) -> Lease:
    observation, told = _Observation(), False
    started = boot_seconds()
    if storage.exchange(name, None, claim.encoded()):  # as mostly: nobody holds it
        return Lease(storage, name, claim, started)
    while True:
        observation.note(storage.read(name))
        if observation.is_over:
            started = boot_seconds()
            if storage.exchange(name, observation.content, claim.encoded()):
                return Lease(storage, name, claim, started)
            continue
        held = decoded(observation.content or b"")
        if held is not None and (observation.renewed or held.process.is_seen_from_here):
            _refuse(claim, held)
        if not told:
            waiting(_sentence(claim.run_id, held))
            told = True
        time.sleep(POLL_SECONDS)


def _refuse(claim: Claim, held: Claim) -> None:
    """Raise RunIdTaken where a run of another spec holds the claim."""
    if claim.purpose == held.purpose == TRAIN and claim.spec != held.spec:
        hint = "choose another run id"
        raise RunIdTaken([f"run id '{claim.run_id}' {held.holder}, with another spec: {hint}"])


def _same_holder(content: bytes, later: bytes | None) -> bool:
    former, held = decoded(content), None if later is None else decoded(later)
    return former is not None and held is not None and former.token == held.token


def _sentence(run_id: str, held: Claim | None) -> str:
    holder = "is claimed by a process that cannot be told" if held is None else held.holder
    return f"run id '{run_id}' {holder}: waiting until it has ended, or for {LAPSE_SECONDS:g} s without a sign of life"
