import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from statsforecast.models import AutoETS, SeasonalNaive

import pulse
from pulse_adapters.forecasters.objects import named_forecaster
from pulse_core.errors import BackendUnavailable, SettingsError
from tests.unit.facade.conftest import DAYS, values


class Last:
    """Repeats the last value, times a share."""

    def __init__(self, share=1.0):
        self.share = share

    def forecast(self, history, horizon):
        return np.full(horizon, history[-1] * self.share)


class Fitted:
    def fit(self, history):
        return history.mean()

    def predict(self, fitted, history, horizon):
        return np.full(horizon, fitted)


def mae(run, name):
    return run.scores.query(f"horizon == 1 and forecaster == '{name}'")["mae"].tolist()


def train(forecasters, **options):
    few = pd.DataFrame({"a": values(1), "b": values(2)}, DAYS).iloc[:400]
    told = {"horizon": 2, "start_date": "2019-01-01", "refit_every": 50, "hindcasts": False, "backend": "serial"}
    return pulse.train(few, **{**told, **options, "forecasters": forecasters})


def local_class():
    class Local(Last):
        pass

    return Local


def test_a_class_that_can_be_imported_goes_by_its_name_as_on_the_command_line():
    run = train(["naive", Last], refit_every=1)
    assert run.spec.forecasters == ("naive", f"{__name__}:Last")
    assert mae(run, f"{__name__}:Last") == mae(run, "naive")
    assert train(["naive", f"{__name__}:Last"], refit_every=1).digest == run.digest


@pytest.mark.parametrize("given", [Last(), local_class(), local_class()(1.0)], ids=["instance", "class", "both"])
def test_classes_of_a_function_and_instances_go_by_value(given):
    run = train(["naive", given], refit_every=1)
    assert mae(run, run.spec.forecasters[1]) == mae(run, "naive")


def test_instances_are_named_in_a_dict_and_forecast_with_their_own_arguments():
    run = train({"less": Last(0.9), "same": Last(), "naive": "naive"}, refit_every=1)
    assert run.spec.forecasters == ("less", "same", "naive")
    assert mae(run, "same") == mae(run, "naive")
    assert min(mae(run, "less")) > max(mae(run, "same"))
    forecast = run.forecast(3, forecasters="less")
    assert forecast["point"].tolist()[:3] == [values(1)[399] * 0.9] * 3


def test_two_of_one_name_are_refused_with_the_way_out():
    with pytest.raises(SettingsError, match="two are named 'Last'; name them in a dict"):
        train([Last(0.1), Last(0.2)])


def test_the_name_of_a_built_in_forecaster_is_refused_for_another():
    with pytest.raises(SettingsError, match="'ridge' is the name of a built-in forecaster; choose another"):
        train({"naive": "naive", "ridge": Last()})


def test_a_benchmark_may_be_an_object():
    run = train(["naive"], benchmark=Last(), refit_every=1)
    assert set(run.trust["benchmark"]) == {"Last"}


def test_worker_processes_get_what_is_given_by_value():
    options = {"refit_every": 1, "backend": "processes", "max_workers": 2, "unit_timeout": 60}
    here = train(["naive", local_class()(0.5)], refit_every=1)
    assert train(["naive", local_class()(0.5)], **options).scores.equals(here.scores)


def test_an_instance_leaves_no_traces_in_what_was_given():
    class Counting(Last):
        calls = 0

        def forecast(self, history, horizon):
            self.calls += 1
            return super().forecast(history, horizon)

    given = Counting()
    train(["naive", given])
    assert given.calls == 0


@pytest.mark.parametrize("given", [object(), 3, dict, type("No", (), {})], ids=str)
def test_what_cannot_forecast_is_refused(given):
    with pytest.raises(SettingsError, match=r"has no method forecast\(history, horizon\)"):
        train(["naive", given])


def test_a_class_that_needs_arguments_is_refused_with_what_it_raised():
    class Needs(Fitted):
        def __init__(self, size):
            self.size = size

    with pytest.raises(SettingsError, match="missing 1 required positional argument: 'size'"):
        train(["naive", Needs])


def test_what_cannot_be_copied_is_refused_where_other_processes_need_it():
    given = named_forecaster(Last(share=1.0)).forecaster
    assert given is not None
    given.source.source.lock = __import__("threading").Lock()  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match=r"cannot be sent to other processes .*backend='serial'"):
        pickle.dumps(given)


def test_without_cloudpickle_a_class_of_a_cell_is_refused_with_the_ways_out(monkeypatch):
    monkeypatch.setattr("pulse_adapters.forecasters.objects.find_spec", lambda name: None)
    monkeypatch.delattr(sys.modules["__main__"], "__file__")
    cell = type("Cell", (Last,), {"__module__": "__main__"})
    assert mae(train(["naive", cell]), "Cell")  # this process needs no copy
    with pytest.raises(BackendUnavailable, match=r"pip install cloudpickle\), put the class into a module"):
        train(["naive", cell], backend="processes", max_workers=2, unit_timeout=60)


def test_classes_of_libraries_go_by_their_names():
    run = train(["naive", AutoETS, Ridge])
    assert run.spec.forecasters == ("naive", "statsforecast:AutoETS", "sklearn:Ridge")


def test_instances_of_libraries_have_the_arguments_they_were_made_with():
    flat = Ridge(alpha=1e12, fit_intercept=False)
    run = train({"naive": "naive", "week": SeasonalNaive(season_length=5), "flat": flat})
    history = pd.Series(values(1)[:400])
    assert run.forecast(2, forecasters="week", variables="a")["point"].tolist() == history.iloc[[-5, -4]].tolist()
    assert mae(run, "flat") == pytest.approx(mae(run, "naive"), rel=1e-6)


def test_instances_of_libraries_are_known_in_other_processes():
    model = named_forecaster(AutoETS(season_length=1, model="ANN"), "ets").forecaster
    assert model is not None
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer)._model(None).version)"
    out = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(model), capture_output=True, check=True)
    assert model.version.startswith(out.stdout.decode().strip())


SCRIPT = """
import numpy as np, pandas as pd, pulse

class Mine:
    def forecast(self, history, horizon):
        return np.full(horizon, history[-1])

days = pd.bdate_range("2019-01-01", periods=300)
frame = pd.DataFrame({name: np.arange(300.0) % 7 for name in "ab"}, days)
options = {"horizon": 1, "start_date": "2020-01-01", "unit_timeout": 60, "max_workers": 2}
run = pulse.train(frame, forecasters=["naive", Mine], **options)
print(run.scores["mae"].nunique(), run.variables)
"""


def test_a_script_needs_no_guard_for_its_worker_processes(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    out = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert out.stdout.split(maxsplit=1) == ["1", "('a', 'b')\n"]
    assert [path.name for path in Path(tmp_path).iterdir()] == ["script.py"]
