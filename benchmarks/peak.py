"""What the machine's matrix products reach: the yardstick of every figure."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits
from timing import clock

from skrnn.jit import specialise
from skrnn.network.products import add_product

SIZE = 3072  # of square matrices for BLAS
SIZES = 64, 256, 256  # of products in skrnn's kernel, which stay in the cache
TIMES = 4000  # how often these are repeated


def measured_peak(threads, tries=6):
    """GFLOP/s of float32 products, by BLAS or by skrnn, whichever is the faster."""
    return max(_large_products(threads, tries), _small_products(threads, tries))


def _large_products(threads, tries):
    a = np.random.default_rng(0).standard_normal((SIZE, SIZE), dtype=np.float32)
    out = np.empty_like(a)
    with threadpool_limits(threads, user_api="blas"):
        seconds = min(clock(np.matmul, a, a, out) for _ in range(tries + 1))
    return 2 * SIZE**3 / seconds / 1e9


def _small_products(threads, tries):
    n, K, J = SIZES
    kernel = specialise(_repeat, np.float32)
    rooms = [
        [np.zeros(size, np.float32) for size in (n * K, K * J, n * J)]
        for _ in range(threads)
    ]

    def run(room):
        kernel(TIMES, SIZES, *room)

    with ThreadPoolExecutor(threads) as pool:
        seconds = min(
            clock(lambda: list(pool.map(run, rooms))) for _ in range(tries + 1)
        )
    return 2 * n * K * J * TIMES * threads / seconds / 1e9


def _repeat(times, sizes, x, tiles, out):
    for _ in range(times):
        add_product(sizes, x, 0, tiles, 0, out, 0)
