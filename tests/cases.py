"""Small networks of every registered cell, side by side with their oracle."""

import types

import naive
import numpy as np

from skrnn.cells import CELLS
from skrnn.network.dropout import Masks
from skrnn.network.network import Network
from skrnn.network.pooling import POOLINGS, READOUTS
from skrnn.network.workspace import Workspace
from skrnn.sequences import check_sequences, pack

N_INPUTS = 2
LENGTHS = (3, 5, 1, 4, 3)
POOLING_NAMES = list(POOLINGS)
READOUT_NAMES = list(READOUTS)


def global_random_state():
    """State of NumPy's global generator, which nothing in skrnn may change."""
    return np.random.get_state()[1].tolist()  # noqa: NPY002 - no newer way to read it


def each_variant():
    """Yield (name, activation) of every registered cell with each activation."""
    for name, kind in CELLS.items():
        for activation in kind.activations:
            yield name, activation


VARIANTS = list(each_variant())


def make_cell(name, activation):
    kind = CELLS[name]
    return kind(activation) if len(kind.activations) > 1 else kind()


def bound(function, cell):
    """A cell's plain function with the names bound that the cell leaves open."""
    names = {**function.__globals__, **cell.bindings()}
    return types.FunctionType(function.__code__, names)


def step_of(cell, name=None, activation=None):
    """The oracle's step of a registered cell, or one made of the cell's `forward`."""
    if (name, activation) in naive.STEPS:
        return naive.STEPS[name, activation]
    return naive.step_of_algebra(
        bound(cell.forward, cell),
        len(cell.x_gates),
        len(cell.h_gates),
        cell.unit_vectors,
    )


def draw_sequences(lengths=LENGTHS, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, N_INPUTS)).astype(dtype) for n in lengths]


def pack_all(sequences, dtype):
    return pack(check_sequences(sequences), np.arange(len(sequences)), dtype)


class Case:
    """A network with random parameters and a ragged minibatch, and the same naively.

    Parameters
    ----------
    cell : Cell
    step : callable
        The oracle's step.
    sequences : list of array
    hidden_layer_sizes, bidirectional, pooling, n_raw, dtype, bptt_steps
        As of `Network`.
    dropout : float
        Rate of all kinds of dropout.
    embedding : dict or None
        As of `Network`; `sequences` are then ids.
    """

    def __init__(
        self,
        cell,
        step,
        sequences=None,
        hidden_layer_sizes=(3,),
        bidirectional=False,
        pooling="last",
        n_raw=2,
        dtype=np.float64,
        bptt_steps=None,
        dropout=0.0,
        embedding=None,
    ):
        sizes = hidden_layer_sizes
        self.dtype = np.dtype(dtype)
        self.network = Network(
            cell,
            1 if embedding else N_INPUTS,
            sizes,
            bidirectional,
            pooling,
            n_raw,
            dtype,
            bptt_steps,
            embedding=embedding,
        )
        self.naive = naive.NaiveNetwork(
            step, len(cell.carried), sizes, bidirectional, pooling, bptt_steps
        )
        self.space = Workspace(dtype)
        rng = np.random.default_rng(1)
        self.theta = 0.7 * rng.standard_normal(self.network.layout.size)
        self.theta = self.theta.astype(dtype)
        self.sequences = sequences or draw_sequences(dtype=dtype)
        self.packed = pack_all(self.sequences, self.network.row_dtype)
        self.masks = Masks.draw(
            self.network.stack, len(self.sequences), dropout, dropout, rng
        )

    @property
    def stack(self):
        return self.network.stack

    @property
    def views(self):
        return self.network.layout.views(self.theta)

    def raw_scores(self):
        """Raw scores without dropout, in the order of `sequences`."""
        return self.network.answer(self.theta, self.packed, self.space)

    def gradient(self, loss):
        """Value and gradient of ``loss(raw)``; raw is in packed order."""
        value, gradient = self.network.gradient(
            self.theta, self.packed, self.masks, self.space, loss
        )
        return value, gradient.copy()

    def naive_raw_scores(self, theta):
        """The oracle's raw scores, in packed order, with this case's masks."""
        raw = self.naive.raw_scores(
            self.network.layout.views(theta), self.sequences, self.naive_masks()
        )
        plan = self.packed.plan
        if self.naive.pooling == "steps":
            return raw[np.argsort(plan.unpacked_rows)]
        return raw[plan.order]

    def naive_masks(self):
        """This case's dropout masks, sequence by sequence."""
        none = self.naive.no_masks()
        return [
            {
                "between": self._rows(self.masks.between, rank, none["between"]),
                "recurrent": self._rows(self.masks.recurrent, rank, none["recurrent"]),
                "head": self._rows([self.masks.head], rank, [none["head"]])[0],
            }
            for rank in self.packed.plan.ranks
        ]

    def random_state(self, seed):
        """State of all sequences."""
        rng = np.random.default_rng(seed)
        zeros = self.stack.zero_state(len(self.sequences))
        return [rng.standard_normal(part.shape) for part in zeros]

    def _rows(self, masks, rank, none):
        return [
            nothing if mask is None or len(mask) == 0 else mask[rank]
            for mask, nothing in zip(masks, none, strict=True)
        ]


def make_case(variant, **options):
    """The case of a registered cell, given by name and activation."""
    cell = make_cell(*variant)
    return Case(cell, step_of(cell, *variant), **options)


def largest_error(actual, expected):
    """Largest error of an entry, relative to the largest entry."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    return np.abs(actual - expected).max() / np.abs(expected).max()


def flat(state):
    return np.concatenate([part.ravel() for part in state])


def unflat(vector, like):
    """The opposite of `flat`, in the shapes of the state `like`."""
    ends = np.cumsum([part.size for part in like])[:-1]
    parts = np.split(vector, ends)
    return [part.reshape(other.shape) for part, other in zip(parts, like, strict=True)]


def signs(size, seed=2):
    return np.random.default_rng(seed).choice([-1.0, 1.0], size)


def weighted_sum(shape, seed=3):
    """A linear function of an array as a loss, and its weights."""
    weights = np.random.default_rng(seed).standard_normal(shape)
    return lambda raw: (float((weights * raw).sum()), weights), weights


def exactness(case):
    """Largest relative error of the gradient along a direction of random signs."""
    loss, weights = weighted_sum(case.raw_scores().shape)
    gradient = case.gradient(loss)[1]
    direction = signs(gradient.size)
    expected = naive.derivative(
        lambda theta: (weights * case.naive_raw_scores(theta)).sum(),
        case.theta,
        direction,
    )
    return abs(gradient @ direction - expected) / np.abs(gradient).max()
