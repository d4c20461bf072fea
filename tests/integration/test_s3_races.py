"""Many writers at once in a bucket, and writers that are killed between any two requests, against a model in memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from pulse.testing.results import variable_batches
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_adapters.storage.s3 import S3Storage
from pulse_core.errors import SinkUnavailable
from tests.servers.faults import Fault, LoseAnswer, Proxy, Reset, proxied
from tests.servers.moto_server import moto
from tests.servers.s3 import BUCKET, S3Server, environment_of

pytestmark = pytest.mark.integration

HERE = Path(__file__).parents[2]
RACERS = 16
RACER = """
import sys
from pathlib import Path
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.storage.s3 import S3Storage

prefix, endpoint, number, bucket = sys.argv[1:]
storage = S3Storage(bucket, prefix, AwsSettings(endpoint_url=endpoint))
storage.read("warm")
print("ready", flush=True)
sys.stdin.readline()
won = storage.create("units/ab/key", number.encode())
print(int(won), storage.read("units/ab/key").decode())
"""


def test_of_sixteen_processes_one_wins_and_all_read_the_same(in_seaweedfs: S3Server):
    corner = in_seaweedfs.corner()
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, corner, in_seaweedfs.endpoint, str(number), BUCKET],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(RACERS)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [json.loads(f"[{racer.communicate(timeout=100)[0].replace(' ', ',')}]") for racer in racers]
    assert [won for won, _ in told].count(1) == 1
    winner = next(number for number, (won, _) in enumerate(told) if won)
    assert {read for _, read in told} == {winner}
    assert in_seaweedfs.keys(corner) == ["units/ab/key"]


NAMES = ("units/ab/ab01", "units/cd/cd02", "run/result.json", "run/scores/part-1.parquet")
name = st.sampled_from(NAMES)
content = st.sampled_from([b"one", b"two", b""])
kill = st.sampled_from([None, None, Reset(), LoseAnswer()])
"""A writer dies before its request reaches the server, or after: nobody hears which."""


class WritersAndReaders(RuleBasedStateMachine):
    """A storage whose writers may die at each request. The model knows, of each name, what may stand there."""

    server: S3Server
    proxy: Proxy

    def __init__(self) -> None:
        super().__init__()
        self.storage = S3Storage(
            BUCKET, self.server.corner(), AwsSettings(endpoint_url=self.proxy.endpoint, retry_attempts=1)
        )
        self.proxy.plan()  # a fault that the example before had no request for would hit this one
        self.storage.create("warm", b"")
        self.model: dict[str, set[bytes | None]] = {each: {None} for each in NAMES}

    def dying(self, fault: Fault | None) -> None:
        self.proxy.plan(fault, where=lambda seen: seen.method in {"PUT", "DELETE"})

    @rule(name=name, content=content, fault=kill)
    def create(self, name: str, content: bytes, fault: Fault | None) -> None:
        before = self.model[name]
        self.dying(fault)
        try:
            won = self.storage.create(name, content)
        except SinkUnavailable:
            self.model[name] = before | ({content} if None in before else set())
            return
        assert fault is None
        if won:
            assert None in before
            self.model[name] = {content}
        else:
            assert before != {None}
            self.model[name] = before - {None}

    @rule(name=name, content=content)
    def replace(self, name: str, content: bytes) -> None:
        self.dying(None)
        self.storage.replace(name, content)
        self.model[name] = {content}

    @rule(name=name, before=st.none() | content, after=st.none() | content, fault=kill)
    def exchange(self, name: str, before: bytes | None, after: bytes | None, fault: Fault | None) -> None:
        self.dying(fault)
        try:
            exchanged = self.storage.exchange(name, before, after)
        except SinkUnavailable:
            self.model[name] = self.model[name] | ({after} if before in self.model[name] else set())
            return
        if exchanged:
            assert before in self.model[name]
            self.model[name] = {after}
        else:
            assert self.model[name] != {before}
            self.model[name] = self.model[name] - {before}

    @rule(name=name, fault=kill)
    def remove(self, name: str, fault: Fault | None) -> None:
        self.dying(fault)
        try:
            self.storage.remove(name)
        except SinkUnavailable:
            self.model[name] = self.model[name] | {None}
        else:
            self.model[name] = {None}

    @rule(name=name, damaged=content, fault=kill)
    def set_aside(self, name: str, damaged: bytes, fault: Fault | None) -> None:
        self.dying(fault)
        try:
            aside = self.storage.set_aside(name, damaged)
        except SinkUnavailable:
            self.model[name] = self.model[name] | ({None} if damaged in self.model[name] else set())
            return
        if aside is None:
            self.model[name] = self.model[name] - {damaged}
        else:
            assert damaged in self.model[name]
            self.model[name] = {None}

    @rule(name=name)
    def read(self, name: str) -> None:
        found = self.storage.read(name)
        assert found in self.model[name]
        self.model[name] = {found}

    @rule()
    def remove_the_run(self) -> None:
        self.dying(None)
        self.storage.remove_folder("run")
        for each in NAMES:
            if each.startswith("run/"):
                self.model[each] = {None}

    @invariant()
    def what_is_listed_is_what_may_be_there(self) -> None:
        listed = {entry.name for entry in self.storage.entries("")} & set(NAMES)
        assert {each for each in NAMES if None not in self.model[each]} <= listed
        assert listed <= {each for each in NAMES if self.model[each] != {None}}


def test_whatever_writers_die_of_the_place_holds_what_the_model_allows(in_seaweedfs, fault_proxy):
    machine = type("Machine", (WritersAndReaders,), {"server": in_seaweedfs, "proxy": fault_proxy})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8,
            stateful_step_count=12,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("after", [b"new", None])
def test_an_exchange_whose_answer_was_lost_is_known_to_have_succeeded(in_seaweedfs, fault_proxy, after):
    storage = S3Storage(BUCKET, in_seaweedfs.corner(), AwsSettings(endpoint_url=fault_proxy.endpoint, retry_attempts=3))
    storage.create("a", b"old")
    fault_proxy.plan(LoseAnswer(), where=lambda seen: seen.method in {"PUT", "DELETE"})
    assert storage.exchange("a", b"old", after)
    assert storage.read("a") == after


def test_a_server_without_conditional_writes_is_recognised_and_exchanges_all_the_same():
    # moto does not check signatures, which cover the headers
    with environment_of(moto()), proxied(moto().endpoint) as proxy:
        proxy.dropped |= {"if-match", "if-none-match"}
        storage = S3Storage(BUCKET, moto().corner(), AwsSettings(endpoint_url=proxy.endpoint))
        assert storage.exchange("a", None, b"one")
        assert not storage.exchange("a", None, b"two")
        assert storage.exchange("a", b"one", b"two")
        assert not storage.exchange("a", b"one", None)
        assert storage.exchange("a", b"two", None)
        assert list(storage.entries("")) == []


def test_a_record_written_by_a_writer_that_died_is_recalled_or_written_again(in_seaweedfs, fault_proxy):
    storage = S3Storage(BUCKET, in_seaweedfs.corner(), AwsSettings(endpoint_url=fault_proxy.endpoint, retry_attempts=1))
    sink, key = StorageSink(storage), "ab" * 32
    storage.create("warm", b"")
    fault_proxy.plan(LoseAnswer())
    with pytest.raises(SinkUnavailable):
        sink.record(key, variable_batches())
    assert sink.recall(key) == variable_batches()
    sink.record(key, variable_batches(1))
    assert sink.recall(key) == variable_batches()
