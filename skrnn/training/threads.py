"""Plain Python threads for compiled code, and one thread for each matrix product."""

import contextlib
import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
from joblib import effective_n_jobs
from threadpoolctl import OpenBLASController, ThreadpoolController


class Threads:
    """Run a function on several items, on up to `n_jobs` threads.

    The compiled loops and the matrix products release the interpreter's lock, so
    plain threads run side by side, and nothing is left behind for a fork to find.
    Use as a context manager; within it, BLAS runs one thread for each product.

    Parameters
    ----------
    n_jobs : int or None
        As everywhere in scikit-learn.
    """

    def __init__(self, n_jobs):
        self.n_jobs = effective_n_jobs(n_jobs)
        self._pool = None
        self._blas = None

    def __enter__(self):
        self._blas = _single_threaded_blas()
        self._blas.__enter__()
        return self

    def __exit__(self, *error):
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        self._blas.__exit__(*error)

    def map(self, function, items):
        """Return ``[function(item) for item in items]``, in the order of the items.

        Floating-point errors are handled as in the calling thread.
        """
        n_helpers = min(self.n_jobs, len(items)) - 1
        if n_helpers < 1:
            return [function(item) for item in items]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.n_jobs - 1)
        results, queue = [None] * len(items), iter(range(len(items)))
        error_state = np.geterr()

        def work():
            with np.errstate(**error_state):
                for i in queue:
                    results[i] = function(items[i])

        helpers = [self._pool.submit(work) for _ in range(n_helpers)]
        try:
            work()
        finally:
            wait(helpers)
        for helper in helpers:
            helper.result()
        return results


class CallingThread:
    """Stands for `Threads` where there is too little work to call anyone else."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def map(self, function, items):
        """See `Threads.map`."""
        return [function(item) for item in items]


_lock = threading.Lock()
_users = 0
_usual = ()


@contextlib.contextmanager
def _single_threaded_blas():
    """Limit BLAS to one thread while anyone is inside; the limit is process-wide."""
    global _users, _usual
    with _lock:
        if _users == 0:
            _usual = [blas.num_threads for blas in _libraries()]
            _set_threads([1] * len(_usual))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _set_threads(_usual)


def _set_threads(counts):
    _forget_control()
    for blas, count in zip(_libraries(), counts, strict=True):
        blas.set_num_threads(count)
    _forget_control()


def _forget_control():
    """Let any thread set the limit: threadpoolctl 3.8 heeds only the first."""
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


def _forget_users():
    """In a forked child nobody is inside, whatever the parent's threads did."""
    global _lock, _users
    _lock = threading.Lock()
    if _users > 0:
        _users = 0
        _set_threads(_usual)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_users)


@functools.cache
def _libraries():
    import scipy.linalg  # noqa: F401 - loads the BLAS that Numba's products use

    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return [library for library in found if library.num_threads]
