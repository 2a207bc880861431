"""The JAX twin: one jitted update, with `lax.scan` over the steps.

JAX uses all cores, so there is one contender. The input's product stays inside the
scan, and the scan is not unrolled: other variants were slower, see NOTES.md.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import sigmoid

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
BETA_1, BETA_2, EPSILON, RATE = 0.9, 0.999, 1e-8, 1e-3


def rnn(a, b, state):
    """New state from the products of the input and of the last output."""
    return (jnp.tanh(a + b),)


def gru(a, b, state):
    """The same for a GRU; gates are r, z, n."""
    (r_a, z_a, n_a), (r_b, z_b, n_b) = jnp.split(a, 3, -1), jnp.split(b, 3, -1)
    z = sigmoid(z_a + z_b)
    n = jnp.tanh(n_a + sigmoid(r_a + r_b) * n_b)
    return ((1 - z) * n + z * state[0],)


def lstm(a, b, state):
    """The same for an LSTM; gates are i, f, g, o."""
    i, f, g, o = jnp.split(a + b, 4, -1)
    c = sigmoid(f) * state[1] + sigmoid(i) * jnp.tanh(g)
    return sigmoid(o) * jnp.tanh(c), c


CELLS = {"rnn": rnn, "gru": gru, "lstm": lstm}


def mean_loss(cell, theta, X, y):
    """Cross-entropy of a minibatch (batch, steps, features)."""

    def step(state, x):
        a = x @ theta["weight_ih"] + theta["bias_ih"]
        b = state[0] @ theta["weight_hh"] + theta["bias_hh"]
        return CELLS[cell](a, b, state), None

    zero = jnp.zeros((len(X), len(theta["weight_hh"])))
    state = (zero, zero) if cell == "lstm" else (zero,)
    state, _ = jax.lax.scan(step, state, X.swapaxes(0, 1))
    scores = state[0] @ theta["head_weight"] + theta["head_bias"]
    log_proba = jax.nn.log_softmax(scores)
    return -jnp.take_along_axis(log_proba, y[:, None], 1).mean()


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def update(cell, run, X, y, rows):
    """One update with Adam, on the minibatch `rows`; the loss is added up."""
    theta, first, second, t, total = run
    loss, gradient = jax.value_and_grad(partial(mean_loss, cell))(
        theta, X[rows], y[rows]
    )
    norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in jax.tree.leaves(gradient)))
    shrink = jnp.minimum(1, 1 / (norm + 1e-6))
    gradient = jax.tree.map(lambda g: g * shrink, gradient)
    mix = jax.tree.map
    first = mix(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradient)
    second = mix(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradient)
    t = t + 1
    rate = RATE * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
    theta = mix(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) + EPSILON), theta, first, second
    )
    return theta, first, second, t, total + loss * len(rows)


class JaxTwin:
    """A recurrent layer and a linear head, trained with Adam on minibatches."""

    def __init__(self, cell, units, batch_size):
        self.cell = cell
        self.units = units
        self.batch_size = batch_size

    def prepare(self, X, y):
        """JAX arrays for `fit`, made before the clock starts."""
        return jnp.asarray(X), jnp.asarray(y)

    def fit(self, data, epochs):
        """Train a new network for a number of epochs."""
        X, y = data
        rng = np.random.default_rng(0)
        theta = self._draw(rng, X.shape[-1], int(y.max()) + 1)
        zeros = partial(jax.tree.map, jnp.zeros_like, theta)
        run = (theta, zeros(), zeros(), jnp.float32(0), jnp.float32(0))
        totals = []
        for _ in range(epochs):
            order = rng.permutation(len(X))
            for rows in np.split(
                order, range(self.batch_size, len(X), self.batch_size)
            ):
                run = update(self.cell, run, X, y, rows)
            totals.append(run[-1] + 0)  # a copy, since the next update takes `run`
        self.loss_curve = np.diff(np.asarray(totals), prepend=0) / len(X)
        return self

    def _draw(self, rng, n_features, n_classes):
        """Initial weights, as PyTorch draws them."""
        bound, width = self.units**-0.5, GATES[self.cell] * self.units
        shapes = {
            "weight_ih": (n_features, width),
            "weight_hh": (self.units, width),
            "bias_ih": width,
            "bias_hh": width,
            "head_weight": (self.units, n_classes),
            "head_bias": n_classes,
        }
        draw = partial(rng.uniform, -bound, bound)
        return {name: jnp.float32(draw(shape)) for name, shape in shapes.items()}
