"""All parameters of a network in one flat vector, theta, with named views.

The gradient has the same layout. An optimiser, clipping, averaging, keeping the best
weights and saving them see one vector only.
"""

import math

import numpy as np

WEIGHT, BIAS, TABLE = range(3)


class Layout:
    """Where each named array lies in theta.

    Weights come first, so that the L2 penalty concerns one slice, then biases. A table
    of vectors comes last: a theta with some of its rows only has views just as well.

    Parameters
    ----------
    shapes : dict of str to tuple
        Shapes by name. Names that start with "bias" or end with "_bias" are biases,
        "embedding" is a table.

    Attributes
    ----------
    size : int
        Number of parameters.
    n_weights : int
        Number of parameters that are neither biases nor in the table.
    n_dense : int
        Number of parameters that are not in the table.
    """

    def __init__(self, shapes):
        names = sorted(shapes, key=_rank)
        self.shapes = {name: shapes[name] for name in names}
        self._slices = {}
        self.size = self.n_weights = self.n_dense = 0
        for name in names:
            stop = self.size + math.prod(shapes[name])
            self._slices[name] = slice(self.size, stop)
            self.size = stop
            if _rank(name) == WEIGHT:
                self.n_weights = stop
            if _rank(name) < TABLE:
                self.n_dense = stop

    def views(self, theta):
        """Return a dict of views into `theta`, by name."""
        return {
            name: self.part(theta, name).reshape(-1, *shape[1:])
            for name, shape in self.shapes.items()
        }

    def part(self, theta, name):
        """Return one view, flat."""
        part = self._slices[name]
        return theta[part] if _rank(name) < TABLE else theta[part.start :]


def _rank(name):
    if name == "embedding":
        return TABLE
    return BIAS if name.startswith("bias") or name.endswith("_bias") else WEIGHT


def glorot(rng, shape):
    """Uniform in +- sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    bound = np.sqrt(6.0 / sum(shape))
    return rng.uniform(-bound, bound, shape)
