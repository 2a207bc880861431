"""All parameters of a network in one flat vector, theta, with named views.

The gradient has the same layout. An optimiser, clipping, averaging, keeping the best
weights and saving them see one vector only.
"""

import math

import numpy as np


class Layout:
    """Where each named array lies in theta.

    Weights come first, biases last, so that the L2 penalty concerns one slice.

    Parameters
    ----------
    shapes : dict of str to tuple
        Shapes by name. Names that start with "bias" or end with "_bias" are biases.

    Attributes
    ----------
    size : int
        Number of parameters.
    n_weights : int
        Number of parameters that are not biases.
    """

    def __init__(self, shapes):
        names = sorted(shapes, key=_is_bias)
        self.shapes = {name: shapes[name] for name in names}
        self._slices = {}
        self.size = self.n_weights = 0
        for name in names:
            stop = self.size + math.prod(shapes[name])
            self._slices[name] = slice(self.size, stop)
            self.size = stop
            if not _is_bias(name):
                self.n_weights = stop

    def views(self, theta):
        """Return a dict of views into `theta`, by name."""
        return {
            name: theta[self._slices[name]].reshape(shape)
            for name, shape in self.shapes.items()
        }

    def part(self, theta, name):
        """Return one view, flat."""
        return theta[self._slices[name]]


def _is_bias(name):
    return name.startswith("bias") or name.endswith("_bias")


def glorot(rng, shape):
    """Uniform in +- sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    bound = np.sqrt(6.0 / sum(shape))
    return rng.uniform(-bound, bound, shape)
