"""Matrix products in tiles that BLAS multiplies fastest, added to what is there.

Matrices are C-contiguous and lie in flat arrays; `x_at` is where the one in `x` begins.
All functions run compiled; flat arrays keep the compilation short, and unsigned indices
the loops fast, since Numba tests signed ones for negative values.

A right factor is laid out in tiles: some columns, contiguous, so that a tile stays in
the cache as a whole and each of its rows begins with a cache line; then the next.
"""

import numpy as np

from skrnn.jit import shared
from skrnn.network.blas import multiply_add

MIN_ROWS = 4


def tiled_size(blas, K, J):
    """Numbers that a right factor (K, J) takes when laid out in tiles."""
    width = tile_width(blas, J)
    return K * (J + -J % width)


def tile_width(blas, J):
    """Columns of a tile of a right factor with J columns."""
    return min(blas[1], J + -J % blas[3])


@shared
def lay_out(blas, n_factors, K, J, next_row, next_column, w, tiles):
    """Copy right factors (K, J), one after the other in `w`, into tiles.

    `next_row` and `next_column` are the distances in `w` between the rows and between
    the columns of a factor.
    """
    width = tile_width(blas, J)
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
def add_product(blas, sizes, x, x_at, tiles, tiles_at, out, out_at):
    """Add ``x @ w`` to `out`: (n, K) and (K, J), laid out in tiles, to (n, J).

    `sizes` is n, K and J.
    """
    n, K, J = sizes
    width = tile_width(blas, J)
    rows = max(MIN_ROWS, blas[2] // (K * width) // MIN_ROWS * MIN_ROWS)
    for j in range(0, J, width):
        for i in range(0, n, rows):
            part = min(rows, n - i), min(width, J - j), K
            places = x_at + i * K, tiles_at + j * K, out_at + i * J + j
            multiply_add(blas[0], 0, 0, part, places, (K, width, J), x, tiles, out)


@shared
def add_thin_product(blas, sizes, x, x_at, w, w_at, out, out_at):
    """Add ``x @ w.T`` to `out`: (n, K) and (J, K), as it lies, to (n, J).

    For so few rows that laying out w would take longer; `sizes` is n, K and J.
    """
    n, K, J = sizes
    places = x_at, w_at, out_at
    multiply_add(blas[0], 0, 1, (n, J, K), places, (K, K, J), x, w, out)


@shared
def add_outer_product(blas, sizes, d, d_at, x, x_at, out, out_at):
    """Add ``d.T @ x`` to `out`: (n, J) and (n, K) to (J, K); `sizes` is n, J and K."""
    n, J, K = sizes
    tile = blas[1]
    rows = max(MIN_ROWS, blas[2] // 4 // (min(J, tile) * min(K, tile)))
    for j in range(0, J, tile):
        for k in range(0, K, tile):
            for i in range(0, n, rows):
                part = min(tile, J - j), min(tile, K - k), min(rows, n - i)
                places = d_at + i * J + j, x_at + i * K + k, out_at + j * K + k
                multiply_add(blas[0], 1, 0, part, places, (J, K, K), d, x, out)


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
def add_column_sums(d, d_at, n, J, out, out_at):
    """Add the sum of each column of d, (n, J), to `out`, (J,)."""
    at, to = np.uint64(d_at), np.uint64(out_at)
    for _ in range(n):
        for i in range(J):
            j = np.uint64(i)
            out[to + j] += d[at + j]
        at += np.uint64(J)
