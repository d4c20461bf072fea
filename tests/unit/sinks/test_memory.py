"""MemorySink beyond the contract: what it is when it travels."""

from __future__ import annotations

import pickle

import numpy as np

from pulse.testing.results import publish, run_result, variable_batches
from pulse_adapters.sinks.memory import MemorySink

KEY = "ab" * 32


def test_in_one_process_a_copy_is_the_sink_itself():
    sink = MemorySink()
    assert pickle.loads(pickle.dumps(sink)) is sink


def test_two_sinks_share_nothing():
    one, other = MemorySink(), MemorySink()
    one.record(KEY, variable_batches())
    with one.part("nightly", "scores/part-1") as part:
        part.write({"mae": np.ones(1)})
    assert other.recall(KEY) is None
    assert part.facts is not None
    assert (list(one.parts), other.parts) == ([("nightly", part.facts.name)], {})


def test_what_was_published_last_is_at_hand():
    sink = MemorySink()
    publish(sink, run_result())
    publish(sink, run_result(software={}))
    assert sink.runs == {"nightly": run_result(software={})}
