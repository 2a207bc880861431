"""Memory that is used again for every minibatch."""

import math

import numpy as np


class Workspace:
    """Named arrays of changing shape over buffers that only grow.

    A fresh large array costs more than filling it, since the system hands out its
    pages one by one. A workspace belongs to one thread at a time.
    """

    def __init__(self, dtype):
        self.dtype = np.dtype(dtype)
        self._buffers = {}

    def array(self, name, shape):
        """Return an uninitialised C-contiguous array of that shape."""
        size = math.prod(shape)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name] = np.empty(size, self.dtype)
        return buffer[:size].reshape(shape)

    def zeros(self, name, shape):
        """Return an array of zeros of that shape."""
        array = self.array(name, shape)
        array.fill(0.0)
        return array
