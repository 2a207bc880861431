"""A network that reads its sequences one step at a time."""

import numpy as np

from skrnn.network.arguments import ForwardArguments
from skrnn.network.workspace import Workspace
from skrnn.sequences import plan_equal


class Stepper:
    """What one thread needs to take a step of some streams, made once.

    A stream is a sequence whose end has not come. All that its past amounts to is one
    row of numbers: what each layer carries, then what the pooling keeps. It is zero
    before the first step.

    Parameters
    ----------
    network : Network
        With layers of one direction.
    theta : (n_parameters,)
        Read again at each step.

    Attributes
    ----------
    n_columns : int
        Numbers in the state of a stream.
    """

    def __init__(self, network, theta):
        self.network = network
        self._space = Workspace(network.dtype)
        self._views = network.views(theta, self._space)
        self._no_mask = np.empty(0, network.dtype)
        self._make_room(1)
        self._n_pooled = network.pooling.n_columns(network.stack.n_features)
        self.n_columns = self._n_carried + self._n_pooled

    def _make_room(self, n_streams):
        """Prepare for steps of `n_streams` streams."""
        self._plan = plan_equal(n_streams, 1)
        self._layers, begin = [], 0
        for layer in self.network.stack.layers:
            arguments = ForwardArguments(
                layer, self._views, self._plan, self._space, taped=False
            )
            carried = []
            for before, after in zip(arguments.before, arguments.after, strict=True):
                carried.append((slice(begin, begin + layer.n_units), before, after))
                begin += layer.n_units
            self._layers.append((layer, arguments, carried))
        self._n_carried = begin

    def step(self, x, state, new):
        """Raw scores after one more step of n streams, (n, K).

        Parameters
        ----------
        x : (n, n_inputs)
        state : (n, n_columns)
            Before the step.
        new : (n, n_columns)
            Where to write the state after the step.
        """
        if self._plan.n_sequences != len(x):
            self._make_room(len(x))
        x = self.network.read_step(self._views, x)
        for layer, arguments, carried in self._layers:
            for part, before, _ in carried:
                before[:] = state[:, part]
            arguments.refresh()
            layer.run(arguments, x, self._no_mask)
            for part, _, after in carried:
                new[:, part] = after
            x = arguments.out
        columns = new[:, self._n_carried :]
        if self._n_pooled:
            columns[:] = state[:, self._n_carried :]
        pooled = self.network.pooling.step(self._views, columns, x, self._plan)
        return self.network.head(self._views, pooled)
