"""Imports: the core loads numpy, attrs and the standard library; each command loads what it uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli import FEW, PERIOD, write_series

HEAVY = ("boto3", "botocore", "dask", "distributed", "pandas", "pyarrow", "scipy", "scipy.special", "structlog")

pytestmark = pytest.mark.integration


OF_HELP = (*HEAVY, "numpy", "pulse_core", "tqdm", "tomllib", "email", "pulse_entrypoints.settings.train")
OF_VERSION = (*OF_HELP, "rich")
OF_A_RUN = ("structlog", "rich", "tqdm", "asyncio", "distributed", "boto3", "pandas", "bokeh")
OF_THE_BARE_CORE = ("pulse_core", "pulse_core.errors", "pulse_core.version")
OTHER_SETTINGS = ("batch", "compare", "forecast", "runs", "plugins", "data_tools")


def loaded_by(statement: str, cwd: Path | None = None) -> set[str]:
    """The modules that a fresh interpreter holds after a statement."""
    process = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules, file=sys.stderr)"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
    )
    return set(process.stderr.split())


def loaded_by_command(*words: str, cwd: Path | None = None) -> set[str]:
    """The modules that the command `pulse` with these words loads."""
    return loaded_by(f"from pulse_entrypoints.cli.app import main\nassert main({words!r}) == 0", cwd)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    return loaded_by("from pulse_core import *")


@pytest.mark.parametrize("module", HEAVY)
def test_the_core_loads_no_heavy_module(loaded, module):
    assert module not in loaded


def test_the_core_loads_nothing_of_the_other_packages(loaded):
    assert not {module for module in loaded if module.startswith(("pulse_adapters", "pulse_entrypoints", "pulse."))}


def test_the_core_loads_all_of_its_forecasters(loaded):
    assert "pulse_core.forecasters.smoothing" in loaded


@pytest.mark.parametrize("module", ["pulse_core", "pulse_core.errors", "pulse"])
def test_a_package_and_its_errors_load_neither_numpy_nor_the_rest_of_the_core(module):
    modules = loaded_by(f"import {module}")
    assert {name for name in modules if name.startswith("pulse")} <= {"pulse", *OF_THE_BARE_CORE}
    assert not modules.intersection({*HEAVY, "attr", "ctypes", "numpy"})


def test_a_public_name_loads_its_module_when_it_is_used():
    modules = loaded_by("import pulse_core; pulse_core.RunSpec")
    assert "pulse_core.spec" in modules
    assert not modules.intersection({"pulse_core.kernel.bindings", "pulse_core.runs.training"})


def test_tasks_of_the_contract_suites_load_no_library_of_tests():
    assert not loaded_by("import pulse.testing.tasks").intersection({"hypothesis", "pytest", "_pytest"})


@pytest.mark.parametrize("words", [("--help",), ("runs", "--help")], ids=" ".join)
def test_help_loads_neither_the_core_nor_the_settings_of_commands_that_it_only_lists(words):
    assert not loaded_by_command(*words).intersection(OF_HELP)


def test_the_version_loads_nothing_that_lays_text_out():
    assert not loaded_by_command("--version").intersection({*OF_VERSION} - {"email"})


def test_a_small_run_loads_no_library_for_people_and_no_settings_of_other_commands(tmp_path):
    write_series(tmp_path / "data", "a", 100.0)
    loaded = loaded_by_command("train", "--variables", "a", *PERIOD, *FEW, cwd=tmp_path)
    assert not loaded.intersection(OF_A_RUN)
    assert not loaded.intersection(f"pulse_entrypoints.settings.{name}" for name in OTHER_SETTINGS)
