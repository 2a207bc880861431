"""A cell unrolled over time: parameters, matrix products and the two time loops."""

import numpy as np

from skrnn.jit import specialise
from skrnn.lazy import cached_property
from skrnn.network import loops, planes
from skrnn.network.arguments import BackwardArguments, ForwardArguments
from skrnn.network.parameters import glorot
from skrnn.sequences import BLOCK_ROWS


class Layer:
    """One cell, unrolled over a packed minibatch in one direction.

    Parameters
    ----------
    cell : Cell
    n_inputs, n_units : int
    suffix : str
        Ending of the parameter names, as in PyTorch: "l0", "l0_reverse", "l1", ...
    dtype : dtype
        float32 or float64.
    """

    def __init__(self, cell, n_inputs, n_units, suffix, dtype):
        self.cell = cell
        self.n_inputs = n_inputs
        self.n_units = n_units
        self.suffix = suffix
        self.dtype = dtype

    def shapes(self):
        """Shapes of the parameters by name; gates are stacked in the cell's order."""
        H, cell = self.n_units, self.cell
        shapes = {
            "weight_ih": (len(cell.x_gates) * H, self.n_inputs),
            "bias_ih": (len(cell.x_gates) * H,),
        }
        if cell.h_gates:
            shapes["weight_hh"] = (len(cell.h_gates) * H, H)
            shapes["bias_hh"] = (len(cell.h_gates) * H,)
        for name in cell.unit_vectors:
            shapes[f"weight_{name}"] = (H,)
        return {f"{name}_{self.suffix}": shape for name, shape in shapes.items()}

    def initialise(self, views, rng):
        """Fill the parameters: Glorot, the cell's recurrent weights, biases."""
        H, cell = self.n_units, self.cell
        for gate, w in zip(cell.x_gates, self._gates(views, "weight_ih"), strict=True):
            w[:] = glorot(rng, w.shape)
            bias = views[f"bias_ih_{self.suffix}"].reshape(-1, H)
            bias[cell.x_gates.index(gate)] = cell.x_bias.get(gate, 0.0)
        if cell.h_gates:
            views[f"bias_hh_{self.suffix}"][:] = 0.0
            for w in self._gates(views, "weight_hh"):
                w[:] = cell.initial_weight_hh(rng, H)
        for name in cell.unit_vectors:
            vector = views[f"weight_{name}_{self.suffix}"]
            vector[:] = cell.initial_unit_vector(rng, name, H)

    def zero_state(self, n_sequences, dtype):
        """State of `n_sequences` sequences before their first step."""
        return np.zeros((len(self.cell.carried), n_sequences, self.n_units), dtype)

    def forward(self, views, x, plan, state, mask, space, taped=True):
        """Run over all steps.

        Parameters
        ----------
        views : dict
            Parameters by name.
        x : (N, n_inputs)
            Packed inputs.
        plan : Plan
        state : (n_carried, B, H)
            State of each sequence before its first step.
        mask : (B, H) or (0, H)
            Recurrent dropout; with 0 rows, none.
        space : Workspace
        taped : bool, default=True
            Whether to keep what `backward` needs.

        Returns
        -------
        run : dict
            "out" (N, H), outputs of every step, "state", the final state of each
            sequence, and what `backward` needs.
        """
        arguments = space.remember(
            f"forward_{self.suffix}",
            (views, plan, taped),
            lambda: ForwardArguments(self, views, plan, space, taped),
        )
        arguments.start(state)
        self.run(arguments, x, mask)
        return {
            "out": arguments.out,
            "state": arguments.final_state(),
            "kept": (arguments, x, mask),
        }

    def run(self, arguments, x, mask):
        """Run over all steps from the state and the weights in `arguments`."""
        self._forward_steps(
            arguments.shape,
            x.reshape(-1),
            arguments.weights,
            arguments.unit,
            mask.reshape(-1),
            arguments.carried,
            arguments.kept,
            arguments.room,
            arguments.steps,
        )

    def backward(self, gradient, run, d_out, d_state, space, need_d_x):
        """Gradient of `forward`, added to the views `gradient`.

        Parameters
        ----------
        gradient : dict
            Views by name.
        run : dict
            As from `forward`.
        d_out : (N, H) or (0, H)
            Gradient with respect to the outputs; with 0 rows, none.
        d_state : (n_carried, B, H)
            Gradient with respect to the final state; overwritten.
        space : Workspace
        need_d_x : bool
            Whether the gradient with respect to x is wanted.

        Returns
        -------
        d_x : (N, n_inputs) or None
        d_state : (n_carried, B, H)
            Gradient with respect to the initial state.
        """
        forward, x, mask = run["kept"]
        arguments = space.remember(
            f"backward_{self.suffix}",
            (gradient, forward, need_d_x),
            lambda: BackwardArguments(self, gradient, forward, space, need_d_x),
        )
        self._backward_steps(
            forward.shape,
            d_out.reshape(-1),
            (d_state[0].reshape(-1), d_state[1:].reshape(-1)),
            x.reshape(-1),
            forward.read_weights,
            forward.unit,
            mask.reshape(-1),
            forward.carried,
            forward.kept[0],
            arguments.written,
            arguments.room,
            forward.steps,
        )
        arguments.finish()
        return arguments.d_x if need_d_x else None, d_state

    def reserve(self, views, plan, space, taped, need_d_x):
        """Ask `space` for what a run takes, and the way back if `taped`."""
        forward = ForwardArguments(self, views, plan, space, taped)
        if taped:
            BackwardArguments(self, views, forward, space, need_d_x)

    @cached_property
    def _forward_steps(self):
        return specialise(loops.forward_steps, self.dtype, **_bindings(self.cell))

    @cached_property
    def _backward_steps(self):
        return specialise(loops.backward_steps, self.dtype, **_bindings(self.cell))

    def _gates(self, views, name):
        """View of a stacked parameter with one entry for each gate."""
        view = views[f"{name}_{self.suffix}"]
        return view.reshape(-1, self.n_units, *view.shape[1:])

    def shape(self, n_sequences):
        """The sizes B, D, H, M, X and G of `loops`, for so many sequences."""
        n_gates = len(self.cell.x_gates), len(self.cell.h_gates)
        n_rows = n_sequences + BLOCK_ROWS
        return n_sequences, self.n_inputs, self.n_units, n_rows, *n_gates

    def flat_weights(self, views):
        """Views w_x (X * H * D), b_x (X * H), w_h (G * H * H) and b_h (G * H), flat."""
        names = ("weight_ih", "bias_ih", "weight_hh", "bias_hh")
        nothing = np.empty(0, self.dtype)
        return [
            views.get(f"{name}_{self.suffix}", nothing).reshape(-1) for name in names
        ]

    def unit_vectors(self, views):
        """Views of the unit vectors, in the cell's order."""
        return [views[f"weight_{n}_{self.suffix}"] for n in self.cell.unit_vectors]


def _bindings(cell):
    """What the open names of the time loops stand for with this cell."""
    counts = {
        "x": len(cell.x_gates),
        "h": len(cell.h_gates),
        "c": len(cell.carried) - 1,
        "tape": len(cell.taped),
        "unit": len(cell.unit_vectors),
    }
    names = {f"take_{part}": planes.take(n) for part, n in counts.items()}
    names |= {f"put_{part}": planes.put(n) for part, n in counts.items()}
    names["additive"] = cell.additive
    if cell.additive:
        names |= {"take_h": planes.zeros(len(cell.h_gates)), "put_h": planes.ignore}
    names |= {"cell_forward": cell.forward, "cell_backward": cell.backward}
    return names | cell.bindings()


class Backwards:
    """A layer that reads each sequence from its last real step to its first.

    Parameters
    ----------
    layer : Layer
    """

    def __init__(self, layer):
        self.layer = layer
        self.n_inputs = layer.n_inputs
        self.n_units = layer.n_units
        self.shapes = layer.shapes
        self.initialise = layer.initialise
        self.zero_state = layer.zero_state

    def reserve(self, views, plan, space, taped, need_d_x):
        """See `Layer.reserve`; what is read and returned, reversed, comes on top."""
        self.layer.reserve(views, plan, space, taped, need_d_x)
        shape = plan.n_rows, self.n_inputs + self.n_units
        space.array(f"reversed_{self.layer.suffix}", shape)

    def forward(self, views, x, plan, state, mask, space, taped=True):
        """See `Layer.forward`; outputs are in the order of the input's steps."""
        backwards = x[plan.reverse_rows]
        run = self.layer.forward(views, backwards, plan, state, mask, space, taped)
        return {**run, "out": run["out"][plan.reverse_rows], "plan": plan}

    def backward(self, gradient, run, d_out, d_state, space, need_d_x):
        """See `Layer.backward`."""
        reverse_rows = run["plan"].reverse_rows
        if d_out.shape[0] > 0:
            d_out = d_out[reverse_rows]
        d_x, d_state = self.layer.backward(
            gradient, run, d_out, d_state, space, need_d_x
        )
        return d_x[reverse_rows] if need_d_x else None, d_state
