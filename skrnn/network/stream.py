"""A network that reads its sequences one step at a time."""

import numpy as np

from skrnn.network.dropout import Masks
from skrnn.network.workspace import Workspace
from skrnn.sequences import Packed, plan_step


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

    Attributes
    ----------
    n_columns : int
        Numbers in the state of a stream.
    """

    def __init__(self, network, theta):
        self.network = network
        self._space = Workspace(network.dtype)
        self._views = network.views(theta, self._space)
        self._masks = Masks.none(network.stack)
        self._plan = plan_step(1)
        widths = [layer.n_carried for layer in network.stack.layers]
        stops = np.cumsum(widths).tolist()
        self._parts = [
            (layer, slice(stop - width, stop))
            for layer, width, stop in zip(
                network.stack.layers, widths, stops, strict=True
            )
        ]
        self._n_carried = stops[-1]
        n_pooled = network.pooling.n_columns(network.stack.n_features)
        self.n_columns = stops[-1] + n_pooled

    def step(self, x, state):
        """Raw scores after one more step of n streams, (n, K).

        Parameters
        ----------
        x : (n, n_inputs)
        state : (n, n_columns)
            Before the step; overwritten by that after it.
        """
        if self._plan.n_sequences != len(x):
            self._plan = plan_step(len(x))
        plan, stack, pooling = self._plan, self.network.stack, self.network.pooling
        carried = [layer.split_carried(state[:, part]) for layer, part in self._parts]
        run = stack.forward(
            self._views, Packed(x, plan), carried, self._masks, self._space, taped=False
        )
        for before, after in zip(carried, run["state"], strict=True):
            np.copyto(before[0], after[0])
            np.copyto(before[1], after[1])
        columns = state[:, self._n_carried :]
        pooled = pooling.step(self._views, columns, run["out"], plan)
        return self.network.head(self._views, pooled)
