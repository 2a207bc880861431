"""Matrix products on parts of arrays, added to what is there, in compiled code.

A step of a recurrent network multiplies few rows by a matrix that stays in the cache.
BLAS is made for large matrices: it copies both factors first, and what it calls a small
product it knows on some processors only. `multiply_add` copies nothing. It computes the
result in blocks of some rows and two vectors of columns, each of which stays in the
processor's registers until it is finished (Goto and van de Geijn, "Anatomy of
high-performance matrix multiplication", ACM Transactions on Mathematical Software 34,
2008, without the packing).

Every entry of a product is added up in the order of the inner index, whatever the
sizes are: a row of a result does not depend, in any bit, on how many rows there are.
"""

import contextlib
import functools

import numpy as np

from skrnn.jit import compiled_as, specialise, typed_twins

DEPTH = 256  # inner sizes that are added up before they are added to the result
VECTORS = 2  # of a block
LARGE = 2**16  # numbers of a result that is not near: blocks are fetched in advance
REGISTERS = {  # by feature or kind of processor: bytes of a vector, rows of a block
    "+avx512f": (64, 8),
    "+avx": (32, 6),
    "aarch64": (16, 8),
    "arm64": (16, 8),
}
OTHER_REGISTERS = 16, 6


def multiply_add(sizes, places, strides, a, b, c):
    """Add the product of two matrices to a third, ``C += A @ B``.

    Parameters
    ----------
    sizes : tuple of int
        m, n and k, all positive: A is (m, k), B is (k, n), C is (m, n).
    places : tuple of int
        The index of each matrix's first entry in its array.
    strides : tuple of int
        The distances from one row of A to the next, from one column of A to the next,
        and from one row to the next of B and of C, whose rows are contiguous.
    a, b, c : ndarray
        Flat, contiguous arrays in which the matrices lie.
    """
    m, n, k = sizes
    row, column, b_row, c_row = strides
    left = _matrix(a, (m, k), places[0], (row, column))
    right = _matrix(b, (k, n), places[1], (b_row, 1))
    result = _matrix(c, (m, n), places[2], (c_row, 1))
    for first in range(0, k, DEPTH):
        part = slice(first, first + DEPTH)
        result += left[:, part] @ right[part]


def _matrix(array, shape, place, strides):
    size = array.itemsize
    strides = tuple(size * stride for stride in strides)
    return np.ndarray(shape, array.dtype, array, place * size, strides)


def _typed(dtype):
    """`multiply_add` for one dtype."""

    def typed(sizes, places, strides, a, b, c):
        multiply_add(sizes, places, strides, a, b, c)

    compiled_as(typed, lambda: _compiled_multiply_add(dtype))
    return typed


typed_twins(multiply_add, float32=_typed("float32"), float64=_typed("float64"))


def _compiled_multiply_add(dtype):
    """`multiply_add` for compiled code: a call of a function that is compiled once."""
    from llvmlite import binding
    from numba.core import cgutils, types
    from numba.core.compiler_lock import global_compiler_lock
    from numba.extending import intrinsic

    name = f"skrnn_multiply_add_{dtype}"
    address = _kernel(dtype)(np.empty(0, dtype))
    with global_compiler_lock:  # which a fork waits for
        binding.add_symbol(name, address)

    @intrinsic
    def call(context, sizes, places, strides, a, b, c):
        three, four = (types.UniTuple(types.int64, n) for n in (3, 4))
        return types.void(three, three, four, a, b, c), generate

    def generate(context, builder, signature, arguments):
        sizes, places, strides = (
            cgutils.unpack_tuple(builder, values) for values in arguments[:3]
        )
        views = [
            context.make_array(kind)(context, builder, value).data
            for kind, value in zip(signature.args[3:], arguments[3:], strict=True)
        ]
        pointers = [
            builder.gep(view, [place])
            for view, place in zip(views, places, strict=True)
        ]
        function = _declare(builder.module, name, pointers[0].type)
        builder.call(function, [*sizes, *strides, *pointers])
        return context.get_dummy_value()

    return call


def _declare(module, name, pointer):
    """The function of all products: seven sizes and strides, three pointers."""
    from llvmlite import ir
    from numba.core.cgutils import get_or_insert_function

    arguments = [ir.IntType(64)] * 7 + [pointer] * 3
    return get_or_insert_function(
        module, ir.FunctionType(ir.VoidType(), arguments), name
    )


@functools.cache
def _kernel(dtype):
    """The kernel that owns the function, kept as long as loops may call it."""
    return specialise(_address, dtype)


def _address(numbers):
    """Where the function of all products lies, for numbers of that dtype."""
    return _function(numbers)


def _function(numbers):
    """Stands for the code that makes the function and has its address."""


def _compiled_function():
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic
    def define(context, numbers):
        return types.intp(numbers), generate

    def generate(context, builder, signature, arguments):
        number = context.get_data_type(signature.args[0].dtype)
        function = _declare(builder.module, "multiply_add", number.as_pointer())
        function.linkage = "internal"
        _Product(ir.IRBuilder(function.append_basic_block()), function.args).generate()
        return builder.ptrtoint(function, context.get_value_type(types.intp))

    return define


compiled_as(_function, _compiled_function)


@functools.cache
def registers():
    """Bytes of a vector of this processor, and rows of a block."""
    from numba.core.registry import cpu_target

    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    known = {*features.split(","), triple.split("-")[0]}
    found = (size for name, size in REGISTERS.items() if name in known)
    return next(found, OTHER_REGISTERS)


class _Product:
    """Generates the function that `multiply_add` calls.

    Parameters
    ----------
    builder : IRBuilder
        At the beginning of the function.
    arguments : sequence
        m, n, k, the four strides, and pointers to the first entries of A, B and C.
    """

    def __init__(self, builder, arguments):
        from llvmlite import ir
        from numba.core import cgutils

        self.builder = builder
        self.loop = functools.partial(cgutils.for_range_slice, builder)
        self.m, self.n, self.k = arguments[:3]
        self.a_row, self.a_column, self.b_row, self.c_row = arguments[3:7]
        self.a, self.b, self.c = arguments[7:]
        self.integer = functools.partial(ir.Constant, self.m.type)
        n_bytes, self.n_rows = registers()
        self.vector = _Vector(builder, self.a.type.pointee, n_bytes)

    def generate(self):
        """Parts of the inner size; for each the columns; for these the rows."""
        builder, width = self.builder, self.integer(VECTORS * self.vector.size)
        size, large = builder.mul(self.m, self.n), self.integer(LARGE)
        self.is_large = builder.icmp_signed(">=", size, large)
        with self._parts(self.k, self.integer(DEPTH)) as (first, depth):
            a = self._at(self.a, builder.mul(first, self.a_column))
            b = self._at(self.b, builder.mul(first, self.b_row))
            with self._parts(self.n, width) as (column, n_columns):
                is_full = builder.icmp_signed("==", n_columns, width)
                matrices = a, self._at(b, column), self._at(self.c, column)
                with builder.if_else(is_full) as (full, edge):
                    with full:
                        self._all_rows(*matrices, depth, VECTORS, None)
                    with edge:
                        self._edge(*matrices, depth, n_columns)
        builder.ret_void()

    def _edge(self, a, b, c, depth, n_columns):
        """Columns that fill no block, by single vectors."""
        with self._parts(n_columns, self.integer(self.vector.size)) as (first, n_left):
            b, c = self._at(b, first), self._at(c, first)
            self._all_rows(a, b, c, depth, 1, self.vector.mask(n_left))

    def _all_rows(self, a, b, c, depth, n_vectors, mask):
        builder, n_block = self.builder, self.integer(self.n_rows)
        with self._parts(self.m, n_block) as (first, n_rows):
            a = self._at(a, builder.mul(first, self.a_row))
            c = self._at(c, builder.mul(first, self.c_row))

            def block(size):
                rows = self._rows(size, n_rows)
                self._block(a, b, c, rows, depth, n_vectors, mask)

            self._choose(n_rows, [self.n_rows // part for part in (4, 2, 1)], block)

    def _choose(self, n, sizes, generate):
        """Code for the first of some sizes that is at least n, or for the last."""
        size, *larger = sizes
        if not larger:
            generate(size)
            return
        fits = self.builder.icmp_signed("<=", n, self.integer(size))
        with self.builder.if_else(fits) as (this, others):
            with this:
                generate(size)
            with others:
                self._choose(n, larger, generate)

    def _rows(self, size, n_rows):
        """Rows of a block; the last of the matrix again where there are no more."""
        last = self.builder.sub(n_rows, self.integer(1))
        return [self._least(self.integer(i), last) for i in range(size)]

    def _block(self, a, b, c, rows, depth, n_vectors, mask):
        builder, vector = self.builder, self.vector
        lefts = [self._at(a, builder.mul(row, self.a_row)) for row in rows]
        places = [
            vector.at(self._at(c, builder.mul(row, self.c_row)), i)
            for row in rows
            for i in range(n_vectors)
        ]
        with builder.if_then(self.is_large):
            for place in places:
                vector.fetch(place)
        totals = self._sums(lefts, b, depth, n_vectors, mask)
        before = [vector.load(place, mask) for place in places]
        for place, *values in zip(places, before, totals, strict=True):
            vector.store(builder.fadd(*values), place, mask)

    def _sums(self, lefts, b, depth, n_vectors, mask):
        """The sums of a block, row by row: the loop over the inner index."""
        builder, vector = self.builder, self.vector
        before = builder.block
        loop, after = map(builder.append_basic_block, ("inner", "after"))
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(depth.type)
        sums = [builder.phi(vector.type) for _ in range(len(lefts) * n_vectors)]
        b = self._at(b, builder.mul(index, self.b_row))
        rights = [vector.load(vector.at(b, i), mask) for i in range(n_vectors)]
        column = builder.mul(index, self.a_column)
        numbers = [builder.load(self._at(left, column)) for left in lefts]
        pairs = [(x, right) for x in map(vector.repeat, numbers) for right in rights]
        totals = [vector.multiply_add(*p, s) for p, s in zip(pairs, sums, strict=True)]
        following = builder.add(index, self.integer(1))
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
        for phi, new in zip([index, *sums], [following, *totals], strict=True):
            phi.add_incoming(phi.type(None), before)
            phi.add_incoming(new, loop)
        builder.position_at_end(after)
        return totals

    @contextlib.contextmanager
    def _parts(self, size, step):
        """A loop over the parts of a size: the first index of each and how many."""
        with self.loop(self.integer(0), size, step, size.type) as (first, _):
            yield first, self._least(self.builder.sub(size, first), step)

    def _least(self, x, y):
        return self.builder.select(self.builder.icmp_signed("<", x, y), x, y)

    def _at(self, pointer, index):
        return self.builder.gep(pointer, [index])


class _Vector:
    """A register of numbers, and the instructions on it.

    Attributes
    ----------
    size : int
        How many numbers it holds.
    type : type of LLVM
    """

    def __init__(self, builder, number, n_bytes):
        from llvmlite import ir

        self.builder = builder
        self.n_bits = {"float": 32, "double": 64}[str(number)]
        self.size = 8 * n_bytes // self.n_bits
        self.type, self._places, self._bits = (
            ir.VectorType(kind, self.size)
            for kind in (number, ir.IntType(32), ir.IntType(1))
        )
        self._int, self._nothing = ir.IntType(32), ir.VoidType()
        self._bytes = ir.IntType(8).as_pointer()
        self._function = ir.FunctionType

    def at(self, pointer, i):
        """Where the i-th vector behind a pointer begins."""
        return self.builder.gep(pointer, [self._int(i * self.size)])

    def repeat(self, number):
        """The number in all places."""
        first = self.builder.insert_element(self.type(None), number, self._int(0))
        return self.builder.shuffle_vector(first, first, self._places(None))

    def mask(self, n):
        """True for the first n places."""
        number = self.builder.trunc(n, self._int)
        first = self.builder.insert_element(self._places(None), number, self._int(0))
        all_n = self.builder.shuffle_vector(first, first, self._places(None))
        return self.builder.icmp_signed("<", self._places([*range(self.size)]), all_n)

    def multiply_add(self, x, y, z):
        """``x * y + z``, in one instruction where there is one."""
        return self._call("fmuladd", self.type, x, y, z)

    def load(self, pointer, mask=None):
        """Numbers from memory; where a mask is false, zeros, and nothing is read."""
        place = self.builder.bitcast(pointer, self.type.as_pointer())
        if mask is None:
            return self.builder.load(place, align=self.n_bits // 8)
        size = self._int(self.n_bits // 8)
        return self._call("masked.load", self.type, place, size, mask, self.type(None))

    def fetch(self, pointer):
        """Let numbers come near from memory, soon to be loaded and stored."""
        place = self.builder.bitcast(pointer, self._bytes)
        kind = self._int(1), self._int(3), self._int(1)  # to write, to stay, data
        self._declared("llvm.prefetch.p0", self._nothing, place, *kind)

    def store(self, value, pointer, mask=None):
        """Numbers to memory; none where a mask is false."""
        place = self.builder.bitcast(pointer, self.type.as_pointer())
        if mask is None:
            self.builder.store(value, place, align=self.n_bits // 8)
        else:
            size = self._int(self.n_bits // 8)
            self._call("masked.store", self._nothing, value, place, size, mask)

    def _call(self, name, result, *arguments):
        pointer = ".p0" if name.startswith("masked") else ""
        name = f"llvm.{name}.v{self.size}f{self.n_bits}{pointer}"
        return self._declared(name, result, *arguments)

    def _declared(self, name, result, *arguments):
        from numba.core.cgutils import get_or_insert_function

        kind = self._function(result, [argument.type for argument in arguments])
        function = get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, arguments)
