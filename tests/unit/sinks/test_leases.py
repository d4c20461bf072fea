"""Claims: one holder at a time, a gone one is replaced, and who was replaced writes no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest

from pulse_adapters.sinks import leases
from pulse_adapters.sinks.leases import PRUNE, TRAIN, Claim, claimed, decoded, refuse_other_run
from pulse_adapters.sinks.processes import ProcessIdentity, boot_seconds
from pulse_adapters.storage.folder import FolderStorage
from pulse_adapters.storage.port import Storage
from pulse_core.errors import RunIdTaken, RunInterrupted, SinkUnavailable
from tests.fakes import FakeStorage

NAME = "nightly/claim"


@pytest.fixture(params=["memory", "folder"])
def storage(request, tmp_path) -> Storage:
    return FakeStorage() if request.param == "memory" else FolderStorage(tmp_path / "results")


@pytest.fixture
def quick(monkeypatch) -> None:
    """Let claims lapse within a second."""
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(leases, "LAPSE_SECONDS", 1.0)
    monkeypatch.setattr(leases, "SAFE_SECONDS", 0.5)
    monkeypatch.setattr(leases, "POLL_SECONDS", 0.02)


@pytest.fixture
def other_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process of this machine that does nothing."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"]) as process:
        yield process
        process.kill()


def claim(spec: str = "a", purpose: str = TRAIN) -> Claim:
    return Claim.of("nightly", purpose, spec)


def elsewhere(spec: str = "a") -> Claim:
    """A claim of a process that nobody sees from here."""
    return attrs.evolve(claim(spec), host="far", process=ProcessIdentity("another boot", "pid:[1]", 17, 4))


def of_process(pid: int, spec: str = "a") -> Claim:
    """A claim of a process of this machine."""
    process = ProcessIdentity.current()
    started = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return attrs.evolve(claim(spec), process=attrs.evolve(process, pid=pid, started=started))


def held(storage: Storage) -> Claim:
    content = storage.read(NAME)
    assert content is not None
    found = decoded(content)
    assert found is not None
    return found


def unheard(sentence: str) -> None:
    raise AssertionError(f"it waits: {sentence}")


class Interrupting:
    """Takes the sentence of who waits, and ends the waiting."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def __call__(self, sentence: str) -> None:
        self.sentences.append(sentence)
        raise KeyboardInterrupt


def test_a_claim_stands_while_it_is_held_and_leaves_nothing(storage):
    mine = claim()
    with claimed(storage, NAME, mine, unheard):
        assert held(storage) == mine
        assert held(storage).process == ProcessIdentity.current()
    assert list(storage.folders()) == []


def test_a_claim_is_released_when_its_holder_fails(storage):
    with pytest.raises(ZeroDivisionError), claimed(storage, NAME, claim(), unheard):
        raise ZeroDivisionError
    assert storage.read(NAME) is None


def test_another_run_of_the_same_spec_waits_says_so_once_and_then_has_it(storage, quick):
    sentences: list[str] = []
    order: list[str] = []
    with ExitStack() as first:
        lease = first.enter_context(claimed(storage, NAME, claim(), unheard))

        def second() -> None:
            with claimed(storage, NAME, claim(), sentences.append):
                order.append("second")

        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.4)
        lease.require()
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    (sentence,) = sentences
    assert f"process {os.getpid()}" in sentence
    assert "since 20" in sentence


def test_another_spec_is_refused_at_once_and_told_what_to_do(storage):
    with claimed(storage, NAME, claim("a"), unheard):
        with (
            pytest.raises(RunIdTaken, match="another spec: choose another run id"),
            claimed(storage, NAME, claim("b"), unheard),
        ):
            pass
        assert held(storage).spec == "a"


def test_another_spec_elsewhere_is_refused_as_soon_as_it_shows_a_sign_of_life(storage, quick):
    other = elsewhere("b")
    storage.create(NAME, other.encoded())

    def renew() -> None:
        time.sleep(0.3)
        storage.exchange(NAME, other.encoded(), other.renewed(()).encoded())

    threading.Thread(target=renew).start()
    with pytest.raises(RunIdTaken), claimed(storage, NAME, claim("a"), lambda _: None):
        pass
    assert held(storage) == other.renewed(())


@pytest.mark.parametrize("spec", ["a", "b"])
def test_a_holder_whose_process_was_killed_loses_the_claim_at_once(storage, other_process, spec):
    storage.create(NAME, of_process(other_process.pid, spec).encoded())
    other_process.kill()  # and stays a zombie: nobody has waited for it
    os.waitid(os.P_PID, other_process.pid, os.WEXITED | os.WNOWAIT)
    with claimed(storage, NAME, claim("a"), unheard):
        assert held(storage).spec == "a"


def test_a_process_with_the_number_of_a_dead_one_is_not_taken_for_it(storage, other_process):
    former = of_process(other_process.pid)
    former = attrs.evolve(former, process=attrs.evolve(former.process, started=former.process.started - 1))
    storage.create(NAME, former.encoded())
    with claimed(storage, NAME, claim(), unheard):
        pass


def test_a_process_that_lives_is_waited_for(storage, other_process):
    storage.create(NAME, of_process(other_process.pid).encoded())
    waiting = Interrupting()
    with pytest.raises(KeyboardInterrupt), claimed(storage, NAME, claim(), waiting):
        pass
    assert f"process {other_process.pid}" in waiting.sentences[0]


@pytest.mark.parametrize("content", [elsewhere("a").encoded(), elsewhere("b").encoded(), b"damaged", b""])
def test_a_claim_that_stands_still_lapses_by_the_observers_clock(storage, quick, content):
    storage.create(NAME, content)
    start = time.monotonic()
    with claimed(storage, NAME, claim("a"), lambda _: None):
        assert 0.9 < time.monotonic() - start < 5
        assert held(storage).spec == "a"


def test_a_claim_that_is_renewed_never_lapses(storage, quick):
    with claimed(storage, NAME, claim(), unheard) as lease:
        waiter = threading.Thread(target=lambda: take_and_keep(storage), daemon=True)
        waiter.start()
        time.sleep(2.5)
        lease.require()
    waiter.join(10)


def take_and_keep(storage: Storage) -> None:
    with claimed(storage, NAME, claim(), lambda _: None):
        pass


def test_who_was_taken_for_gone_finds_out_and_does_not_release_the_others_claim(storage):
    with ExitStack() as first:
        lease = first.enter_context(claimed(storage, NAME, claim(), unheard))
        mine = storage.read(NAME)
        other = elsewhere()
        assert storage.exchange(NAME, mine, other.encoded())
        with pytest.raises(RunInterrupted, match="suspended"):
            lease.confirm()
        with pytest.raises(RunInterrupted):
            lease.require()
    assert held(storage) == other


def test_a_lease_that_was_renewed_long_ago_is_renewed_before_it_is_relied_on(storage, monkeypatch):
    with claimed(storage, NAME, claim(), unheard) as lease:
        lease.require()
        assert held(storage).renewals == 0
        now = boot_seconds()
        monkeypatch.setattr(leases, "boot_seconds", lambda: now + 100)
        lease.require()
        assert held(storage).renewals == 1


@attrs.frozen
class Losing(FakeStorage):
    """Loses the answer of the next exchanges; the file is exchanged all the same."""

    lost: list[int] = attrs.field(factory=lambda: [0])

    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        exchanged = FakeStorage.exchange(self, name, before, after)
        if self.lost[0]:
            self.lost[0] -= 1
            raise SinkUnavailable("the answer was lost")
        return exchanged


def test_a_renewal_whose_answer_was_lost_is_no_loss_of_the_lease():
    storage = Losing()
    with claimed(storage, NAME, claim(), unheard) as lease:
        storage.lost[0] = 1
        with pytest.raises(SinkUnavailable):
            lease.confirm()
        lease.confirm()
    assert storage.read(NAME) is None


def test_a_release_that_fails_is_no_error():
    storage = Losing()
    with claimed(storage, NAME, claim(), unheard):
        storage.lost[0] = 1


@attrs.frozen
class Hanging(FakeStorage):
    """Hangs in the second exchange."""

    calls: list[int] = attrs.field(factory=list)
    going_on: threading.Event = attrs.field(factory=threading.Event)

    def exchange(self, name: str, before: bytes | None, after: bytes | None) -> bool:
        self.calls.append(1)
        if len(self.calls) == 2:
            self.going_on.wait(60)
        return FakeStorage.exchange(self, name, before, after)


def test_a_renewal_that_hangs_does_not_hold_up_the_release(quick, monkeypatch):
    monkeypatch.setattr(leases, "RELEASE_SECONDS", 0.2)
    storage = Hanging()
    start = time.monotonic()
    with claimed(storage, NAME, claim(), unheard):
        while len(storage.calls) < 2:
            time.sleep(0.01)
    assert time.monotonic() - start < 5
    storage.going_on.set()


def test_pruning_is_waited_for_whatever_the_spec(storage, quick):
    with claimed(storage, NAME, claim("", PRUNE), unheard):
        waiting = Interrupting()
        with pytest.raises(KeyboardInterrupt), claimed(storage, NAME, claim("b"), waiting):
            pass
    assert "pruned" in waiting.sentences[0]


def test_of_many_who_see_a_holder_gone_one_has_the_claim_at_a_time(storage, quick):
    storage.create(NAME, elsewhere().encoded())
    at_once: list[int] = []
    most: list[int] = []

    def take() -> None:
        with claimed(storage, NAME, claim(), lambda _: None):
            at_once.append(1)
            most.append(len(at_once))
            time.sleep(0.02)
            at_once.pop()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1] * 8


def test_looking_never_claims_and_refuses_what_is_seen_to_live(storage, other_process):
    refuse_other_run(storage, NAME, claim("a"))
    assert storage.read(NAME) is None
    with claimed(storage, NAME, claim("a"), unheard):
        refuse_other_run(storage, NAME, claim("a"))
        with pytest.raises(RunIdTaken):
            refuse_other_run(storage, NAME, claim("b"))


HOLDER = """
import sys, time
from pulse_adapters.sinks.leases import Claim, TRAIN, claimed
from pulse_adapters.storage.folder import FolderStorage

with claimed(FolderStorage(sys.argv[1]), "nightly/claim", Claim.of("nightly", TRAIN, "a"), print) as lease:
    print("held", flush=True)
    sys.stdin.readline()
    lease.confirm()
"""


def started(root: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_process_that_was_killed_loses_its_claim_and_one_that_lives_does_not(tmp_path):
    storage = FolderStorage(tmp_path)
    with started(str(tmp_path)) as process:
        waiting = Interrupting()
        with pytest.raises(KeyboardInterrupt), claimed(storage, NAME, claim(), waiting):
            pass
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with claimed(storage, NAME, claim(), unheard):
            assert held(storage).process.pid == os.getpid()


def test_a_thread_that_renews_keeps_no_process_alive(tmp_path):
    with started(str(tmp_path)) as process:
        process.communicate("\n", timeout=20)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []
