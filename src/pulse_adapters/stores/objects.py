"""Data files in a bucket: fetched once and kept in the cache for as long as their ETag is the listed one."""

from __future__ import annotations

import attrs

from pulse_adapters.aws.bucket import Bucket, Fetched, Listed
from pulse_adapters.stores.formats.table import UNPACKED_LIMIT, Source, refuse
from pulse_adapters.stores.object_cache import ObjectCache


@attrs.frozen
class Objects:
    """The objects of a bucket, by way of a cache where there is one."""

    bucket: Bucket
    cache: ObjectCache | None = None

    def fetch(self, listed: Listed) -> Fetched | None:
        """Return an object as it is, or was when it was listed; None where it is gone since then.

        Raises MalformedData where it is larger than any data file may be, StoreUnavailable.
        """
        context = self.bucket.address(listed.key)
        if listed.size > UNPACKED_LIMIT:
            raise refuse(f"has {listed.size} bytes; at most {UNPACKED_LIMIT}", Source(context))
        name = self._name(listed.key)
        kept = None if self.cache is None else self.cache.get(name, listed.etag)
        if kept is not None:
            return Fetched(listed.etag, kept)
        fetched = self.bucket.get(listed.key)
        if fetched is not None and self.cache is not None:
            self.cache.put(name, fetched.etag, fetched.content)
        return fetched

    def version(self, key: str, etag: str) -> str:
        """Return what tells an object of this ETag from any other, of whatever bucket and server.

        ETags are the server's own: only of one key it is known that another content has another one.
        """
        return f"{self._name(key)} {etag}"

    def _name(self, key: str) -> str:
        return f"{self.bucket.aws.endpoint_url or ''} {self.bucket.address(key)}"
