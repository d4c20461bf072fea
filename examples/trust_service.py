"""A small web service that trains on the series it is sent and answers with trust as JSON.

    python examples/trust_service.py 8080
    curl --data @request.json http://127.0.0.1:8080/trust

A request holds the series, the spec in the words of `RunSpec`, and nothing else:

    {"series": {"sales": {"timestamp": ["2020-01-01", ...], "value": [100.0, ...]}},
     "spec": {"start": "2022-01-01", "end": "2023-12-31", "horizon": 2}}

All happens in memory: series become DataFrames, the sink is forgotten with the request. It listens on loopback only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pandas as pd

from pulse_adapters.backends.serial import SerialBackend
from pulse_adapters.published.result_writer import result_json
from pulse_adapters.sinks.memory import MemorySink
from pulse_adapters.stores.frames import FrameStore
from pulse_core import PulseError, RetrodictionTraining, RunFailed, RunResult, RunSpec, SettingsError

LARGEST_REQUEST: Final = 10_000_000


def train(series: Mapping[str, pd.DataFrame], spec: Mapping[str, Any]) -> RunResult:
    """Train on series in memory. Raises InvalidSpec, and RunFailed where a series cannot serve."""
    training = RetrodictionTraining(store=FrameStore(series), backend=SerialBackend(), sink=MemorySink())
    return training.execute(RunSpec.from_document({"variables": list(series), **spec}))


def answer(result: RunResult) -> dict[str, Any]:
    """Return, by variable and horizon, the best forecaster, its skill, trust and verdict (null for the benchmark)."""
    variables = json.loads(result_json(result))["variables"]
    return {
        name: {horizon: _told(variable, horizon, best) for horizon, best in variable["best"].items()}
        for name, variable in variables.items()
    }


def _told(variable: Mapping[str, Any], horizon: str, best: str) -> dict[str, Any]:
    scores = variable["forecasters"][best]["horizons"][horizon]
    names = ("trust", "verdict", "discovery")
    return {"best": best, "skill": scores["skill_mae"], **{name: scores[name] for name in names}}


class Handler(BaseHTTPRequestHandler):
    """POST /trust."""

    def do_POST(self) -> None:
        """Train and answer; 400 says what is wrong with the request, 422 what is wrong with the series."""
        if self.path != "/trust":
            self._send(HTTPStatus.NOT_FOUND, {"problems": ["there is only POST /trust"]})
            return
        try:
            request = self._request()
            series = {name: pd.DataFrame(columns) for name, columns in request["series"].items()}
            self._send(HTTPStatus.OK, answer(train(series, request["spec"])))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            self._send(HTTPStatus.BAD_REQUEST, {"problems": [f"no such request: {error}"]})
        except SettingsError as error:
            self._send(HTTPStatus.BAD_REQUEST, {"problems": list(error.problems)})
        except RunFailed as error:
            self._send(HTTPStatus.UNPROCESSABLE_ENTITY, {"problems": [str(failure) for failure in error.failures]})
        except PulseError as error:
            self._send(HTTPStatus.UNPROCESSABLE_ENTITY, {"problems": [str(error)]})

    def _request(self) -> Mapping[str, Any]:
        size = int(self.headers.get("Content-Length", "0"))
        if not 0 < size <= LARGEST_REQUEST:
            raise ValueError(f"its length is {size}, expected at most {LARGEST_REQUEST} bytes")
        request = json.loads(self.rfile.read(size))
        if not isinstance(request, dict) or set(request) != {"series", "spec"}:
            raise ValueError("expected an object with series and spec")
        return request

    def _send(self, status: HTTPStatus, document: Mapping[str, Any]) -> None:
        content = json.dumps(document, allow_nan=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serve on loopback until interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/trust", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
