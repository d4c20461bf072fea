"""What the backtests of a run come to: it is recorded nowhere, so it is kept as it is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from pulse_core.results import VariableBacktest
from pulse_core.runs import units
from pulse_core.runs.inputs import VariableInput


@contextmanager
def kept_backtests() -> Iterator[dict[str, VariableBacktest]]:
    """Yield the backtests of the runs in this process, by variable, as they are made."""
    backtest, kept = units.backtest_input, dict[str, VariableBacktest]()

    def keep(value: VariableInput, *arguments: Any) -> VariableBacktest:
        kept[value.variable] = backtest(value, *arguments)
        return kept[value.variable]

    with patch.object(units, "backtest_input", keep):
        yield kept
