"""What every ResultSink promises. A new one is one line in SINKS."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pytest
from hypothesis import given

from pulse_adapters.sinks.filesystem import FilesystemSink
from pulse_adapters.sinks.memory import MemorySink
from pulse_core.errors import RunIdTaken
from pulse_core.ports import ResultSink
from pulse_core.results import RunResult, VariableResult
from tests.fakes import FakeSink
from tests.results import run_result, spec, variable_result, variable_results

KEY, OTHER_KEY = "ab" * 32, "cd" * 32


@contextmanager
def in_a_folder() -> Iterator[FilesystemSink]:
    with TemporaryDirectory() as folder:
        yield FilesystemSink(Path(folder))


SINKS: dict[str, Callable[[], AbstractContextManager[ResultSink]]] = {
    "fake": lambda: nullcontext(FakeSink()),
    "memory": lambda: nullcontext(MemorySink()),
    "filesystem": in_a_folder,
}


@contextmanager
def travelled(name: str) -> Iterator[ResultSink]:
    """Open a sink and hand on what is left of it after a journey through pickle."""
    with SINKS[name]() as opened:
        yield pickle.loads(pickle.dumps(opened))


@pytest.fixture(params=SINKS)
def sink(request: pytest.FixtureRequest) -> Iterator[ResultSink]:
    with travelled(request.param) as opened:
        yield opened


class TestResultSink:
    def test_what_was_recorded_is_recalled(self, sink):
        sink.record(KEY, variable_result())
        assert sink.recall(KEY) == variable_result()

    def test_what_was_not_recorded_is_none(self, sink):
        sink.record(KEY, variable_result())
        assert sink.recall(OTHER_KEY) is None

    def test_each_key_holds_its_own(self, sink):
        sink.record(KEY, variable_result(1))
        sink.record(OTHER_KEY, variable_result(2))
        assert (sink.recall(KEY), sink.recall(OTHER_KEY)) == (variable_result(1), variable_result(2))

    def test_the_first_under_a_key_stays(self, sink):
        sink.record(KEY, variable_result(1))
        sink.record(KEY, variable_result(2))
        assert sink.recall(KEY) == variable_result(1)

    def test_recalling_takes_nothing_away(self, sink):
        sink.record(KEY, variable_result())
        assert sink.recall(KEY) == sink.recall(KEY) == variable_result()

    def test_a_copy_made_later_recalls_what_was_recorded(self, sink):
        sink.record(KEY, variable_result())
        assert pickle.loads(pickle.dumps(sink)).recall(KEY) == variable_result()

    def test_of_writers_at_once_one_wins_and_all_read_it(self, sink):
        def record_and_recall(seed: int) -> VariableResult | None:
            sink.record(KEY, variable_result(seed))
            read: VariableResult | None = sink.recall(KEY)
            return read

        with ThreadPoolExecutor(8) as threads:
            read = list(threads.map(record_and_recall, range(8)))
        assert read[0] in [variable_result(seed) for seed in range(8)]
        assert all(result == read[0] for result in read)

    def test_publishing_says_where_the_result_is(self, sink):
        (*_, place) = sink.publish(run_result())
        assert "nightly" in place

    def test_publishing_again_is_allowed(self, sink):
        assert sink.publish(run_result()) == sink.publish(run_result())

    def test_publishing_keeps_the_records(self, sink):
        sink.record(KEY, variable_result())
        sink.publish(run_result())
        assert sink.recall(KEY) == variable_result()

    def test_a_run_id_that_holds_another_spec_is_refused(self, sink):
        sink.publish(run_result())
        with pytest.raises(RunIdTaken, match="nightly"):
            sink.publish(run_result(spec=spec(horizon=1)))

    def test_other_runs_stand_side_by_side(self, sink):
        assert sink.publish(run_result(run_id="one")) != sink.publish(run_result(run_id="two"))


@pytest.mark.parametrize("name", SINKS)
@given(result=variable_results())
def test_the_same_bits_come_back(name, result):
    with travelled(name) as sink:
        sink.record(KEY, result)
        assert sink.recall(KEY) == result


@attrs.frozen
class Forgetful(FakeSink):
    def record(self, key: str, result: VariableResult) -> None:
        pass


@attrs.frozen
class Overwriting(FakeSink):
    def record(self, key: str, result: VariableResult) -> None:
        self.records[key] = result


@attrs.frozen
class OneDrawer(FakeSink):
    def record(self, key: str, result: VariableResult) -> None:
        self.records.setdefault("", result)

    def recall(self, key: str) -> VariableResult | None:
        return self.records.get("")


@attrs.frozen
class HandsOut(FakeSink):
    def recall(self, key: str) -> VariableResult | None:
        return self.records.pop(key, None)


@attrs.frozen
class StaysAtHome(FakeSink):
    def __reduce__(self):
        return type(self), ()


@attrs.frozen
class Tolerant(FakeSink):
    def publish(self, result: RunResult) -> Sequence[str]:
        return [result.run_id]


@attrs.frozen
class Sweeping(FakeSink):
    def publish(self, result: RunResult) -> Sequence[str]:
        self.records.clear()
        return [result.run_id]


@pytest.mark.parametrize(
    ("broken", "caught_by"),
    [
        (Forgetful, "test_what_was_recorded_is_recalled"),
        (Overwriting, "test_the_first_under_a_key_stays"),
        (OneDrawer, "test_what_was_not_recorded_is_none"),
        (OneDrawer, "test_each_key_holds_its_own"),
        (HandsOut, "test_recalling_takes_nothing_away"),
        (StaysAtHome, "test_a_copy_made_later_recalls_what_was_recorded"),
        (Overwriting, "test_of_writers_at_once_one_wins_and_all_read_it"),
        (Tolerant, "test_a_run_id_that_holds_another_spec_is_refused"),
        (Sweeping, "test_publishing_keeps_the_records"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_the_contract_bites(broken, caught_by):
    contract: Callable[[ResultSink], None] = getattr(TestResultSink(), caught_by)
    with SINKS["memory"]() as sound:
        contract(sound)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        contract(broken())


def test_the_table_names_every_sink_there_is():
    folder = Path(__file__).parents[2] / "src/pulse_adapters/sinks"
    adapters = {path.name for path in folder.glob("*.py") if "Sink:\n" in path.read_text()}
    assert {f"{name}.py" for name in SINKS} - {"fake.py"} == adapters
