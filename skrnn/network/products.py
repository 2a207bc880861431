"""Matrix products of the time loops, added to what is there.

Matrices are C-contiguous and lie in flat arrays; `x_at` is where the one in `x` begins.
All functions run compiled; flat arrays keep the compilation short, and unsigned indices
the loops fast, since Numba tests signed ones for negative values.

A right factor is laid out in tiles: some columns, contiguous, so that a tile is read
from one end to the other and each of its rows begins with a cache line; then the next.
"""

import numpy as np

from skrnn.jit import shared
from skrnn.network.microkernel import multiply_add
from skrnn.network.workspace import LINE

TILE = 2 * LINE  # bytes of a row of a tile


def tiled_size(itemsize, K, J):
    """Numbers that a right factor (K, J) takes when laid out in tiles."""
    return K * (J + -J % (TILE // itemsize))


@shared
def lay_out(n_factors, K, J, next_row, next_column, w, tiles):
    """Copy right factors (K, J), one after the other in `w`, into tiles.

    `next_row` and `next_column` are the distances in `w` between the rows and between
    the columns of a factor.
    """
    width = TILE // w.itemsize
    step, to = np.uint64(next_column), np.uint64(0)
    for factor in range(n_factors):
        for first in range(0, J, width):
            n_columns = min(width, J - first)
            for k in range(K):
                at = np.uint64(factor * K * J + k * next_row + first * next_column)
                for i in range(n_columns):
                    tiles[to + np.uint64(i)] = w[at + np.uint64(i) * step]
                to += np.uint64(width)


@shared
def add_product(sizes, x, x_at, tiles, tiles_at, out, out_at):
    """Add ``x @ w`` to `out`: (n, K) and (K, J), laid out in tiles, to (n, J).

    `sizes` is n, K and J.
    """
    n, K, J = sizes
    width = TILE // x.itemsize
    for j in range(0, J, width):
        part, places = (n, min(width, J - j), K), (x_at, tiles_at + j * K, out_at + j)
        multiply_add(part, places, (K, 1, width, J), x, tiles, out)


@shared
def add_row_product(sizes, x, x_at, w, w_at, out, out_at):
    """Add ``x @ w.T`` to `out`: a row, (1, K), and (J, K), as it lies, to (1, J).

    `sizes` is 1, K and J. The row is the right factor, one column wide.
    """
    _, K, J = sizes
    multiply_add((J, 1, K), (w_at, x_at, out_at), (K, 1, 1, 1), w, x, out)


@shared
def add_outer_product(sizes, d, d_at, x, x_at, out, out_at):
    """Add ``d.T @ x`` to `out`: (n, J) and (n, K) to (J, K); `sizes` is n, J and K."""
    n, J, K = sizes
    multiply_add((J, K, n), (d_at, x_at, out_at), (1, J, K, K), d, x, out)


@shared
def add_transposes(n_factors, K, J, turned, out):
    """Add the transposes of matrices (K, J), one after the other, to `out`."""
    to = np.uint64(0)
    for factor in range(n_factors):
        for j in range(J):
            at = np.uint64(factor * K * J + j)
            for k in range(K):
                out[to + np.uint64(k)] += turned[at + np.uint64(k) * np.uint64(J)]
            to += np.uint64(K)


@shared
def put_row(row, row_at, n, J, out, out_at):
    """Store `row`, (J,), in each row of `out`, (n, J)."""
    source, to = np.uint64(row_at), np.uint64(out_at)
    for _ in range(n):
        for i in range(J):
            j = np.uint64(i)
            out[to + j] = row[source + j]
        to += np.uint64(J)


@shared
def add_column_sums(one, n, J, d, d_at, out, out_at):
    """Add the sum of each column of d, (n, J), to `out`, (J,): a product with ones."""
    multiply_add((1, J, n), (0, d_at, out_at), (0, 0, J, J), one, d, out)
