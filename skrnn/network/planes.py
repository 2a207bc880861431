"""Planes: how the values of a cell's parts lie in memory, and how a step reaches them.

What a cell calls a gate, a carried or a taped value is, for a packed minibatch of N
rows, a plane: a contiguous run of numbers, H for each row. The planes of a kind lie in
one flat array, one after the other. The rows of one step are contiguous in each plane,
so a step of all active sequences and all units is one flat loop.

``take(n)(planes, size, j)`` returns entry j of n planes of `size` numbers as a tuple,
``put(n)(planes, size, j, values)`` stores one; ``zeros(n)`` and `ignore` stand for
them where there is nothing to read or to keep. In compiled code they are the loads and
stores alone, since Numba takes a tenth of a second for each function that it compiles.
"""

import functools

import numpy as np

from skrnn.jit import compiled_as


@functools.cache
def take(n):
    """The function that takes an entry of `n` planes."""

    def take(planes, size, j):
        return tuple([planes[np.uint64(k) * size + j] for k in range(n)])

    compiled_as(take, lambda: _compiled_tuple(n, _loads))
    return take


@functools.cache
def zeros(n):
    """The function that returns `n` zeros."""

    def zeros(planes, size, j):
        return (planes.dtype.type(0),) * n

    compiled_as(zeros, lambda: _compiled_tuple(n, _constants))
    return zeros


@functools.cache
def put(n):
    """The function that stores an entry of `n` planes."""

    def put(planes, size, j, values):
        for k, value in zip(range(n), values, strict=True):
            planes[np.uint64(k) * size + j] = value

    compiled_as(put, lambda: _compiled_put(n))
    return put


def ignore(planes, size, j, values):
    """Store nothing."""


def _compiled_tuple(n, entries):
    """A compiled function that returns what ``entries`` generates code for."""
    from numba.core import types
    from numba.extending import intrinsic

    def generate(context, builder, signature, arguments):
        values = entries(context, builder, signature, arguments, n)
        return context.make_tuple(builder, signature.return_type, values)

    @intrinsic
    def call(context, planes, size, j):
        kind = types.UniTuple(planes.dtype, n) if n > 0 else types.Tuple(())
        return kind(planes, size, j), generate

    return call


def _loads(context, builder, signature, arguments, n):
    places = _places(context, builder, signature, arguments, n)
    return [builder.load(place) for place in places]


def _constants(context, builder, signature, arguments, n):
    return [context.get_constant(signature.args[0].dtype, 0.0)] * n


def _compiled_put(n):
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    def generate(context, builder, signature, arguments):
        planes, _, _, kinds = signature.args
        values = cgutils.unpack_tuple(builder, arguments[3])
        places = _places(context, builder, signature, arguments, n)
        for place, value, kind in zip(places, values, kinds, strict=True):
            builder.store(context.cast(builder, value, kind, planes.dtype), place)
        return context.get_dummy_value()

    @intrinsic
    def put(context, planes, size, j, values):
        return types.void(planes, size, j, values), generate

    return put


def _places(context, builder, signature, arguments, n):
    """Pointers to entry j of each of n planes."""
    planes, size, j = arguments[:3]
    array = context.make_array(signature.args[0])(context, builder, planes)
    return [
        builder.gep(array.data, [builder.add(builder.mul(size.type(k), size), j)])
        for k in range(n)
    ]
