"""The allocator keeps what is freed, where the C library can be told."""

from __future__ import annotations

import subprocess
import sys

FAULTS = """
import resource, sys
import numpy as np
from pulse_adapters.backends.host.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def work():
    arrays = [np.ones(12_000) for _ in range(100)]


work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(word: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, word], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_arrays_that_follow_one_another_use_the_same_pages():
    assert faults("keep") < max(faults("default"), 1) / 2
