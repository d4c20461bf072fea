"""The notebook in examples/ is executed as its readers would execute it, in a kernel of its own."""

import copy

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests.integration.pages import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

NOTEBOOK = ROOT / "examples" / "notebook.ipynb"


def execute(notebook, folder):
    executed = copy.deepcopy(notebook)
    NotebookClient(executed, timeout=100, kernel_name="python3").execute(cwd=str(folder))
    return executed


def shown(notebook, kind):
    """The outputs of each cell of one kind, as texts; those of frames are pandas' own and differ by its version."""
    outputs = [
        output.data.get(kind, "") for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output
    ]
    return [text for text in outputs if ".scores .trust" in text or "<svg" in text]


def printed(notebook):
    return [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stdout"
    ]


@pytest.mark.parametrize("kind", ["text/plain", "image/svg+xml"])
def test_the_notebook_shows_what_is_saved_in_it_and_leaves_nothing_behind(kind, tmp_path):
    saved = nbformat.read(NOTEBOOK, as_version=4)
    executed = execute(saved, tmp_path)
    assert shown(executed, kind) == shown(saved, kind) != []
    assert not list(tmp_path.iterdir())


def test_a_class_defined_in_a_cell_reaches_worker_processes_and_progress_is_shown(tmp_path):
    setup = """
import numpy as np, pandas as pd, pulse, time
class Mine:
    def forecast(self, history, horizon):
        time.sleep(0.02)
        return np.full(horizon, history[-1])
frame = pd.DataFrame({name: np.arange(300.0) % 7 for name in "ab"}, pd.bdate_range("2019-01-01", periods=300))
"""
    call = """
options = {"horizon": 1, "start_date": "2019-10-01", "unit_timeout": 60, "max_workers": 2}
run = pulse.train(frame, forecasters=["naive", Mine], **options)
print(run.scores["mae"].nunique())
"""
    executed = execute(new_notebook(cells=[new_code_cell(setup), new_code_cell(call)]), tmp_path)
    assert printed(executed) == ["1\n"]
    errors = [output.text for output in executed.cells[1].outputs if output.get("name") == "stderr"]
    assert any("Replaying" in text for text in errors)


def test_the_first_call_of_a_notebook_takes_little(tmp_path):
    code = """
import time, numpy as np, pandas as pd
days = pd.bdate_range("2014-01-01", "2023-12-31")
frame = pd.DataFrame({name: np.random.default_rng(1).normal(size=len(days)).cumsum() for name in "ab"}, days)
before = time.process_time()
import pulse
run = pulse.train(frame)
print(time.process_time() - before)
"""
    (seconds,) = printed(execute(new_notebook(cells=[new_code_cell(code)]), tmp_path))
    assert float(seconds) < 3.0  # half of it alone on a machine; twice that where others are at work
