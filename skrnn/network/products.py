"""Matrix products in tiles that BLAS multiplies fastest, added to what is there.

`blas` is what `skrnn.network.blas.product` returns. All matrices are C-contiguous.
"""

from skrnn.network.blas import multiply_add
from skrnn.network.workspace import LINE, aligned

MIN_ROWS = 4


def lay_out(blas, weights):
    """Copy right factors (n, K, J) into tiles, (n, n_tiles, K, width).

    A tile is some columns, contiguous, so that it stays in the cache as a whole; each
    of its rows begins with a cache line. What is left over in the last is not set.
    """
    n, K, J = weights.shape
    per_line = LINE // weights.itemsize
    width = min(blas[1], -(-J // per_line) * per_line)
    tiles = aligned((n, -(-J // width), K, width), weights.dtype)
    for t, j in enumerate(range(0, J, width)):
        part = weights[:, :, j : j + width]
        tiles[:, t, :, : part.shape[2]] = part
    return tiles


# Everything below runs compiled.


def add_product(blas, x, w, out):
    """Add ``x @ w`` to `out`: (n, K) and (K, J), laid out in tiles, to (n, J)."""
    gemm, _, limit = blas
    n, K = x.shape
    J = out.shape[1]
    n_tiles, _, width = w.shape
    rows = max(MIN_ROWS, limit // (K * width) // MIN_ROWS * MIN_ROWS)
    for t in range(n_tiles):
        j, tile = t * width, t * K * width
        m = min(width, J - j)
        for i in range(0, n, rows):
            left, right, to = (x, i * K, K), (w, tile, width), (out, i * J + j, J)
            multiply_add(gemm, 0, (min(rows, n - i), m, K), left, right, to)


def add_outer_product(blas, d, x, out):
    """Add ``d.T @ x`` to `out`: (n, J) and (n, K or more) to (J, K)."""
    gemm, tile, limit = blas
    n, J = d.shape
    K, stride = out.shape[1], x.shape[1]
    rows = limit // 4 // (min(J, tile) * min(K, tile))
    for j in range(0, J, tile):
        for k in range(0, K, tile):
            for i in range(0, n, rows):
                sizes = (min(tile, J - j), min(tile, K - k), min(rows, n - i))
                left, right = (d, i * J + j, J), (x, i * stride + k, stride)
                multiply_add(gemm, 1, sizes, left, right, (out, j * K + k, K))


def add_column_sums(d, out):
    """Add the sum of each column of d, (n, J), to `out`, (J,)."""
    for i in range(d.shape[0]):
        row = d[i]
        for j in range(row.size):
            out[j] += row[j]


def put_rows(row, out):
    """Store `row`, (J,), in each row of `out`, (n, J)."""
    for i in range(out.shape[0]):
        target = out[i]
        for j in range(row.size):
            target[j] = row[j]
