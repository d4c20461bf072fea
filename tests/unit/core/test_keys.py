"""Keys of records: each field of a spec either changes them, or is named here with what it acts through instead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import attrs
import pytest

from pulse_core import BUILT_IN, RunSpec
from pulse_core.data.known_at import KnownRows, resolve_known_at
from pulse_core.data.point_in_time import point_in_time
from pulse_core.forecasters.base import Forecaster
from pulse_core.forecasters.registry import ForecasterSet, resolve
from pulse_core.plan import Batch, batches
from pulse_core.results import DataSnapshot
from pulse_core.runs.inputs import data_facts
from pulse_core.runs.keys import RecordKeys, hindcast_key
from tests.unit.core.models import CUSTOM, CUSTOM_WITH_QUANTILES
from tests.unit.core.runs import series, spec_of

NOT_IN_RECORDS = {
    "variables": "the variable is in the key by itself",
    "end": "by the rows that are known by it",
    "batch_limit": "by the rows that are known by the last day",
    "known_at": "by the rule that it comes to, and the rows",
    "forecasters": "by their names and versions",
}
"""Fields that do not change the key of a variable's record, and what they act through."""

NOT_IN_HINDCASTS = NOT_IN_RECORDS | {
    "start": "by the batch's first day",
    "benchmark": "no hindcast depends on it",
    "actuals": "no hindcast depends on it",
    "calibration": "no hindcast depends on it",
    "trust_loss": "no hindcast depends on it",
    "trust_half_life": "no hindcast depends on it",
    "trust_span": "no hindcast depends on it",
}
"""Fields that do not change the key of a forecaster's hindcasts in a batch, and what they act through."""

BASE = spec_of("x", days=28, forecasters=("naive", "drift", CUSTOM.name))
OTHER: dict[str, Any] = {
    "variables": ("x", "y"),
    "start": date(2020, 1, 2),
    "end": date(2020, 1, 27),
    "batch_size_days": 8,
    "batch_limit": 3,
    "horizon": 4,
    "forecasters": ("naive", CUSTOM.name),
    "benchmark": "drift",
    "min_history": 5,
    "trust_half_life": 250.0,
    "trust_span": 60,
    "known_at": "timestamp",
    "actuals": "latest",
    "target": "change",
    "season": 5,
    "calibration": "empirical",
    "trust_loss": "crps",
    "refit_every": 2,
    "predictors": ("z",),
}
FORECASTERS = resolve(BASE.forecasters, [CUSTOM])
BATCH = batches(BASE)[1]
FIELDS = [field.name for field in attrs.fields(RunSpec)]


def rows_of(variable: str = "x", count: int = 28) -> KnownRows:
    observations = series([float(n * n % 11) for n in range(count)], variable)
    return resolve_known_at(observations, "timestamp", BASE.end).by(BASE.end)


def snapshot_of(rows: KnownRows) -> DataSnapshot:
    return DataSnapshot(rows.known.variable, data_facts(rows), BASE.end.isoformat(), settled=False)


def record_key(
    spec: RunSpec = BASE,
    forecasters: ForecasterSet = FORECASTERS,
    rows: KnownRows | None = None,
    predictors: Sequence[KnownRows] = (),
) -> str:
    """The key of a record of the same forecasters and rows, unless they are given."""
    snapshot = snapshot_of(rows or rows_of())
    return RecordKeys(spec, forecasters).of(snapshot, [snapshot_of(predictor) for predictor in predictors])


def batch_key(
    spec: RunSpec = BASE, forecaster: Forecaster = CUSTOM, rows: KnownRows | None = None, batch: Batch = BATCH
) -> str:
    """The key of the hindcasts of the same forecaster, rows and batch, unless they are given."""
    rows = rows or rows_of()
    return hindcast_key(spec, forecaster, rows, batch, point_in_time(rows.known, spec))


def test_every_field_of_a_spec_has_another_value_here():
    assert set(OTHER) == set(FIELDS)
    assert all(getattr(BASE, name) != value for name, value in OTHER.items())


@pytest.mark.parametrize("field", FIELDS)
def test_the_key_of_a_record_follows_every_field_but_those_that_act_otherwise(field):
    changed = attrs.evolve(BASE, **{field: OTHER[field]})
    assert (record_key(changed) != record_key()) == (field not in NOT_IN_RECORDS)


@pytest.mark.parametrize("field", FIELDS)
def test_the_key_of_hindcasts_per_origin_follows_every_field_but_those_that_act_otherwise(field):
    changed = attrs.evolve(BASE, **{field: OTHER[field]})
    assert (batch_key(changed) != batch_key()) == (field not in NOT_IN_HINDCASTS)


def other_rule(rows: KnownRows) -> KnownRows:
    return attrs.evolve(rows, rule="+0d")


@pytest.mark.parametrize(
    "rows",
    [rows_of(count=27), rows_of("y"), other_rule(rows_of())],
    ids=["a row less", "another variable", "another rule"],
)
def test_both_keys_follow_the_rows_their_variable_and_the_rule_by_which_they_were_known(rows):
    assert record_key(rows=rows) != record_key()
    assert batch_key(rows=rows) != batch_key()


@pytest.mark.parametrize(
    "names", [("naive", CUSTOM.name, "drift"), ("naive", "drift"), ("naive", "drift", CUSTOM.name, "mean")], ids=str
)
def test_the_key_of_a_record_follows_the_forecasters_and_their_order(names):
    assert record_key(forecasters=resolve(names, [CUSTOM])) != record_key()


def test_both_keys_follow_a_forecaster_s_version():
    newer = attrs.evolve(CUSTOM, version="2")
    assert record_key(forecasters=resolve(BASE.forecasters, [newer])) != record_key()
    assert batch_key(forecaster=newer) != batch_key()


def test_the_key_of_hindcasts_per_origin_follows_the_forecaster_and_whether_it_brings_quantiles():
    with_quantiles = attrs.evolve(CUSTOM_WITH_QUANTILES, name=CUSTOM.name)
    keys = {
        batch_key(forecaster=forecaster) for forecaster in (CUSTOM, with_quantiles, attrs.evolve(CUSTOM, name="m:slow"))
    }
    assert len(keys) == 3


def test_the_key_of_a_record_follows_the_rows_of_predictors_but_not_those_of_the_variable_itself():
    keys = {record_key(predictors=predictors) for predictors in ([], [rows_of("z")], [rows_of("z", 27)])}
    assert len(keys) == 3
    assert record_key(predictors=[rows_of("x", 20)]) == record_key()


def test_the_key_of_hindcasts_per_origin_follows_the_batch():
    assert len({batch_key(batch=batch) for batch in batches(BASE)}) == len(batches(BASE))


def test_a_batch_has_one_key_whatever_comes_after_it():
    longer = attrs.evolve(BASE, end=date(2020, 6, 30), batch_limit=9)
    assert batch_key(longer, batch=batches(longer)[1]) == batch_key()


@pytest.mark.parametrize("name", [forecaster.name for forecaster in BUILT_IN])
def test_every_built_in_forecaster_s_version_is_in_the_key_of_a_record(name):
    before = resolve([name])
    newer: Any = before.forecasters[0]
    field = "version" if "version" in attrs.asdict(newer) else "own_version"
    after = attrs.evolve(before, forecasters=(attrs.evolve(newer, **{field: "next"}),))
    assert record_key(forecasters=before) != record_key(forecasters=after)
