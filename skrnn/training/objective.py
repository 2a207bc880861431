"""The objective: theta and a minibatch in, loss and gradient out."""

import math

import numpy as np
from scipy.linalg import get_blas_funcs

from skrnn.network.dropout import Masks
from skrnn.network.workspace import Workspace
from skrnn.sequences import Shard, plan_for
from skrnn.training.inference import raw_scores

SHARD_OPERATIONS = 1e8
SHARD_SEQUENCES = 16
LARGE_SHARD_SEQUENCES = 32  # for weights that are read anew from beyond the cache
WEIGHTS_PER_SEQUENCE = 8192
MAX_SHARDS = 8
QUIET = {"over": "ignore", "invalid": "ignore"}  # a loss that diverges is one error


class Objective:
    """Weighted mean loss plus the L2 penalty ``alpha / (2 n) |weights|^2``.

    As in scikit-learn's MLP, n is the number of sequences in the minibatch; with
    sample weights, their expected sum.

    A minibatch is cut into shards by its own size and work, never by the number of
    threads, and the shards' gradients are added in order: the result is the same to
    the last bit for any number of threads.

    Parameters
    ----------
    network : Network
    loss : Loss
    alpha : float
    dropout, recurrent_dropout : float
    threads : Threads

    Attributes
    ----------
    input_gradient_norm : float
        Norm of the last gradient of the first level's input weights, without the
        penalty: what reaches the far end of the chain.
    """

    def __init__(self, network, loss, alpha, dropout, recurrent_dropout, threads):
        self.network = network
        self.loss = loss
        self.alpha = alpha
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.threads = threads
        self.input_gradient_norm = np.nan
        self._axpy = get_blas_funcs("axpy", dtype=network.dtype)
        self._spaces = [Workspace(network.dtype) for _ in range(MAX_SHARDS)]

    def __call__(self, theta, shards, data, indices, rng):
        """Loss of the minibatch `indices` of `data` and its gradient.

        `shards` is the minibatch, as from `pack`. The gradient is valid until the
        next call.
        """
        with np.errstate(**QUIET):
            return self._evaluate(theta, shards, data, indices, rng)

    def pack(self, data, indices):
        """The minibatch `indices` of `data` in shards, a list of `Shard`."""
        plan = plan_for(data.sequences, indices)
        dtype = self.network.row_dtype
        return [
            Shard(data.sequences, indices, part, positions, dtype)
            for part, positions in plan.shards(self._n_shards(plan))
        ]

    def _evaluate(self, theta, shards, data, indices, rng):
        masks = Masks.draw(
            self.network.stack,
            indices.size,
            self.dropout,
            self.recurrent_dropout,
            rng,
        )

        def evaluate(part):
            space, shard = part
            y, w = data.of_packed(indices, shard.plan)
            return self.network.gradient(
                theta,
                shard,
                masks.select(shard.positions),
                space,
                lambda raw: self.loss.value_and_gradient(raw, y, w),
            )

        parts = list(zip(self._spaces, shards, strict=False))
        results = self.threads.map(evaluate, parts)
        value, gradient = results[0]
        alpha = self.alpha / (indices.size * data.mean_weight)
        for shard_value, shard_gradient in results[1:]:
            value += shard_value
            gradient += shard_gradient
        first = self.network.layout.part(gradient, "weight_ih_l0")
        self.input_gradient_norm = math.sqrt(np.dot(first, first))
        return value + self._penalise(theta, gradient, alpha), gradient

    def value(self, theta, shards, data, indices):
        """Loss of a minibatch, as of a call, without dropout and penalty."""

        def evaluate(part):
            space, shard = part
            raw = self.network.predict_raw(theta, shard, space)
            raw = self.network.with_own(self.network.views(theta, space), raw)
            return self.loss.value_and_gradient(
                raw, *data.of_packed(indices, shard.plan)
            )[0]

        parts = list(zip(self._spaces, shards, strict=False))
        with np.errstate(**QUIET):
            return sum(self.threads.map(evaluate, parts))

    def mean_loss(self, theta, data):
        """Weighted mean loss of `data`, without dropout and penalty."""
        with np.errstate(**QUIET):
            raw = raw_scores(self.network, theta, data.sequences, self.threads)
            raw = self.network.with_own(self.network.layout.views(theta), raw)
            return self.loss.value_and_gradient(raw, *data.in_order())[0]

    def _n_shards(self, plan):
        n_weights = self.network.layout.n_weights
        work = 6.0 * n_weights * plan.n_rows
        n_least = min(
            max(SHARD_SEQUENCES, n_weights // WEIGHTS_PER_SEQUENCE),
            LARGE_SHARD_SEQUENCES,
        )
        return min(
            int(work / SHARD_OPERATIONS), plan.n_sequences // n_least, MAX_SHARDS
        )

    def _penalise(self, theta, gradient, alpha):
        """Add the penalty's gradient; return its value."""
        if alpha == 0.0:
            return 0.0
        weights = theta[: self.network.layout.n_weights]
        self._axpy(weights, gradient[: weights.size], a=alpha)
        return 0.5 * alpha * float(np.dot(weights, weights))
