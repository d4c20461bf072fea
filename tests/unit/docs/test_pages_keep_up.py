"""Pages that are written by hand name all that the code has."""

import inspect
import re

import pytest

import pulse
import pulse_core
from pulse_core import BUILT_IN, MEASURES
from pulse_core.spec import DEFAULT_FORECASTERS, SEASONAL
from pulse_entrypoints.cli.exits import Exit
from tests.integration.pages import ROOT


def page(name):
    return (ROOT / "docs/reference" / name).read_text(encoding="utf-8")


def test_every_public_name_is_on_the_page_of_the_api():
    documented = re.findall(r"^\.\. (?:auto\w+|py:data):: ([\w.]+)$", page("api.md"), flags=re.MULTILINE)
    public = {*pulse_core.__all__, *pulse.__all__}
    assert {name for name in documented if not name.startswith(("pulse_adapters.", "pulse.testing."))} == public


@pytest.mark.parametrize("name", [name for name in pulse_core.__all__ if inspect.isclass(getattr(pulse_core, name))])
def test_every_public_class_says_what_it_is_and_so_do_its_methods(name):
    public = getattr(pulse_core, name)
    methods = [each for key, each in vars(public).items() if not key.startswith("_") and inspect.isfunction(each)]
    assert all(inspect.getdoc(each) for each in (public, *methods))


def test_every_forecaster_is_on_its_page():
    names = {forecaster.name for forecaster in BUILT_IN} | set(DEFAULT_FORECASTERS)
    assert all(f"`{name}`" in page("forecasters.md") for name in names)
    assert all(f"`{name}(m)`" in page("forecasters.md") for name in SEASONAL)


def test_every_measure_is_on_its_page():
    grouped = {re.sub(r"^(pinball|coverage|width)_.*", r"\1", measure) for measure in MEASURES}
    assert all(f"`{measure}`" in page("scores.md") for measure in grouped)


def test_every_exit_status_is_on_its_page_and_no_other():
    told = [int(status) for status in re.findall(r"^\| (\d+) \|", page("exit-status.md"), flags=re.MULTILINE)]
    assert told == sorted(Exit)
