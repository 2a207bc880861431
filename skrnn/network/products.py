"""Matrix products in tiles that BLAS multiplies fastest, added to what is there.

All functions run compiled. `blas` is what `skrnn.network.blas.product` returns. Matrices are C-contiguous; the rows of a right
factor may be longer than the product needs, so that each begins with a cache line.
"""

from skrnn.network.blas import multiply_add

MIN_ROWS = 4


def add_product(blas, x, w, out):
    """Add ``x @ w`` to `out`: (n, K) and (K, J or more) to (n, J)."""
    gemm, tile, limit = blas
    n, K = x.shape
    J = out.shape[1]
    width = min(J, tile)
    rows = max(MIN_ROWS, limit // (K * width) // MIN_ROWS * MIN_ROWS)
    for j in range(0, J, width):
        for i in range(0, n, rows):
            multiply_add(
                gemm,
                0,
                min(rows, n - i),
                min(width, J - j),
                K,
                x,
                i * K,
                K,
                w,
                j,
                w.shape[1],
                out,
                i * J + j,
                J,
            )


def add_outer_product(blas, d, x, out):
    """Add ``d.T @ x`` to `out`: (n, J) and (n, K or more) to (J, K)."""
    gemm, tile, limit = blas
    n, J = d.shape
    K = out.shape[1]
    rows = limit // 4 // (min(J, tile) * min(K, tile))
    for i in range(0, n, rows):
        for j in range(0, J, tile):
            for k in range(0, K, tile):
                multiply_add(
                    gemm,
                    1,
                    min(tile, J - j),
                    min(tile, K - k),
                    min(rows, n - i),
                    d,
                    i * J + j,
                    J,
                    x,
                    i * x.shape[1] + k,
                    x.shape[1],
                    out,
                    j * K + k,
                    K,
                )


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
