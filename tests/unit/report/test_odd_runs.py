"""Runs at the edge of what can be reported still have a whole page."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from pulse_adapters.report.assembly import assemble_report
from pulse_adapters.report.rendering import render
from pulse_adapters.report.variable_panels import variable_panels
from tests.unit.report.runs import climb, trained, walk

ENDS = np.where(np.random.default_rng(6).uniform(size=260) < 0.4, -1.7e308, 1.7e308)


@pytest.mark.parametrize(
    ("series", "changes"),
    [
        pytest.param({"walk": walk(1)}, {"forecasters": ("naive",)}, id="the benchmark alone"),
        pytest.param({"still": np.full(260, 5.0)}, {}, id="a value that never moves"),
        pytest.param({"walk": walk(2)}, {"end": date(2020, 3, 4)}, id="four origins in one batch"),
        pytest.param({"large": climb(3) * 1e299}, {"horizon": 1}, id="values near the end of a float64"),
        pytest.param({"ends": ENDS}, {}, id="values at both ends of a float64"),
        pytest.param({"small": walk(4) * 1e-300}, {}, id="values near zero"),
    ],
)
def test_an_odd_run_has_a_whole_page(tmp_path, series, changes) -> None:
    report = assemble_report(trained(tmp_path, series, **changes), "r")
    (detail,) = report.details
    titles = [panel.title for panel in variable_panels(detail)]
    assert "Forecast against actual values" in titles
    page = render(report).decode()
    assert page.count('role="img"') == len(titles) + 1
    assert ">nan<" not in page
    assert "None" not in page.partition("<main>")[2].partition("<footer>")[0].replace("None: every", "")
