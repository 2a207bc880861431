"""Matrix products on parts of arrays, added to what is there, in compiled code.

``np.dot`` inside a kernel takes whole contiguous arrays and overwrites its result.
`multiply_add` calls SciPy's BLAS itself: factors and result may be parts of rows of
larger arrays, so that a product can be cut into tiles that BLAS handles best.

On processors with AVX-512, OpenBLAS multiplies small matrices (up to a million
multiplications) where they lie, at nearly the peak of a core if the rows of the right
factor are aligned to cache lines. Larger ones it copies first, at half the speed when
one side is short, as in a step of a recurrent network.
"""

import functools

import numpy as np
from threadpoolctl import ThreadpoolController

from skrnn.jit import compiled_as
from skrnn.network.workspace import LINE

SMALL = 10**6
UNBOUNDED = 2**60


@functools.cache
def product(dtype):
    """What a kernel must know of SciPy's matrix product.

    Returns
    -------
    gemm : int
        Its address.
    tile : int
        How many columns of a result to compute at once.
    limit : int
        How many multiplications one call may take.
    line : int
        Numbers of `dtype` in a cache line.
    """
    import scipy.linalg.cython_blas  # noqa: F401 - loads the library
    from numba.extending import get_cython_function_address

    dtype = np.dtype(dtype)
    line = LINE // dtype.itemsize
    name = {"float32": "sgemm", "float64": "dgemm"}[dtype.name]
    gemm = get_cython_function_address("scipy.linalg.cython_blas", name)
    found = {library.get("architecture") for library in ThreadpoolController().info()}
    if found & {"SkylakeX", "Cooperlake", "SapphireRapids"}:
        return gemm, 64, SMALL, line
    return gemm, UNBOUNDED, UNBOUNDED, line


def multiply_add(gemm, left_turned, right_turned, sizes, places, strides, a, b, c):
    """Add the product of two matrices to a third, ``C += A @ B``.

    Parameters
    ----------
    gemm : int
        Its address, as from `product`.
    left_turned, right_turned : int
        1 if A lies in memory as its transpose, (k, m), or B as (n, k), else 0.
    sizes : tuple of int
        m, n and k: A is (m, k), B is (k, n), C is (m, n).
    places, strides : tuple of int
        The index of each matrix's first entry in its array, and the distance from one
        row to the next.
    a, b, c : ndarray
        Flat, contiguous arrays in which the matrices lie.
    """
    m, n, k = sizes
    left = _matrix(a, (k, m) if left_turned else (m, k), places[0], strides[0])
    right = _matrix(b, (n, k) if right_turned else (k, n), places[1], strides[1])
    result = _matrix(c, (m, n), places[2], strides[2])
    result += (left.T if left_turned else left) @ (right.T if right_turned else right)


def _matrix(array, shape, place, stride):
    size = array.itemsize
    return np.ndarray(shape, array.dtype, array, place * size, (stride * size, size))


def _compiled_multiply_add():
    """`multiply_add` for compiled code: a call of Fortran's gemm.

    Fortran sees each matrix transposed, and so forms ``C.T += B.T @ A.T``.
    """
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    int32, char = ir.IntType(32), ir.IntType(8)

    @intrinsic
    def call(context, gemm, left_turned, right_turned, sizes, places, strides, a, b, c):
        one, three = types.int64, types.UniTuple(types.int64, 3)
        given = (one, one, one, three, three, three, a, b, c)
        return types.void(*given), generate

    def generate(context, builder, signature, arguments):
        gemm, left_turned, right_turned, sizes, places, strides, *arrays = arguments
        m, n, k = cgutils.unpack_tuple(builder, sizes)

        def slot(value):
            pointer = cgutils.alloca_once(builder, value.type)
            builder.store(value, pointer)
            return pointer

        def integer(value):
            return slot(builder.trunc(value, int32))

        def form(turned):
            as_is, other = (ir.Constant(char, ord(letter)) for letter in "NT")
            is_turned = builder.icmp_signed("!=", turned, turned.type(0))
            return slot(builder.select(is_turned, other, as_is))

        def matrix(array, kind, place, stride):
            view = context.make_array(kind)(context, builder, array)
            return builder.gep(view.data, [place]), integer(stride)

        a, b, c = map(
            matrix,
            arrays,
            signature.args[6:],
            cgutils.unpack_tuple(builder, places),
            cgutils.unpack_tuple(builder, strides),
        )
        one = slot(a[0].type.pointee(1.0))
        parameters = [
            form(right_turned),
            form(left_turned),
            *map(integer, (n, m, k)),
            *(one, *b, *a, one, *c),
        ]
        kind = ir.FunctionType(ir.VoidType(), [p.type for p in parameters])
        builder.call(builder.inttoptr(gemm, kind.as_pointer()), parameters)
        return context.get_dummy_value()

    return call


compiled_as(multiply_add, _compiled_multiply_add)
