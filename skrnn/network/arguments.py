"""What the time loops are called with, made once for all minibatches of one plan."""

import numpy as np

from skrnn.network.products import tiled_size


class ForwardArguments:
    """A layer's weights and its memory; see `loops.forward_steps`.

    Parameters
    ----------
    layer : Layer
    views : dict
        Parameters by name.
    plan : Plan
    space : Workspace
    taped : bool
        Whether to keep what the way back needs.

    Attributes
    ----------
    out : (N, H)
        Outputs of every step.
    before, after : (n_carried, B, H) and (n_carried, N, H)
        Carried values before the first step, and after every step.
    read_weights : tuple
        Input and recurrent weights, as the way back reads them.
    """

    def __init__(self, layer, views, plan, space, taped):
        B, N, H = plan.n_sequences, plan.n_rows, layer.n_units
        n_taped = N if taped else B
        self.shape = layer.shape(B)
        self.steps = plan.starts, plan.sizes, plan.blocks
        carried = space.array(
            f"carried_{layer.suffix}", (len(layer.cell.carried), B + N, H)
        )
        self.carried = carried[0].reshape(-1), carried[1:].reshape(-1)
        n_tape = len(layer.cell.taped) * n_taped * H
        tape = space.array(f"tape_{layer.suffix}", (n_tape,))
        self.kept = tape, int(taped)
        self.room = _forward_room(layer, self.shape, space)
        self.before, self.after = carried[:, :B], carried[:, B:]
        self._rows, self._last = carried, B + plan.last_rows
        self.out = self.after[0]
        self._bind_weights(layer, views, B)

    def _bind_weights(self, layer, views, n_sequences):
        w_x, b_x, w_h, b_h = layer.flat_weights(views)
        self.read_weights = w_x, w_h
        self._biases = (b_x, b_h) if layer.cell.additive else ()
        self.weights = w_x, b_x.copy() if layer.cell.additive else b_x, w_h, b_h
        self._vectors = layer.unit_vectors(views)
        shape = len(self._vectors), n_sequences, layer.n_units
        self._planes = np.empty(shape, layer.dtype)
        self.unit = self._planes.reshape(-1)

    def start(self, state):
        """Store the state before the first step, and what depends on the weights."""
        self.before[:] = state
        self.refresh()

    def refresh(self):
        """Store what depends on the weights."""
        if self._biases:
            np.add(*self._biases, self.weights[1])
        for k, vector in enumerate(self._vectors):
            self._planes[k] = vector

    def final_state(self):
        """State of each sequence after its last step, a copy."""
        return self._rows.take(self._last, axis=1)


class BackwardArguments:
    """Where a layer writes its gradient, and room; see `loops.backward_steps`.

    Parameters
    ----------
    layer : Layer
    gradient : dict
        Views by name.
    forward : ForwardArguments
    space : Workspace
    need_d_x : bool
        Whether the gradient with respect to the input is wanted.

    Attributes
    ----------
    d_x : (N, D) or (0, D)
    """

    def __init__(self, layer, gradient, forward, space, need_d_x):
        D, H = layer.n_inputs, layer.n_units
        n_rows = forward.out.shape[0] if need_d_x else 0
        self.d_x = space.array(f"d_x_{layer.suffix}", (n_rows, D))
        self._vectors = layer.unit_vectors(gradient)
        self._d_unit = np.zeros((len(self._vectors), H), layer.dtype)
        weights = layer.flat_weights(gradient)
        self.written = *weights, self._d_unit.reshape(-1), self.d_x.reshape(-1)
        self.room = _backward_room(layer, forward.shape, space)

    def finish(self):
        """Add the gradient of the unit vectors to their views."""
        for vector, row in zip(self._vectors, self._d_unit, strict=True):
            vector += row
            row.fill(0.0)


def _forward_room(layer, shape, space):
    B, D, H, M, n_x, n_h = shape
    return (
        space.array("ax", (n_x * M * H,)),
        space.array("ah", (n_h * B * H,)),
        space.array("masked", (B * H,)),
        space.array("tiles_x", (n_x * tiled_size(layer.dtype.itemsize, D, H),)),
        space.array("tiles_h", (n_h * tiled_size(layer.dtype.itemsize, H, H),)),
    )


def _backward_room(layer, shape, space):
    B, D, H, M, n_x, n_h = shape
    d_ax = d_ah = space.array("ax", (n_x * M * H,))
    if not layer.cell.additive:
        d_ah = space.array("d_ah", (n_h * M * H,))
    return (
        d_ax,
        d_ah,
        space.array("d_units", (len(layer.cell.unit_vectors) * M * H,)),
        space.array("read", (M * H,)),
        space.array("d_read", (B * H,)),
        space.array("d_turned", (n_x * D * H,)),
        space.array("tiles_d_x", (n_x * tiled_size(layer.dtype.itemsize, H, D),)),
        space.array("tiles_h", (n_h * tiled_size(layer.dtype.itemsize, H, H),)),
        space.array("one", (1,)),
    )
