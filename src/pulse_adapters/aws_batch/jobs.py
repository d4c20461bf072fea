"""Jobs of AWS Batch: submit, describe, list, end. Faults of the service are ours by the time they leave here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import batched_compat
