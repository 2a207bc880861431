"""A network that reads its sequences one step at a time."""

import numpy as np

from skrnn.network.arguments import ForwardArguments
from skrnn.network.workspace import Workspace
from skrnn.sequences import plan_step


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
        n_pooled = network.pooling.n_columns(network.stack.n_features)
        n_carried = sum(layer.n_carried for layer in network.stack.layers)
        self.n_columns = n_carried + n_pooled
        self._make_room(1)

    def _make_room(self, n_streams):
        """Prepare for steps of `n_streams` streams."""
        self._plan = plan_step(n_streams)
        self._state = np.empty((n_streams, self.n_columns), self.network.dtype)
        self._layers, begin = [], 0
        for layer in self.network.stack.layers:
            part = self._state[:, begin : begin + layer.n_carried]
            arguments = ForwardArguments(
                layer, self._views, self._plan, self._space, taped=False
            )
            self._layers.append((layer, arguments, layer.split_carried(part)))
            begin += layer.n_carried
        self._columns = self._state[:, begin:]
        self._no_mask = self._state[:0, 0]

    def step(self, x, state):
        """Raw scores after one more step of n streams, (n, K), and their new state.

        Parameters
        ----------
        x : (n, n_inputs)
        state : (n, n_columns) or None
        """
        if len(self._state) != len(x):
            self._make_room(len(x))
        self._state[:] = 0.0 if state is None else state
        for layer, arguments, carried in self._layers:
            arguments.start(carried)
            layer.run(arguments, x, self._no_mask)
            x = arguments.out
            arguments.store(*carried)
        views, network = self._views, self.network
        pooled = network.pooling.step(views, self._columns, x, self._plan)
        return network.head(views, pooled), self._state.copy()
