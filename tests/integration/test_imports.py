"""What importing the core loads: numpy, attrs, the standard library, and nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("boto3", "botocore", "dask", "distributed", "pandas", "pyarrow", "scipy", "scipy.special", "structlog")

pytestmark = pytest.mark.integration


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter holds after a statement."""
    shown = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(shown.stdout.split())


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    return loaded_by("import pulse_core")


@pytest.mark.parametrize("module", HEAVY)
def test_importing_the_core_loads_no_heavy_module(loaded, module):
    assert module not in loaded


def test_importing_the_core_loads_nothing_of_the_other_packages(loaded):
    assert not {module for module in loaded if module.startswith(("pulse_adapters", "pulse_entrypoints"))}


def test_importing_the_core_loads_all_of_its_forecasters(loaded):
    assert "pulse_core.forecasters.smoothing" in loaded
