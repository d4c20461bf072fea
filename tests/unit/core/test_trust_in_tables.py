"""Trust, evidence, outcomes and actuals: the tables, the result and the forecast have the same numbers, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_core import MEASURES, TRUST, Forecasting, Labels, Observations, RunSpec, Trained
from pulse_core.results import VariableSummary
from tests.backtests import KeptBacktest, kept_backtests
from tests.fakes import FakeSink, FakeStore
from tests.plain_pairs import Judged, Step, judged
from tests.plain_trust import TIE, Settings
from tests.strategies import replayed, values, whole_for
from tests.unit.core.real import real_series, released_late
from tests.unit.core.runs import Row, ended, known, series, spec_of
from tests.unit.method.plain_learning import TAUS, trapezoid

NAMES = ("naive", "drift", "theta", "ar", "median-of-all", "ensemble")
TRUST_LOSSES = ("absolute", "crps")
Table = dict[Row, dict[str, Any]]
"""Rows as numbers, by forecaster, horizon, and moment or batch."""

by_trust_loss = pytest.mark.parametrize("trust_loss", TRUST_LOSSES)


@attrs.frozen
class Run:
    """What a run with hindcasts gives of its one variable."""

    observations: Observations
    spec: RunSpec
    summary: VariableSummary | None
    record: KeptBacktest | None
    hindcasts: Table
    scores: Table

    def trust(self, measure: str) -> np.ndarray:
        """One of the numbers of TRUST in the result; (forecaster, horizon)."""
        assert self.summary is not None
        return self.summary.trust[..., TRUST.index(measure)]

    def last_origin(self, column: str) -> np.ndarray:
        """A column of the hindcasts at the newest origin; (forecaster, horizon)."""
        moment = max(key[2] for key in self.hindcasts)
        horizons = range(1, self.spec.horizon + 1)
        return np.array([[self.hindcasts[name, ahead, moment][column] for ahead in horizons] for name in NAMES])


def run_of(observations: Observations, spec: RunSpec) -> Run:
    sink = FakeSink()
    with kept_backtests() as backtests:
        result = ended(observations, spec, sink=sink, hindcasts=True)
    summary, record = next(iter(result.variables), None), next(iter(backtests.values()), None)
    return Run(observations, spec, summary, record, rows_of(sink, "hindcasts"), rows_of(sink, "batches"))


def rows_of(sink: FakeSink, name: str) -> Table:
    rows: Table = {}
    for (_, part), writes in sink.parts.items():
        for columns in writes if part.startswith(name) else ():
            cells = {
                column: [values.names[code] for code in values.codes] if isinstance(values, Labels) else values.tolist()
                for column, values in columns.items()
            }
            for cell in zip(*cells.values(), strict=True):
                rows[tuple(cell[1:4])] = dict(zip(cells, cell, strict=True))
    return rows


def walk(count: int) -> Observations:
    """Small numbers now and then repeated, so that there are ties too."""
    return series(100 + np.round(np.cumsum(np.random.default_rng(61).normal(size=count)), 1))


def weekly() -> tuple[Observations, RunSpec]:
    """A value a week; of every four the last two come with the next, on the first day of a batch."""
    numbers = 100 + np.round(np.cumsum(np.random.default_rng(7).normal(size=120)), 1)
    weeks = list(enumerate(numbers.tolist()))
    rows = [(7 * week, value, 7 * (week if week % 4 < 2 else week - week % 4 + 4)) for week, value in weeks[:-3]]
    return known(rows), spec_of(
        days=7 * 116 + 1, horizon=3, batch_size_days=28, min_history=8, forecasters=NAMES, trust_half_life=30
    )


def quarterly() -> tuple[Observations, RunSpec]:
    """Real prices by quarter as GDP is released: four months on, revised twice, and twice with the next quarter's."""
    prices = real_series("core_cpi", 400)
    day = np.timedelta64(1, "D")
    stamps, numbers = prices.timestamps[::3], prices.values[::3].tolist()
    releases = stamps + 120 * day
    for delayed in (20, 60):
        releases[delayed] = releases[delayed + 1]
    rows = sorted(
        (release + 30 * revision * day, stamp, value * factor)
        for release, stamp, value in zip(releases, stamps, numbers, strict=True)
        for revision, factor in enumerate([1.0, 1.002, 0.999])
    )
    observations = Observations("x", [row[1] for row in rows], [row[2] for row in rows], [row[0] for row in rows])
    start, end = (releases[quarter].astype("datetime64[D]").item() for quarter in (12, -1))
    spec = spec_of(horizon=4, batch_size_days=91, min_history=8, forecasters=NAMES, trust_half_life=30)
    return observations, attrs.evolve(spec, start=start, end=end)


@pytest.fixture(scope="module", params=[(case, loss) for case in ("weekly", "quarterly") for loss in TRUST_LOSSES])
def delayed(request) -> Run:
    """A run in which several steps are released together at the first origin of a batch."""
    case, trust_loss = request.param
    observations, spec = {"weekly": weekly, "quarterly": quarterly}[case]()
    run = run_of(observations, attrs.evolve(spec, trust_loss=trust_loss))
    assert first_origins_with_several_steps(run)
    return run


def first_origins_with_several_steps(run: Run) -> list[datetime]:
    """The first origins of batches at which more than one step was released, with outcomes known of all."""
    newest = {key[2]: row["timestamp"] for key, row in run.hindcasts.items()}
    moments, stamps = sorted(newest), sorted({stamp.item() for stamp in run.observations.timestamps})
    return [
        moment
        for before, moment in pairwise(moments)
        if batch_of(before, run.spec) < batch_of(moment, run.spec)
        and stamps.index(newest[moment]) - stamps.index(newest[before]) > 1
    ]


def batch_of(moment: datetime, spec: RunSpec) -> int:
    return (moment.date() - spec.start).days // spec.batch_size_days


def trust_at_batch_ends(run: Run) -> tuple[list[float], list[float]]:
    """The trust at the last origin of each batch, and at its end in the table of scores, but the benchmark's."""
    ends = {
        (name, ahead, batch_of(row["start"], run.spec)): row["trust"] for (name, ahead, _), row in run.scores.items()
    }
    # in order of time, so that the last origin of a batch is the one that stays
    at_origins = {
        (name, ahead, batch_of(moment, run.spec)): row["trust"]
        for (name, ahead, moment), row in sorted(run.hindcasts.items(), key=lambda item: item[0][2])
        if run.summary and name != run.summary.benchmark
    }
    keys = [key for key in at_origins if key in ends]
    return [at_origins[key] for key in keys], [ends[key] for key in keys]


def test_trust_at_the_last_origin_of_a_batch_is_that_at_its_end(delayed):
    at_origins, ends = trust_at_batch_ends(delayed)
    assert len(at_origins) > 300
    np.testing.assert_array_equal(np.array(at_origins, np.float32), np.array(ends, np.float32))


@by_trust_loss
def test_trust_at_the_last_origin_of_a_batch_of_days_is_that_at_its_end(trust_loss):
    spec = spec_of(
        days=150, horizon=3, batch_size_days=10, trust_half_life=30, trust_loss=trust_loss, forecasters=NAMES
    )
    at_origins, ends = trust_at_batch_ends(run_of(walk(150), spec))
    assert len(at_origins) > 200
    np.testing.assert_array_equal(np.array(at_origins, np.float32), np.array(ends, np.float32))


@settings(max_examples=25)
@given(st.data())
def test_trust_at_the_last_origin_of_any_batch_is_that_at_its_end(data):
    observations = data.draw(replayed(values()))
    at_origins, ends = trust_at_batch_ends(run_of(observations, data.draw(whole_for(observations))))
    np.testing.assert_array_equal(np.array(at_origins, np.float32), np.array(ends, np.float32))


def test_trust_at_the_newest_origin_is_that_of_the_result_and_of_the_forecast(delayed):
    trust = delayed.trust("probability")
    assert np.isfinite(trust[1:]).all()
    np.testing.assert_array_equal(delayed.last_origin("trust"), trust)
    np.testing.assert_array_equal(forecast_trust(delayed)[..., TRUST.index("probability")], trust)


def test_the_forecast_has_the_whole_trust_of_the_result(delayed):
    np.testing.assert_array_equal(forecast_trust(delayed), delayed.summary.trust)


def forecast_trust(run: Run) -> np.ndarray:
    """The trust in the forecast of the next steps at the end of the run's period."""
    trained = Trained(run.spec, {"x": run.summary.data.fingerprint if run.summary else ""})
    store = FakeStore({"x": run.observations})
    (forecast,) = Forecasting(store=store, sink=FakeSink()).execute(trained, run.spec.end).variables
    assert forecast.known_at.item() == max(key[2] for key in run.hindcasts)
    return forecast.trust


@pytest.mark.parametrize("side", ["log10_e", "log10_e_against"])
def test_evidence_at_the_newest_origin_is_that_of_the_result(delayed, side):
    # each release is an origin, so that at the newest one all outcomes are known
    assert np.isfinite(delayed.trust(side)[1:]).all()
    np.testing.assert_array_equal(delayed.last_origin(side), delayed.trust(side))


def crps(row: dict[str, Any]) -> float:
    return trapezoid(row["first_release"], [row[f"q{level}"] for level in TAUS])


def absolute(row: dict[str, Any]) -> float:
    return float(abs(row["first_release"] - row["point"]))


LOSSES = {"absolute": absolute, "crps": crps}


def plain_pairs(run: Run) -> Iterator[tuple[str, int, list[dict[str, Any]], Judged]]:
    """Each forecaster's and horizon's rows in order of time, and what plain code makes of their losses.

    Every origin of the series must be in the period.
    """
    assert run.summary is not None
    loss, settings = LOSSES[run.spec.trust_loss], Settings(run.spec.trust_half_life, run.summary.span)
    moments = sorted({key[2] for key in run.hindcasts})
    newest = {key[2]: row["timestamp"] for key, row in run.hindcasts.items()}
    for name in NAMES[1:]:
        for ahead in range(1, run.spec.horizon + 1):
            rows = [run.hindcasts[name, ahead, moment] for moment in moments]
            rivals = [run.hindcasts["naive", ahead, moment] for moment in moments]
            known = [first_moment(newest, moments, row["target"]) for row in rows]
            steps = [
                Step(made, release, loss(row), loss(rival), rival["first_release"] - rival["point"])
                for made, (release, row, rival) in enumerate(zip(known, rows, rivals, strict=True))
            ]
            yield name, ahead, rows, judged(steps, ahead, settings)


def first_moment(newest: dict[datetime, datetime], moments: list[datetime], target: datetime | None) -> int | None:
    """The number of the first origin at which a target's timestamp was known."""
    if target is None:
        return None
    return next(order for order, moment in enumerate(moments) if newest[moment] >= target)


@by_trust_loss
@pytest.mark.parametrize("observed", ["as it comes", "released late"])
def test_all_that_is_quoted_of_trust_is_what_plain_code_makes_of_the_losses_in_the_table(observed, trust_loss):
    if observed == "released late":
        observations, spec = weekly()
        spec = attrs.evolve(spec, trust_loss=trust_loss)
    else:
        observations = walk(100)
        spec = spec_of(days=100, horizon=3, trust_loss=trust_loss, trust_span=20, min_history=12, forecasters=NAMES)
    run = run_of(observations, spec)
    count = 0
    for name, ahead, rows, plain in plain_pairs(run):
        np.testing.assert_allclose([row["trust"] for row in rows], plain.probabilities, rtol=1e-8, err_msg=name)
        for column, side in (("log10_e", 0), ("log10_e_against", 1)):
            quoted = [row[column] for row in rows]
            np.testing.assert_allclose(quoted, [e[side] for e in plain.evidence], rtol=1e-8, atol=1e-12)
        differences = np.array(plain.differences)
        ties = np.abs(differences) < TIE
        np.testing.assert_allclose([row["difference"] for row in rows], np.where(ties, 0.0, differences), rtol=1e-7)
        codes = np.where(np.isnan(differences), np.nan, np.where(ties, 0.5, differences > 0))
        np.testing.assert_array_equal([row["outcome"] for row in rows], codes)
        index = NAMES.index(name), ahead - 1
        assert run.record is not None
        assert run.record.won[:, *index].sum() == (codes == 1).sum()
        assert run.record.lost[:, *index].sum() == (codes == 0).sum()
        assert run.trust("log10_e_wins")[index] == pytest.approx(plain.log10_e_wins, rel=1e-9, abs=1e-12)
        count += int(np.isfinite(plain.probabilities).sum())
    assert count > 700


@by_trust_loss
@pytest.mark.parametrize("actuals", ["first", "latest"])
def test_the_smaller_loss_on_first_releases_wins(actuals, trust_loss):
    observations = revised_walk()
    fields = {"horizon": 3, "batch_size_days": 20, "forecasters": NAMES}
    run = run_of(observations, spec_of(days=150, actuals=actuals, trust_loss=trust_loss, **fields))
    loss = LOSSES[trust_loss]
    outcomes = np.zeros((2, len(NAMES), 3), dtype=np.int64)
    for (name, ahead, moment), row in run.hindcasts.items():
        rival = run.hindcasts.get(("naive", ahead, moment))
        if rival is None or np.isnan(row["first_release"]) or np.isnan(rival["outcome"]):
            assert np.isnan(row["outcome"])
            continue
        difference = loss(row) - loss(rival)
        # no tie but the benchmark's own with itself is exact to the last bit
        outcome = 0.5 if abs(difference) < 1e-12 else float(difference < 0)
        assert row["outcome"] == outcome
        outcomes[:, NAMES.index(name), ahead - 1] += outcome == 1.0, outcome == 0.0
    assert run.record is not None
    np.testing.assert_array_equal(run.record.won.sum(axis=0), outcomes[0])
    np.testing.assert_array_equal(run.record.lost.sum(axis=0), outcomes[1])
    assert outcomes[:, 1:].sum() > 1000


def revised_walk() -> Observations:
    """The walk, of which every third value is revised nine days on."""
    numbers = walk(150).values.tolist()
    released = [(day, value, day) for day, value in enumerate(numbers)]
    revisions = [(day, value + 1.5, day + 9) for day, value in enumerate(numbers) if day % 3 == 0]
    return known(sorted([*released, *revisions], key=lambda row: row[2]))


def test_by_crps_others_win_than_by_absolute_error():
    by_crps, by_error = (
        run_of(walk(150), spec_of(days=150, forecasters=NAMES, trust_loss=loss)).record for loss in ("crps", "absolute")
    )
    assert by_crps is not None
    assert by_error is not None
    assert not np.array_equal(by_crps.won, by_error.won)


REVISED = {
    "walk": revised_walk,
    "real": lambda: attrs.evolve(released_late(real_series("wti_price", 2000, 200)), variable="x"),
}


@pytest.mark.parametrize("actuals", ["first", "latest"])
@pytest.mark.parametrize("series_of", REVISED.values(), ids=REVISED)
def test_the_errors_of_the_table_are_those_of_the_result(series_of, actuals):
    run = run_of(series_of(), spec_for(series_of(), actuals=actuals))
    assert run.summary is not None
    errors: dict[tuple[str, int], list[float]] = {}
    for (name, ahead, _), row in run.hindcasts.items():
        if np.isfinite(row["actual"]):
            errors.setdefault((name, ahead), []).append(abs(row["actual"] - row["point"]))
    for (name, ahead), losses in errors.items():
        count, mae = (
            run.summary.scores[NAMES.index(name), ahead - 1, MEASURES.index(measure)] for measure in ("n", "mae")
        )
        assert len(losses) == count
        assert np.mean(losses) == pytest.approx(mae, rel=1e-12)


@by_trust_loss
@pytest.mark.parametrize("series_of", REVISED.values(), ids=REVISED)
def test_latest_actuals_are_scored_and_first_releases_teach(series_of, trust_loss):
    observations = series_of()
    first, latest = (
        run_of(observations, spec_for(observations, actuals=actuals, trust_loss=trust_loss)).hindcasts
        for actuals in ("first", "latest")
    )
    columns = ("first_release", "outcome", "difference", "trust", "log10_e", "log10_e_against")
    assert first.keys() == latest.keys()
    for key, row in first.items():
        np.testing.assert_array_equal([row[name] for name in columns], [latest[key][name] for name in columns])
        np.testing.assert_array_equal(row["actual"], row["first_release"])
    assert sum(row["actual"] != latest[key]["actual"] for key, row in first.items()) > 100


def spec_for(observations: Observations, **fields: Any) -> RunSpec:
    """A spec of all that is known of a series after its first quarter."""
    assert observations.known_at is not None
    start, end = (observations.known_at[index].astype("datetime64[D]").item() for index in (len(observations) // 4, -1))
    spec = spec_of(horizon=3, batch_size_days=20, min_history=8, forecasters=NAMES, **fields)
    return attrs.evolve(spec, start=start, end=end)
