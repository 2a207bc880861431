"""Products in tiles: the same numbers as NumPy's, whatever the tiles are."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skrnn.jit import plain, specialise
from skrnn.network.blas import UNBOUNDED, multiply_add
from skrnn.network.blas import product as find_product
from skrnn.network.products import (
    add_column_sums,
    add_outer_product,
    add_product,
    add_thin_product,
    lay_out,
    put_row,
    tile_width,
    tiled_size,
)
from skrnn.network.workspace import LINE, Workspace

TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
each_dtype = pytest.mark.parametrize("dtype", list(TOLERANCE))
SIZES = st.tuples(*[st.integers(1, 40)] * 3)


def tilings(dtype):
    """The machine's choice, no tiles, and tiles so small that most need several."""
    gemm, _, _, line = chosen = find_product(dtype)
    return [chosen, (gemm, UNBOUNDED, UNBOUNDED, line), (gemm, line, 256, line)]


def normal(shape, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def both(function, dtype):
    """The function as plain Python and compiled."""
    return plain(function, dtype), specialise(function, dtype)


def call_multiply_add(gemm, left, right, sizes, places, strides, a, b, c):
    multiply_add(gemm, left, right, sizes, places, strides, a, b, c)


@each_dtype
@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize("right", [0, 1])
def test_multiply_add_on_parts_of_larger_arrays(dtype, left, right):
    """Only the part is changed, and it is added to."""
    a, b, c = (normal((9, 8), dtype, seed) for seed in range(3))
    x = a[2:6, 1:4].T if left else a[2:5, 1:5]
    w = b[1:6, 3:7].T if right else b[1:5, 3:8]
    expected = c.copy()
    expected[3:6, 2:7] += x @ w
    gemm, places = find_product(dtype)[0], (2 * 8 + 1, 8 + 3, 3 * 8 + 2)
    for function in both(call_multiply_add, dtype):
        found = c.copy()
        arrays = (a.ravel(), b.ravel(), found.ravel())
        function(gemm, left, right, (3, 5, 4), places, (8, 8, 8), *arrays)
        assert_allclose(found, expected, rtol=TOLERANCE[dtype])


def multiply(blas, sizes, x, w, strides, tiles, out):
    lay_out(blas, 1, sizes[1], sizes[2], strides[0], strides[1], w, tiles)
    add_product(blas, sizes, x, 0, tiles, 0, out, 0)


def multiply_second(blas, sizes, x, w, tiles, out):
    """The product with the second of two factors, each matrix behind something else."""
    n, K, J = sizes
    lay_out(blas, 2, K, J, J, 1, w, tiles)
    add_product(blas, sizes, x, 3, tiles, tiled_size(blas, K, J), out, 2)


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
    given = given.ravel()
    for blas in tilings(dtype):
        tiles = np.full(tiled_size(blas, K, J), np.nan, dtype)
        for function in both(multiply, dtype):
            found = out.copy()
            function(blas, sizes, x.ravel(), given, strides, tiles, found.ravel())
            assert_allclose(found, out + x @ w, atol=TOLERANCE[dtype])


@each_dtype
def test_products_on_parts_of_arrays(dtype):
    """Matrices may begin anywhere, as the planes of a step do; the rest stays."""
    n, K, J = sizes = 3, 5, 7
    x, w = normal(3 + n * K, dtype), normal((2, K, J), dtype, 1)
    expected = normal(2 + n * J + 1, dtype, 2)
    out = expected.copy()
    expected[2:-1] += (x[3:].reshape(n, K) @ w[1]).ravel()
    for blas in tilings(dtype):
        tiles = np.full(2 * tiled_size(blas, K, J), np.nan, dtype)
        as_it_lies = w.swapaxes(1, 2).copy().ravel()
        for function in both(multiply_second, dtype):
            found = out.copy()
            function(blas, sizes, x, w.ravel(), tiles, found)
            assert_allclose(found, expected, rtol=TOLERANCE[dtype])
        for function in both(add_thin_product, dtype):
            found = out.copy()
            function(blas, sizes, x, 3, as_it_lies, K * J, found, 2)
            assert_allclose(found, expected, rtol=TOLERANCE[dtype])


@each_dtype
@settings(deadline=None, max_examples=30)
@given(SIZES)
def test_outer_product_with_tiles(dtype, sizes):
    n, J, K = sizes
    d, x, out = (
        normal((n, J), dtype),
        normal((n, K), dtype, 1),
        normal((J, K), dtype, 2),
    )
    for blas in tilings(dtype):
        for function in both(add_outer_product, dtype):
            found = out.copy()
            function(blas, sizes, d.ravel(), 0, x.ravel(), 0, found.ravel(), 0)
            assert_allclose(found, out + d.T @ x, atol=TOLERANCE[dtype])


@each_dtype
def test_products_larger_than_a_tile(dtype):
    """Sizes at which the machine's own choice needs several tiles."""
    n, K, J = 70, 300, 200
    x, w, blas = normal((n, K), dtype), normal((K, J), dtype, 1), find_product(dtype)
    out, tiles = np.zeros((n, J), dtype), np.empty(tiled_size(blas, K, J), dtype)
    specialise(multiply, dtype)(
        blas, (n, K, J), x.ravel(), w.ravel(), (J, 1), tiles, out.ravel()
    )
    assert_allclose(out, x @ w, atol=10 * TOLERANCE[dtype])
    outer = np.zeros((K, J), dtype)
    specialise(add_outer_product, dtype)(
        blas, (n, K, J), x.ravel(), 0, out.ravel(), 0, outer.ravel(), 0
    )
    assert_allclose(outer, x.T @ out, atol=100 * TOLERANCE[dtype])


@each_dtype
def test_rows_and_column_sums(dtype):
    row, d = normal(5, dtype), normal((3, 5), dtype, 1)
    for function in both(put_row, dtype):
        out = np.empty((3, 5), dtype)
        function(row, 0, 3, 5, out.ravel(), 0)
        assert_allclose(out, np.tile(row, (3, 1)))
    for function in both(add_column_sums, dtype):
        total = row.copy()
        function(d.ravel(), 0, 3, 5, total, 0)
        assert_allclose(total, row + d.sum(axis=0), rtol=TOLERANCE[dtype])


@each_dtype
def test_rows_of_tiles_begin_with_a_cache_line(dtype):
    """Unaligned rows would halve the speed of a product."""
    for blas in tilings(dtype):
        for J in (1, 15, 16, 17, 64, 65, 100):
            assert tile_width(blas, J) * np.dtype(dtype).itemsize % LINE == 0
    space = Workspace(dtype)
    for shape in ((3, 5), (4, 7), (1, 1)):
        assert space.array("a", shape).ctypes.data % LINE == 0


SCRIPT = """
import numpy as np
from skrnn import RNNRegressor
from skrnn.network.blas import product
X = np.random.default_rng(0).standard_normal((40, 6, 3))
est = RNNRegressor((70, 5), max_iter=3, random_state=0).fit(X, X.sum(axis=(1, 2)))
print(product(np.dtype("f8"))[1], *est.predict(X[:5]))
"""


@pytest.mark.heavy
def test_without_kernels_for_small_products():
    """BLAS on a processor without AVX-512 gets whole matrices; the results agree."""
    printed = []
    for core in ({}, {"OPENBLAS_CORETYPE": "Haswell"}):
        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT],
            env={**os.environ, **core},
            capture_output=True,
            text=True,
            check=True,
        )
        printed.append(np.array(run.stdout.split(), dtype=float))
    assert printed[1][0] == UNBOUNDED or printed[0][0] == UNBOUNDED
    assert_allclose(printed[1][1:], printed[0][1:], rtol=1e-8)
