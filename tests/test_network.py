"""The network's forward pass: equal to the oracle, whatever the batch looks like."""

import weakref

import naive
import numpy as np
import pytest
from cases import (
    LENGTHS,
    POOLING_NAMES,
    READOUT_NAMES,
    VARIANTS,
    draw_sequences,
    make_case,
    make_cell,
    pack_all,
)
from numpy.testing import assert_allclose, assert_array_equal

from skrnn import jit
from skrnn.cells import CELLS
from skrnn.jit import specialise
from skrnn.network import planes
from skrnn.network.dropout import Masks
from skrnn.network.network import Network
from skrnn.network.parameters import Layout, glorot
from skrnn.network.pooling import EveryStep, LastPooling, StepWeights
from skrnn.network.stack import Stack
from skrnn.network.workspace import Workspace
from skrnn.sequences import ArraySequences, pack

# Absolute errors; scores and outputs are of the order of 1.
TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}

each_variant = pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
each_dtype = pytest.mark.parametrize("dtype", TOLERANCE, ids=["float64", "float32"])
each_direction = pytest.mark.parametrize(
    "bidirectional", [False, True], ids=["forward", "bidirectional"]
)
each_depth = pytest.mark.parametrize("sizes", [(3,), (3, 2)], ids=["one", "two"])


def assert_close(actual, expected, dtype=np.float64):
    assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[np.dtype(dtype).type])


# Equal to the oracle


def test_registered_cells_have_equations_in_the_oracle():
    """The six of the package; a cell added later may do with its own `forward`."""
    ours = {"rnn", "lstm", "gru", "mingru", "indrnn", "peephole_lstm"}
    assert ours <= set(CELLS)
    assert {v for v in VARIANTS if v[0] in ours} == set(naive.STEPS)


@each_depth
@each_direction
@each_dtype
@each_variant
def test_raw_scores_are_the_oracles(variant, dtype, bidirectional, sizes):
    for pooling in READOUT_NAMES:
        case = make_case(
            variant,
            hidden_layer_sizes=sizes,
            bidirectional=bidirectional,
            pooling=pooling,
            dtype=dtype,
        )
        raw = case.raw_scores()
        assert raw.dtype == dtype
        expected = case.naive.raw_scores(case.views, case.sequences)
        assert_close(raw, expected, dtype)


def outputs_of(case):
    """Outputs of every step, (N, F), and the last ones, (B, F), packed order."""
    return [read_out(case, pooling) for pooling in (EveryStep(), LastPooling())]


def read_out(case, pooling):
    network = case.network.read_out_by(pooling)
    return network.pooled(case.theta, case.packed, case.space)


@each_direction
@each_dtype
@each_variant
def test_outputs_of_every_step_are_the_oracles(variant, dtype, bidirectional):
    case = make_case(
        variant, hidden_layer_sizes=(2, 3), bidirectional=bidirectional, dtype=dtype
    )
    rows, last = outputs_of(case)
    assert rows.dtype == last.dtype == dtype
    outputs, last = case.packed.unpack(rows), case.packed.restore(last)
    none, zero = case.naive.no_masks(), case.naive.zero_state()
    for i, x in enumerate(case.sequences):
        expected, state = case.naive.run(case.views, x, zero, none)
        assert_close(outputs[i], expected, dtype)
        assert_close(last[i], case.naive.last_output(state), dtype)


@each_direction
@each_dtype
def test_attention_weights_are_the_oracles(dtype, bidirectional):
    case = make_case(
        ("gru", "tanh"), pooling="attention", bidirectional=bidirectional, dtype=dtype
    )
    weights = case.packed.unpack(read_out(case, StepWeights()))
    none, zero = case.naive.no_masks(), case.naive.zero_state()
    for i, x in enumerate(case.sequences):
        outputs = case.naive.run(case.views, x, zero, none)[0]
        assert_close(weights[i], naive.attention(case.views, outputs), dtype)
        assert_close(weights[i].sum(), 1.0, dtype)


@each_direction
@each_dtype
@each_variant
def test_initial_and_final_state(variant, dtype, bidirectional):
    """From any initial state, with dropout: every final state is the oracle's."""
    case = make_case(
        variant,
        hidden_layer_sizes=(3, 2),
        bidirectional=bidirectional,
        dtype=dtype,
        dropout=0.4,
    )
    state = [part.astype(dtype) for part in case.random_state(5)]
    run = case.stack.forward(case.views, case.packed, state, case.masks, case.space)
    final, masks = run["state"], case.naive_masks()
    for i, rank in enumerate(case.packed.plan.ranks):
        start = [list(part[:, rank]) for part in state]
        expected = case.naive.run(case.views, case.sequences[i], start, masks[i])[1]
        for part, naive_part in zip(final, expected, strict=True):
            assert_close(part[:, rank], np.array(naive_part), dtype)


@each_variant
def test_a_sequence_in_two_parts(variant):
    """The final state of the first half is all that the second half needs."""
    case = make_case(
        variant,
        hidden_layer_sizes=(3, 2),
        sequences=draw_sequences((6, 6)),
    )
    whole, last = outputs_of(case)
    state, masks, rows = case.stack.zero_state(2), Masks.none(case.stack), []
    for part in (case.packed.time_slice(0, 2), case.packed.time_slice(2, 6)):
        run = case.stack.forward(case.views, part, state, masks, case.space)
        rows.append(run["out"].copy())
        state = run["state"]
    assert_close(np.concatenate(rows), whole)
    assert_close(case.stack.last_output(state), last)


# Independent of the batch and of how the work is done


@pytest.mark.parametrize("bptt_steps", [1, 2, 3, 5, 100])
@each_variant
def test_chunks_leave_the_scores_unchanged(variant, bptt_steps):
    for pooling in READOUT_NAMES:
        options = {"hidden_layer_sizes": (3, 2), "pooling": pooling}
        whole = make_case(variant, **options).raw_scores()
        chunked = make_case(variant, bptt_steps=bptt_steps, **options).raw_scores()
        assert_close(chunked, whole)


@pytest.mark.parametrize("bptt_steps", [1, 3, 100])
def test_chunks_leave_outputs_and_weights_unchanged(bptt_steps):
    whole, chunked = (
        make_case(("gru", "tanh"), pooling="attention", bptt_steps=steps)
        for steps in (None, bptt_steps)
    )
    for pooling in (EveryStep, LastPooling, StepWeights):
        assert_close(read_out(chunked, pooling()), read_out(whole, pooling()))


@each_dtype
@each_variant
def test_scores_do_not_depend_on_batch_mates_or_order(variant, dtype):
    for pooling in POOLING_NAMES:
        options = {"pooling": pooling, "bidirectional": True, "dtype": dtype}
        options["hidden_layer_sizes"] = (3, 2)
        case = make_case(variant, **options)
        together = case.raw_scores()
        for i, x in enumerate(case.sequences):
            alone = make_case(variant, sequences=[x], **options).raw_scores()
            assert_close(alone[0], together[i], dtype)
        order = [3, 0, 4, 1, 2]
        shuffled = [case.sequences[i] for i in order]
        shuffled = make_case(variant, sequences=shuffled, **options).raw_scores()
        assert_close(shuffled, together[order], dtype)


@each_variant
def test_scores_do_not_depend_on_padding(variant):
    case = make_case(variant, pooling="mean", bidirectional=True)
    lengths, padded = np.array(LENGTHS), np.full((len(LENGTHS), 9, 2), np.nan)
    for row, x in zip(padded, case.sequences, strict=True):
        row[: len(x)] = x
    entries = np.arange(len(lengths))
    sequences = ArraySequences(padded, entries, lengths, np.dtype(np.float64))
    packed = pack(sequences, entries, np.float64)
    raw = case.network.predict_raw(case.theta, packed, case.space)
    assert_array_equal(packed.restore(raw), case.raw_scores())


@each_variant
def test_tape_and_used_workspace_change_no_bit(variant):
    """Neither what forward keeps for backward nor what an earlier batch left behind."""
    case = make_case(variant, pooling="attention", bidirectional=True)
    fresh = case.raw_scores()
    _, gradient = case.gradient(lambda raw: (0.0, raw.copy()))
    larger = pack_all(draw_sequences((7, 9, 2, 8, 4, 6)), np.float64)
    case.network.predict_raw(case.theta, larger, case.space)
    assert_array_equal(case.raw_scores(), fresh)
    taped, again = case.gradient(lambda raw: (raw.copy(), raw.copy()))
    assert_array_equal(case.packed.restore(taped), fresh)
    assert_array_equal(again, gradient)


# Parameters


def shapes_of(name, n_raw=4, **options):
    cell = make_cell(name, CELLS[name].activations[0])
    network = Network(
        cell, 5, (3, 2), options.get("bidirectional", False), "last", n_raw, np.float64
    )
    return network.layout.shapes


@pytest.mark.parametrize("name, n_gates", [("rnn", 1), ("lstm", 4), ("gru", 3)])
def test_names_and_shapes_are_pytorchs(name, n_gates):
    shapes, expected = shapes_of(name, bidirectional=True), {}
    for level, (n_inputs, n_units) in enumerate([(5, 3), (6, 2)]):
        for end in (f"l{level}", f"l{level}_reverse"):
            expected[f"weight_ih_{end}"] = (n_gates * n_units, n_inputs)
            expected[f"weight_hh_{end}"] = (n_gates * n_units, n_units)
            expected[f"bias_ih_{end}"] = (n_gates * n_units,)
            expected[f"bias_hh_{end}"] = (n_gates * n_units,)
    assert shapes == {**expected, "head_weight": (4, 4), "head_bias": (4,)}


def test_cells_without_a_recurrent_product_have_no_recurrent_weights():
    assert set(shapes_of("mingru")) == {
        *("weight_ih_l0", "bias_ih_l0", "weight_ih_l1", "bias_ih_l1"),
        *("head_weight", "head_bias"),
    }
    assert shapes_of("indrnn")["weight_u_l1"] == (2,)
    assert shapes_of("peephole_lstm")["weight_p_o_l0"] == (3,)


def test_layout_puts_biases_last_and_covers_theta():
    layout = Layout({"b_bias": (2,), "w": (2, 3), "bias_x": (1,), "v": (4,)})
    assert (layout.size, layout.n_weights) == (13, 10)
    views = layout.views(np.arange(13.0))
    assert_array_equal(views["w"], np.arange(6.0).reshape(2, 3))
    assert_array_equal(views["v"], np.arange(6.0, 10.0))
    assert_array_equal(views["b_bias"], [10.0, 11.0])
    assert_array_equal(views["bias_x"], [12.0])


def test_views_write_through_to_theta():
    theta = np.zeros(6)
    Layout({"w": (2, 3)}).views(theta)["w"][1, 2] = 7.0
    assert theta[5] == 7.0


def initial_views(variant, dtype=np.float64, seed=0, **options):
    case = make_case(variant, dtype=dtype, **options)
    theta = case.network.initialise(np.random.default_rng(seed), [0.5, -1.5])
    assert theta.dtype == dtype
    return case.network.layout.views(theta), theta


@each_variant
def test_initial_weights_are_glorots_for_each_gate(variant):
    views, _ = initial_views(variant, hidden_layer_sizes=(40,))
    for gate in views["weight_ih_l0"].reshape(-1, 40, 2):
        bound = np.sqrt(6 / 42)
        assert 0.8 * bound < np.abs(gate).max() <= bound


@each_variant
def test_initial_recurrent_weights_keep_the_norm(variant):
    """Every gate's matrix is orthogonal; for relu it is the identity."""
    views, _ = initial_views(variant, hidden_layer_sizes=(6,))
    for gate in views.get("weight_hh_l0", np.empty(0)).reshape(-1, 6, 6):
        assert_close(gate @ gate.T, np.eye(6))
        assert (variant[1] == "relu") == np.array_equal(gate, np.eye(6))


@each_variant
def test_initial_biases_are_zero_but_for_forget_gates(variant):
    views, _ = initial_views(variant, bidirectional=True, pooling="attention")
    cell = make_cell(*variant)
    forgets = "lstm" in variant[0]
    expected = np.repeat([float(forgets and g == "f") for g in cell.x_gates], 3)
    for name, view in views.items():
        if name.startswith("bias_ih"):
            assert_array_equal(view, expected)
        elif "bias" in name and name != "head_bias":
            assert not view.any()
    assert_array_equal(views["head_bias"], [0.5, -1.5])


def test_initial_unit_vectors():
    """IndRNN's weights spread over [0, 1]; peepholes start closed."""
    u = initial_views(("indrnn", "relu"), hidden_layer_sizes=(200,))[0]["weight_u_l0"]
    assert 0 <= u.min() < 0.05 and 0.95 < u.max() <= 1
    peepholes = initial_views(("peephole_lstm", "tanh"))[0]
    assert not any(peepholes[f"weight_p_{gate}_l0"].any() for gate in "ifo")


@each_dtype
def test_initialisation_is_finite_and_set_by_its_generator(dtype):
    for variant in VARIANTS:
        options = {"hidden_layer_sizes": (3, 2), "pooling": "attention"}
        first = initial_views(variant, dtype, **options)[1]
        assert np.isfinite(first).all()
        assert_array_equal(initial_views(variant, dtype, **options)[1], first)
        assert (initial_views(variant, dtype, seed=1, **options)[1] != first).any()


def test_glorot_spreads_evenly():
    weights = glorot(np.random.default_rng(0), (300, 200))
    assert_allclose(weights.std(), np.sqrt(6 / 500 / 3), rtol=0.01)
    assert abs(weights.mean()) < 0.001


# Dropout masks


def make_stack(dtype=np.float64, sizes=(50, 40), bidirectional=True):
    return Stack(make_cell("gru", "tanh"), 2, sizes, bidirectional, np.dtype(dtype))


@each_dtype
def test_masks_switch_off_at_their_rate_and_scale_up_the_rest(dtype):
    masks = Masks.draw(make_stack(dtype), 200, 0.2, 0.5, np.random.default_rng(0))
    assert masks.head.shape == (200, 80) and masks.between[1].shape == (200, 100)
    assert [mask.shape[1] for mask in masks.recurrent] == [50, 50, 40, 40]
    drawn = [(masks.head, 0.2), (masks.between[1], 0.2)]
    for mask, rate in drawn + [(mask, 0.5) for mask in masks.recurrent]:
        assert mask.dtype == dtype
        assert_array_equal(np.unique(mask), [0, dtype(1) / dtype(1 - rate)])
        assert abs((mask == 0).mean() - rate) < 0.02
    assert masks.between[0] is None


def test_masks_of_rate_zero_are_none():
    drawn = Masks.draw(make_stack(), 3, 0.0, 0.0, np.random.default_rng(0))
    assert drawn.between == [None, None] and drawn.head is None
    assert [mask.shape for mask in drawn.recurrent] == [(0, 50)] * 2 + [(0, 40)] * 2


def test_selected_masks_are_those_of_the_sequences():
    masks = Masks.draw(make_stack(), 6, 0.3, 0.3, np.random.default_rng(0))
    some = masks.select(slice(1, None, 2))
    assert_array_equal(some.head, masks.head[1::2])
    assert_array_equal(some.between[1], masks.between[1][1::2])
    for part, whole in zip(some.recurrent, masks.recurrent, strict=True):
        assert part.flags.c_contiguous
        assert_array_equal(part, whole[1::2])


# Memory


def move(p, size, j, values):
    before, none = taken(p, size, j), zeroed(p, size, j)
    stored(p, size, j, values)
    return before, none, taken(p, size, j)


taken = zeroed = stored = None
PLACE = np.uint64(3), np.uint64(1)  # planes of 3 numbers, the second of each


@each_dtype
@pytest.mark.parametrize("n", [1, 2, 7])
def test_take_and_put_move_one_entry_of_each_plane(n, dtype):
    """Compiled or not; other entries stay as they are."""
    bound = {
        "taken": planes.take(n),
        "zeroed": planes.zeros(n),
        "stored": planes.put(n),
    }
    whole = np.arange(3.0 * n, dtype=dtype).reshape(n, 3)
    values = tuple(whole.dtype.type(-k) for k in range(n))
    for function in (jit.plain(move, dtype, **bound), specialise(move, dtype, **bound)):
        found = whole.copy()
        before, none, after = function(found.reshape(-1), *PLACE, values)
        assert before == tuple(whole[:, 1]) and none == (0,) * n and after == values
        assert_array_equal(found[:, [0, 2]], whole[:, [0, 2]])


def test_no_planes_at_all():
    """A cell without a tape, say, takes and stores empty tuples."""
    for part in (planes.take(0), planes.zeros(0)):
        bound = {"taken": part, "zeroed": part, "stored": planes.put(0)}
        assert specialise(move, "f8", **bound)(np.empty(0), *PLACE, ()) == ((), (), ())


def test_workspace_grows_and_is_used_again():
    space = Workspace(np.float32)
    small = space.array("a", (2, 3))
    assert small.shape == (2, 3) and small.dtype == np.float32
    large = space.array("a", (4, 5))
    assert not np.shares_memory(large, small)
    assert np.shares_memory(space.array("a", (3,)), large)
    assert not np.shares_memory(space.array("b", (3,)), large)
    large.fill(1.0)
    assert not space.zeros("a", (4, 5)).any()


def test_workspace_lets_go_of_a_buffer_that_is_too_small():
    """Nothing that it remembers keeps the old memory beside the new."""
    space = Workspace(np.float32)
    small = weakref.ref(space.array("a", (2, 3)).base)
    space.remember("views", (space,), lambda: [space.array("a", (2, 3))])
    space.array("a", (4, 5))
    assert small() is None
