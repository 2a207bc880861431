"""What the machine's matrix products reach: the yardstick of every figure."""

import numpy as np
from threadpoolctl import threadpool_limits
from timing import clock

SIZE = 3072


def measured_peak(threads, tries=6):
    """GFLOP/s of the best of several large float32 products, with BLAS threads."""
    a = np.random.default_rng(0).standard_normal((SIZE, SIZE), dtype=np.float32)
    out = np.empty_like(a)
    with threadpool_limits(threads, user_api="blas"):
        seconds = min(clock(np.matmul, a, a, out) for _ in range(tries + 1))
    return 2 * SIZE**3 / seconds / 1e9
