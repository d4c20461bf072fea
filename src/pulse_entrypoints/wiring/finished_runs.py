"""A finished run as its place holds it: read back, and judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs

from pulse_core.errors import InvalidSpec, RunNotFound, SinkUnavailable
from pulse_core.runs.forecasting import Trained
from pulse_core.spec import RunSpec
from pulse_entrypoints.wiring.results_archive import ResultsArchive

RESULT: Final = "result.json"
_SCHEMA: Final = 2


@attrs.frozen(eq=False)
class FinishedRun:
    """A published run: its id, spec, and the document `result.json` as it is."""

    run_id: str
    spec: RunSpec
    document: Mapping[str, Any]

    @property
    def trained(self) -> Trained:
        """What a forecast needs to know of it."""
        return Trained(self.spec, self.fingerprints)

    @property
    def fingerprints(self) -> dict[str, str]:
        """The SHA-256 of the rows known by the run's end, by variable; those that failed have none."""
        return {name: facts["fingerprint"] for name, facts in self.document["run"]["data"].items()}

    @property
    def software(self) -> dict[str, str]:
        """The versions that computed it."""
        return dict(self.document["run"]["software"])


def finished_run(place: ResultsArchive, run_id: str) -> FinishedRun:
    """Return a run that was published.

    Raises RunNotFound, which lists near ones, and SinkUnavailable also where its result cannot be read.
    """
    content = place.read(run_id, RESULT)
    hint = "Run the same training again: it is published anew, and what was recorded is recalled"
    try:
        document = json.loads(content)
        if document["schema_version"] != _SCHEMA:
            message = f"is of schema version {document['schema_version']}, this version of Pulse reads {_SCHEMA}"
            raise SinkUnavailable(message, _where(run_id), "Use the version of Pulse that wrote it, or train again")
        return FinishedRun(run_id, RunSpec.from_document(document["run"]["spec"]), document)
    except (ValueError, KeyError, TypeError) as error:
        raise SinkUnavailable(f"is no result of a run: {error}", _where(run_id), hint) from error
    except InvalidSpec as error:
        raise SinkUnavailable(f"holds a spec that cannot be read: {error}", _where(run_id), hint) from error


def parts_of(place: ResultsArchive, run_id: str, table: str) -> tuple[str, ...]:
    """Return the files of a run's table. Raises RunNotFound, with how to get them, where there are none."""
    found = place.parts(run_id, table)
    if not found:
        option = " with --hindcasts" if table == "hindcasts" else ""
        hint = f"Run the same training again{option}: what was recorded is recalled, the table is written"
        raise RunNotFound(f"run '{run_id}' has no table '{table}'", _where(run_id, table), hint)
    return found


def _where(run_id: str, name: str = RESULT) -> str:
    return f"{run_id}/{name}"
