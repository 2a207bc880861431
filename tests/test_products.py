"""Matrix products: the same numbers as NumPy's, wherever the matrices lie."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markers import needs_compiler
from numpy.testing import assert_allclose, assert_array_equal

from skrnn.jit import plain, specialise
from skrnn.network import microkernel
from skrnn.network.microkernel import multiply_add
from skrnn.network.products import (
    TILE,
    add_column_sums,
    add_outer_product,
    add_product,
    add_row_product,
    add_transposes,
    lay_out,
    put_row,
    tiled_size,
)
from skrnn.network.workspace import LINE, Workspace

TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
each_dtype = pytest.mark.parametrize("dtype", list(TOLERANCE))
SIZES = st.tuples(*[st.integers(1, 40)] * 3)


def normal(shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def size_of(dtype):
    return np.dtype(dtype).itemsize


def both(function, dtype):
    """The function as plain Python and compiled."""
    return plain(function, dtype), specialise(function, dtype)


def call_multiply_add(sizes, places, strides, a, b, c):
    multiply_add(sizes, places, strides, a, b, c)


def multiplied(function, x, w, c, turned=False):
    """``c + x @ w`` by `multiply_add`; x may lie in memory as its transpose."""
    (m, k), n, found = x.shape, w.shape[1], c.copy()
    strides = (1, m) if turned else (k, 1)
    left = (x.T if turned else x).ravel()
    function((m, n, k), (0, 0, 0), (*strides, n, n), left, w.ravel(), found.reshape(-1))
    return found


@each_dtype
@pytest.mark.parametrize("turned", [False, True])
def test_multiply_add_on_parts_of_larger_arrays(dtype, turned):
    """Only the part is changed, and it is added to."""
    a, b, c = (normal((9, 8), dtype, seed) for seed in range(3))
    x, strides = (a[2:6, 1:4].T, (1, 8)) if turned else (a[2:5, 1:5], (8, 1))
    expected = c.copy()
    expected[3:6, 2:7] += x @ b[1:5, 3:8]
    for function in both(call_multiply_add, dtype):
        found = c.copy()
        arrays = (a.ravel(), b.ravel(), found.ravel())
        places = (2 * 8 + 1, 8 + 3, 3 * 8 + 2)
        function((3, 5, 4), places, (*strides, 8, 8), *arrays)
        assert_allclose(found, expected, rtol=TOLERANCE[dtype])


@each_dtype
@pytest.mark.parametrize("turned", [False, True])
def test_every_edge_of_a_block(dtype, turned):
    """Rows and columns from one to more than two blocks, whatever fills the last."""
    function = specialise(call_multiply_add, dtype)
    for m in range(1, 18):
        for n in range(1, 67):
            x, w = normal((m, 3), dtype, m), normal((3, n), dtype, n)
            found = multiplied(function, x, w, np.ones((m, n), dtype), turned)
            assert_allclose(found, 1 + x @ w, atol=TOLERANCE[dtype], err_msg=(m, n))


@each_dtype
def test_inner_sizes_beyond_one_part(dtype):
    depth = microkernel.DEPTH
    for k in (depth - 1, depth, depth + 1, 2 * depth + 3):
        x, w, c = (
            normal(shape, dtype, i) for i, shape in enumerate([(5, k), (k, 6), (5, 6)])
        )
        for function in both(call_multiply_add, dtype):
            found = multiplied(function, x, w, c)
            assert_allclose(found, c + x @ w, atol=TOLERANCE[dtype])


@each_dtype
def test_memory_around_the_matrices_is_not_written(dtype):
    """A vector may be longer than what is left of a row, or of an array."""
    for shape in ((1, 1, 1), (3, 5, 7), (9, 33, 2), (8, 31, 4)):
        m, n, k = shape
        sides = [normal(size, dtype, 3) for size in (m * k, k * n, m * n)]
        padded = [np.full(size.size + 200, np.nan, dtype) for size in sides]
        for array, side in zip(padded, sides, strict=True):
            array[100:-100] = side
        x, w, c = sides
        for function in both(call_multiply_add, dtype):
            found = padded[2].copy()
            function((m, n, k), (100,) * 3, (k, 1, n, n), *padded[:2], found)
            expected = c.reshape(m, n) + x.reshape(m, k) @ w.reshape(k, n)
            inside = found[100:-100].reshape(m, n)
            assert_allclose(inside, expected, atol=TOLERANCE[dtype])
            assert np.isnan(found[:100]).all()
            assert np.isnan(found[-100:]).all()


GUARDED = """
import ctypes, itertools, mmap
import numpy as np
from skrnn.jit import specialise
from skrnn.network.microkernel import multiply_add
from skrnn.network.products import add_outer_product

C, PAGE, pages = ctypes.CDLL(None), mmap.PAGESIZE, []

def guarded(values):
    '''The values, right before a page that ends the process when it is read.'''
    n_bytes = -(-values.nbytes // PAGE) * PAGE
    pages.append(mmap.mmap(-1, n_bytes + PAGE))
    start = ctypes.addressof(ctypes.c_char.from_buffer(pages[-1]))
    assert C.mprotect(ctypes.c_void_p(start + n_bytes), PAGE, 0) == 0
    memory = (ctypes.c_char * n_bytes).from_address(start)
    copy = np.frombuffer(memory, values.dtype)[-values.size :]
    copy[:] = values
    return copy

def product(sizes, a, b, c):
    m, n, k = sizes
    multiply_add(sizes, (0, 0, 0), (k, 1, n, n), a, b, c)

for dtype in ("float32", "float64"):
    straight, turned = specialise(product, dtype), specialise(add_outer_product, dtype)
    small = itertools.product((1, 2, 3, 4, 5, 9), (1, 7, 15, 17, 31, 33), (1, 3))
    for m, n, k in [*small, (259, 261, 3)]:
        a, b, c = (np.ones(size, dtype) for size in (m * k, k * n, m * n))
        a, b = guarded(a), guarded(b)
        for function, sizes in (straight, (m, n, k)), (turned, (k, m, n)):
            out = guarded(c)
            places = () if function is straight else (0,)
            arguments = [(array, *places) for array in (a, b, out)]
            function(sizes, *itertools.chain(*arguments))
            assert (out == 1 + k).all()
"""


@pytest.mark.heavy
@needs_compiler
@pytest.mark.skipif(sys.platform != "linux", reason="memory is protected by Linux")
def test_memory_behind_the_matrices_is_not_read():
    """Masked columns and copied rows: there is a page behind that must not be touched.

    In a process of its own, which would end.
    """
    subprocess.run([sys.executable, "-c", GUARDED], check=True)


@needs_compiler
@each_dtype
def test_a_row_does_not_depend_on_the_others(dtype):
    """To the last bit, and neither on how the weights lie."""
    k, n = 2 * microkernel.DEPTH + 7, 45
    x, w = normal((21, k), dtype), normal((k, n), dtype, 1)
    function, c = specialise(call_multiply_add, dtype), normal((21, n), dtype, 2)
    together = multiplied(function, x, w, c)
    for rows in (*(slice(3, 3 + m) for m in range(1, 10)), slice(5, 21)):
        part = np.ascontiguousarray(x[rows])
        assert_array_equal(multiplied(function, part, w, c[rows]), together[rows])
    alone, found = specialise(add_row_product, dtype), c[:1].copy()
    alone((1, k, n), x.ravel(), 0, w.T.ravel(), 0, found.reshape(-1), 0)
    assert_array_equal(found, together[:1])


@needs_compiler
@each_dtype
@pytest.mark.parametrize("turned", [False, True])
def test_large_results_are_those_of_their_parts(dtype, turned):
    """Their blocks are fetched in advance, which changes no bit."""
    m, n, half = 259, 261, 130
    assert half * n < microkernel.LARGE <= m * n
    function = specialise(call_multiply_add, dtype)
    for k in (5, microkernel.DEPTH + 4):
        x, w, c = normal((m, k), dtype), normal((k, n), dtype, 1), normal((m, n), dtype)
        whole = multiplied(function, x, w, c, turned)
        for rows in (slice(0, half), slice(half, m)):
            part = np.ascontiguousarray(x[rows])
            alone = multiplied(function, part, w, c[rows], turned)
            assert_array_equal(alone, whole[rows])


@each_dtype
def test_what_is_not_finite_is_handed_on(dtype):
    """To its row and column, and to no other."""
    x, w = np.ones((9, 4), dtype), np.ones((4, 35), dtype)
    x[8, 1], w[2, 34] = np.inf, np.nan
    with np.errstate(invalid="ignore"):
        for function in both(call_multiply_add, dtype):
            found = multiplied(function, x, w, np.zeros((9, 35), dtype))
            assert np.isnan(found[:, 34]).all()
            assert (found[8, :34] == np.inf).all()
            assert (found[:8, :34] == 4).all()


def multiply(sizes, x, w, strides, tiles, out):
    lay_out(1, sizes[1], sizes[2], strides[0], strides[1], w, tiles)
    add_product(sizes, x, 0, tiles, 0, out, 0)


def multiply_second(sizes, x, w, tiles, out):
    """The product with the second of two factors, each matrix behind something else."""
    n, K, J = sizes
    lay_out(2, K, J, J, 1, w, tiles)
    add_product(sizes, x, 3, tiles, tiled_size(x.itemsize, K, J), out, 2)


@each_dtype
@pytest.mark.parametrize("transposed", [False, True])
@settings(deadline=None, max_examples=30)
@given(SIZES)
def test_product_with_tiles(dtype, transposed, sizes):
    """A factor may be given as it is or transposed; edges of tiles are no matter."""
    n, K, J = sizes
    x, w, out = (
        normal((n, K), dtype),
        normal((K, J), dtype, 1),
        normal((n, J), dtype, 2),
    )
    given, strides = (w.T.copy(), (1, K)) if transposed else (w, (J, 1))
    tiles = np.full(tiled_size(size_of(dtype), K, J), np.nan, dtype)
    for function in both(multiply, dtype):
        found = out.copy()
        function(sizes, x.ravel(), given.ravel(), strides, tiles, found.ravel())
        assert_allclose(found, out + x @ w, atol=TOLERANCE[dtype])


@each_dtype
def test_products_on_parts_of_arrays(dtype):
    """Matrices may begin anywhere, as the planes of a step do; the rest stays."""
    n, K, J = sizes = 3, 5, 7
    x, w = normal(3 + n * K, dtype), normal((2, K, J), dtype, 1)
    expected = normal(2 + n * J + 1, dtype, 2)
    out = expected.copy()
    expected[2:-1] += (x[3:].reshape(n, K) @ w[1]).ravel()
    tiles = np.full(2 * tiled_size(size_of(dtype), K, J), np.nan, dtype)
    as_it_lies = w.swapaxes(1, 2).copy().ravel()
    for function in both(multiply_second, dtype):
        found = out.copy()
        function(sizes, x, w.ravel(), tiles, found)
        assert_allclose(found, expected, rtol=TOLERANCE[dtype])
    for function in both(add_row_product, dtype):
        found = out.copy()
        for i in range(n):
            function((1, K, J), x, 3 + i * K, as_it_lies, K * J, found, 2 + i * J)
        assert_allclose(found, expected, rtol=TOLERANCE[dtype])


@each_dtype
@settings(deadline=None, max_examples=30)
@given(SIZES)
def test_outer_product(dtype, sizes):
    n, J, K = sizes
    d, x, out = (
        normal((n, J), dtype),
        normal((n, K), dtype, 1),
        normal((J, K), dtype, 2),
    )
    for function in both(add_outer_product, dtype):
        found = out.copy()
        function(sizes, d.ravel(), 0, x.ravel(), 0, found.ravel(), 0)
        assert_allclose(found, out + d.T @ x, atol=TOLERANCE[dtype])


@each_dtype
def test_products_larger_than_a_tile(dtype):
    n, K, J = 70, 300, 200
    x, w = normal((n, K), dtype), normal((K, J), dtype, 1)
    out = np.zeros((n, J), dtype)
    tiles = np.empty(tiled_size(size_of(dtype), K, J), dtype)
    specialise(multiply, dtype)(
        (n, K, J), x.ravel(), w.ravel(), (J, 1), tiles, out.ravel()
    )
    assert_allclose(out, x @ w, atol=10 * TOLERANCE[dtype])
    outer = np.zeros((K, J), dtype)
    specialise(add_outer_product, dtype)(
        (n, K, J), x.ravel(), 0, out.ravel(), 0, outer.ravel(), 0
    )
    assert_allclose(outer, x.T @ out, atol=100 * TOLERANCE[dtype])


@each_dtype
def test_rows_and_column_sums(dtype):
    row, d, one = normal(5, dtype), normal((3, 5), dtype, 1), np.ones(1, dtype)
    for function in both(put_row, dtype):
        out = np.empty((3, 5), dtype)
        function(row, 0, 3, 5, out.ravel(), 0)
        assert_allclose(out, np.tile(row, (3, 1)))
    for function in both(add_column_sums, dtype):
        total = row.copy()
        function(one, 3, 5, d.ravel(), 0, total, 0)
        assert_allclose(total, row + d.sum(axis=0), rtol=TOLERANCE[dtype])


@each_dtype
def test_transposes_are_added(dtype):
    turned, out = normal((2, 3, 5), dtype), normal((2, 5, 3), dtype, 1)
    for function in both(add_transposes, dtype):
        found = out.copy()
        function(2, 3, 5, turned.ravel(), found.reshape(-1))
        assert_allclose(found, out + turned.swapaxes(1, 2))


@each_dtype
def test_rows_of_tiles_begin_with_a_cache_line(dtype):
    """Unaligned rows would halve the speed of a product."""
    size = size_of(dtype)
    for J in (1, 15, 16, 17, 64, 65, 100):
        assert tiled_size(size, 3, J) * size % (3 * TILE) == 0
    assert TILE % LINE == 0
    space = Workspace(dtype)
    for shape in ((3, 5), (4, 7), (1, 1)):
        assert space.array("a", shape).ctypes.data % LINE == 0


SCRIPT = """
import numpy as np
from skrnn import RNNRegressor
from skrnn.network.microkernel import registers
X = np.random.default_rng(0).standard_normal((40, 6, 3))
for dtype in "f8", "f4":
    est = RNNRegressor((70, 5), max_iter=3, random_state=0)
    est.fit(X.astype(dtype), X.sum(axis=(1, 2)))
    print(*est.predict(X[:5].astype(dtype)))
print(*registers())
"""
IS_OTHER = platform.machine().lower() not in ("x86_64", "amd64")
PROCESSORS = {  # name: features, bytes of a vector, rows of a block
    "haswell": ("+avx,+avx2,+fma", 32, 6),
    "nehalem": ("", 16, 6),
}


@pytest.mark.heavy
@needs_compiler
@pytest.mark.skipif(IS_OTHER, reason="these are processors of x86")
def test_processors_with_smaller_registers(tmp_path):
    """Blocks of other sizes, without AVX-512 and without AVX: the same results."""
    found = {}
    for name in ("", *PROCESSORS):
        env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        if name:
            features = PROCESSORS[name][0]
            env |= {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        found[name] = [np.array(line.split(), float) for line in run.stdout.split("\n")]
    for name, (_, *size) in PROCESSORS.items():
        assert [*found[name][2]] == size
        assert_allclose(found[name][0], found[""][0], rtol=1e-8)
        assert_allclose(found[name][1], found[""][1], rtol=1e-3)
