"""Contract suites: a test class for each port, to subclass for a plug-in. They need the extra `testing`.

    class TestWaveStore(DataStoreContract):
        @contextmanager
        def open(self, variables):
            yield WaveStore(variables)

pytest runs the contract's tests of the subclass. Every test uses a copy that went through pickle, as to a worker.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pulse.testing.compute_backend import ComputeBackendContract
    from pulse.testing.data_store import DataStoreContract
    from pulse.testing.forecaster import ForecasterContract
    from pulse.testing.result_sink import ResultSinkContract
    from pulse.testing.storage import StorageContract

__all__ = [
    "ComputeBackendContract",
    "DataStoreContract",
    "ForecasterContract",
    "ResultSinkContract",
    "StorageContract",
]

_MODULES: Final = {
    "ComputeBackendContract": "pulse.testing.compute_backend",
    "DataStoreContract": "pulse.testing.data_store",
    "ForecasterContract": "pulse.testing.forecaster",
    "ResultSinkContract": "pulse.testing.result_sink",
    "StorageContract": "pulse.testing.storage",
}

if not TYPE_CHECKING:  # or a type checker would take any name for a public one

    def __getattr__(name: str) -> object:
        """Return a contract suite, and load its module. Raises AttributeError for any other name.

        So worker processes, which load the tasks of a suite, load no pytest.
        """
        if name not in _MODULES:
            raise AttributeError(f"module 'pulse.testing' has no public name '{name}'")
        import pytest

        pytest.register_assert_rewrite(_MODULES[name])  # so that a failed assertion shows its values
        return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Return the contract suites."""
    return sorted(__all__)
