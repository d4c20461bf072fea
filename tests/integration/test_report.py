"""`pulse report` and `pulse train --report`, as a user runs them."""

from __future__ import annotations

import pytest

from tests.integration.cli import event, pulse, train, write_series


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("work")
    for name, level in (("a", 100.0), ("b", 50.0)):
        write_series(place / "data", name, level)
    return place


@pytest.fixture(scope="module")
def trained(folder):
    return train(folder, "--report", "--run-id", "r")


def test_a_training_leaves_its_report_and_the_hindcasts_it_needs(folder, trained) -> None:
    assert trained.returncode == 0, trained.stderr
    (place,) = event(trained, "report_written")["published"]
    assert place.endswith("results/r/report.html")
    page = (folder / place).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Forecast against actual values" in page
    assert list((folder / "results/r/hindcasts").iterdir())


def test_a_report_is_written_again_where_it_is_asked_for(folder, trained) -> None:
    done = pulse(folder, "report", "r", "--output", "mine.html", "--detail", "b")
    assert (done.returncode, done.stdout, done.stderr) == (0, "mine.html\n", "")
    page = (folder / "mine.html").read_text(encoding="utf-8")
    assert page.count('class="variable"') == 1
    assert "asked for" in page


def test_what_cannot_be_reported_is_told_with_its_mend(folder, trained) -> None:
    unknown = pulse(folder, "report", "nightly")
    assert unknown.returncode == 1
    assert "no run 'nightly'" in unknown.stderr
    wrong = pulse(folder, "report", "r", "--detail", "c", "--output", "results")
    assert wrong.returncode == 2
    assert "results is a folder" in wrong.stderr
    missing = pulse(folder, "report", "r", "--detail", "c")
    assert missing.returncode == 2
    assert "has no 'c'" in missing.stderr


def test_without_a_run_the_usage_is_told(folder) -> None:
    done = pulse(folder, "report")
    assert done.returncode == 2
    assert "pulse report --help" in done.stderr
