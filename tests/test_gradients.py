"""Gradients are exact: against the oracle's derivatives and central differences.

Along a direction of random signs an error in any one entry of a gradient shows in full,
so one directional derivative tests all entries at once; a few cases go entry by entry.
"""

import naive
import numpy as np
import pytest
from cases import (
    LENGTHS,
    POOLING_NAMES,
    READOUT_NAMES,
    VARIANTS,
    Case,
    draw_sequences,
    exactness,
    flat,
    largest_error,
    make_case,
    signs,
    step_of,
    unflat,
    weighted_sum,
)
from numpy.testing import assert_allclose, assert_array_equal

from skrnn import losses
from skrnn.cells import Cell, tanh

SIZES = [(3,), (3, 2)]
EQUAL_LENGTHS = (4, 4, 4, 4, 4)

# Errors of a gradient in these tests, relative to its largest entry.
EXACT = 1e-12
CENTRAL = 1e-6

each_variant = pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
each_direction = pytest.mark.parametrize(
    "bidirectional", [False, True], ids=["forward", "bidirectional"]
)
each_depth = pytest.mark.parametrize("sizes", SIZES, ids=["one", "two"])


@each_depth
@each_direction
@each_variant
def test_gradient_is_the_oracles(variant, bidirectional, sizes):
    """Ragged and equal lengths, every pooling, without and with all dropout."""
    for pooling in READOUT_NAMES:
        for lengths in (LENGTHS, EQUAL_LENGTHS):
            for dropout in (0.0, 0.4):
                case = make_case(
                    variant,
                    sequences=draw_sequences(lengths),
                    hidden_layer_sizes=sizes,
                    bidirectional=bidirectional,
                    pooling=pooling,
                    dropout=dropout,
                )
                assert exactness(case) < EXACT, (pooling, lengths, dropout)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "peephole_lstm"])
@pytest.mark.parametrize(
    "lengths",
    [(140, 3, 1), (1,) * 140 + (3, 3), (5,) * 100],
    ids=["long", "many", "equal"],
)
def test_gradient_over_several_blocks_of_steps(cell, lengths):
    for dropout in (0.0, 0.4):
        case = make_case(
            (cell, "tanh"),
            sequences=draw_sequences(lengths),
            hidden_layer_sizes=(3, 2),
            dropout=dropout,
        )
        assert case.packed.plan.blocks.size > 2
        assert exactness(case) < EXACT, dropout


@each_variant
def test_every_entry_of_a_gradient(variant):
    case = make_case(
        variant,
        sequences=draw_sequences((3, 1, 2)),
        hidden_layer_sizes=(2, 2),
        bidirectional=True,
        pooling="attention",
        dropout=0.3,
    )
    loss, weights = weighted_sum((3, 2))
    expected = naive.gradient(
        lambda theta: (weights * case.naive_raw_scores(theta)).sum(), case.theta
    )
    assert largest_error(case.gradient(loss)[1], expected) < EXACT


@pytest.mark.parametrize("variant", [("lstm", "tanh"), ("gru", "tanh")], ids="-".join)
def test_float32_gradient_follows_that_of_float64(variant):
    options = {"hidden_layer_sizes": (3, 2), "bidirectional": True, "pooling": "mean"}
    loss, weights = weighted_sum((len(LENGTHS), 2))
    exact = make_case(variant, **options).gradient(loss)[1]
    case = make_case(variant, dtype=np.float32, **options)
    gradient = case.gradient(lambda raw: (0.0, weights.astype(np.float32)))[1]
    assert gradient.dtype == np.float32
    assert largest_error(gradient, exact) < 1e-5


# One line per loss: an instance, its number of raw columns and targets for a batch.
N = len(LENGTHS)
DRAW = np.random.default_rng(7)
LOSSES = {
    "categorical": (losses.CategoricalCrossEntropy(3), 3, np.arange(N) % 3),
    "binary": (losses.BinaryCrossEntropy(), 1, np.arange(N) % 2),
    "multilabel": (losses.MultilabelCrossEntropy(), 2, DRAW.integers(0, 2, (N, 2))),
    "squared_error": (losses.SquaredError(), 2, DRAW.standard_normal((N, 2))),
    "absolute_error": (losses.AbsoluteError(), 2, DRAW.standard_normal((N, 2))),
    "huber": (losses.Huber(delta=0.8), 2, DRAW.standard_normal((N, 2))),
    "poisson": (losses.Poisson(), 2, DRAW.poisson(1.5, (N, 2))),
    "quantile": (losses.Quantile(0.3), 2, DRAW.standard_normal((N, 2))),
    "quantiles": (losses.Quantile((0.1, 0.5, 0.9)), 3, DRAW.standard_normal((N, 1))),
}


def test_every_loss_has_a_line_above():
    public = [getattr(losses, name) for name in losses.__all__]
    kinds = {kind for kind in public if isinstance(kind, type)} - {losses.Loss}
    assert kinds | set(losses.REGRESSION_LOSSES.values()) == {
        type(loss) for loss, _, _ in LOSSES.values()
    }


def central_error(case, loss):
    """Error of the gradient against the value's central difference, one direction."""
    gradient, theta = case.gradient(loss)[1], case.theta
    direction = signs(gradient.size)
    values = []
    for step in (1e-6, -1e-6):
        case.theta = theta + step * direction
        values.append(case.gradient(loss)[0])
    expected = (values[0] - values[1]) / 2e-6
    return abs(gradient @ direction - expected) / np.abs(gradient).max()


def loss_of(name, order):
    """A loss of raw scores in packed order, with uneven weights."""
    loss, _, y = LOSSES[name]
    w = np.random.default_rng(8).uniform(0.1, 0.3, len(order))
    return lambda raw: loss.value_and_gradient(raw, y[order], w[order])


def check_against_central_differences(variant, name, **options):
    case = make_case(variant, n_raw=LOSSES[name][1], dropout=0.3, **options)
    error = central_error(case, loss_of(name, case.packed.plan.order))
    assert error < CENTRAL, (name, options)


@pytest.mark.parametrize("name", LOSSES)
@each_variant
def test_every_cell_with_every_loss(variant, name):
    check_against_central_differences(
        variant,
        name,
        hidden_layer_sizes=(3, 2),
        bidirectional=True,
        pooling=POOLING_NAMES[list(LOSSES).index(name) % len(POOLING_NAMES)],
    )


@pytest.mark.heavy
@each_depth
@each_direction
@each_variant
def test_every_pooling_with_every_loss(variant, bidirectional, sizes):
    """The full cross of cells, directions, depths, poolings and losses."""
    for pooling in POOLING_NAMES:
        for name in LOSSES:
            check_against_central_differences(
                variant,
                name,
                hidden_layer_sizes=sizes,
                bidirectional=bidirectional,
                pooling=pooling,
            )


def naive_functional(case, views, state, d_out, d_state):
    """Outputs and final states of the oracle, weighted by `d_out` and `d_state`."""
    total = 0.0
    d_rows, masks = case.packed.unpack(d_out), case.naive_masks()
    for i, rank in enumerate(case.packed.plan.ranks):
        start = [list(part[:, rank]) for part in state]
        outputs, final = case.naive.run(views, case.sequences[i], start, masks[i])
        total = total + (d_rows[i] * outputs).sum()
        for d_part, part in zip(d_state, final, strict=True):
            total = total + (d_part[:, rank] * np.array(part)).sum()
    return total


@pytest.mark.parametrize("with_outputs", [True, False], ids=["outputs", "state"])
@each_direction
@each_variant
def test_gradient_of_outputs_and_states(variant, bidirectional, with_outputs):
    """In the parameters and in the initial state, from gradients for the outputs of all
    steps and for the final state, or for the final state alone."""
    case = make_case(
        variant, hidden_layer_sizes=(3, 2), bidirectional=bidirectional, dropout=0.4
    )
    state, d_state = case.random_state(5), case.random_state(6)
    run = case.stack.forward(case.views, case.packed, state, case.masks, case.space)
    rng = np.random.default_rng(7)
    d_out = rng.standard_normal(run["out"].shape) * with_outputs
    gradient = np.zeros_like(case.theta)
    d_initial, _ = case.stack.backward(
        case.network.layout.views(gradient),
        run,
        case.packed.plan,
        d_out if with_outputs else d_out[:0],
        [part.copy() for part in d_state],
        case.masks,
        case.space,
    )
    found = np.concatenate([gradient, flat(d_initial)])

    def value(point):
        views = case.network.layout.views(point[: gradient.size])
        start = unflat(point[gradient.size :], state)
        return naive_functional(case, views, start, d_out, d_state)

    direction, point = signs(found.size), np.concatenate([case.theta, flat(state)])
    expected = naive.derivative(value, point, direction)
    assert abs(found @ direction - expected) / np.abs(found).max() < EXACT


@pytest.mark.parametrize("bptt_steps", [1, 2, 4])
@each_variant
def test_truncated_gradient_is_the_oracles(variant, bptt_steps):
    """The state carried into a chunk of `bptt_steps` steps counts as a constant."""
    for pooling in READOUT_NAMES:
        case = make_case(
            variant,
            hidden_layer_sizes=(3, 2),
            pooling=pooling,
            bptt_steps=bptt_steps,
            dropout=0.4,
        )
        assert exactness(case) < EXACT, pooling


@each_variant
def test_truncation_beyond_the_longest_sequence_changes_no_bit(variant):
    loss, _ = weighted_sum((len(LENGTHS), 2))
    value, whole = make_case(variant, pooling="mean").gradient(loss)
    for steps in (max(LENGTHS), 100):
        case = make_case(variant, pooling="mean", bptt_steps=steps)
        truncated = case.gradient(loss)
        assert truncated[0] == value
        assert_array_equal(truncated[1], whole)


def test_truncation_cuts_a_path():
    """A control: the truncated gradient is another than the whole one."""
    loss, _ = weighted_sum((len(LENGTHS), 2))
    whole = make_case(("gru", "tanh")).gradient(loss)[1]
    truncated = make_case(("gru", "tanh"), bptt_steps=2).gradient(loss)[1]
    assert largest_error(truncated, whole) > 0.01


def test_one_sequence_of_one_step():
    for variant in VARIANTS:
        case = make_case(variant, sequences=draw_sequences((1,)), pooling="max")
        assert exactness(case) < EXACT


class Wide(Cell):
    """As many parts of each kind as a cell can have."""

    x_gates = h_gates = unit_vectors = taped = ("a", "b", "c", "d", "e", "f")
    carried = ("h", "c1", "c2", "c3", "c4", "c5")

    @staticmethod
    def forward(ax, ah, carry, unit):
        a = tanh(ax[0] + ah[0] + unit[0] * carry[0])
        b = tanh(ax[1] + ah[1] + unit[1] * carry[1])
        c = tanh(ax[2] + ah[2] + unit[2] * carry[2])
        d = tanh(ax[3] + ah[3] + unit[3] * carry[3])
        e = tanh(ax[4] + ah[4] + unit[4] * carry[4])
        f = tanh(ax[5] + ah[5] + unit[5] * carry[5])
        return (a + b + c + d + e + f, b, c, d, e, f), (a, b, c, d, e, f)

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        dh, db, dc, dd, de, df = d_carry
        a, b, c, d, e, f = tape
        da = (
            dh * (1.0 - a * a),
            (dh + db) * (1.0 - b * b),
            (dh + dc) * (1.0 - c * c),
            (dh + dd) * (1.0 - d * d),
            (dh + de) * (1.0 - e * e),
            (dh + df) * (1.0 - f * f),
        )
        return da, da, _times(da, unit), _times(da, carry)


def _times(a, b):
    return a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3], a[4] * b[4], a[5] * b[5]


def test_a_cell_of_the_largest_size():
    """A user's cell with six parts of each kind: forward, gradient, truncation."""
    cell = Wide()
    for options in ({"bidirectional": True}, {"bptt_steps": 2}):
        case = Case(cell, step_of(cell), hidden_layer_sizes=(2, 2), **options)
        raw = case.naive_raw_scores(case.theta)[case.packed.plan.ranks]
        assert_allclose(case.raw_scores(), raw, rtol=0, atol=1e-12)
        assert exactness(case) < EXACT
