"""How the tests read bytes: as a store does, and what the report says."""

from __future__ import annotations

import pytest

from pulse_adapters.stores.formats.registry import parse
from pulse_adapters.stores.formats.table import observations
from pulse_core.data.observations import Observations
from pulse_core.errors import MalformedData


def read(content: bytes | str, name: str = "x.csv", **options) -> Observations:
    content = content.encode() if isinstance(content, str) else content
    return observations(parse(content, name, f"/data/{name}", **options), "x", f"/data/{name}")


def faults(content: bytes | str, name: str = "x.csv", **options) -> str:
    """Return what the report says is wrong."""
    with pytest.raises(MalformedData) as refused:
        read(content, name, **options)
    assert refused.value.context == f"/data/{name}"
    return refused.value.message
