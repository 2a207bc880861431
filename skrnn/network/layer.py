"""A cell unrolled over time: parameters, matrix products and the two time loops."""

import math

import numpy as np

from skrnn.jit import specialise
from skrnn.network import loops
from skrnn.network.parameters import glorot
from skrnn.network.planes import PUT, TAKE


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
        H = self.n_units
        n_others = len(self.cell.carried) - 1
        return (
            np.zeros((n_sequences, H), dtype),
            np.zeros((n_others, n_sequences, H), dtype),
        )

    def forward(self, views, x, packed, state, mask, space, taped=True):
        """Run over all steps.

        Parameters
        ----------
        views : dict
            Parameters by name.
        x : (N, n_inputs)
            Packed inputs.
        packed : Packed
        state : tuple of (B, H) and (n_carried - 1, B, H)
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
            sequence, and the tape.
        """
        cell, H = self.cell, self.n_units
        B, N = packed.lengths.size, x.shape[0]
        name = self.suffix
        ax = space.array(f"ax_{name}", (len(cell.x_gates), N, H))
        self._input_products(views, x, ax)
        h = space.array(f"h_{name}", (B + N, H))
        c = space.array(f"c_{name}", (len(cell.carried) - 1, B + N, H))
        h[:B], c[:, :B] = state
        w, b = self._recurrent_weights(views)
        ah = space.array(f"ah_{name}", (len(cell.h_gates), B, H))
        tape_rows = N if taped else B
        tape = space.array(f"tape_{name}", (len(cell.taped), tape_rows, H))
        unit = self._unit_planes(views, B)
        self._specialise(loops.forward_steps)(
            _flat(ax),
            _transposed(w),
            b.copy(),
            unit,
            mask,
            h,
            _flat(c),
            _flat(ah),
            _flat(tape),
            int(taped),
            packed.starts,
            packed.sizes,
        )
        last = B + packed.last_rows
        return {
            "out": h[B:],
            "state": (h.take(last, axis=0), c.take(last, axis=1)),
            "kept": (views, x, ax, w, unit, mask, h, c, tape),
        }

    def backward(self, gradient, run, packed, d_out, d_state, space, need_d_x):
        """Gradient of `forward`, written into the views `gradient`.

        Parameters
        ----------
        gradient : dict
            Views of a gradient vector, by parameter name.
        run : dict
            What `forward` returned.
        d_out : (N, H) or (0, H)
            Gradient with respect to the outputs; with 0 rows, none.
        d_state : tuple of (B, H) and (n_carried - 1, B, H)
            Gradient with respect to the final state; overwritten.
        need_d_x : bool
            Whether to compute the gradient with respect to x.

        Returns
        -------
        d_x : (N, n_inputs) or None
        d_state : tuple
            Gradient with respect to the initial state.
        """
        cell, H = self.cell, self.n_units
        views, x, ax, w, unit, mask, h, c, tape = run["kept"]
        N, name = x.shape[0], self.suffix
        d_ah = ax
        if not cell.additive:
            d_ah = space.array(f"d_ah_{name}", (len(cell.h_gates), N, H))
        d_unit = space.array(f"d_unit_{name}", (len(cell.unit_vectors), N, H))
        d_h, d_c = d_state
        self._specialise(loops.backward_steps)(
            d_out,
            d_h,
            _flat(d_c),
            w,
            unit,
            mask,
            h,
            _flat(c),
            _flat(tape),
            _flat(ax),
            _flat(d_ah),
            _flat(d_unit),
            packed.starts,
            packed.sizes,
        )
        self._write(gradient, "ih", ax, x)
        if cell.h_gates:
            read = self._read_rows(h, mask, packed, space)
            self._write(gradient, "hh", d_ah, read)
        for name, rows in zip(cell.unit_vectors, d_unit, strict=True):
            gradient[f"weight_{name}_{self.suffix}"][:] = rows.sum(axis=0)
        d_x = self._input_gradient(views, ax, space) if need_d_x else None
        return d_x, (d_h, d_c)

    def _specialise(self, loop):
        return specialise(loop, self.dtype, **_bindings(self.cell))

    def _gates(self, views, name):
        """View of a stacked parameter with one entry for each gate."""
        view = views[f"{name}_{self.suffix}"]
        return view.reshape(-1, self.n_units, *view.shape[1:])

    def _input_products(self, views, x, ax):
        np.matmul(x, _transposed(self._gates(views, "weight_ih")), out=ax)
        ax += self._gates(views, "bias_ih")[:, None, :]

    def _recurrent_weights(self, views):
        if self.cell.h_gates:
            return self._gates(views, "weight_hh"), self._gates(views, "bias_hh")
        H, dtype = self.n_units, views[f"weight_ih_{self.suffix}"].dtype
        return np.empty((0, H, H), dtype), np.empty((0, H), dtype)

    def _unit_planes(self, views, n_sequences):
        """Unit vectors repeated for each sequence, (n_unit_vectors, B * H)."""
        names = self.cell.unit_vectors
        vectors = [views[f"weight_{name}_{self.suffix}"] for name in names]
        dtype = views[f"weight_ih_{self.suffix}"].dtype
        planes = np.empty((len(names), n_sequences * self.n_units), dtype)
        for plane, vector in zip(planes, vectors, strict=True):
            plane.reshape(n_sequences, -1)[:] = vector
        return planes

    def _write(self, gradient, kind, d_gates, read):
        """Gradients of a weight and its bias, from those of the pre-activations."""
        d_weight = self._gates(gradient, f"weight_{kind}")
        np.matmul(d_gates.transpose(0, 2, 1), read, out=d_weight)
        ones = np.ones(read.shape[0], read.dtype)
        np.matmul(ones, d_gates, out=self._gates(gradient, f"bias_{kind}"))

    def _read_rows(self, h, mask, packed, space):
        """What the recurrent products read at each step, (N, H)."""
        N = h.shape[0] - packed.lengths.size
        if mask.shape[0] == 0 and packed.sizes[-1] == packed.sizes[0]:
            return h[:N]
        read = space.array(f"read_{self.suffix}", (N, self.n_units))
        np.take(h, packed.previous_rows, axis=0, out=read)
        if mask.shape[0] > 0:
            read *= mask[packed.sequence_of_row]
        return read

    def _input_gradient(self, views, d_ax, space):
        weights = self._gates(views, "weight_ih")
        shape = (d_ax.shape[1], self.n_inputs)
        d_x = space.array(f"d_x_{self.suffix}", shape)
        part = space.array("d_x_part", shape)
        np.matmul(d_ax[0], weights[0], out=d_x)
        for d_gate, weight in zip(d_ax[1:], weights[1:], strict=True):
            d_x += np.matmul(d_gate, weight, out=part)
        return d_x


def _transposed(weights):
    """Transpose the weight of each gate; BLAS is faster on a contiguous copy."""
    return weights.transpose(0, 2, 1).copy()


def _flat(planes):
    """(n, rows, H) as (n, rows * H)."""
    return planes.reshape(planes.shape[0], math.prod(planes.shape[1:]))


def _bindings(cell):
    """What the open names of the time loops stand for with this cell."""
    counts = {
        "x": len(cell.x_gates),
        "h": len(cell.h_gates),
        "c": len(cell.carried) - 1,
        "tape": len(cell.taped),
        "unit": len(cell.unit_vectors),
    }
    names = {f"take_{part}": TAKE[n] for part, n in counts.items()}
    names |= {f"put_{part}": PUT[n] for part, n in counts.items()}
    if cell.additive:
        names["put_h"] = PUT[0]
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
        self.n_units = layer.n_units
        self.shapes = layer.shapes
        self.initialise = layer.initialise
        self.zero_state = layer.zero_state

    def forward(self, views, x, packed, state, mask, space, taped=True):
        """See `Layer.forward`; outputs are in the order of the input's steps."""
        backwards = x[packed.reverse_rows]
        run = self.layer.forward(views, backwards, packed, state, mask, space, taped)
        return {**run, "out": run["out"][packed.reverse_rows]}

    def backward(self, gradient, run, packed, d_out, d_state, space, need_d_x):
        """See `Layer.backward`."""
        if d_out.shape[0] > 0:
            d_out = d_out[packed.reverse_rows]
        d_x, d_state = self.layer.backward(
            gradient, run, packed, d_out, d_state, space, need_d_x
        )
        return d_x[packed.reverse_rows] if need_d_x else None, d_state
