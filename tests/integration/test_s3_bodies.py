"""What comes from a server of S3 is believed only where it proves itself: whole, in time, and from an S3 server."""

from __future__ import annotations

import hashlib
import io
import time

import pytest

from pulse_adapters.aws.bucket import Bucket
from pulse_adapters.aws.clients import AwsSettings
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.s3 import S3Store
from pulse_core.errors import StoreUnavailable
from tests.servers.faults import Answer, Fault, Flip, Proxy, Seen, Shorten, Trickle
from tests.servers.s3 import BUCKET

pytestmark = pytest.mark.integration

CSV = b"timestamp,value\n2020-01-01,1\n2020-01-02,2\n2020-01-03,3\n2020-01-04,4\n"
PAGE = Answer(200, b"<html><body>Please log in</body></html>", (("Content-Type", "text/html"),))
NO_S3 = "what answered is no S3 server"
IN_TIME = 10.0


@pytest.fixture
def corner(in_seaweedfs) -> str:
    return str(in_seaweedfs.corner())


@pytest.fixture
def bucket(fault_proxy: Proxy) -> Bucket:
    return Bucket(BUCKET, AwsSettings(endpoint_url=fault_proxy.endpoint), StoreUnavailable)


@pytest.fixture
def impatient(fault_proxy: Proxy) -> Bucket:
    settings = AwsSettings(endpoint_url=fault_proxy.endpoint, transfer_timeout=0.5)
    return Bucket(BUCKET, settings, StoreUnavailable)


@pytest.fixture
def store(fault_proxy, corner, seaweedfs_server, tmp_path) -> S3Store:
    seaweedfs_server.put(corner, {"a.csv": CSV})
    return S3Store(BUCKET, corner, AwsSettings(endpoint_url=fault_proxy.endpoint), ObjectCache(tmp_path / "c", 2**20))


def of_object(seen: Seen) -> bool:
    return seen.path.endswith("/a.csv")


def always(proxy: Proxy, fault: Fault) -> None:
    proxy.choose(lambda seen: fault if of_object(seen) else None)


@pytest.mark.parametrize("fault", [Shorten(42), Shorten(0), Flip(30), PAGE])
def test_a_body_that_is_not_the_object_is_fetched_again(store, fault_proxy, fault) -> None:
    fault_proxy.plan(fault, where=of_object)
    assert store.read("a").values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert fault_proxy.count("GET", with_body=True) >= 2


def test_a_body_that_stays_short_is_an_error_and_never_cached(store, fault_proxy, corner) -> None:
    always(fault_proxy, Shorten(42))
    message = f"arrived cut: {len(CSV)} bytes were expected by its listing, 42 received"
    with pytest.raises(StoreUnavailable, match=message) as caught:
        store.read("a")
    assert caught.value.context == f"s3://{BUCKET}/{corner}a.csv"
    fault_proxy.plan()
    assert store.read("a").values.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_short_body_of_an_object_that_was_replaced_since_its_listing_is_noticed(
    store, fault_proxy, corner, seaweedfs_server
) -> None:
    store.version("a")
    longer = CSV + b"2020-01-05,5\n2020-01-06,6\n"
    seaweedfs_server.put(corner, {"a.csv": longer})
    fault_proxy.choose(lambda seen: Shorten(len(CSV)) if of_object(seen) and seen.method == "GET" else None)
    with pytest.raises(StoreUnavailable, match=f"{len(longer)} bytes were expected by its HEAD, {len(CSV)} received"):
        store.read("a")
    fault_proxy.plan()
    assert len(store.read("a").values) == 6


def test_a_server_whose_etags_are_no_md5_is_believed_once_it_says_the_same_twice(bucket, fault_proxy, corner) -> None:
    bucket.put(f"{corner}a.csv", CSV)
    always(fault_proxy, Flip(30))
    fetched = bucket.get(f"{corner}a.csv")
    assert fetched is not None
    assert fault_proxy.count("GET") == 2
    bucket.get(f"{corner}a.csv")
    assert fault_proxy.count("GET") == 3


@pytest.mark.parametrize("request_of", ["get", "head", "get_range", "list", "folders", "has_any"])
def test_a_page_in_the_place_of_an_answer_is_a_clear_error(bucket, fault_proxy, corner, request_of) -> None:
    fault_proxy.plan(*[PAGE] * 9)
    calls = {
        "get": lambda: bucket.get(f"{corner}a.csv"),
        "head": lambda: bucket.head(f"{corner}a.csv"),
        "get_range": lambda: bucket.get_range(f"{corner}a.csv", 0, 5),
        "list": lambda: list(bucket.list(corner)),
        "folders": lambda: list(bucket.folders(corner)),
        "has_any": lambda: bucket.has_any(corner),
    }
    with pytest.raises(StoreUnavailable, match=NO_S3) as caught:
        calls[request_of]()
    assert "--s3-endpoint-url" in caught.value.hint


@pytest.mark.parametrize("answer", [PAGE, Answer(200), Answer(200, b"<a>b</a>")], ids=["page", "nothing", "other XML"])
def test_a_removal_of_many_is_believed_only_where_s3_confirms_it(bucket, fault_proxy, corner, answer) -> None:
    bucket.put(f"{corner}a.csv", CSV)
    fault_proxy.plan(*[answer] * 9)
    with pytest.raises(StoreUnavailable, match=NO_S3):
        bucket.delete_all([f"{corner}a.csv"])
    fault_proxy.plan(answer)
    bucket.delete_all([f"{corner}a.csv"])
    assert bucket.get(f"{corner}a.csv") is None


@pytest.mark.parametrize("request_of", ["put", "create", "exchange", "delete", "upload", "upload in parts"])
def test_what_a_page_confirms_is_not_taken_for_stored(bucket, fault_proxy, corner, request_of) -> None:
    fault_proxy.plan(*[PAGE] * 9)
    calls = {
        "put": lambda: bucket.put(f"{corner}a.csv", CSV),
        "create": lambda: bucket.create(f"{corner}a.csv", CSV),
        "exchange": lambda: bucket.exchange(f"{corner}a.csv", CSV, ""),
        "delete": lambda: bucket.delete(f"{corner}a.csv"),
        "upload": lambda: bucket.upload(f"{corner}a.csv", io.BytesIO(CSV)),
        "upload in parts": lambda: bucket.upload(f"{corner}a.csv", io.BytesIO(bytes(17 * 2**20))),
    }
    with pytest.raises(StoreUnavailable, match=NO_S3):
        calls[request_of]()


def test_a_put_that_a_page_answered_is_sent_again(bucket, fault_proxy, corner) -> None:
    fault_proxy.plan(PAGE, where=of_object)
    bucket.put(f"{corner}a.csv", CSV)
    fault_proxy.plan()
    fetched = bucket.get(f"{corner}a.csv")
    assert fetched is not None
    assert fetched.content == CSV


def test_a_creation_that_a_page_answered_is_decided_by_the_object(bucket, fault_proxy, corner) -> None:
    fault_proxy.plan(PAGE, where=of_object)
    assert bucket.create(f"{corner}a.csv", CSV)
    assert not bucket.create(f"{corner}a.csv", b"other")


@pytest.mark.parametrize("status", [302, 307, 511])
def test_a_redirection_to_a_login_is_told_as_such(bucket, fault_proxy, corner, status) -> None:
    login = Answer(status, b"<html></html>", (("Content-Type", "text/html"), ("Location", "http://127.0.0.1:9/login")))
    fault_proxy.plan(*[login] * 9)
    with pytest.raises(StoreUnavailable, match=rf"{NO_S3}: it answered GetObject with status {status}"):
        bucket.get(f"{corner}a.csv")


@pytest.mark.parametrize("size", [0, 1_000, 17 * 2**20])
def test_head_tells_size_and_checksum_of_what_was_uploaded(bucket, corner, size) -> None:
    content = bytes(range(250)) * (size // 250)
    sha256 = hashlib.sha256(content).hexdigest()
    bucket.upload(f"{corner}part", io.BytesIO(content), sha256)
    head = bucket.head(f"{corner}part")
    assert head is not None
    assert (head.size, head.sha256) == (len(content), sha256)
    bucket.put(f"{corner}document", content, sha256)
    head = bucket.head(f"{corner}document")
    assert head is not None
    assert (head.size, head.sha256) == (len(content), sha256)
    assert bucket.head(f"{corner}nothing") is None


def test_a_range_is_read_up_to_the_end_of_the_object(bucket, fault_proxy, corner) -> None:
    bucket.put(f"{corner}a.csv", CSV)
    assert bucket.get_range(f"{corner}a.csv", 10, 6) == CSV[10:16]
    assert bucket.get_range(f"{corner}a.csv", len(CSV) - 3, 100) == CSV[-3:]
    assert bucket.get_range(f"{corner}a.csv", len(CSV) + 3, 100) == b""
    assert bucket.get_range(f"{corner}nothing", 0, 1) is None
    fault_proxy.plan(Shorten(2), where=of_object)
    assert bucket.get_range(f"{corner}a.csv", 10, 6) == CSV[10:16]


@pytest.mark.parametrize("request_of", ["get", "list", "put"])
def test_an_answer_that_trickles_is_cut_off_and_asked_for_again(impatient, fault_proxy, corner, request_of) -> None:
    impatient.put(f"{corner}a.csv", CSV)
    fault_proxy.plan(Trickle(0.1))
    started = time.monotonic()
    if request_of == "get":
        assert impatient.get(f"{corner}a.csv").content == CSV
    elif request_of == "list":
        assert [listed.key for listed in impatient.list(corner)] == [f"{corner}a.csv"]
    else:
        fault_proxy.plan(Answer(200, b"x" * 100), where=of_object)
        impatient.put(f"{corner}a.csv", CSV)
    assert time.monotonic() - started < IN_TIME


def test_an_answer_that_always_trickles_is_an_error_with_object_and_option(impatient, fault_proxy, corner) -> None:
    impatient.put(f"{corner}a.csv", CSV)
    always(fault_proxy, Trickle(0.1))
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match=r"a transfer took longer than 0\.5 s, at every attempt") as caught:
        impatient.get(f"{corner}a.csv")
    assert 1.5 <= time.monotonic() - started < IN_TIME
    assert caught.value.context == f"s3://{BUCKET}/{corner}a.csv"
    assert "--s3-transfer-timeout" in caught.value.hint


def test_a_slow_body_within_the_limit_is_waited_for(fault_proxy, corner, in_seaweedfs) -> None:
    bucket = Bucket(BUCKET, AwsSettings(endpoint_url=fault_proxy.endpoint, transfer_timeout=0), StoreUnavailable)
    bucket.put(f"{corner}a.csv", CSV)
    fault_proxy.plan(Trickle(0.02), where=of_object)
    fetched = bucket.get(f"{corner}a.csv")
    assert fetched is not None
    assert fetched.content == CSV
    assert fault_proxy.count("GET") == 1
