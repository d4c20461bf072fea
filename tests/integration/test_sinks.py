"""Sinks used by several processes, and by processes that are killed."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pulse.testing.results import publish, run_result, variable_batches
from pulse_adapters.sinks.folder import FolderSink
from pulse_adapters.sinks.memory import MemorySink

pytestmark = pytest.mark.integration

KEY = "ab" * 32
HERE = Path(__file__).parents[2]

RACER = """
import sys, time
from pathlib import Path
from pulse_adapters.sinks.folder import FolderSink
from pulse.testing.results import variable_batches

sink, seed = FolderSink(Path(sys.argv[1])), int(sys.argv[2])
result = variable_batches(seed)
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    sink.record(f"{number:064x}", result)
print([int(variable_seed) for number in range(20)
       for variable_seed in range(8) if sink.recall(f"{number:064x}") == variable_batches(variable_seed)])
"""

ENDLESS = """
import itertools, sys
from pathlib import Path
from pulse_adapters.sinks.folder import FolderSink
from pulse.testing.results import publish, run_result, variable_batches

sink = FolderSink(Path(sys.argv[1]), (Path(sys.argv[1]) / "out.json",))
print("ready", flush=True)
for number in itertools.count(int(sys.argv[2]) * 100_000):
    sink.record(f"{number:064x}", variable_batches(number))
    sink.pack("1a" * 16, {f"{number:064x}": variable_batches(number)})
    publish(sink, run_result(software={"number": str(number)}))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_of_processes_that_race_for_a_key_one_wins_and_all_read_the_same(tmp_path):
    racers = [start(RACER, tmp_path, seed) for seed in range(8)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    read = [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]
    assert len(read[0]) == 20
    assert all(winners == read[0] for winners in read)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 20


def test_a_writer_killed_at_any_moment_leaves_whole_files_or_none(tmp_path):
    generator = np.random.default_rng(7)
    sink = FolderSink(tmp_path, (tmp_path / "out.json",))
    for attempt in range(12):
        writer = start(ENDLESS, tmp_path, attempt)
        time.sleep(generator.uniform(0.0, 0.06))
        writer.send_signal(signal.SIGKILL)
        writer.communicate(timeout=60)
        for path in (tmp_path / "units").glob("*/[0-9a-f]*"):
            assert sink.recall(path.name) == variable_batches(int(path.name, 16))
            with sink.recalling("1a" * 16, [path.name]) as recall:
                assert recall(path.name) in (None, variable_batches(int(path.name, 16)))
        for path in (tmp_path / "out.json", tmp_path / "nightly/result.json"):
            assert not path.exists() or json.loads(path.read_bytes())["run"]["id"] == "nightly"
    assert not list(tmp_path.rglob("*.damaged"))
    publish(sink, run_result())
    assert not list(tmp_path.rglob(".*.tmp"))


def test_in_another_process_a_copy_of_a_memory_sink_is_empty_and_small():
    sink = MemorySink()
    sink.record(KEY, variable_batches())
    travelling = pickle.dumps(sink)
    code = f"import pickle; print(pickle.loads({travelling!r}).recall({KEY!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"
    assert len(travelling) < 200


def test_importing_the_filesystem_sink_loads_nothing_heavy():
    heavy = {"pandas", "pyarrow", "boto3", "scipy", "jsonschema", "hypothesis"}
    code = f"import sys, pulse_adapters.sinks.folder; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
