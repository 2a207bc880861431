"""A network applied to many streams, one step at a time."""

from itertools import pairwise

import numpy as np

from skrnn.network.stream import Stepper
from skrnn.training.inference import batch_sequences, light_streams, threads_for


class Streams:
    """Steps of any number of streams, for any number of threads at once.

    Parameters
    ----------
    network : Network
    theta : (n_parameters,)
        Read again at each step.

    Attributes
    ----------
    n_columns : int
        Numbers in the state of a stream.
    dtype : dtype
    """

    def __init__(self, network, theta):
        self._network, self._theta = network, theta
        self._free = [Stepper(network, theta)]
        self.n_columns = self._free[0].n_columns
        self.dtype = network.dtype
        self._batch = batch_sequences(network)
        self._n_light = min(light_streams(network), self._batch)

    def step(self, x, state, n_jobs):
        """Raw scores of n streams after one more step, (n, K), and their new state.

        Parameters
        ----------
        x : (n, n_inputs)
        state : (n, n_columns) or None
            As from the step before; None before the first.
        n_jobs : int or None
            Of use for thousands of streams, or wide layers; else one thread does it.
        """
        shape = len(x), self.n_columns
        state = np.zeros(shape, self.dtype) if state is None else state
        new = np.empty(shape, self.dtype)
        if len(x) <= self._n_light:
            return self._step(x, state, new), new

        def step(part):
            return self._step(x[part], state[part], new[part])

        with threads_for(self._network, len(x), len(x), n_jobs) as threads:
            raw = threads.map(step, self._parts(len(x)))
        return np.concatenate(raw), new

    def _parts(self, n_streams):
        """Cut the streams into parts of nearly equal size."""
        n_parts = -(-n_streams // self._batch)
        bounds = [i * n_streams // n_parts for i in range(n_parts + 1)]
        return [slice(*pair) for pair in pairwise(bounds)]

    def _step(self, x, state, new):
        """Take one step on a `Stepper` that nobody uses."""
        try:
            stepper = self._free.pop()
        except IndexError:
            stepper = Stepper(self._network, self._theta)
        raw = stepper.step(x, state, new)
        self._free.append(stepper)
        return raw
