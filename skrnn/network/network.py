"""The whole network: packed minibatch in, raw scores out, and the gradient of both."""

import copy
import math

import numpy as np

from skrnn.network.embedding import Embedding
from skrnn.network.parameters import Layout, glorot
from skrnn.network.pooling import READOUTS
from skrnn.network.stack import Stack
from skrnn.network.workspace import Tally
from skrnn.sequences import Outline, Packed

# Rows or columns that a vector counts as: some versions of OpenBLAS share out a product
# with one from a 15th of the work on that they take for one of matrices.
VECTOR_COUNTS_AS = 15


class Network:
    """An embedding, if X are token ids, recurrent levels, a pooling and a linear head.

    A network holds no parameters: it maps theta and a packed minibatch to raw scores.

    Parameters
    ----------
    cell : Cell
    n_inputs : int
        Features D of a step; 1 with an embedding.
    hidden_layer_sizes : tuple of int
    bidirectional : bool
    pooling : {"last", "mean", "max", "attention", "steps"}
        What the head reads; "steps" are the outputs of each step.
    n_raw : int
        Raw scores K for each sequence.
    dtype : dtype
    bptt_steps : int or None
        Truncate the gradient at chunks of that many steps; None for no truncation.
    n_own_rows : int, default=0
        Rows of parameters that the loss reads below the raw scores.
    embedding : dict, default=None
        Parameters of the `Embedding`; None if steps are read as they are.

    Attributes
    ----------
    row_dtype : dtype
        Of the rows of a packed minibatch.
    layout : Layout
        Names and shapes of the parameters.
    multiplications : tuple of int
        In all matrix products above the levels, for each sequence and for each step;
        weights that are a vector count as `VECTOR_COUNTS_AS` columns.
    row_bytes : int
        About what a step of a sequence takes: its features, and what each layer keeps.
    """

    def __init__(
        self,
        cell,
        n_inputs,
        hidden_layer_sizes,
        bidirectional,
        pooling,
        n_raw,
        dtype,
        bptt_steps=None,
        n_own_rows=0,
        embedding=None,
    ):
        self.dtype = np.dtype(dtype)
        self.n_inputs = n_inputs
        self.embedding = None if embedding is None else Embedding(**embedding)
        self.row_dtype = self.dtype if embedding is None else np.dtype(np.intp)
        self.stack = Stack(
            cell,
            n_inputs,
            hidden_layer_sizes,
            bidirectional,
            self.dtype,
            self.embedding,
        )
        self.pooling = READOUTS[pooling]()
        self.bptt_steps = bptt_steps
        n_features = self.stack.n_features
        shapes = {}
        for layer in self.stack.layers:
            shapes |= layer.shapes()
        top = self.pooling.shapes(n_features)
        weights = (shape for name, shape in top.items() if not name.endswith("bias"))
        per_step = sum(map(_multiplications, weights))
        per_answer = _multiplications((n_raw, n_features))
        self.multiplications = per_answer, per_step
        if self.pooling.answers_steps:
            self.multiplications = 0, per_step + per_answer
        top |= {"head_weight": (n_raw, n_features), "head_bias": (n_raw,)}
        if n_own_rows:
            top["transitions"] = (n_own_rows, n_raw)
        table = {} if embedding is None else self.embedding.shapes()
        self.layout = Layout(shapes | top | table)
        n_kept = len(cell.carried) + len(cell.taped)
        n_numbers = self.stack.n_inputs + n_kept * sum(
            la.n_units for la in self.stack.layers
        )
        self.row_bytes = n_numbers * self.dtype.itemsize

    def activation_bytes(self, lengths, taped):
        """Memory for a minibatch of sequences of these lengths, (B,), not allocated.

        With `taped` for a gradient, without for raw scores. Arrays that live for a
        moment are left out, so it is rather too little than too much.
        """
        space, n_longest = Tally(self.dtype), int(lengths.max())
        n_rows = int(np.minimum(lengths, self.bptt_steps or n_longest).sum())
        plan = Outline(lengths.size, n_rows)
        theta = np.broadcast_to(self.dtype.type(0), self.layout.size)
        self.stack.reserve(self.layout.views(theta), plan, space, taped)
        n_kept = self.pooling.n_kept * self.stack.n_features
        space.array("rows", (int(lengths.sum()), self.stack.n_inputs + n_kept))
        if taped:
            n_planes = self.pooling.n_planes
            space.array("pooling", (n_planes, plan.n_rows, self.stack.n_features))
        return space.nbytes

    def initialise(self, rng, initial_raw):
        """Return a new theta; the head's bias is the constant score `initial_raw`."""
        theta = np.empty(self.layout.size, self.dtype)
        views = self.layout.views(theta)
        for part in (*self.stack.layers, self.pooling):
            part.initialise(views, rng)
        weight = views["head_weight"]
        weight[:] = glorot(rng, weight.shape)
        views["head_bias"][:] = initial_raw
        if "transitions" in views:
            views["transitions"][:] = 0.0
        if self.embedding is not None:  # last, so that its size changes no other weight
            self.embedding.initialise(views, rng)
        return theta

    def widened(self, theta, rng):
        """A copy of `theta`, which may be one for fewer ids, with vectors for all."""
        n_missing = self.layout.size - theta.size
        if n_missing == 0:
            return theta.copy()
        vectors = self.embedding.draw(rng, n_missing, self.dtype)
        return np.concatenate([theta, vectors])

    def read_out_by(self, pooling):
        """This network with another pooling, to be asked for what that one makes."""
        other = copy.copy(self)
        other.pooling = pooling
        return other

    def pooled(self, theta, packed, space):
        """What the pooling makes of a packed minibatch, packed order."""
        views, masks = self.views(theta, space), self.stack.no_masks
        packed = self._embed(views, packed, space)
        return self._pool(views, packed, masks, space, taped=False)[0]

    def predict_raw(self, theta, packed, space):
        """Raw scores of a packed minibatch, (B, K) or (N, K), packed order."""
        pooled = self.pooled(theta, packed, space)
        return self.head(self.views(theta, space), pooled)

    def answer(self, theta, packed, space):
        """Raw scores in the order in which the minibatch was given."""
        return self.pooling.restore(packed, self.predict_raw(theta, packed, space))

    def gradient(self, theta, packed, masks, space, loss):
        """Loss of a packed minibatch and its gradient.

        Parameters
        ----------
        theta : (n_parameters,)
        packed : Packed
        masks : Masks
        space : Workspace
        loss : callable
            Maps raw scores, (B, K) or (N, K), to a float and the gradient.

        Returns
        -------
        value : float
        gradient : (n_parameters,)
        """
        views = self.views(theta, space)
        vectors = self._embed(views, packed, space)
        pooled, pool, chunks = self._pool(views, vectors, masks, space, taped=True)

        def spread(mask):
            return self.pooling.spread(mask, packed.plan)

        features = masks.apply_to_head(pooled, spread)
        raw = self.head(views, features)
        value, d_raw = loss(self.with_own(views, raw))
        total = space.zeros("gradient", theta.shape)
        gradient = space.remember(
            "gradient views", (total,), lambda: self.layout.views(total)
        )
        if "transitions" in gradient:
            gradient["transitions"][:] = d_raw[len(raw) :]
            d_raw = d_raw[: len(raw)]
        np.matmul(d_raw.T, features, out=gradient["head_weight"])
        np.add.reduce(d_raw, axis=0, out=gradient["head_bias"])
        d_pooled = masks.apply_to_head(d_raw @ views["head_weight"], spread)
        for chunk in reversed(chunks):
            d_x = self._backward(views, gradient, pool, d_pooled, chunk, masks, space)
            if d_x is not None:
                part = Packed(packed.rows[chunk.rows], chunk.plan)
                self.embedding.backward(gradient, part, d_x)
        return value, total

    def views(self, theta, space):
        """Views of the parameters by name."""
        return space.remember("views", (theta,), lambda: self.layout.views(theta))

    def read_step(self, views, x):
        """What the lowest level reads of one step of n streams, (n, n_inputs)."""
        if self.embedding is None:
            return x
        return self.embedding.look_up(views, x)

    def head(self, views, features):
        """Raw scores of pooled outputs, (B, K)."""
        raw = features.dot(views["head_weight"].T)
        raw += views["head_bias"]
        return raw

    def with_own(self, views, raw):
        """Raw scores with the loss's own parameters below them, if it has any."""
        own = views.get("transitions")
        return raw if own is None else np.concatenate([raw, own])

    def _embed(self, views, packed, space):
        if self.embedding is None:
            return packed
        return self.embedding.forward(views, packed, space)

    def _chunks(self, packed):
        n_steps = packed.plan.sizes.size
        size = self.bptt_steps or n_steps
        if size >= n_steps:
            return [_Chunk(packed, 0, 0)]
        sizes = np.append(packed.plan.sizes, 0)
        return [
            _Chunk(
                packed.time_slice(t, t + size),
                sizes[min(t + size, n_steps)],
                packed.plan.starts[t],
            )
            for t in range(0, n_steps, size)
        ]

    def _pool(self, views, packed, masks, space, taped):
        """Run forward over all chunks; tape them if there is but one."""
        chunks = self._chunks(packed)
        pool = self.pooling.begin(packed.plan, self.stack.n_features, self.dtype)
        state = self.stack.zero_state(packed.plan.n_sequences)
        for chunk in chunks:
            chunk.state = [values[:, : chunk.n] for values in state]
            only = taped and len(chunks) == 1
            run = self._forward(views, chunk, masks, space, taped=only)
            state = run["state"]
            last = self.stack.last_output(state)
            self.pooling.update(views, pool, run["out"], chunk.plan, last)
            chunk.run = run if only else None
        return self.pooling.end(pool, packed.plan.lengths), pool, chunks

    def _forward(self, views, chunk, masks, space, taped):
        masks = masks.select(slice(chunk.n))
        return self.stack.forward(views, chunk.packed, chunk.state, masks, space, taped)

    def _backward(self, views, gradient, pool, d_pooled, chunk, masks, space):
        """Add the gradient that arises in one chunk, running it again if need be.

        Returns that with respect to its rows, unless it is zero or of no use.
        """
        if chunk.n == chunk.n_going_on and not self.pooling.reads_steps:
            return None
        run = chunk.run or self._forward(views, chunk, masks, space, taped=True)
        d_out, d_last = self.pooling.backward(
            views,
            gradient,
            pool,
            self.pooling.of_chunk(d_pooled, chunk),
            run["out"],
            chunk,
        )
        d_state = self.stack.d_last_output(d_last)
        masks = masks.select(slice(chunk.n))
        return self.stack.backward(
            gradient, run, chunk.plan, d_out, d_state, masks, space
        )[1]


def _multiplications(shape):
    """Those that a row of features takes with weights of this shape."""
    n_columns = math.prod(shape[:-1])
    return shape[-1] * (n_columns if n_columns > 1 else VECTOR_COUNTS_AS)


class _Chunk:
    """Some consecutive steps of a packed minibatch.

    Attributes
    ----------
    packed : Packed
        The steps, of the n sequences still active.
    plan : Plan
    n_going_on : int
        How many of the n sequences have further steps.
    rows : slice
        The steps among the rows of the minibatch.
    state : list
        State before the first step.
    run : dict or None
        The taped forward run.
    """

    def __init__(self, packed, n_going_on, first_row):
        self.packed = packed
        self.rows = slice(first_row, first_row + packed.plan.n_rows)
        self.plan = packed.plan
        self.n = packed.plan.n_sequences
        self.n_going_on = n_going_on
        self.state = self.run = None
