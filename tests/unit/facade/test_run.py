import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import polars as pl
import pytest

import pulse
from pulse_core.errors import PulseError, RunNotFound, SettingsError
from pulse_entrypoints.commands.forecast.rows import COLUMNS
from tests.unit.facade.conftest import DAYS, values


def test_the_tables_are_those_of_the_run_with_a_row_for_each_cell(run):
    scores = run.scores
    assert scores.groupby(["variable", "forecaster", "horizon"]).size().eq(1).all()
    assert len(scores) == 2 * 4 * 3
    assert {"mae", "skill_mae", "crps", "coverage_80", "trust", "verdict"} <= set(scores.columns)
    assert scores.query("forecaster == 'naive'")["verdict"].isna().all()
    hindcasts = run.hindcasts
    assert {"known_at", "target", "point", "q0.1", "q0.9", "actual", "trust"} <= set(hindcasts.columns)
    naive = hindcasts.query("variable == 'a' and forecaster == 'naive' and horizon == 1")
    errors = (naive["actual"] - naive["point"]).abs()
    mae = scores.query("variable == 'a' and forecaster == 'naive' and horizon == 1")["mae"].item()
    assert errors.mean() == pytest.approx(mae, rel=1e-12)
    assert set(run.batches.columns) >= {"batch", "start", "n", "mae", "trust", "won", "lost"}


def test_trust_is_that_of_the_scores_with_benchmark_span_and_discovery(run):
    trust = run.trust
    assert list(trust.columns[:6]) == ["variable", "forecaster", "horizon", "benchmark", "span", "trust"]
    assert set(trust["benchmark"]) == {"naive"}
    assert "naive" not in set(trust["forecaster"])
    assert trust["discovery"].dtype == bool
    merged = trust.merge(run.scores, on=["variable", "forecaster", "horizon"], suffixes=("", "_scores"))
    assert len(merged) == len(trust)
    pd.testing.assert_series_equal(merged["trust"], merged["trust_scores"], check_names=False)


def test_discoveries_are_those_of_the_document(options):
    wave = np.resize([1.0, 2.0, 3.0, 2.0], len(DAYS)) + np.random.default_rng(1).normal(0, 0.1, len(DAYS))
    frame = pd.DataFrame({"wave": wave}, DAYS)
    run = pulse.train(frame, **{**options, "forecasters": ["naive", "seasonal-naive(4)"]})
    assert run.trust["discovery"].sum() == run.published.document.discoveries.count > 0
    assert "*" in repr(run)


@pytest.mark.parametrize(("kind", "library"), [("pandas", "pandas"), ("polars", "polars"), ("arrow", "pyarrow")])
def test_frames_are_of_the_library_that_is_asked_for(kind, library, wide, options):
    run = pulse.train(wide, **options, frames=kind)
    for frame in (run.scores, run.trust, run.hindcasts, run.batches, run.forecast(1)):
        assert type(frame).__module__.startswith(library)


def test_data_of_polars_bring_frames_of_polars(wide, options):
    assert isinstance(pulse.train(pl.from_pandas(wide.reset_index(names="ds")), **options).scores, pl.DataFrame)


def test_an_unknown_kind_of_frames_is_refused(wide):
    with pytest.raises(SettingsError, match="frames: expected one of pandas, polars, arrow, got 'dask'"):
        pulse.train(wide, frames="dask")


def test_forecasts_have_the_columns_of_the_command_and_follow_the_calendar(run):
    forecast = run.forecast()
    assert tuple(forecast.columns) == COLUMNS
    assert len(forecast) == 2 * 3
    assert set(forecast["forecaster"]) == {"ensemble"}
    assert forecast["target"].tolist()[:3] == pd.bdate_range("2021-01-01", periods=3, tz="UTC").tolist()
    assert (forecast["q0.1"] < forecast["point"]).all()
    assert forecast["trust"].between(0, 1).all()


def test_more_steps_than_were_trained_leave_the_first_as_they_are(run):
    few, many = run.forecast(2), run.forecast(7)
    assert many["horizon"].tolist() == [1, 2, 3, 4, 5, 6, 7] * 2
    assert many[["point", "q0.1", "trust"]].notna().all().all()
    pd.testing.assert_frame_equal(many[many["horizon"] <= 2].reset_index(drop=True), few)


def test_forecasts_are_of_the_variables_and_forecasters_that_are_named(run):
    assert set(run.forecast(variables="b")["variable"]) == {"b"}
    assert set(run.forecast(forecasters=["naive", "ses"])["forecaster"]) == {"naive", "ses"}
    assert set(run.forecast(forecasters="all")["forecaster"]) == set(run.spec.forecasters)
    assert run.forecast(1, forecasters="naive")["point"].tolist() == [values(1)[-1], values(2)[-1]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps: expected a whole number from 1 to 1000, got 0"),
        ({"steps": "3"}, "steps: expected a whole number"),
        ({"variables": "q"}, "variables: the run did not train 'q'"),
        ({"forecasters": "theta"}, "forecasters: the run has no forecaster 'theta', but naive"),
        ({"as_of": "2019-01-01"}, "as_of: 2019-01-01 is before the run's last day"),
        ({"as_of": "soon"}, "as_of: expected a day"),
    ],
)
def test_what_cannot_be_forecast_is_told(run, arguments, message):
    with pytest.raises(SettingsError, match=message):
        run.forecast(**arguments)


def test_newer_data_are_forecast_from_and_changed_ones_refused(run, wide):
    more = pd.date_range("2021-01-01", periods=3, freq="B")
    newer = pd.concat([wide, pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]}, more)])
    assert run.forecast(1, data=newer, forecasters="naive")["point"].tolist() == [3.0, 6.0]
    changed = newer * 2
    with pytest.raises(PulseError, match="are not those it was trained on"):
        run.forecast(data=changed)
    assert len(run.forecast(data=changed, allow_changed_history=True)) == 6


def test_a_loaded_run_is_the_run(wide, options, tmp_path):
    kept = pulse.train(wide, **options, results=str(tmp_path), run_id="r")
    loaded = pulse.load(tmp_path / "r")
    pd.testing.assert_frame_equal(loaded.trust, kept.trust)
    pd.testing.assert_frame_equal(loaded.hindcasts, kept.hindcasts)
    assert repr(loaded) == repr(kept)
    with pytest.raises(SettingsError, match=r"data: the run was loaded without; give them: forecast\(..., data=df\)"):
        loaded.forecast()
    pd.testing.assert_frame_equal(loaded.forecast(4, data=wide), kept.forecast(4))
    pd.testing.assert_frame_equal(pulse.load(tmp_path / "r", data=wide).forecast(), kept.forecast())


def test_what_is_no_run_is_not_loaded(tmp_path):
    with pytest.raises(RunNotFound):
        pulse.load(tmp_path / "r")
    with pytest.raises(SettingsError, match="expected the folder of a run"):
        pulse.load("/")
    with pytest.raises(TypeError, match="has no option 'frame'"):
        pulse.load("results/r", frame="polars")


def test_without_hindcasts_there_is_no_table_and_the_plot_has_trust_alone(wide, options):
    run = pulse.train(wide, **options, hindcasts=False)
    with pytest.raises(RunNotFound, match="no table 'hindcasts'"):
        _ = run.hindcasts
    assert "trust" in run.plot("a").svg


def test_a_plot_is_sound_svg_that_says_in_words_what_it_shows(run, tmp_path):
    chart = run.plot("a")
    root = ET.fromstring(chart._repr_svg_())  # noqa: S314  # our own
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert str(texts[0]).startswith("a: ")
    assert "actual" in texts
    assert len([element for element in root.iter() if element.tag.endswith("polygon")]) >= 3
    assert chart.conclusion.startswith("a: ")
    assert chart.save(tmp_path / "a.svg").read_text(encoding="utf-8") == chart.svg


def test_a_plot_needs_the_name_of_one_of_several_variables(run):
    with pytest.raises(SettingsError, match="name one of a, b"):
        run.plot()
    with pytest.raises(SettingsError, match="has no 'q'"):
        run.plot("q")


def test_the_report_is_one_file(run, tmp_path):
    path = run.report(tmp_path / "r.html", variables="a")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(SettingsError, match="is a folder"):
        run.report(tmp_path)


def test_a_run_shows_itself_in_ten_lines(run, options):
    lines = repr(run).splitlines()
    assert len(lines) <= 10
    assert lines[0].startswith("2 variables, 2020-01-01 to 2020-12-31, 4 forecasters, 3 steps ahead (run ")
    assert lines[1].split() == ["variable", "ahead", "best", "skill", "verdict", "trust", "n", "in", "80%"]
    assert [line.split()[0] for line in lines[2:6]] == ["a", "3", "b", "3"]
    many = pd.DataFrame({f"v{number}": values(number) for number in range(9)}, DAYS)
    text = repr(pulse.train(many, **options, hindcasts=False))
    assert len(text.splitlines()) <= 10
    assert "... 12 more rows" in text


def test_names_are_escaped_in_html_and_plots(options):
    name = '<script>alert(1)</script> & "co"'
    run = pulse.train(pd.DataFrame({name: values(3)}, DAYS), **options)
    for text in (run._repr_html_(), run.plot().svg):
        assert "<script>" not in text
        assert "&lt;script&gt;" in text
    ET.fromstring(run.plot().svg)  # noqa: S314  # our own
    ET.fromstring(run._repr_html_())  # noqa: S314  # our own
