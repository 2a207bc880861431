"""Memory that is used again for every minibatch, aligned to cache lines.

A vector instruction that reads across the border of two cache lines takes twice as
long, and so does a matrix product whose right factor has such rows.
"""

import math
import operator

import numpy as np

LINE = 64  # bytes


def aligned(shape, dtype):
    """Return an uninitialised C-contiguous array that begins with a cache line."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    buffer = np.empty(size + LINE, np.uint8)
    start = -buffer.ctypes.data % LINE
    return buffer[start : start + size].view(dtype).reshape(shape)


class Workspace:
    """Named arrays of changing shape over buffers that only grow.

    A fresh large array costs more than filling it, since the system hands out its
    pages one by one. A workspace belongs to one thread at a time.
    """

    def __init__(self, dtype):
        self.dtype = np.dtype(dtype)
        self._buffers = {}
        self._latest = {}
        self._remembered = {}

    @property
    def nbytes(self):
        """Size of all buffers."""
        return sum(buffer.nbytes for buffer in self._buffers.values())

    def array(self, name, shape):
        """Return an uninitialised C-contiguous array of that shape."""
        latest = self._latest.get(name)
        if latest is None or latest.shape != shape:
            latest = self._latest[name] = self._view(name, shape)
        return latest

    def _view(self, name, shape):
        size = math.prod(shape)
        if name not in self._buffers or self._buffers[name].size < size:
            self._forget(name)
            self._buffers[name] = aligned((size,), self.dtype)
        return self._buffers[name][:size].reshape(shape)

    def _forget(self, name):
        """Let go of a buffer, and of what may refer to it, before there is a larger."""
        self._remembered.clear()
        self._latest.pop(name, None)
        self._buffers.pop(name, None)

    def zeros(self, name, shape):
        """Return an array of zeros of that shape."""
        array = self.array(name, shape)
        array.fill(0.0)
        return array

    def remember(self, name, keys, make):
        """Return ``make()``, or what it gave before for the very same objects `keys`.

        Only the latest result of each name is kept.
        """
        known = self._remembered.get(name)
        if known is None or not all(map(operator.is_, known[0], keys)):
            known = self._remembered[name] = keys, make()
        return known[1]


class Tally(Workspace):
    """A workspace that has nothing to give, to learn how much would be asked of it."""

    def __init__(self, dtype):
        super().__init__(dtype)
        self._sizes = {}

    @property
    def nbytes(self):
        """Size that all buffers would have."""
        return sum(self._sizes.values()) * self.dtype.itemsize

    def _view(self, name, shape):
        self._sizes[name] = max(self._sizes.get(name, 0), math.prod(shape))
        return np.broadcast_to(self.dtype.type(0), shape)
