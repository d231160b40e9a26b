"""Half-precision storage for compiled loops: 16 bits in memory, float32 in every sum.

Factors are gathered at random from main memory, and that is what ALS waits for at the size of Last.fm-360K; half the
bytes are half the wait. Rounding to 11 bits moves the loss by a ten-millionth there (docs/performance.md).
"""

from typing import Any

import llvmlite.binding
import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload

HALF_BITS = np.uint16
"""dtype of an array that holds halves: numba has no float16 on a CPU, so their bits travel as integers."""


def halves_are_fast() -> bool:
    """Whether this processor converts halves itself; where it does not, float32 is the faster storage."""
    features = llvmlite.binding.get_host_cpu_features()
    is_x86 = "sse2" in features
    return bool(features.get("f16c")) if is_x86 else True


@intrinsic
def _half_to_float(_typing: Any, _bits: Any) -> Any:
    def convert(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())

    return types.float32(types.uint16), convert


@intrinsic
def _float_to_half(_typing: Any, _number: Any) -> Any:
    def convert(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(builder.fptrunc(arguments[0], ir.HalfType()), ir.IntType(16))

    return types.uint16(types.float32), convert


def loaded(stored: Any) -> Any:
    """Read one number out of an array of float32 or of half bits; only in compiled code."""
    raise NotImplementedError("for compiled code only")


@overload(loaded, inline="always")
def _loaded(stored):  # type: ignore[no-untyped-def]  # annotations would be other arguments to numba
    if stored == types.uint16:
        return lambda stored: _half_to_float(stored)  # type: ignore[call-arg]  # numba gives the typing context
    return lambda stored: stored


def store(target: Any, row: Any, column: Any, number: Any) -> Any:
    """Write a float32 into an array of float32 or of half bits; only in compiled code."""
    raise NotImplementedError("for compiled code only")


@overload(store, inline="always")
def _store(target, row, column, number):  # type: ignore[no-untyped-def]  # noqa: ARG001  numba matches the names
    if target.dtype == numba.uint16:

        def write(target, row, column, number):  # type: ignore[no-untyped-def]
            target[row, column] = _float_to_half(number)  # type: ignore[call-arg]
    else:

        def write(target, row, column, number):  # type: ignore[no-untyped-def]
            target[row, column] = number

    return write
