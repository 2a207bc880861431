"""Plain Python threads for compiled code, and one thread for each matrix product.

Ctrl-C may come whenever a function begins or has returned. Python's own pools, which
are written in Python, can then stay locked for ever; what is used here is done as a
whole, or not at all. The limit of BLAS is kept such that to lift it is right at any
time, and any number of times.
"""

import _thread
import collections
import functools
import os
import threading
from queue import SimpleQueue

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

    _calls = _user = None  # for `__del__` to find, whatever happens

    def __init__(self, n_jobs):
        self.n_jobs = effective_n_jobs(n_jobs)
        self._n_helpers = 0
        self._user = object()

    def __enter__(self):
        _limit_blas(self._user)
        return self

    def __exit__(self, *error):
        try:
            self._dismiss()
        finally:
            _lift_limit(self._user)

    def __del__(self):
        """Leave, if Ctrl-C came at the very moment of leaving."""
        self._dismiss()
        if self._user in _users:
            _lift_limit(self._user)

    def map(self, function, items):
        """Return ``[function(item) for item in items]``, in the order of the items.

        Floating-point errors are handled as in the calling thread. After an error no
        thread begins another item.
        """
        n_helpers = min(self.n_jobs, len(items)) - 1
        if n_helpers < 1:
            return [function(item) for item in items]
        results, queue = [None] * len(items), iter(range(len(items)))
        error_state = np.geterr()

        def work():
            try:
                with np.errstate(**error_state):
                    for i in queue:
                        results[i] = function(items[i])
            finally:
                _exhaust(queue)

        self._hire(n_helpers)
        outcomes, bell, n_called = [], SimpleQueue(), 0
        try:
            while n_called < n_helpers:
                n_called += 1
                self._calls.put((work, outcomes, bell))
            work()
        finally:
            _exhaust(queue)
            error = _last_error(outcomes, bell, n_called)
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback refers to this frame
        return results

    def _hire(self, n_helpers):
        if self._calls is None:
            self._calls = SimpleQueue()
        while self._n_helpers < n_helpers:
            _thread.start_new_thread(_help, (self._calls,))
            self._n_helpers += 1

    def _dismiss(self):
        if self._calls is not None:
            self._calls.put(None)
            self._calls, self._n_helpers = None, 0


def _last_error(outcomes, bell, n_outcomes):
    """Wait for helpers; return the last of their errors, or None.

    Each adds its outcome and then rings the bell, whose sound may be lost when Ctrl-C
    comes at that moment. Ctrl-C waits too, since they still read the data and the
    weights; a second one leaves them alone.
    """
    interruption = None
    while len(outcomes) < n_outcomes:
        try:
            bell.get()
        except KeyboardInterrupt as again:
            if interruption is not None:
                raise
            interruption = again
    if interruption is not None:
        raise interruption
    return next(filter(None, reversed(outcomes)), None)


def _exhaust(queue):
    """Leave nothing to do in an iterator."""
    collections.deque(queue, maxlen=0)


def _help(calls):
    """Make all calls of a queue, until there is a None."""
    while (call := calls.get()) is not None:
        work, outcomes, bell = call
        error = None
        try:
            work()
        except BaseException as raised:
            error = raised
        del call, work  # and what they refer to, before anyone goes on
        outcomes.append(error)
        del outcomes, error
        bell.put(None)
        del bell
    calls.put(None)  # for the next one


class CallingThread:
    """Stands for `Threads` where there is too little work to call anyone else."""

    n_jobs = 1

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def map(self, function, items):
        """See `Threads.map`."""
        return [function(item) for item in items]


_lock = threading.RLock()
_users = set()
_usual = []  # numbers of threads to put back; empty where there is no limit


def _limit_blas(user):
    """Limit BLAS to one thread until no user is left; the limit is process-wide."""
    with _lock:
        try:
            _users.add(user)
            if len(_users) == 1:
                if not _usual:
                    _usual.extend([blas.num_threads for blas in _libraries()])
                _set_threads([1] * len(_usual))
        except BaseException:
            _lift_limit(user)
            raise


def _lift_limit(user):
    """Let go of the limit, which is lifted if this was the last user."""
    try:
        _leave(user)
    except BaseException:
        _leave(user)
        raise


def _leave(user):
    with _lock:
        _users.discard(user)
        if _usual and not _users:
            _set_threads(_usual)
            _usual.clear()


def _set_threads(counts):
    _forget_control()
    for blas, count in zip(_libraries(), counts, strict=True):
        blas.set_num_threads(count)
    _forget_control()


def _forget_control():
    """Let any thread set the limit: threadpoolctl 3.8 heeds only the first."""
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


def _begin_child():
    """In a forked child nobody is inside, whatever the parent's threads did."""
    _users.clear()
    try:
        _leave(None)
    finally:
        _lock.release()


if hasattr(os, "register_at_fork"):
    # With the lock held, no other thread is about to change the limit, or holds the
    # lock of threadpoolctl.
    os.register_at_fork(
        before=_lock.acquire,
        after_in_parent=_lock.release,
        after_in_child=_begin_child,
    )


@functools.cache
def _libraries():
    import scipy.linalg  # noqa: F401 - only a BLAS that is loaded is found

    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return [library for library in found if library.num_threads]
