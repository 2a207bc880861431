"""Recurrent layers on top of each other, in one direction or both."""

from functools import reduce

import numpy as np

from skrnn.lazy import cached_property
from skrnn.network.dropout import Masks
from skrnn.network.layer import Backwards, Layer


class Stack:
    """Levels of recurrent layers; each level reads the outputs of the one below.

    With `bidirectional` a level has two layers, one of which reads the sequence from
    its end, and its output is the concatenation of both (Schuster and Paliwal, 1997).

    Parameters
    ----------
    cell : Cell
    n_inputs : int
        Not read with an `embedding`.
    hidden_layer_sizes : tuple of int
    bidirectional : bool
    dtype : dtype
    embedding : Embedding, default=None
        Whose vectors are the input, in place of features: dropout concerns them, and
        `backward` gives their gradient if they are trainable.

    Attributes
    ----------
    levels : list of list
        The layers of each level.
    layers : list
        All layers, level by level.
    n_features : int
        Width F of the top level's output.
    """

    def __init__(
        self,
        cell,
        n_inputs,
        hidden_layer_sizes,
        bidirectional,
        dtype,
        embedding=None,
    ):
        self.levels = []
        self.embedding = embedding
        self.n_inputs = n_inputs = n_inputs if embedding is None else embedding.dim
        self.dtype = dtype
        for depth, n_units in enumerate(hidden_layer_sizes):
            level = [Layer(cell, n_inputs, n_units, f"l{depth}", dtype)]
            if bidirectional:
                name = f"l{depth}_reverse"
                level.append(Backwards(Layer(cell, n_inputs, n_units, name, dtype)))
            self.levels.append(level)
            n_inputs = sum(layer.n_units for layer in level)
        self.n_features = n_inputs
        self.layers = [layer for level in self.levels for layer in level]

    @cached_property
    def no_masks(self):
        """Masks that change nothing."""
        return Masks.none(self)

    def zero_state(self, n_sequences):
        """State before the first step: one entry for each layer."""
        return [layer.zero_state(n_sequences, self.dtype) for layer in self.layers]

    def forward(self, views, packed, state, masks, space, taped=True):
        """Outputs of the top level for every step, and the final state.

        Parameters
        ----------
        views : dict
            Parameters by name.
        packed : Packed
            The minibatch, with rows (N, n_inputs).
        state : list
            As from `zero_state`.
        masks : Masks
        space : Workspace

        Returns
        -------
        run : dict
            "out" (N, F), "state" (list), and what `backward` needs.
        """
        x, runs = packed.rows, []
        for depth, level in enumerate(self.levels):
            x = masks.apply_to_input(depth, x, packed.plan)
            level_runs = []
            for layer in level:
                k = len(runs) + len(level_runs)
                level_runs.append(
                    layer.forward(
                        views,
                        x,
                        packed.plan,
                        state[k],
                        masks.recurrent[k],
                        space,
                        taped,
                    )
                )
            runs += level_runs
            x = self._join([run["out"] for run in level_runs], depth, space)
        return {"out": x, "state": [run["state"] for run in runs], "runs": runs}

    def backward(self, gradient, run, plan, d_out, d_state, masks, space):
        """Gradient of `forward`, written into the views `gradient`.

        Parameters
        ----------
        d_out : (N, F) or (0, F)
            Gradient with respect to the outputs; with 0 rows, none.
        d_state : list
            Gradient with respect to the final state; overwritten.

        Returns
        -------
        d_state : list
            Gradient with respect to the initial state.
        d_x : (N, n_inputs) or None
            Gradient with respect to trainable vectors that are the input.
        """
        d_initial = [None] * len(run["runs"])
        k = len(d_initial)
        for depth in range(len(self.levels) - 1, -1, -1):
            level = self.levels[depth]
            k -= len(level)
            d_inputs = []
            for i, (layer, part) in enumerate(
                zip(level, self._parts(d_out, level), strict=True)
            ):
                d_x, d_initial[k + i] = layer.backward(
                    gradient,
                    run["runs"][k + i],
                    part,
                    d_state[k + i],
                    space,
                    need_d_x=self._needs_d_x(depth),
                )
                d_inputs.append(d_x)
            d_out = None
            if self._needs_d_x(depth):
                d_out = masks.apply_to_input(depth, reduce(np.add, d_inputs), plan)
        return d_initial, d_out

    def _needs_d_x(self, depth):
        return depth > 0 or (self.embedding is not None and self.embedding.trainable)

    def reserve(self, views, plan, space, taped):
        """Ask `space` for what a run takes, and the way back if `taped`."""
        for depth, level in enumerate(self.levels):
            for layer in level:
                layer.reserve(views, plan, space, taped, self._needs_d_x(depth))
            if len(level) > 1:
                width = sum(layer.n_units for layer in level)
                space.array(f"out_{depth}", (plan.n_rows, width))

    def last_output(self, state):
        """Final outputs of the top level's layers side by side, (B, F)."""
        top = state[-len(self.levels[-1]) :]
        return top[0][0] if len(top) == 1 else np.hstack([h for h, *_ in top])

    def d_last_output(self, d_last):
        """Gradient of `last_output`: zero but for the top level's outputs."""
        d_state = self.zero_state(d_last.shape[0])
        top = self.levels[-1]
        parts = self._parts(d_last, top)
        for d_carried, part in zip(d_state[-len(top) :], parts, strict=True):
            d_carried[0] = part
        return d_state

    def _join(self, outputs, depth, space):
        if len(outputs) == 1:
            return outputs[0]
        width = sum(out.shape[1] for out in outputs)
        joined = space.array(f"out_{depth}", (outputs[0].shape[0], width))
        return np.concatenate(outputs, axis=1, out=joined)

    def _parts(self, joined, level):
        """Split columns between the layers of a level, each contiguous."""
        if len(level) == 1:
            return [joined]
        ends = np.cumsum([layer.n_units for layer in level])[:-1]
        return [np.ascontiguousarray(p) for p in np.split(joined, ends, axis=1)]
