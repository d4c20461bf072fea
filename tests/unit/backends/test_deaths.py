"""What is said of a worker process that has died."""

from __future__ import annotations

import pytest

from pulse_adapters.backends.deaths import cause_of_death, memory_kills


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "its process was killed by SIGKILL, most likely because memory ran out"),
        (-11, "its process was killed by SIGSEGV"),
        (-99, "its process was killed by signal 99"),
        (3, "its process ended with exit status 3"),
        (None, "its process ended with exit status unknown"),
    ],
)
def test_a_death_is_put_in_words(code, words):
    assert cause_of_death(code) == words


def test_a_kill_that_the_kernel_counted_was_for_want_of_memory():
    assert cause_of_death(-9, 4, 5) == "its process was killed because memory ran out"


def test_a_kill_that_the_kernel_did_not_count_came_from_outside():
    assert cause_of_death(-9, 4, 4) == "its process was killed by SIGKILL from outside; memory had not run out"


def test_the_kernels_count_changes_nothing_of_another_death():
    assert cause_of_death(-11, 4, 5) == "its process was killed by SIGSEGV"


def test_the_count_is_read_from_the_kernel(tmp_path):
    (tmp_path / "vmstat").write_text("nr_free_pages 12\noom_kill 37\noom_kill_disable 1\n")
    assert memory_kills(tmp_path / "vmstat") == 37


@pytest.mark.parametrize("content", [None, "", "nr_free_pages 12\n"])
def test_a_kernel_that_counts_nothing_is_no_error(tmp_path, content):
    if content is not None:
        (tmp_path / "vmstat").write_text(content)
    assert memory_kills(tmp_path / "vmstat") is None
