"""Fetching of data files from a bucket, by way of the cache as long as their ETag is the listed one."""

from __future__ import annotations

import attrs

from pulse_adapters.aws.bucket import Bucket, Fetched, Listed
from pulse_adapters.stores.formats.table import UNPACKED_LIMIT, Source, refuse
from pulse_adapters.stores.object_cache import ObjectCache


@attrs.frozen
class Objects:
    """The objects of a bucket, with or without a cache."""

    bucket: Bucket
    cache: ObjectCache | None = None

    def fetch(self, listed: Listed) -> Fetched | None:
        """Return an object as it is now or was at its listing; None where it is gone since then.

        Raises MalformedData for an object above the limit of data files, StoreUnavailable.
        """
        context = self.bucket.address(listed.key)
        if listed.size > UNPACKED_LIMIT:
            raise refuse(f"has {listed.size} bytes; at most {UNPACKED_LIMIT}", Source(context))
        name = self._name(listed.key)
        cached = None if self.cache is None else self.cache.get(name, listed.etag)
        if cached is not None:
            return Fetched(listed.etag, cached)
        fetched = self.bucket.get(listed.key, listed)
        if fetched is not None and self.cache is not None:
            self.cache.put(name, fetched.etag, fetched.content)
        return fetched

    def version(self, key: str, etag: str) -> str:
        """Return a text that distinguishes an object with this ETag from any other, of any bucket and server.

        A server promises different ETags only for different contents of one key, so the text names server and key too.
        """
        return f"{self._name(key)} {etag}"

    def _name(self, key: str) -> str:
        return f"{self.bucket.aws.endpoint_url or ''} {self.bucket.address(key)}"
