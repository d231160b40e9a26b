"""The compiled inner loops of the truncated SVD.

A *block* is a tall dense matrix of a few times GROUP columns, rows contiguous and aligned to cache lines. Whatever the
number of threads, the bits are the same: one thread takes a group of columns through the whole sparse matrix, one
thread computes a tile of TILE rows in a dense product, and sums over tiles are taken in their order.
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
GROUP = LANES * VECTORS
TILE = 1024
ALIGNMENT = GROUP * 4
CACHE_LINE = 64
# Cells from the one at work to the one whose row is fetched; 24 to 64 measured alike.
AHEAD = 32


def empty_blocks(n_blocks: int, n_rows: int, n_columns: int) -> npt.NDArray[np.float32]:
    """Allocate blocks, shape (n_blocks, n_rows, n_columns); unaligned, each gathered row would touch one line more."""
    size = n_blocks * n_rows * n_columns
    spare = np.empty(size + ALIGNMENT // 4, dtype=np.float32)
    first = -spare.ctypes.data % ALIGNMENT // 4
    return spare[first : first + size].reshape(n_blocks, n_rows, n_columns)


def _cells(builder: Any, begin: Any, end: Any, carried: list[Any], body: Callable[[Any, list[Any]], list[Any]]) -> Any:
    """Generate a loop over cells that carries vectors in registers from one to the next; returns the last ones."""
    before = builder.block
    test, inside, after = (builder.append_basic_block(name) for name in ("test", "inside", "after"))
    builder.branch(test)
    builder.position_at_end(test)
    cell, held = builder.phi(begin.type), [builder.phi(value.type) for value in carried]
    builder.cbranch(builder.icmp_signed("<", cell, end), inside, after)
    builder.position_at_end(inside)
    carried_on = body(cell, held)
    following = builder.add(cell, ir.Constant(begin.type, 1))
    for place, value, value_on in zip([cell, *held], [begin, *carried], [following, *carried_on], strict=True):
        place.add_incoming(value, before)
        place.add_incoming(value_on, builder.block)
    builder.branch(test)
    builder.position_at_end(after)
    return held


def _prefetch(builder: Any, addresses: list[Any], *, to_write: int) -> None:
    """Generate hints that these vectors will be needed soon, one for each cache line."""
    byte_pointer, option = ir.IntType(8).as_pointer(), ir.IntType(32)
    prefetch_type = ir.FunctionType(ir.VoidType(), [byte_pointer, option, option, option])
    prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte_pointer], prefetch_type)
    options = [ir.Constant(option, value) for value in (to_write, 3, 1)]  # to be kept in the cache; of data
    for address in addresses[:: CACHE_LINE // (4 * LANES)]:
        builder.call(prefetch, [builder.bitcast(address, byte_pointer), *options])


def _gram_row_code(context, indices, values, begin, end, last, source, target, stride):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """``t = sum w source[i]; target[i] += w t`` over the cells of one row, t held in vector registers.

    In plain numba t is an array that might overlap the target: LLVM stores and reloads it at every cell, or gives up
    vectors altogether (measured: 1.6 times slower with 64 columns, 1.9 times with 32). Nor can numba prefetch (1.5
    times slower). Addresses come as integers; ``last`` is the last cell of all, ``stride`` a row's length in vectors.
    """
    signature = types.void(*[types.int64] * 8)
    index_type, float_type, long = ir.IntType(32), ir.FloatType(), ir.IntType(64)
    vector = ir.VectorType(float_type, LANES)
    flags = ("contract", "reassoc", "nsz")

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ARG001
        indices, values, begin, end, last, source, target, stride = arguments
        index_at = builder.inttoptr(indices, index_type.as_pointer())
        value_at = builder.inttoptr(values, float_type.as_pointer())
        source_at = builder.inttoptr(source, vector.as_pointer())
        target_at = builder.inttoptr(target, vector.as_pointer())

        def row_of(matrix_at: Any, cell: Any) -> list[Any]:
            first = builder.mul(builder.zext(builder.load(builder.gep(index_at, [cell])), long), stride)
            return [builder.gep(matrix_at, [builder.add(first, ir.Constant(long, v))]) for v in range(VECTORS)]

        def weight_of(cell: Any) -> Any:
            undefined, value = ir.Constant(vector, ir.Undefined), builder.load(builder.gep(value_at, [cell]))
            lone = builder.insert_element(undefined, value, ir.Constant(index_type, 0))
            return builder.shuffle_vector(lone, undefined, ir.Constant(ir.VectorType(index_type, LANES), None))

        def plus_product(start: Any, weight: Any, address: Any) -> Any:
            value = builder.load(address, align=4)
            return builder.fadd(start, builder.fmul(weight, value, flags=flags), flags=flags)

        def gather(cell: Any, held: list[Any]) -> list[Any]:
            _prefetch(builder, row_of(target_at, cell), to_write=1)  # for the second loop
            ahead = builder.add(cell, ir.Constant(long, AHEAD))
            ahead = builder.select(builder.icmp_signed("<", ahead, last), ahead, last)
            _prefetch(builder, row_of(source_at, ahead), to_write=0)
            weight = weight_of(cell)
            return [plus_product(t, weight, a) for t, a in zip(held, row_of(source_at, cell), strict=True)]

        summed = _cells(builder, begin, end, [ir.Constant(vector, None)] * VECTORS, gather)

        def scatter(cell: Any, _held: list[Any]) -> list[Any]:
            weight = weight_of(cell)
            for t, address in zip(summed, row_of(target_at, cell), strict=True):
                moved = builder.fmul(weight, t, flags=flags)
                builder.store(builder.fadd(builder.load(address, align=4), moved, flags=flags), address, align=4)
            return []

        _cells(builder, begin, end, [], scatter)
        return context.get_dummy_value()

    return signature, generate


_gram_row = cast("Callable[..., Any]", intrinsic(_gram_row_code))


@kernel(parallel=True)
def gram_product(indptr, indices, values, source, target):  # type: ignore[no-untyped-def]
    """``target = WtW source`` for blocks, in one pass over the rows of W; ``indices`` int32, ``values`` float32."""
    n_columns = source.shape[1]
    for group in numba.prange(n_columns // GROUP):
        target[:, group * GROUP : (group + 1) * GROUP] = np.float32(0)
        index_at, value_at = indices.ctypes.data, values.ctypes.data
        source_at = source.ctypes.data + group * GROUP * 4
        target_at = target.ctypes.data + group * GROUP * 4
        last = indices.shape[0] - 1
        for row in range(indptr.shape[0] - 1):
            begin, end = np.int64(indptr[row]), np.int64(indptr[row + 1])
            _gram_row(index_at, value_at, begin, end, last, source_at, target_at, n_columns // LANES)


@kernel(parallel=True)
def sketch(indptr, indices, values, column, scale, target):  # type: ignore[no-untyped-def]
    """``target = Wt S``; a row of S has one entry, ``scale``, in its ``column``: it costs nnz, not nnz x columns."""
    for group in numba.prange(target.shape[1] // GROUP):
        target[:, group * GROUP : (group + 1) * GROUP] = np.float32(0)
        for row in range(indptr.shape[0] - 1):
            place = column[row]
            if place // GROUP == group:
                for cell in range(indptr[row], indptr[row + 1]):
                    target[indices[cell], place] += scale[row] * values[cell]


@kernel(parallel=True)
def products(basis, block):  # type: ignore[no-untyped-def]
    """``basis[b]T block`` for each b, tile by tile, shape (n_tiles, n_blocks, n_columns, n_columns): to be added up."""
    n_blocks, n_rows, n_columns = basis.shape
    n_tiles = (n_rows + TILE - 1) // TILE
    result = np.empty((n_tiles, n_blocks, n_columns, n_columns), dtype=np.float32)
    for tile in numba.prange(n_tiles):
        begin, end = tile * TILE, min((tile + 1) * TILE, n_rows)
        for b in range(n_blocks):
            np.dot(basis[b, begin:end].T, block[begin:end], result[tile, b])
    return result


@kernel(parallel=True)
def subtract(block, basis, coefficients):  # type: ignore[no-untyped-def]
    """``block -= sum over b of basis[b] @ coefficients[b]``; returns ``blockT block``, tile by tile."""
    n_blocks, n_rows, n_columns = basis.shape
    n_tiles = (n_rows + TILE - 1) // TILE
    result = np.empty((n_tiles, n_columns, n_columns), dtype=np.float32)
    for tile in numba.prange(n_tiles):
        begin, end = tile * TILE, min((tile + 1) * TILE, n_rows)
        rows = block[begin:end]
        product = np.empty_like(rows)
        for b in range(n_blocks):
            np.dot(basis[b, begin:end], coefficients[b], product)
            for i in range(end - begin):
                for f in range(n_columns):
                    rows[i, f] -= product[i, f]
        np.dot(rows.T, rows, result[tile])
    return result


@kernel(parallel=True)
def combine(basis, coefficients, result):  # type: ignore[no-untyped-def]
    """``result = sum over b of basis[b] @ coefficients[b]``, shape (n_rows, any number of columns)."""
    n_blocks, n_rows, _ = basis.shape
    for tile in numba.prange((n_rows + TILE - 1) // TILE):
        begin, end = tile * TILE, min((tile + 1) * TILE, n_rows)
        total = np.dot(basis[0, begin:end], coefficients[0])
        product = np.empty_like(total)
        for b in range(1, n_blocks):
            np.dot(basis[b, begin:end], coefficients[b], product)
            for i in range(end - begin):
                for f in range(total.shape[1]):
                    total[i, f] += product[i, f]
        result[begin:end] = total


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
