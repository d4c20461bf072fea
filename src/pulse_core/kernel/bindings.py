"""Bindings: the kernel's functions as typed Python functions. The only module that knows ctypes.

Each function checks dtype, shape and contiguity of its arrays before the call: the kernel itself cannot fail.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.resources import as_file, files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pulse_core.errors import KernelUnavailable
from pulse_core.kernel.sources import digest

Array = NDArray[np.float64]
Positions = NDArray[np.int64]
Address = Any
"""What ctypes passes as an address: a c_void_p, or a reference for which ctypes has no public type."""

LANES: Final = 4
"""Numbers side by side: rows of cells, and grids of parameters, are a multiple of it long."""

MEASURES: Final = 33
"""Scores that follow from sums."""

CELL_SUMS: Final = 34
"""Sums of a cell, from which scores follow: SUMS of learners.h."""

TRUST_STATE: Final = 7
"""Numbers of the state of a pair: STATE of learners.h."""

TOGETHER: Final = 64
"""Origins of whose differences products are learned together, at most: TOGETHER of learners.h."""

BASELINE: Final = "kernel_baseline.so"
AVX2: Final = "kernel_avx2.so"
HINT_BUILD: Final = "Install Pulse anew, in a clone by `make run` or `pip install --editable .`, which compiles it"

_CELLS_COMPARED: Final = 8
"""Cells that `comparisons` reads together: SIDE_BY_SIDE of comparison.c."""

_COMPARED_AT_ONCE: Final = 200_000_000
"""Products (cell x origin x horizon) of a call, at most 0.1 s: a signal is heard in between."""

_KINDS: Final = {"a": ctypes.c_void_p, "i": ctypes.c_int64, "d": ctypes.c_double}
_SIGNATURES: Final = {
    "pulse_scales": "aaiiaaa",
    "pulse_volatility": "aiiaiaiaaaaai",
    "pulse_pass": "aii",
    "pulse_close": "a",
    "pulse_pass_size": ":i",
    "pulse_ensemble_latest": "a",
    "pulse_trust": "aiiiidaddaa",
    "pulse_sequence_counts": "aiiiiia",
    "pulse_comparisons": "aaiiiiiiaaa",
    "pulse_common_losses": "aaiiiiiaa",
    "pulse_diebold_mariano": "aii:d",
    "pulse_measures": "aaiai",
    "pulse_total": "aiia",
    "pulse_evidence_behind": "aaia",
    "pulse_has_avx2": ":i",
}
"""Arguments, and after a colon the result: a for an address, i for int64, d for double."""


@cache
def library() -> ctypes.CDLL:
    """Return the compiled kernel, in the build that suits this machine. Raises KernelUnavailable."""
    baseline = _open(BASELINE)
    return _open(AVX2) if baseline.pulse_has_avx2() else baseline


def _open(name: str) -> ctypes.CDLL:
    folder = files("pulse_core.kernel")
    resource = folder.joinpath(name)
    if not resource.is_file():
        raise KernelUnavailable("the compiled kernel is missing", name, HINT_BUILD)
    try:
        with as_file(resource) as path:
            kernel = ctypes.CDLL(str(path))
    except OSError as error:
        raise KernelUnavailable(f"the compiled kernel cannot be loaded ({error})", name, HINT_BUILD) from error
    sources = digest(folder)
    if sources and _built_from(kernel) != sources:
        raise KernelUnavailable("the compiled kernel was compiled from other sources", name, HINT_BUILD)
    return declared(kernel)


def declared(kernel: ctypes.CDLL) -> ctypes.CDLL:
    """Return the kernel after ctypes has learnt the types of its functions; a bare Python int would pass as 32 bits."""
    for function, signature in _SIGNATURES.items():
        arguments, _, result = signature.partition(":")
        symbol = getattr(kernel, function)
        symbol.argtypes = [_KINDS[kind] for kind in arguments]
        symbol.restype = _KINDS[result] if result else None
    return kernel


def _built_from(kernel: ctypes.CDLL) -> str:
    kernel.pulse_sources.restype = ctypes.c_char_p
    return bytes(kernel.pulse_sources()).decode()


def count(number: int) -> ctypes.c_int64:
    """Return a number as the kernel's int64_t; a bare Python int would pass as 32 bits."""
    return ctypes.c_int64(number)


def whole_lanes(number: int) -> int:
    """Return the length of a row that holds so many numbers: the next multiple of LANES."""
    return -(-number // LANES) * LANES


def doubles(array: Array, *shape: int) -> Address:
    """Return the address of a C-contiguous float64 array of this shape. Raises ValueError for any other."""
    return _address(array, np.float64, shape)


def positions(array: Positions, *shape: int) -> Address:
    """Return the address of a C-contiguous int64 array of this shape. Raises ValueError for any other."""
    return _address(array, np.int64, shape)


def writable(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array. Raises ValueError for a read-only one."""
    if not array.flags.writeable:
        raise ValueError("expected an array that can be written to")
    return array


def _address(array: NDArray[Any], dtype: type, shape: tuple[int, ...]) -> Address:
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        raise ValueError(f"expected a contiguous array of {dtype.__name__} {shape}, got {array.dtype} {array.shape}")
    return _alive(array)


def _alive(array: NDArray[Any]) -> Address:
    """Return the address of an array that lives as long as the address does."""
    if array.flags.writeable and array.size:
        return ctypes.byref(ctypes.c_char.from_buffer(array.data))  # a quarter of what `ctypes.data` takes
    address = ctypes.c_void_p(array.ctypes.data)
    address.array = array  # type: ignore[attr-defined]  # ctypes objects take attributes
    return address


def rows(array: Array, height: int, width: int) -> tuple[Address, ctypes.c_int64]:
    """Return the address of a float64 array (height, width) whose rows may lie apart, and the doubles between two rows.

    Raises ValueError for any other, also where the numbers of a row are not contiguous.
    """
    step, within = array.strides if array.ndim == 2 else (1, 1)
    contiguous = within == array.itemsize or width <= 1
    strided = array.flags.aligned and step >= 0 and step % array.itemsize == 0
    if array.dtype != np.float64 or array.shape != (height, width) or not contiguous or not strided:
        raise ValueError(f"expected rows of float64 ({height}, {width}), got {array.dtype} {array.shape}")
    return _alive(array[0] if height else array), ctypes.c_int64(step // 8)


class _Calibrator(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("kind", "forecasters", "horizons", "width", "stride")),
        *((name, ctypes.c_void_p) for name in ("error", "offset", "size")),
        *((name, ctypes.c_int64) for name in ("brings_spread", "asleep")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *(
                    "raw",
                    "slope",
                    "fit",
                    "crossed",
                    "square",
                    "history",
                    "start",
                    "scaling",
                    "ratio",
                    "growth",
                    "learned",
                ),
                *("largest", "steps", "scratch", "root", "exponent", "queue", "past_square", "past", "errors", "count"),
            )
        ),
        ("capacity", ctypes.c_int64),
    ]


class _Ensemble(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("members", "row", "width", "window")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("rows", "regret", "lost", "followed", "squares", "largest", "potential", "rest", "known"),
                *("past", "past_proportion", "weight", "scratch"),
            )
        ),
    ]


class _BatchSums(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("term", "above", "below", "interval", "flag", "common")),
        *((name, ctypes.c_int64) for name in ("complete", "apart", "batch")),
    ]


class _Trust(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("width", "first", "window", "rows")),
        *((name, ctypes.c_double) for name in ("fade", "level_fade", "size_fade", "win_fade")),
        *((name, ctypes.c_void_p) for name in ("level", "difference", "bet", "learned", "multiplied", "recent")),
        *((name, ctypes.c_void_p) for name in ("pairs", "ahead", "counts", "marks")),
        *((name, ctypes.c_int64) for name in ("mark_count", "next_mark")),
        *((name, ctypes.c_void_p) for name in ("marked", "marked_ahead", "states", "evidence")),
    ]


class _VolatilityAtOrigins(ctypes.Structure):
    _fields_ = [("first", ctypes.c_int64), *((name, ctypes.c_void_p) for name in ("scale", "lean", "rate"))]


class PassState(ctypes.Structure):
    """`struct pass` of learners.h: all that a pass reads, remembers and writes."""

    _fields_ = [
        *(
            (name, ctypes.c_int64)
            for name in ("origins", "forecasters", "horizons", "stride", "first_batch", "benchmark", "trust_loss")
        ),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("scale", "square_scale", "step_square", "steps", "newest", "reported", "released"),
                *("batch", "known", "forecasts"),
            )
        ),
        ("volatility", _VolatilityAtOrigins),
        ("calibrator", _Calibrator),
        ("custom", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("custom_rows", "calibrated_rows", "custom_offset", "custom_spread")),
        ("custom_calibrator", _Calibrator),
        ("ensemble", _Ensemble),
        ("running", _BatchSums),
        ("trust", _Trust),
        *((name, ctypes.c_void_p) for name in ("scratch", "sums", "quantiles", "weights")),
    ]


def fill(structure: ctypes.Structure, **values: float | NDArray[Any] | None) -> None:
    """Set fields of a structure: numbers as they are, arrays by their address, which the caller keeps alive."""
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            if not value.flags.c_contiguous:
                raise ValueError(f"{name}: expected a contiguous array")
            setattr(structure, name, _address_within(value) if value.size else None)
        else:
            setattr(structure, name, value)


def _address_within(array: NDArray[Any]) -> int:
    """Return the address of an array that the caller keeps alive."""
    return ctypes.addressof(ctypes.c_char.from_buffer(array.data)) if array.flags.writeable else int(array.ctypes.data)


def run_pass(state: PassState, first: int, last: int) -> None:
    """Go through the origins first..last-1."""
    library().pulse_pass(ctypes.addressof(state), first, last)


def close_batch(state: PassState) -> None:
    """Close the batch under way, which the next origins do not belong to."""
    library().pulse_close(ctypes.addressof(state))


def run_ensemble_latest(state: PassState) -> None:
    """Put the ensemble's weights as all members' being awake would have them into its state."""
    library().pulse_ensemble_latest(ctypes.addressof(state))


def trust(states: Array, span: float, prior: Array, drift: float, least_weight: float, limits: Array) -> Array:
    """Return the trust of pairs (row, horizon, forecaster) from their states (row, STATE, horizon, forecaster).

    Rows of forecasters may lie apart. NaN where there is none. `prior` (2, 3) are share, mean and deviation of two
    normals; see scores.trust.
    """
    rows_of_states, size, horizons, forecasters = states.shape
    if size != TRUST_STATE:
        raise ValueError(f"expected {TRUST_STATE} numbers of a state, got {size}")
    height = rows_of_states * size * horizons
    address, width = rows(states.reshape(height, forecasters), height, forecasters)
    result = np.empty((rows_of_states, horizons, forecasters))
    library().pulse_trust(
        address,
        rows_of_states,
        horizons,
        forecasters,
        width,
        span,
        doubles(prior, 2, 3),
        drift,
        least_weight,
        doubles(limits, 2),
        _alive(result),
    )
    return result


def no_sequence_counts(horizons: int, forecasters: int) -> Array:
    """Return counts of nothing, to which those of origins are added; see add_sequence_counts."""
    return np.zeros((2, horizons * (horizons + 1) // 2, forecasters))


def add_sequence_counts(differences: Array, before: int, counts: Array) -> None:
    """Add wins and losses to those of the interleaved sequences of each horizon, one horizon's after another's.

    `differences` (origin, horizon, forecaster), whose rows of forecasters may lie apart, behind so many origins
    `before`; `counts` (2, sequence, forecaster).
    """
    origins, horizons, forecasters = differences.shape
    address, width = rows(
        differences.reshape(origins * horizons, forecasters, copy=False), origins * horizons, forecasters
    )
    to = doubles(writable(counts), 2, horizons * (horizons + 1) // 2, forecasters)
    library().pulse_sequence_counts(address, origins, before, forecasters, horizons, width, to)


def _fit_cells(cells: Array, forecasters: int, horizons: int, role: str, row: int) -> None:
    """Raise ValueError unless rows of cells hold the forecasters, and the one in this role is among them."""
    if not 0 <= row < forecasters or forecasters * horizons > cells.shape[1]:
        raise ValueError(f"{forecasters} forecasters, {role} {row}, do not fit rows of {cells.shape[1]} cells")


def comparisons(cells: Array, reported: Array, forecasters: int, benchmark: int) -> tuple[Array, Positions]:
    """Return the Diebold-Mariano statistics against the benchmark, and on how many origins; (forecaster, horizon).

    `cells` (origin, stride) are the forecasts, `reported` the actuals (origin, horizon).
    """
    origins, horizons = reported.shape
    _fit_cells(cells, forecasters, horizons, "benchmark", benchmark)
    statistic, count = np.empty((forecasters, horizons)), np.empty((forecasters, horizons), dtype=np.int64)
    scratch = np.empty((_CELLS_COMPARED, origins))
    number = forecasters * horizons
    at_once = max(1, _COMPARED_AT_ONCE // (max(origins, 1) * horizons * _CELLS_COMPARED)) * _CELLS_COMPARED
    for begin in range(0, number, at_once):
        library().pulse_comparisons(
            doubles(cells, origins, cells.shape[1]),
            doubles(reported, origins, horizons),
            origins,
            horizons,
            cells.shape[1],
            benchmark,
            begin,
            min(begin + at_once, number),
            doubles(scratch, _CELLS_COMPARED, origins),
            doubles(statistic, forecasters, horizons),
            positions(count, forecasters, horizons),
        )
    return statistic, count


def common_losses(cells: Array, reported: Array, forecasters: int, rival: int) -> Array:
    """Return sums of absolute errors, a forecaster's and a rival's, on their common origins; (forecaster, horizon, 2).

    `cells` (origin, stride) are the forecasts, `reported` the actuals (origin, horizon).
    """
    origins, horizons = reported.shape
    _fit_cells(cells, forecasters, horizons, "rival", rival)
    sums = np.zeros((2, cells.shape[1]))
    library().pulse_common_losses(
        doubles(cells, origins, cells.shape[1]),
        doubles(reported, origins, horizons),
        origins,
        forecasters,
        horizons,
        cells.shape[1],
        rival,
        doubles(np.empty((2, cells.shape[1])), 2, cells.shape[1]),
        doubles(sums, 2, cells.shape[1]),
    )
    return np.moveaxis(sums[:, : forecasters * horizons].reshape(2, forecasters, horizons), 0, -1)


def diebold_mariano_statistic(differences: Array, horizon: int) -> float:
    """Return the statistic of loss differences (origin,); NaN where there is none."""
    scratch = np.array(differences, dtype=np.float64)
    return float(library().pulse_diebold_mariano(_alive(scratch), len(scratch), horizon))


def write_measures(sums: Array, chosen: Positions, columns: Array) -> None:
    """Write the measures that follow from some rows of sums (.., sum), in their scale, NaN for what is not finite.

    `columns` (measure, row), whose rows may lie apart.
    """
    count, size = len(chosen), sums.shape[-1]
    if size != CELL_SUMS:
        raise ValueError(f"expected {CELL_SUMS} sums of a cell, got {size}")
    if count and not 0 <= int(chosen.min()) <= int(chosen.max()) < sums.size // size:
        raise ValueError("a row is beyond the sums")
    address, step = rows(writable(columns), MEASURES, count)
    library().pulse_measures(doubles(sums, *sums.shape), positions(chosen, count), count, address, step)


def total(values: Array) -> Array:
    """Add (row, ...) up over the first axis, in order."""
    result = np.empty(values.shape[1:])
    library().pulse_total(doubles(values, *values.shape), len(values), result.size, _alive(result))
    return result


def evidence_behind(won: Array, lost: Array) -> Array:
    """Return the e-values of wins and losses where wins do not lead; shape as given."""
    result = np.empty(won.shape)
    library().pulse_evidence_behind(doubles(won, *won.shape), doubles(lost, *won.shape), won.size, _alive(result))
    return result
