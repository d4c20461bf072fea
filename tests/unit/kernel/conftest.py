"""`--kernel-library PATH`: the kernel's tests against another library than the installed one."""

from __future__ import annotations

import ctypes

import pytest

from pulse_core.kernel import bindings

OPTION = "--kernel-library"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, metavar="PATH", help="test this compiled kernel instead of the installed one")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption(OPTION, default=None)
    if path is not None:
        bindings._open = lambda name: bindings._declared(ctypes.CDLL(path))
        bindings.library.cache_clear()
