"""The cache of objects: nothing stale, nothing half written, nothing beyond its room, and no harm where it fails."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from pulse_adapters.stores.object_cache import ObjectCache

KIB = 2**10


@pytest.fixture
def cache(tmp_path: Path) -> ObjectCache:
    return ObjectCache(tmp_path / "cache", 1_024 * KIB)


def size(cache: ObjectCache) -> int:
    return sum(path.stat().st_size for path in cache.folder.iterdir())


def test_an_object_is_kept_under_its_name_and_etag(cache):
    cache.put("one", "etag", b"content")
    assert cache.get("one", "etag") == b"content"
    assert cache.get("two", "etag") is None


def test_an_object_that_has_changed_is_never_served(cache):
    cache.put("one", "old", b"old")
    assert cache.get("one", "new") is None
    cache.put("one", "new", b"new")
    assert (cache.get("one", "new"), cache.get("one", "old")) == (b"new", None)


@pytest.mark.parametrize("damage", [b"", b"x", b'["one", "etag"', b'["one", "etag", "00"]\ncontent'])
def test_a_damaged_file_is_not_believed(cache, damage):
    cache.put("one", "etag", b"content")
    (path,) = cache.folder.iterdir()
    path.write_bytes(damage)
    assert cache.get("one", "etag") is None


def test_a_file_cut_short_or_changed_by_one_bit_is_not_believed(cache):
    cache.put("one", "etag", b"content" * 100)
    (path,) = cache.folder.iterdir()
    whole = path.read_bytes()
    for broken in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
        path.write_bytes(broken)
        assert cache.get("one", "etag") is None
    path.write_bytes(whole)
    assert cache.get("one", "etag") is not None


@pytest.mark.parametrize("name", ["../../x", "a/b", "x\n", "\udc80", "n" * 5_000, ""])
def test_no_name_leads_out_of_the_folder(cache, name):
    cache.put(name, "etag", b"content")
    assert cache.get(name, "etag") == b"content"
    assert [path.parent for path in cache.folder.parent.rglob("*") if path.is_file()] == [cache.folder]


def test_it_stays_within_its_room_and_the_longest_unused_go_first(cache):
    for number in range(100):
        cache.put(f"{number}", "etag", b"x" * 32 * KIB)
        cache.get("0", "etag")
        os.utime(cache._path("0"), (2**32, 2**32))  # used later than any other
        assert size(cache) <= cache.limit
    assert cache.get("0", "etag") is not None
    assert cache.get("99", "etag") is not None
    assert cache.get("1", "etag") is None


def test_an_object_too_large_to_share_the_room_is_not_kept(cache):
    cache.put("large", "etag", b"x" * 512 * KIB)
    assert cache.get("large", "etag") is None


def test_what_a_killed_writer_left_is_removed_in_time(cache):
    cache.folder.mkdir()
    old, new = cache.folder / ".tmp-old", cache.folder / ".tmp-new"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (0, 0))
    for number in range(3):
        cache.put(f"{number}", "etag", b"x" * 32 * KIB)
    assert not old.exists()
    assert new.exists()


@pytest.mark.parametrize("failing", ["write_bytes", "replace", "mkdir"])
def test_a_disk_that_is_full_turns_it_off_with_one_warning(cache, monkeypatch, caplog, failing):
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, failing, fail)
    for number in range(3):
        cache.put(f"{number}", "etag", b"content")
        assert cache.get(f"{number}", "etag") is None
    (record,) = caplog.records
    assert "no cache of objects" in record.getMessage()
    assert "No space left" in record.getMessage()


def test_others_may_not_look_into_it(cache):
    cache.put("one", "etag", b"content")
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
