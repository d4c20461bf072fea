"""The groups in which help shows options, in order."""

from __future__ import annotations

from typing import Final

OPERANDS: Final = "What to work on"
WHAT: Final = "What to train"
HOW: Final = "How to forecast and score"
WHERE: Final = "Where data come from and results go"
READING: Final = "How data files are read"
S3: Final = "S3"
WORK: Final = "How the work is done"
DASK: Final = "Dask"
BATCH: Final = "AWS Batch"
SHOW: Final = "What is shown, and how"
LOGS: Final = "Logs and configuration"

GROUPS: Final = (OPERANDS, WHAT, HOW, WHERE, READING, S3, WORK, DASK, BATCH, SHOW, LOGS)
