"""Sixteen faces at a time: one box, or three positions, against a whole row of a block, in SIMD vectors.

Written as vectors, not as loops that a compiler may turn into vectors: a loop that collects one bit per face takes LLVM
several times as many instructions. For processors with shorter vectors the compiler splits a row. Where Numba is
switched off, plain loops take their place.
"""

from __future__ import annotations

# ruff: noqa: ARG001 (Numba decides which arguments an intrinsic has)
from typing import TYPE_CHECKING, Any

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

BLOCK = 16
"""Faces in a block: the length of a row."""

_WORD, _LONG, _REAL = ir.IntType(32), ir.IntType(64), ir.FloatType()


def overlapping(
    boxes: npt.NDArray[np.float32], block: int, a: float, b: float, c: float, d: float, e: float, f: float
) -> int:
    """Bit j is set where box j of a block of `boxes`, (blocks, 6, BLOCK), overlaps the box from a, b, c to d, e, f."""
    low, high = boxes[block, :3], boxes[block, 3:]
    met = [
        all(low[axis, j] <= most and high[axis, j] >= least for axis, least, most in ((0, a, d), (1, b, e), (2, c, f)))
        for j in range(BLOCK)
    ]
    return sum(1 << j for j in range(BLOCK) if met[j])


def sharing(corners: npt.NDArray[np.int32], block: int, a: int, b: int, c: int) -> int:
    """Bit j is set where face j of a block of `corners`, (blocks, 3, BLOCK), has one of the positions a, b, c."""
    return sum(1 << j for j in range(BLOCK) if {a, b, c} & set(corners[block, :, j].tolist()))


def lowest(bits: int) -> int:
    """The number of the lowest bit that is set; at least one must be."""
    return (bits & -bits).bit_length() - 1


def _splat(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    """A row with the same value everywhere."""
    row = ir.Constant(ir.VectorType(value.type, BLOCK), ir.Undefined)
    row = builder.insert_element(row, value, ir.Constant(_WORD, 0))
    return builder.shuffle_vector(row, row, ir.Constant(ir.VectorType(_WORD, BLOCK), [0] * BLOCK))


def _load_rows(
    context: Any, builder: ir.IRBuilder, kind: Any, array: ir.Value, block: ir.Value, count: int
) -> list[Any]:
    """The rows of one block of an array (blocks, count, BLOCK)."""
    data = context.make_array(kind)(context, builder, array).data
    start = builder.mul(block, ir.Constant(_LONG, count * BLOCK))
    places = [builder.gep(data, [builder.add(start, ir.Constant(_LONG, BLOCK * row))]) for row in range(count)]
    vector = ir.VectorType(data.type.pointee, BLOCK)
    return [builder.load(builder.bitcast(place, vector.as_pointer()), align=4) for place in places]


def _bits(builder: ir.IRBuilder, flags: ir.Value) -> ir.Value:
    """The flags of a row as bits of a number."""
    return builder.zext(builder.bitcast(flags, ir.IntType(BLOCK)), _LONG)


def _overlapping(_: Any, boxes: Any, block: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> Any:
    real = types.float32

    def code(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        rows = _load_rows(context, builder, signature.args[0], arguments[0], arguments[1], 6)
        ends = [_splat(builder, value) for value in arguments[2:]]
        flags = builder.fcmp_ordered("<=", rows[0], ends[3])
        for place in (1, 2):
            flags = builder.and_(flags, builder.fcmp_ordered("<=", rows[place], ends[3 + place]))
        for place in range(3):
            flags = builder.and_(flags, builder.fcmp_ordered(">=", rows[3 + place], ends[place]))
        return _bits(builder, flags)

    return types.int64(boxes, types.int64, *[real] * 6), code


def _sharing(_: Any, corners: Any, block: Any, a: Any, b: Any, c: Any) -> Any:
    def code(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        rows = _load_rows(context, builder, signature.args[0], arguments[0], arguments[1], 3)
        sought = [_splat(builder, value) for value in arguments[2:]]
        pairs = [(row, value) for row in rows for value in sought]
        flags = builder.icmp_signed("==", *pairs[0])
        for pair in pairs[1:]:
            flags = builder.or_(flags, builder.icmp_signed("==", *pair))
        return _bits(builder, flags)

    return types.int64(corners, types.int64, *[types.int32] * 3), code


def _lowest(_: Any, bits: Any) -> Any:
    def code(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> ir.Value:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), code


if not numba.config.DISABLE_JIT:
    overlapping, sharing, lowest = intrinsic(_overlapping), intrinsic(_sharing), intrinsic(_lowest)
