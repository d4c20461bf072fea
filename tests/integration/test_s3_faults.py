"""What the network and the server do to single requests, and what becomes of it: faults per attempt, then the calls."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import attrs
import pytest

from pulse.testing.results import publish, run_result, variable_batches
from pulse_adapters.aws.bucket import Bucket
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.sinks.storage_sink import StorageSink
from pulse_adapters.storage.s3 import S3Storage
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.s3 import S3Store
from pulse_adapters.stores.s3_long import S3LongStore
from pulse_core.errors import DataError, MalformedData, SinkUnavailable, StoreUnavailable, VariableNotFound
from tests.servers.faults import Answer, CutBody, Fault, LoseAnswer, Proxy, Reset, Seen, SlowDown, Stall, proxied
from tests.servers.s3 import BUCKET, environment_of

pytestmark = pytest.mark.integration

LARGE = bytes(range(256)) * 400
CSV = b"timestamp,value\n2020-01-01,1\n2020-01-02,2\n"
CONFLICT = Answer(409, b"<Error><Code>ConditionalRequestConflict</Code></Error>")


@pytest.fixture
def corner(in_seaweedfs) -> str:
    return str(in_seaweedfs.corner())


@pytest.fixture
def aws(fault_proxy: Proxy) -> AwsSettings:
    return AwsSettings(endpoint_url=fault_proxy.endpoint)


@pytest.fixture
def bucket(aws) -> Bucket:
    return Bucket(BUCKET, aws, StoreUnavailable)


@pytest.fixture
def storage(aws, corner, tmp_path) -> S3Storage:
    return S3Storage(BUCKET, corner, aws, tmp_path / "results")


@pytest.fixture
def impatient(fault_proxy: Proxy) -> Bucket:
    settings = AwsSettings(endpoint_url=fault_proxy.endpoint, read_timeout=3.0)
    return Bucket(BUCKET, settings, StoreUnavailable)


def of_key(seen: Seen) -> bool:
    return seen.path.endswith("/key")


@pytest.mark.parametrize(
    ("faults", "calls"),
    [
        ([], 1),
        ([Reset()], 2),
        ([SlowDown()], 2),
        ([CutBody(50_000)], 2),
        ([CutBody(0), CutBody(102_399)], 3),
        ([Reset(), CutBody(7)], 3),
        ([SlowDown(), SlowDown(), CutBody(7)], 4),
    ],
)
def test_an_object_arrives_whole_whatever_happens_on_the_way(bucket, fault_proxy, corner, faults, calls):
    bucket.put(f"{corner}key", LARGE)
    fault_proxy.plan(*faults, where=of_key)
    fetched = bucket.get(f"{corner}key")
    assert fetched is not None
    assert fetched.content == LARGE
    assert fault_proxy.count("GET") == calls


@pytest.mark.parametrize(
    ("fault", "message", "calls"),
    [
        (Reset(), "the connection broke off, at every attempt", 3),
        (CutBody(7), "the connection broke off, at every attempt", 3),
        (SlowDown(), "too many requests, and still so after 3 attempts", 3),
        (Answer(403, b"<Error><Code>AccessDenied</Code></Error>"), r"s3:GetObject on arn:aws:s3:::", 1),
    ],
)
def test_what_goes_on_failing_is_told_after_the_attempts_that_are_allowed(
    bucket, fault_proxy, corner, fault, message, calls
):
    bucket.put(f"{corner}key", LARGE)
    fault_proxy.plan(*[fault] * 9, where=of_key)
    with pytest.raises(StoreUnavailable, match=message) as caught:
        bucket.get(f"{corner}key")
    assert caught.value.context == f"s3://{BUCKET}/{corner}key"
    assert fault_proxy.count("GET") == calls


def test_a_server_that_stalls_is_given_up_and_asked_again(impatient, fault_proxy, corner):
    impatient.put(f"{corner}key", LARGE)
    fault_proxy.plan(Stall(), where=of_key)
    fetched = impatient.get(f"{corner}key")
    assert fetched is not None
    assert fetched.content == LARGE
    assert fault_proxy.seen[0].status == 0


@pytest.mark.parametrize(
    ("faults", "created"),
    [([], True), ([Reset()], True), ([LoseAnswer()], True), ([CONFLICT], True), ([CONFLICT, LoseAnswer()], True)],
)
def test_who_creates_a_key_knows_it_though_the_answer_is_lost(bucket, fault_proxy, corner, faults, created):
    fault_proxy.plan(*faults, where=of_key)
    assert bucket.create(f"{corner}key", b"mine") is created
    assert not bucket.create(f"{corner}key", b"yours")
    fetched = bucket.get(f"{corner}key")
    assert fetched is not None
    assert fetched.content == b"mine"


def test_where_conditions_are_not_heeded_the_first_stays_too(moto_server, tmp_path):
    with environment_of(moto_server), proxied(moto_server.endpoint) as proxy:
        proxy.dropped.add("if-none-match")
        storage = S3Storage(BUCKET, moto_server.corner(), AwsSettings(endpoint_url=proxy.endpoint), tmp_path)
        assert storage.create("units/ab/key", b"one")
        assert not storage.create("units/ab/key", b"two")
        assert storage.read("units/ab/key") == b"one"
        assert [entry.name for entry in storage.entries("")] == ["units/ab/key"]
        assert sum(".probe-" in seen.path for seen in proxy.seen) == 4  # asked once: three to try, one to tidy up


def test_a_large_file_goes_up_in_parts_and_a_lost_part_is_sent_again(storage, fault_proxy):
    fault_proxy.plan(None, None, Reset(), where=lambda seen: seen.method == "PUT")
    draft = storage.draft("run/hindcasts/part-1.parquet")
    pieces = [bytes([number]) * 2**20 for number in range(40)]
    for piece in pieces:
        draft.file.write(piece)
    draft.finish()
    draft.discard()
    assert fault_proxy.count("PUT") == 4  # three parts, one of them twice
    assert storage.read("run/hindcasts/part-1.parquet") == b"".join(pieces)


@pytest.mark.parametrize("how", ["replaced", "drafted"])
def test_what_cannot_be_uploaded_is_kept_here_and_named(storage, fault_proxy, tmp_path, how):
    fault_proxy.plan(*[Reset()] * 9)
    kept = tmp_path / "results/run/file"
    write = {"replaced": storage.replace, "drafted": partial(_draft, storage)}[how]
    with pytest.raises(SinkUnavailable, match=re.escape(f"It is kept in {kept}")):
        write("run/file", LARGE)
    assert kept.read_bytes() == LARGE
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]


def _draft(storage: S3Storage, name: str, content: bytes) -> None:
    draft = storage.draft(name)
    try:
        draft.file.write(content)
        draft.finish()
    finally:
        draft.discard()


def test_a_failed_result_is_still_put_everywhere_else(storage, fault_proxy, tmp_path):
    from pulse_adapters.sinks.folder import output_file

    sink = StorageSink(storage, (output_file(tmp_path / "here.json"),))
    of_result = "/nightly/result.json"  # its run id can be claimed
    fault_proxy.choose(lambda seen: SlowDown() if seen.method == "PUT" and seen.path.endswith(of_result) else None)
    with pytest.raises(SinkUnavailable, match="too many requests"):
        publish(sink, run_result())
    assert (tmp_path / "here.json").exists()


def test_records_and_recalls_through_a_bad_network(storage, fault_proxy):
    faults: list[Fault] = [Reset(), SlowDown(), CutBody(100), LoseAnswer()]
    fault_proxy.every(5, faults)
    sink = StorageSink(storage)
    keys = [f"{number:064x}" for number in range(8)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda key: sink.record(key, variable_batches()), keys))
        assert list(threads.map(sink.recall, keys)) == [variable_batches()] * 8
        list(threads.map(lambda key: sink.pack("1a" * 16, {key: variable_batches(int(key[:8], 16) % 7)}), keys))
    sink.index("1a" * 16)
    with StorageSink(storage).recalling("1a" * 16, keys) as recall:
        assert [recall(key) for key in keys] == [variable_batches(int(key[:8], 16) % 7) for key in keys]
    assert sum(1 for seen in fault_proxy.seen if seen.fault) >= 5


@pytest.fixture
def store(aws, corner, tmp_path, seaweedfs_server) -> S3Store:
    seaweedfs_server.put(corner, {"a.csv": CSV, "b.csv": CSV, "c.csv": CSV, "c.jsonl": b"", "notes.txt": b"x"})
    return S3Store(BUCKET, corner, aws, ObjectCache(tmp_path / "cache", 2**20))


def test_a_variable_costs_one_fetch_and_the_folder_one_listing(store, fault_proxy):
    for name in ("a", "b", "a"):
        store.read(name)
    assert [seen.path.rpartition("/")[2] for seen in fault_proxy.seen] == [BUCKET, "a.csv", "b.csv"]


def test_what_is_cached_is_served_while_its_etag_is_the_listed_one(store, fault_proxy, corner, seaweedfs_server):
    store.read("a")
    seaweedfs_server.put(corner, {"a.csv": CSV.replace(b"2020-01-02,2", b"2020-01-02,7")})
    later = S3Store(BUCKET, corner, store.aws, store.cache, trusted=0.0)
    fault_proxy.plan()
    assert later.read("a").values.tolist() == [1.0, 7.0]
    assert later.read("a").values.tolist() == [1.0, 7.0]
    assert sum(seen.path.endswith("a.csv") for seen in fault_proxy.seen) == 1


def test_two_objects_of_one_variable_are_refused(store):
    with pytest.raises(DataError, match=r"variable 'c' has 2 files: c\.csv, c\.jsonl"):
        store.read("c")


def test_a_variable_that_came_or_went_since_the_listing_is_seen(store, corner, seaweedfs_server):
    with pytest.raises(VariableNotFound):
        store.read("new")
    seaweedfs_server.put(corner, {"new.csv": CSV})
    assert store.read("new").values.tolist() == [1.0, 2.0]
    seaweedfs_server.client().delete_object(Bucket=BUCKET, Key=f"{corner}b.csv")
    with pytest.raises(VariableNotFound, match="was listed a moment ago and is gone") as caught:
        attrs.evolve(store, cache=None).read("b")  # the cache has it since "new" was sought in it
    assert caught.value.context == f"s3://{BUCKET}/{corner}b.csv"


LONG = b"variable,timestamp,value\nx,2020-01-01,1\ny,2020-01-01,2\n"


def test_a_long_object_costs_one_listing_and_one_fetch(aws, corner, fault_proxy, seaweedfs_server):
    seaweedfs_server.put(corner, {"long.csv": LONG})
    store = S3LongStore(BUCKET, f"{corner}long.csv", aws)
    fault_proxy.plan()
    assert [store.version("x"), store.read("x").version] == [store.version("y"), store.read("y").version]
    assert [seen.path.rpartition("/")[2] for seen in fault_proxy.seen] == [BUCKET, "long.csv"]


def test_a_long_object_that_changed_is_read_anew_once_its_listing_is_not_trusted(aws, corner, seaweedfs_server):
    seaweedfs_server.put(corner, {"long.csv": LONG})
    store = S3LongStore(BUCKET, f"{corner}long.csv", aws, trusted=0.0)
    first = store.version("x")
    seaweedfs_server.put(corner, {"long.csv": LONG.replace(b"01,1", b"01,7")})
    assert store.version("x") == store.read("x").version != first
    assert store.read("x").values.tolist() == [7.0]
    seaweedfs_server.client().delete_object(Bucket=BUCKET, Key=f"{corner}long.csv")
    with pytest.raises(StoreUnavailable, match="no such object"):
        store.read("x")


def test_an_object_that_is_listed_and_gone_is_no_variable_with_another_name(store, fault_proxy, corner):
    missing = Answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
    fault_proxy.choose(lambda seen: missing if seen.path.endswith("/b.csv") else None)
    with pytest.raises(StoreUnavailable, match="gone, although it is listed still") as caught:
        store.read("b")
    assert caught.value.context == f"s3://{BUCKET}/{corner}b.csv"


def test_a_long_object_that_went_since_its_listing_is_named(aws, corner, seaweedfs_server):
    seaweedfs_server.put(corner, {"long.csv": LONG})
    store = S3LongStore(BUCKET, f"{corner}long.csv", aws)
    store.version("x")
    seaweedfs_server.client().delete_object(Bucket=BUCKET, Key=f"{corner}long.csv")
    with pytest.raises(StoreUnavailable, match="was listed a moment ago and is gone"):
        store.read("x")


def test_a_version_costs_no_fetch_and_changes_with_the_object(store, fault_proxy, corner, seaweedfs_server):
    first = store.version("a")
    assert [seen.path.rpartition("/")[2] for seen in fault_proxy.seen] == [BUCKET]
    seaweedfs_server.put(corner, {"a.csv": CSV.replace(b"2020-01-02,2", b"2020-01-02,7")})
    # the listing is trusted, and what is read bears the version that it is of
    assert store.version("a") == first != store.read("a").version
    later = S3Store(BUCKET, corner, store.aws, store.cache, trusted=0.0)
    assert later.version("a") == later.read("a").version == store.read("a").version


def test_in_a_folder_too_large_to_list_each_variable_is_found_by_itself(store, fault_proxy, monkeypatch):
    monkeypatch.setattr("pulse_adapters.stores.catalogue.LISTED_AT_ONCE", 2)
    assert store.read("a").values.tolist() == [1.0, 2.0]
    with pytest.raises(DataError, match="has 2 files"):
        store.read("c")
    with pytest.raises(VariableNotFound):
        store.read("../a")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.parquet", b"PAR1", "cut short"),
        ("x.parquet", b"<Error>", "is not Parquet"),
        ("x.csv", b"", "is empty"),
        ("x.csv", b"PAR1....PAR1", "is Parquet, not CSV"),
        ("x.csv.gz", b"timestamp,value\n", "no sound gzip"),
        ("x.jsonl", b"\xff\xfe", "is UTF-16"),
    ],
)
def test_an_object_that_is_not_what_its_key_says_is_refused_with_its_name(
    aws, corner, seaweedfs_server, name, content, message
):
    seaweedfs_server.put(corner, {name: content})
    with pytest.raises(MalformedData, match=message) as caught:
        S3Store(BUCKET, corner, aws).read("x")
    assert caught.value.context == f"s3://{BUCKET}/{corner}{name}"


def test_a_gzip_that_unpacks_beyond_all_bounds_is_refused(aws, corner, seaweedfs_server, monkeypatch):
    import gzip

    monkeypatch.setattr("pulse_adapters.stores.formats.table.UNPACKED_LIMIT", 2**20)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as file:
        for _ in range(64):
            file.write(bytes(2**20))
    seaweedfs_server.put(corner, {"bomb.csv.gz": packed.getvalue()})
    with pytest.raises(MalformedData):
        S3Store(BUCKET, corner, aws).read("bomb")


def test_parquet_of_a_million_columns_is_refused_by_its_footer(aws, corner, seaweedfs_server):
    footer = 100 * 1_000_000  # bytes of metadata, some hundred a column
    content = b"PAR1" + b"\0" * 2**20 + footer.to_bytes(4, "little") + b"PAR1"
    seaweedfs_server.put(corner, {"x.parquet": content})
    with pytest.raises(MalformedData, match=f"has a footer of {footer} bytes"):
        S3Store(BUCKET, corner, aws).read("x")


def test_keys_of_any_shape_are_data_or_are_passed_over(aws, corner, seaweedfs_server):
    data = ["q?x=1", "a#b", "%2e%2e", "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "n" * 200]
    passed_over = ["deeper/z", ".hidden", "back\\slash", " blank"]
    seaweedfs_server.put(corner, {f"{name}.csv": CSV for name in (*data, *passed_over)})
    store = S3Store(BUCKET, corner, aws)
    assert list(store.names()) == sorted(data)
    assert all(store.read(name).values.tolist() == [1.0, 2.0] for name in data)
    for name in (*passed_over, "../z", "x" * 1_000):
        with pytest.raises(VariableNotFound):
            store.read(name)


def test_an_object_larger_than_any_data_file_is_not_fetched(aws, corner, seaweedfs_server, fault_proxy, monkeypatch):
    monkeypatch.setattr("pulse_adapters.stores.objects.UNPACKED_LIMIT", 10)
    seaweedfs_server.put(corner, {"x.csv": CSV})
    with pytest.raises(MalformedData, match="at most 10"):
        S3Store(BUCKET, corner, aws).read("x")
    assert not [seen for seen in fault_proxy.seen if seen.path.endswith("x.csv")]


def test_a_cache_that_cannot_be_written_harms_nothing(aws, corner, seaweedfs_server, tmp_path, caplog):
    Path(tmp_path / "file").write_text("here stands a file")
    seaweedfs_server.put(corner, {"a.csv": CSV, "b.csv": CSV})
    store = S3Store(BUCKET, corner, aws, ObjectCache(tmp_path / "file", 2**20))
    assert store.read("a").values.tolist() == store.read("b").values.tolist() == [1.0, 2.0]
    assert len([record for record in caplog.records if "no cache of objects" in record.getMessage()]) == 1
