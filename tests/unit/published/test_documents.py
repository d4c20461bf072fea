"""`result.json`: its schema, its best forecasters, its nulls, its size."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import attrs
import jsonschema  # type: ignore[import-untyped]  # its types are a package of their own
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pulse.testing.results import FACTS, HORIZONS, run_result, spec, summary
from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.published import result_writer
from pulse_adapters.published.benchmark_comparison import KEYS
from pulse_adapters.published.forecaster_json import GROUPS
from pulse_adapters.published.result_writer import result_json
from pulse_adapters.published.seal import is_sealed, sealed
from pulse_adapters.published.variable_json import summary_horizons
from pulse_adapters.sinks.memory import MemorySink
from pulse_core.data.observations import Observations
from pulse_core.data.seasons import Seasonality
from pulse_core.levels import LEVELS
from pulse_core.results import STATISTICS, TRUST, Failure, RunResult, VariableSummary
from pulse_core.runs.training import RetrodictionTraining
from pulse_core.scores.measures import MEASURES
from pulse_core.scores.verdict import BETTER, VERDICTS, WORSE
from pulse_core.spec import RunSpec
from pulse_core.tables import PartFacts
from tests.fakes import FakeStore
from tests.unit.published.plain_documents import plain_json

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SCHEMA = json.loads((Path(__file__).parents[3] / "docs/result.schema.json").read_text())


def published(result: RunResult) -> dict[str, Any]:
    """The document as a reader of the file gets it, held against the schema."""
    document: dict[str, Any] = json.loads(result_json(result))
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(
        document
    )
    return document


def with_scores(measure: str, values: Any, **changes: Any) -> VariableSummary:
    """A summary whose one measure has these values, shape (forecaster, horizon)."""
    scores = summary(**changes).scores.copy()
    scores[..., MEASURES.index(measure)] = values
    return summary(**changes, scores=scores)


def many(count: int) -> RunResult:
    names = [f"v{index:03d}" for index in range(count)]
    return run_result(spec=spec(variables=names), variables=[summary(name) for name in names])


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_real_run_keeps_the_schema():
    days = np.datetime64("2021-01-01", "us") + np.arange(500) * np.timedelta64(1, "D")
    walk = np.cumsum(np.random.default_rng(0).normal(size=500))
    store = FakeStore({"a": Observations("a", days, walk), "b": Observations("b", days, np.ones(500))})
    training = RetrodictionTraining(store=store, backend=SerialBackend(), sink=MemorySink(), clock=lambda: NOON)
    document = published(training.execute(spec()))
    steady = document["variables"]["b"]["forecasters"]["drift"]["horizons"]["1"]
    assert (steady["mae"], steady["mase"]) == (0.0, None)
    horizon = document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]
    assert (horizon["trust"]["span"], horizon["trust"]["n_effective"] > 20) == (365, True)
    assert 0 < horizon["win_rate"]["low"] < horizon["win_rate"]["mean"] < horizon["win_rate"]["high"] < 1
    assert horizon["skill_interval"]["low"] < horizon["skill_mae"] < horizon["skill_interval"]["high"]


def test_the_run_is_described():
    run = published(run_result())["run"]
    assert run["id"] == "nightly"
    assert RunSpec.from_document(run["spec"]) == spec()
    assert run["software"] == {"numpy": "2.4", "pulse": "0.1"}
    assert run["units"] == {"planned": 3, "recalled": 1, "computed": 1, "failed": 1}
    assert (run["started_at"], run["finished_at"]) == ("2024-05-01T06:00:00.000Z", "2024-05-01T06:00:02.500Z")
    assert run["seconds"] == 2.5


def test_the_data_of_each_variable_are_described():
    facts = published(run_result())["run"]["data"]["a"]
    assert facts == {
        "fingerprint": FACTS.fingerprint,
        "observations": 750,
        "absent": 3,
        "first": "2020-01-01",
        "last": "2022-12-30",
        "known_at": "timestamp",
    }


def test_without_a_clock_the_times_are_null():
    run = published(run_result(started_at=None, finished_at=None))["run"]
    assert (run["started_at"], run["finished_at"], run["seconds"]) == (None, None, None)


def test_times_are_given_in_utc():
    there = datetime(2024, 5, 1, 8, 0, tzinfo=timezone(timedelta(hours=2)))
    assert published(run_result(started_at=there))["run"]["started_at"] == "2024-05-01T06:00:00.000Z"


def test_the_digest_is_the_results_own():
    assert published(run_result())["digest"] == run_result().digest


def test_the_batches_count_the_origins_of_all_variables():
    assert published(run_result())["batches"] == [
        {"id": "batch_0000", "start": "2022-01-01", "end": "2022-01-30", "origins": 40},
        {"id": "batch_0001", "start": "2022-01-31", "end": "2022-03-01", "origins": 44},
        {"id": "batch_0002", "start": "2022-03-02", "end": "2022-03-31", "origins": 40},
    ]


def test_failures_say_what_where_and_the_mend():
    assert published(run_result())["failures"] == [
        {
            "variable": "c",
            "kind": "VariableNotFound",
            "message": "no variable 'c'",
            "context": "data",
            "hint": "Near: a, b",
        }
    ]


def test_every_measure_is_there_under_its_name():
    one = summary()
    horizon = published(run_result(variables=[one]))["variables"]["a"]["forecasters"]["ses"]["horizons"]["2"]
    flat = {
        f"{name}_{key}" if isinstance(value, dict) else name: number
        for name, value in horizon.items()
        for key, number in (value.items() if isinstance(value, dict) else [("", value)])
        if name not in {*KEYS, "nulls"}
    }
    assert flat == dict(zip(MEASURES, one.scores[2, 1].tolist(), strict=True))
    assert list(flat) == list(MEASURES)
    assert horizon["trust"] == {"probability": 0.5, "span": 250, "n_effective": 0.5}
    assert horizon["win_rate"] == dict.fromkeys(("mean", "low", "high", "trials"), 0.5)
    assert horizon["skill_interval"] == {"low": 0.5, "high": 0.5}
    assert [horizon[name] for name in ("log10_e", "log10_e_against", "log10_e_wins")] == [0.5] * 3
    assert (horizon["skill_over_simple"], horizon["verdict"], horizon["discovery"]) == (0.25, "open", False)


def test_levels_and_intervals_are_the_keys_of_objects():
    horizon = published(run_result())["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]
    assert list(horizon["pinball"]) == [str(level) for level in LEVELS]
    assert list(horizon["coverage"]) == list(horizon["width"]) == ["50", "80", "90", "95"]


def with_evidence(log10_e: float, name: str = "log10_e", verdict: int = BETTER) -> VariableSummary:
    """A summary with evidence on `ses` at both horizons, and a verdict of it."""
    trust, verdicts = summary().trust.copy(), summary().verdicts.copy()
    trust[2, :, TRUST.index(name)] = log10_e
    verdicts[2] = verdict
    return summary(trust=trust, verdicts=verdicts)


def test_a_discovery_is_marked():
    horizons = published(run_result(variables=[with_evidence(3.0)]))["variables"]["a"]["forecasters"]["ses"]["horizons"]
    assert (horizons["1"]["discovery"], horizons["2"]["discovery"]) == (True, True)
    assert horizons["1"]["log10_e"] == 3.0


@pytest.mark.parametrize(("name", "verdict"), [("log10_e", BETTER), ("log10_e_against", WORSE)])
def test_a_verdict_tells_whether_its_evidence_holds_at_any_time(name, verdict):
    one = with_evidence(1.4, name, verdict)  # e = 25: enough at horizon 1, at horizon 2 at one time only
    horizons = published(run_result(variables=[one]))["variables"]["a"]["forecasters"]["ses"]["horizons"]
    assert [horizons[step]["verdict"] for step in "12"] == [VERDICTS[verdict]] * 2
    assert [horizons[step]["anytime"] for step in "12"] == [True, False]
    assert "nulls" not in horizons["1"]


def test_an_open_verdict_has_no_evidence_that_could_hold():
    horizon = published(run_result())["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]
    assert (horizon["verdict"], horizon["anytime"], horizon["nulls"]) == (
        "open",
        None,
        {"anytime": "the verdict is open"},
    )


def test_a_discovery_counts_the_comparisons_of_the_whole_run():
    others = [summary(f"v{number:02}") for number in range(50)]
    document = published(run_result(variables=[with_evidence(2.0), *others]))
    assert document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]["discovery"] is False


def test_the_benchmark_can_be_no_discovery_and_the_document_says_why():
    horizon = published(run_result())["variables"]["a"]["forecasters"]["naive"]["horizons"]["1"]
    assert [horizon[name] for name in KEYS if name != "skill_over_simple"] == [None] * (len(KEYS) - 1)
    assert all("benchmark" in horizon["nulls"][name] for name in KEYS if name != "skill_over_simple")


def with_ensemble(**changes: Any) -> VariableSummary:
    names = ("naive", "mean-of-all", "ses", "ensemble")
    learned = {
        "weights": [[0.25, 0.5], [np.nan, np.nan], [0.75, 0.5], [np.nan, np.nan]],
        "regret": [1.5, -2.0],
        "bound": [9.0, np.nan],
    }
    return summary(forecasters=names, **{**learned, **changes})


def test_the_ensemble_says_its_weights_regret_and_bound():
    assert published(run_result(variables=[with_ensemble()]))["variables"]["a"]["ensemble"] == {
        "weights": {"1": {"naive": 0.25, "ses": 0.75}, "2": {"naive": 0.5, "ses": 0.5}},
        "regret": {"1": 1.5, "2": -2.0},
        "bound": {"1": 9.0, "2": None},
        "nulls": {"bound": "beyond horizon 1 the losses come late, and the bound is not proved"},
    }


def test_an_ensemble_that_has_learned_nothing_says_so():
    one = with_ensemble(regret=[np.nan, np.nan], bound=[np.nan, np.nan])
    nulls = published(run_result(variables=[one]))["variables"]["a"]["ensemble"]["nulls"]
    assert set(nulls) == {"regret", "bound"}
    assert "learned from no loss" in nulls["bound"]


def test_the_benchmark_of_a_variable_is_named_and_held_against_the_simple_forecasters():
    skills = [[[0.0, 0.0], [0.3, 0.1], [0.2, 0.2]], [[-0.4, np.nan], [0.0, 0.0], [0.1, 0.1]]]
    one = summary(simple_skill=skills, trends=[1, 0])
    document = published(run_result(variables=[one]))["variables"]["a"]
    assert document["benchmark"] == {"name": "naive", "trends": True, "best_simple": {"1": "drift", "2": "naive"}}
    over_simple = {
        name: [each["horizons"][step]["skill_over_simple"] for step in "12"]
        for name, each in document["forecasters"].items()
    }
    assert over_simple == {"naive": [-0.4, 0.0], "drift": [0.0, 0.1], "ses": [0.1, 0.2]}


def test_where_no_simple_forecaster_was_scored_the_document_says_why():
    one = summary(simple_skill=np.full((2, 3, 2), np.nan))
    document = published(run_result(variables=[one]))["variables"]["a"]
    assert document["benchmark"]["best_simple"] == {"1": None, "2": None}
    assert list(document["benchmark"]["nulls"]) == ["best_simple"]
    assert "no simple forecaster" in document["forecasters"]["ses"]["horizons"]["1"]["nulls"]["skill_over_simple"]


def with_trusts(*counts: tuple[float, float, float, float]) -> RunResult:
    """A run with these counts of quoted trusts of .6 to .7 at horizon 2, one for each variable."""
    tables = np.zeros((len(counts), HORIZONS, 10, 4))
    tables[:, 1, 6] = counts
    names = [f"v{number}" for number in range(len(counts))]
    variables = [summary(name, reliability=table) for name, table in zip(names, tables, strict=True)]
    return run_result(spec=spec(variables=names), variables=variables)


def test_the_reliability_table_tells_what_was_said_and_what_came_true():
    counts = [(10, 6.5, 2, 20), (20, 13.0, 5, 20), (30, 19.5, 6, 20)]
    (only,) = published(with_trusts(*counts))["reliability"]
    assert only == {
        "horizon": 2,
        "low": 0.6,
        "high": 0.7,
        "count": 60,
        "pairs": 60,
        "trust": 0.65,
        "true": pytest.approx(13 / 60),
        "bad": True,
        "band_low": only["band_low"],
        "band_high": only["band_high"],
    }
    assert only["band_low"] < 13 / 60 - 0.65 < only["band_high"] < 0


def test_a_band_of_one_variable_is_null_with_a_reason():
    (only,) = published(with_trusts((10, 6.5, 2, 20)))["reliability"]
    assert (only["band_low"], only["band_high"], only["bad"]) == (None, None, False)
    assert set(only["nulls"]) == {"band_low", "band_high"}


def test_without_an_ensemble_there_is_nothing_to_say_of_it():
    assert published(run_result())["variables"]["a"]["ensemble"] is None


def test_n_is_a_whole_number():
    horizon = published(run_result())["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]
    assert type(horizon["n"]) is int


def test_a_measure_of_a_later_version_needs_no_change_here(monkeypatch):
    names = (*MEASURES, "brier")
    monkeypatch.setattr("pulse_adapters.published.forecaster_json.MEASURES", names)
    scores = np.concatenate([summary().scores, np.full((3, 2, 1), 0.25)], axis=-1)
    document = published(run_result(variables=[summary(scores=scores)]))
    assert document["variables"]["a"]["forecasters"]["drift"]["horizons"]["1"]["brier"] == 0.25


@pytest.mark.parametrize(
    ("errors", "names"),
    [
        ([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]], {"1": "naive", "2": "ses"}),
        ([[2.0, 2.0], [1.0, 1.0], [1.0, 1.0]], {"1": "drift", "2": "drift"}),
        ([[np.nan, np.nan], [np.nan, 1.0], [5.0, np.inf]], {"1": "ses", "2": "drift"}),
        ([[np.nan, 0.0], [np.nan, 1.0], [np.nan, 0.0]], {"1": None, "2": "naive"}),
    ],
    ids=["least", "ties go to the earlier", "the unscored are passed over", "none was scored"],
)
def test_best_is_the_least_mae_at_each_horizon(errors, names):
    one = with_scores("mae", errors)
    assert {str(horizon): one.best(horizon) for horizon in (1, 2)} == names
    assert published(run_result(variables=[one]))["variables"]["a"]["best"] == names


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_null_with_a_reason(value):
    one = with_scores("mase", [[1.0, 1.0], [value, 1.0], [1.0, 1.0]])
    horizons = published(run_result(variables=[one]))["variables"]["a"]["forecasters"]["drift"]["horizons"]
    assert horizons["1"]["mase"] is None
    assert list(horizons["1"]["nulls"]) == ["mase", "anytime"]
    assert "scale is zero" in horizons["1"]["nulls"]["mase"]
    assert list(horizons["2"]["nulls"]) == ["anytime"]


@pytest.mark.parametrize(("measure", "name"), [("pinball_0.05", "pinball"), ("coverage_80", "coverage")])
def test_a_null_in_an_object_has_its_reason_under_the_objects_name(measure, name):
    one = with_scores(measure, [[1.0, 1.0], [np.nan, 1.0], [1.0, 1.0]])
    horizon = published(run_result(variables=[one]))["variables"]["a"]["forecasters"]["drift"]["horizons"]["1"]
    assert horizon[name][measure.partition("_")[2]] is None
    assert list(horizon["nulls"]) == [name, "anytime"]


def test_where_nothing_was_scored_the_reason_is_that():
    scores = np.full((3, 2, len(MEASURES)), np.nan)
    scores[..., MEASURES.index("n")] = 0
    document = published(run_result(variables=[summary(scores=scores)]))
    nulls = document["variables"]["a"]["forecasters"]["drift"]["horizons"]["1"]["nulls"]
    grouped = {name.partition("_")[0] if name.startswith(GROUPS) else name for name in MEASURES}
    assert set(nulls) == grouped - {"n"} | {"anytime"}
    assert "no origin" in nulls["mae"]


def test_the_benchmark_has_no_trust_and_the_document_says_why():
    forecasters = published(run_result())["variables"]["a"]["forecasters"]
    assert forecasters["naive"]["horizons"]["1"]["trust"] is None
    assert "benchmark" in forecasters["naive"]["horizons"]["1"]["nulls"]["trust"]


def test_trust_without_an_outcome_is_null_for_another_reason():
    document = published(run_result(variables=[summary(trust=np.full((3, 2, len(TRUST)), np.nan))]))
    forecasters = document["variables"]["a"]["forecasters"]
    reasons = {name: forecasters[name]["horizons"]["1"]["nulls"]["trust"] for name in ("naive", "drift")}
    assert reasons["naive"] != reasons["drift"]


def test_up_to_200_variables_all_forecasters_are_kept():
    document = published(many(200))
    assert document["variables_hold"] == "all"
    assert all(len(variable["forecasters"]) == 3 for variable in document["variables"].values())


def test_above_200_variables_the_document_is_a_summary():
    names = ("mean", "drift", "ses", "ensemble", "naive", "theta")
    errors = [[5.0, 5.0], [1.0, 5.0], [5.0, 1.0], [5.0, 5.0], [5.0, 5.0], [5.0, 5.0]]
    result = many(201)
    first = with_scores("mae", errors, variable="v000", forecasters=names, benchmark="naive")
    document = published(run_result(spec=result.spec, variables=[first, *result.variables[1:]]))
    assert document["variables_hold"] == "summary"
    variable = document["variables"]["v000"]
    assert variable["best"] == {"1": "drift", "2": "ses"}
    assert variable["best_scores"]["1"] == {
        "mae": 1.0,
        "skill": first.scores[1, 0, MEASURES.index("skill_mae")],
        "trust": first.shown("probability")[1, 0],
        "verdict": VERDICTS[int(first.verdicts[1, 0])],
    }


def test_a_summary_has_at_most_2_kb_a_variable_whatever_the_horizon():
    horizons, names = 1000, tuple(f"a_long_forecaster_{number}" for number in range(20))
    scores = np.full((20, horizons, len(MEASURES)), 1 / 3)
    shape = {"trust": (20, horizons, len(TRUST)), "simple_skill": (2, 20, horizons), "weights": (20, horizons)}
    arrays = {name: np.full(size, -1 / 3) for name, size in shape.items()}
    by_horizon = {name: np.full(horizons, 1 / 3) for name in ("regret", "bound")}
    wide = summary(
        "a" * 64,
        names,
        scores=scores,
        benchmark=names[0],
        verdicts=np.zeros((20, horizons), dtype=int),
        trends=np.zeros(horizons, dtype=int),
        statistics=np.zeros((20, horizons, len(STATISTICS))),
        reliability=np.zeros((horizons, 10, 4)),
        **arrays,
        **by_horizon,
    )
    variables = [attrs.evolve(wide, variable=f"{wide.variable}{number:03}") for number in range(201)]
    result = run_result(spec=spec(variables=[one.variable for one in variables]), variables=variables)
    content = result_json(result)
    assert len(content) < 201 * 2000
    assert list(json.loads(content)["variables"][variables[0].variable]["best"]) == [
        *("1", "3", "7", "19", "52", "139", "373", "1000")
    ]


@pytest.mark.parametrize("horizon", [1, 7, 8, 9, 10, 11, 12, 13, 24, 365, 1000])
def test_a_summary_shows_the_first_and_the_last_horizon_and_each_once(horizon):
    shown = summary_horizons(horizon)
    assert (shown[0], shown[-1], len(shown)) == (1, horizon, min(horizon, 8))
    assert list(shown) == sorted(set(shown))


@pytest.mark.parametrize("count", [2, 201])
def test_the_seal_is_of_all_lines_but_the_last(count):
    lines = result_json(many(count)).splitlines(keepends=True)
    digest = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
    assert lines[-1] == f'  "seal": "sha256:{digest}"}}\n'.encode()
    assert is_sealed(b"".join(lines))


@pytest.mark.parametrize("count", [2, 201])
def test_any_bit_that_changes_breaks_the_seal(count):
    content = result_json(many(count))
    for position in np.random.default_rng(1).integers(8 * len(content), size=200).tolist():
        changed = bytearray(content)
        changed[position // 8] ^= 1 << position % 8
        assert not is_sealed(bytes(changed))
    for length in (0, 1, 80, 100, len(content) // 2, len(content) - 1):
        assert not is_sealed(content[:length])
    assert not is_sealed(content + b"\n")


def test_what_is_no_object_cannot_be_sealed():
    with pytest.raises(ValueError, match="only a JSON object"):
        sealed([b"[]"])


def test_every_part_is_listed_with_what_proves_it():
    part = PartFacts("scores/part-00000-of-00001-0a", "0b", 12, 3456, "0a" * 32, "a", "b")
    document = published(run_result(parts=(part,)))
    assert document["tables"] == {"scores": [{**attrs.asdict(part), "name": f"{part.name}.parquet"}]}


def test_the_digest_does_not_depend_on_what_is_kept():
    assert published(many(201))["digest"] == many(201).digest


def test_a_document_is_indented_unless_it_is_large():
    assert result_json(run_result()).startswith(b'{\n  "schema_version": 4,\n')
    assert result_json(many(201)).startswith(b'{"schema_version":4,')


def test_the_same_result_gives_the_same_bytes():
    shuffled = run_result(software=dict(reversed(list(run_result().software.items()))))
    assert result_json(shuffled) == result_json(run_result())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.pop("digest"),
        lambda document: document.update(more=1),
        lambda document: document.update(schema_version=1),
        lambda document: document["run"]["units"].pop("failed"),
        lambda document: document["run"].update(started_at="2024-05-01T06:00:00+02:00"),
        lambda document: document["batches"][0].update(origins=-1),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"].update(n=1.5),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"].pop("mae"),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"].update(crps="x"),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"].update(brier="x"),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"].update(discovery=0.5),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"].update(dm_p=1.5),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"].pop("discovery"),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"].update(verdict="likely"),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"].pop("anytime"),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]["trust"].pop("span"),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]["trust"].update(mean=0.5),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]["win_rate"].pop("low"),
        lambda document: document["variables"]["a"]["benchmark"].update(trends=1),
        lambda document: document["variables"]["a"].pop("benchmark"),
        lambda document: document.pop("reliability"),
        lambda document: document["reliability"].append({"horizon": 1}),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]["pinball"].pop("0.5"),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]["coverage"].pop("80"),
        lambda document: document["variables"]["a"]["forecasters"]["ses"]["horizons"]["1"]["width"].update({"99": 1.0}),
        lambda document: document["variables"]["a"].pop("ensemble"),
        lambda document: document["variables"]["a"].update(ensemble={"weights": {}, "regret": {"1": 0.0}}),
        lambda document: document["variables"]["a"].update(
            ensemble={"weights": {"1": {"naive": 1.5}}, "regret": {"1": 0.0}, "bound": {"1": None}}
        ),
        lambda document: document["variables"]["a"]["best"].update({"0": "naive"}),
    ],
)
def test_the_schema_bites(spoil):
    document = published(run_result())
    spoil(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


AWKWARD = ("%s %d %%", '"\\/"', "\\/", "\0", "a\nb", "ü", "null", '{"x": 1,\n}', ":, ", " ")
"""Names that something made of text might trip over."""
NO_NUMBERS = st.sampled_from([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e300, 1e16, 1e-7])


@st.composite
def summaries(draw: st.DrawFn, variable: str, horizons: int) -> VariableSummary:
    """A variable of any numbers and any names, with the benchmark and perhaps with an ensemble."""
    names = draw(st.lists(st.sampled_from(("naive", "ensemble", "ses", *AWKWARD)), min_size=1, max_size=4, unique=True))

    def drawn(*shape: int) -> Any:
        numbers = st.floats(0, 1) | NO_NUMBERS
        return draw(arrays.arrays(np.float64, shape, elements=numbers, fill=st.just(0.5) | st.just(np.nan)))

    shape = len(names), horizons
    scores = drawn(*shape, len(MEASURES))
    scores[..., MEASURES.index("n")] = draw(
        arrays.arrays(np.int64, shape, elements=st.sampled_from([0, 1, 60, 10**15]))
    )
    learned = drawn(*shape)
    reliability = draw(arrays.arrays(np.int64, (horizons, 10, 4), elements=st.integers(0, 40), fill=st.just(0)))
    return summary(
        variable,
        names,
        data=attrs.evolve(FACTS, known_at=draw(st.sampled_from(AWKWARD))),
        benchmark=draw(st.sampled_from(names)),
        span=draw(st.integers(1, 400)),
        seasonality=Seasonality((4, 28), "test", draw(st.text(min_size=1))),
        min_history=draw(st.integers(1, 100)),
        scores=scores,
        trust=drawn(*shape, len(TRUST)),
        statistics=drawn(*shape, len(STATISTICS)),
        verdicts=draw(arrays.arrays(np.int64, shape, elements=st.sampled_from(sorted(VERDICTS)))),
        reliability=reliability,
        simple=(names[0], draw(st.sampled_from(AWKWARD))),
        simple_skill=drawn(2, *shape),
        trends=draw(arrays.arrays(np.int64, horizons, elements=st.integers(0, 1))),
        origins=draw(st.lists(st.integers(0, 30), min_size=3, max_size=3)),
        weights=learned,
        regret=drawn(horizons),
        bound=drawn(horizons),
        beyond_reason=draw(arrays.arrays(np.int64, shape, elements=st.sampled_from([0, 0, 1, 10**6]))),
    )


@given(st.data())
def test_the_document_is_byte_for_byte_the_one_that_is_made_number_by_number(data):
    names = data.draw(st.lists(st.sampled_from(("a", "b", *AWKWARD)), max_size=3, unique=True))
    horizons = data.draw(st.integers(1, 3))
    variables = [data.draw(summaries(name, horizons)) for name in names]
    failures = [Failure(*data.draw(st.tuples(*[st.sampled_from(AWKWARD)] * 5)))]
    result = run_result(variables=variables, failures=failures)
    for most in (200, -1):
        with mock.patch.object(result_writer, "COMPLETE_UP_TO", most):
            assert result_json(result) == plain_json(result, whole=most > 0)


def test_numbers_of_every_size_are_written_as_msgspec_writes_them():
    numbers = [0.1 + 0.2, 1e15, 1e16, 1e17, 123456789012345680.0, 1e22, 1e-4, 1e-5, 1e-7, 5e-324, -0.0, 1.7e308, 100.0]
    scores = np.resize(numbers, (3, 2, len(MEASURES)))
    scores[..., MEASURES.index("n")] = 60
    result = run_result(variables=[summary(scores=scores)])
    assert result_json(result) == plain_json(result, whole=True)
