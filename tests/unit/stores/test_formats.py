import gzip

import pytest

from pulse_adapters.stores.formats.registry import SUFFIXES, not_found, parse, variable_of
from tests.unit.stores.reading import faults, read

CLEAN = b"timestamp,value\n2020-01-01,1\n2020-01-02,2.5\n"
PACKED = gzip.compress(CLEAN)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("variable", ["x", "brk.b", "a b", "日経", "x.csv", "q?#%2e"])
def test_a_data_file_is_named_after_its_variable(variable, suffix):
    assert variable_of(variable + suffix) == variable


@pytest.mark.parametrize(
    "name",
    ["x.txt", "x.gz", "x", ".csv", ".x.csv", "..csv", "a/b.csv", "a\\b.csv", "a\nb.csv", "\udc80.csv",
     " x.csv", "x .csv", "x.csv.gz.tmp", "x.csv~", "x.json"],
)  # fmt: skip
def test_other_files_hold_no_variable(name):
    assert variable_of(name) is None


def test_a_gzip_of_several_members_is_read_whole():
    content = gzip.compress(CLEAN[:30]) + gzip.compress(CLEAN[30:])
    assert read(content, "x.csv.gz").values.tolist() == [1.0, 2.5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (CLEAN, "is no sound gzip: Not a gzipped file"),
        (PACKED[:-9], "is gzip cut short"),
        (PACKED[:5], "is gzip cut short"),
        (PACKED[:-8] + b"\0" * 8, "is no sound gzip: CRC check failed"),
        (PACKED[:12] + b"\xff" * 8 + PACKED[20:], "is no sound gzip: "),
        (PACKED + b"rubbish", "is no sound gzip: Not a gzipped file"),
        (gzip.compress(b""), "is empty"),
        (gzip.compress(PACKED), "is gzip (its name must then end in .gz), not CSV"),
    ],
)
def test_what_is_no_sound_gzip_is_refused_as_what_it_is(content, message):
    assert faults(content, "x.csv.gz").startswith(message)


def test_a_zip_bomb_is_refused_within_the_limit():
    import tracemalloc

    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 100_000
    tracemalloc.start()
    assert faults(bomb, "x.csv.gz", limit=1_000_000).endswith("; at most 1000000 bytes can be read")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_name_that_is_no_data_file_is_the_callers_mistake():
    with pytest.raises(ValueError, match="no data file"):
        parse(CLEAN, "x.txt", "x.txt")


@pytest.mark.parametrize("name", ["\udc80", "n" * 100_000, "\x1b[31m", "\0"])
def test_a_hostile_name_is_shown_harmlessly(name):
    text = str(not_found(name, ["x"], "/data"))
    assert len(text) < 200
    assert text.isprintable()
    assert text.encode()


def test_an_unknown_variable_is_told_what_there_is():
    names = [f"series_{number:03}" for number in range(500)]
    error = not_found("zzz", names, "/data")
    assert str(error).startswith("/data: no variable 'zzz'; there are 500. There are: series_000, series_001")
    assert len(str(error)) < 300
