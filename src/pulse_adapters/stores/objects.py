"""Data files in a bucket: fetched once and kept in the cache for as long as their ETag is the listed one."""

from __future__ import annotations

import attrs

from pulse_adapters.aws.bucket import Bucket, Listed
from pulse_adapters.stores.object_cache import ObjectCache
from pulse_adapters.stores.table import UNPACKED_LIMIT, Source, refuse


@attrs.frozen
class Objects:
    """The objects of a bucket, by way of a cache where there is one."""

    bucket: Bucket
    cache: ObjectCache | None = None

    def content(self, listed: Listed) -> bytes | None:
        """Return an object's bytes, or None where it is gone since it was listed.

        Raises MalformedData where it is larger than any data file may be, StoreUnavailable.
        """
        where = self.bucket.where(listed.key)
        if listed.size > UNPACKED_LIMIT:
            raise refuse(f"has {listed.size} bytes; at most {UNPACKED_LIMIT}", Source(where))
        name = f"{self.bucket.aws.endpoint_url or ''} {where}"
        kept = None if self.cache is None else self.cache.get(name, listed.etag)
        if kept is not None:
            return kept
        fetched = self.bucket.get(listed.key)
        if fetched is None:
            return None
        if self.cache is not None:
            self.cache.put(name, fetched.etag, fetched.content)
        return fetched.content
