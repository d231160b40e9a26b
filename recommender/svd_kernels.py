"""The compiled inner loops of the truncated SVD.

Dense matrices come as *planes*: shape (n_planes, n_rows, PLANE), each plane PLANE columns, contiguous and aligned to
cache lines. One thread takes a plane through the whole sparse matrix, so the bits do not depend on how many there are.
"""

from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from recommender.kernels import FASTMATH, kernel

LANES, VECTORS = 8, 4
PLANE = LANES * VECTORS
BLOCK_ROWS = 2048
CACHE_LINE = 64


def empty_planes(n_planes: int, n_rows: int) -> npt.NDArray[np.float32]:
    """Allocate planes that begin at a cache line: unaligned, each gathered row would touch one line more."""
    size = n_planes * n_rows * PLANE
    spare = np.empty(size + CACHE_LINE // 4, dtype=np.float32)
    first = -spare.ctypes.data % CACHE_LINE // 4
    return spare[first : first + size].reshape(n_planes, n_rows, PLANE)


def _gram_row_code(context, indices, values, begin, end, source, target):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """``t = sum w source[i]; target[i] += w t`` over one row's cells, t held in vector registers.

    In plain numba t is an array that might overlap the target: LLVM stores and reloads it at every cell, or gives up
    vectors altogether (measured: 1.6 times slower with 64 columns, three times with 32). Addresses come as integers.
    """
    signature = types.void(types.int64, types.int64, types.int64, types.int64, types.int64, types.int64)
    index_type, float_type, long = ir.IntType(32), ir.FloatType(), ir.IntType(64)
    vector = ir.VectorType(float_type, LANES)
    first_lane = ir.Constant(ir.VectorType(index_type, LANES), None)
    flags = ("contract", "reassoc", "nsz")

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ARG001
        indices, values, begin, end, source, target = arguments
        index_at = builder.inttoptr(indices, index_type.as_pointer())
        value_at = builder.inttoptr(values, float_type.as_pointer())
        source_at = builder.inttoptr(source, vector.as_pointer())
        target_at = builder.inttoptr(target, vector.as_pointer())

        def cells(carried: list[Any], body: Callable[..., list[Any]]) -> list[Any]:
            """Loop over the cells, carrying vectors in registers from one to the next."""
            before = builder.block
            test, inside, after = (builder.append_basic_block(name) for name in ("test", "inside", "after"))
            builder.branch(test)
            builder.position_at_end(test)
            cell = builder.phi(long)
            cell.add_incoming(begin, before)
            held = [builder.phi(vector) for _ in carried]
            for place, value in zip(held, carried, strict=True):
                place.add_incoming(value, before)
            builder.cbranch(builder.icmp_signed("<", cell, end), inside, after)
            builder.position_at_end(inside)
            row = builder.zext(builder.load(builder.gep(index_at, [cell])), long)
            weight = builder.insert_element(
                ir.Constant(vector, ir.Undefined),
                builder.load(builder.gep(value_at, [cell])),
                ir.Constant(index_type, 0),
            )
            weight = builder.shuffle_vector(weight, ir.Constant(vector, ir.Undefined), first_lane)
            first = builder.mul(row, ir.Constant(long, VECTORS))
            places = [builder.add(first, ir.Constant(long, v)) for v in range(VECTORS)]
            for place, value in zip(held, body(places, weight, held), strict=True):
                place.add_incoming(value, builder.block)
            cell.add_incoming(builder.add(cell, ir.Constant(long, 1)), builder.block)
            builder.branch(test)
            builder.position_at_end(after)
            return held

        def plus_product(start: Any, weight: Any, value: Any) -> Any:
            return builder.fadd(start, builder.fmul(weight, value, flags=flags), flags=flags)

        def load(address: Any, place: Any) -> Any:
            return builder.load(builder.gep(address, [place]), align=4)

        def gather(places: list[Any], weight: Any, held: list[Any]) -> list[Any]:
            return [plus_product(t, weight, load(source_at, p)) for p, t in zip(places, held, strict=True)]

        summed = cells([ir.Constant(vector, None)] * VECTORS, gather)

        def scatter(places: list[Any], weight: Any, _held: list[Any]) -> list[Any]:
            for place, t in zip(places, summed, strict=True):
                builder.store(plus_product(load(target_at, place), weight, t), builder.gep(target_at, [place]), align=4)
            return []

        cells([], scatter)
        return context.get_dummy_value()

    return signature, generate


_gram_row = cast("Callable[..., Any]", intrinsic(_gram_row_code))


@kernel()
def _gram_plane(indptr, indices, values, source, target):  # type: ignore[no-untyped-def]
    index_at, value_at = indices.ctypes.data, values.ctypes.data
    source_at, target_at = source.ctypes.data, target.ctypes.data
    for row in range(indptr.shape[0] - 1):
        _gram_row(index_at, value_at, np.int64(indptr[row]), np.int64(indptr[row + 1]), source_at, target_at)


@kernel(parallel=True)
def gram_product(indptr, indices, values, source, target):  # type: ignore[no-untyped-def]
    """``target = WtW source``, in one pass over the rows of W; ``indices`` int32, ``values`` float32."""
    for plane in numba.prange(source.shape[0]):
        target[plane] = np.float32(0)
        _gram_plane(indptr, indices, values, source[plane], target[plane])


@kernel(parallel=True)
def sketch(indptr, indices, values, column, sign, target):  # type: ignore[no-untyped-def]
    """``target = Wt S``, S having one entry, ``sign``, in each row, in its ``column``: costs nnz, not nnz x columns."""
    for plane in numba.prange(target.shape[0]):
        target[plane] = np.float32(0)
        for row in range(indptr.shape[0] - 1):
            place = column[row] - plane * PLANE
            if 0 <= place < PLANE:
                for cell in range(indptr[row], indptr[row + 1]):
                    target[plane, indices[cell], place] += sign[row] * values[cell]


@kernel(parallel=True)
def block_products(left, right):  # type: ignore[no-untyped-def]
    """``leftT right`` of each block of rows: short float32 sums, to be added up.

    Shape (n_blocks, planes of left, planes of right, PLANE, PLANE).
    """
    n_rows = left.shape[1]
    n_blocks = (n_rows + BLOCK_ROWS - 1) // BLOCK_ROWS
    products = np.empty((n_blocks, left.shape[0], right.shape[0], PLANE, PLANE), dtype=np.float32)
    for block in numba.prange(n_blocks):
        begin, end = block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, n_rows)
        for l in range(left.shape[0]):  # noqa: E741
            for r in range(right.shape[0]):
                np.dot(left[l, begin:end].T, right[r, begin:end], products[block, l, r])
    return products


@kernel(parallel=True)
def subtract_product(planes, basis, coefficients):  # type: ignore[no-untyped-def]
    """``planes -= basis @ coefficients``; coefficients of shape (planes of basis, planes, PLANE, PLANE)."""
    n_rows = planes.shape[1]
    for block in numba.prange((n_rows + BLOCK_ROWS - 1) // BLOCK_ROWS):
        begin, end = block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, n_rows)
        product = np.empty((end - begin, PLANE), dtype=np.float32)
        for r in range(planes.shape[0]):
            for l in range(basis.shape[0]):  # noqa: E741
                np.dot(basis[l, begin:end], coefficients[l, r], product)
                planes[r, begin:end] -= product


@kernel(parallel=True)
def combine(planes, coefficients, result, add):  # type: ignore[no-untyped-def]
    """``result = planes @ coefficients``, or add it; coefficients of shape (n_planes, PLANE, n_columns)."""
    n_rows, n_columns = result.shape
    for block in numba.prange((n_rows + BLOCK_ROWS - 1) // BLOCK_ROWS):
        begin, end = block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, n_rows)
        product = np.empty((end - begin, n_columns), dtype=np.float32)
        if not add:
            result[begin:end] = np.float32(0)
        for plane in range(planes.shape[0]):
            np.dot(planes[plane, begin:end], coefficients[plane], product)
            result[begin:end] += product


@kernel(parallel=True, fastmath=FASTMATH)
def project_rows(indptr, indices, values, starts, matrix, result):  # type: ignore[no-untyped-def]
    """``result = W @ matrix``, rows of W in the given blocks."""
    n_columns = matrix.shape[1]
    for block in numba.prange(starts.shape[0] - 1):
        for row in range(starts[block], starts[block + 1]):
            for f in range(n_columns):
                result[row, f] = np.float32(0)
            begin, end = indptr[row], indptr[row + 1]
            fours = begin + (end - begin) // 4 * 4
            for k in range(begin, fours, 4):
                i0, i1, i2, i3 = indices[k], indices[k + 1], indices[k + 2], indices[k + 3]
                w0, w1, w2, w3 = values[k], values[k + 1], values[k + 2], values[k + 3]
                for f in range(n_columns):
                    result[row, f] += w0 * matrix[i0, f] + w1 * matrix[i1, f] + w2 * matrix[i2, f] + w3 * matrix[i3, f]
            for k in range(fours, end):
                i, w = indices[k], values[k]
                for f in range(n_columns):
                    result[row, f] += w * matrix[i, f]
