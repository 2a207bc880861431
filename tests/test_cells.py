"""Cells and the functions they are made of, as scalar algebra without a network."""

import re

import naive
import numpy as np
import pytest
from cases import VARIANTS, make_cell
from numpy.testing import assert_allclose, assert_array_equal

from skrnn.cells import CELLS, Cell, check_cell, relu, sigmoid, tanh
from skrnn.cells.check import check_parts
from skrnn.jit import plain, specialise

EPSILON = {np.float32: 2.0**-23, np.float64: 2.0**-52}
# Where the compiled tanh turns constant.
END = {np.float32: 8.0, np.float64: 18.7}

each_variant = pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
each_dtype = pytest.mark.parametrize("dtype", EPSILON, ids=["float32", "float64"])

applied = None  # bound below


def apply_kernel(x, out):
    for i in range(x.size):
        out[i] = applied(x[i])


def in_kernel(f, x):
    """Values of f as a kernel computes them, in the dtype of x."""
    out = np.empty_like(x)
    specialise(apply_kernel, x.dtype, applied=f)(x, out)
    return out


def grid(dtype, end=None):
    """Points of both signs, dense near 0 and up to beyond where tanh is constant."""
    points = np.linspace(0, end or 1.5 * END[dtype], 4001)
    points = np.concatenate([points, np.logspace(-30, 0, 301)])
    return np.sort(np.concatenate([-points, points])).astype(dtype)


# The functions in a kernel


def test_tanh_in_float32_is_within_six_units_in_the_last_place():
    x = grid(np.float32, end=8.0)
    exact = np.tanh(x.astype(np.float64))
    units = np.abs(in_kernel(tanh, x) - exact) / np.spacing(
        np.abs(exact).astype(np.float32)
    )
    assert units.max() < 6


def test_tanh_in_float64_has_an_error_below_1e_15():
    x = grid(np.float64)
    assert np.abs(in_kernel(tanh, x) - np.tanh(x)).max() < 1e-15


@each_dtype
def test_tanh_keeps_its_relative_precision_near_zero(dtype):
    """So that small activations and their gradients are not rounded away."""
    x = np.logspace(-30, -1, 500).astype(dtype)
    assert_allclose(in_kernel(tanh, x), np.tanh(x), rtol=6 * EPSILON[dtype])


@each_dtype
def test_tanh_is_odd_to_the_last_bit(dtype):
    x = grid(dtype)
    assert_array_equal(in_kernel(tanh, -x), -in_kernel(tanh, x))


@each_dtype
def test_tanh_stays_in_its_range_and_grows(dtype):
    """But for rounding, of a few units in the last place of 1."""
    values = in_kernel(tanh, grid(dtype))
    assert np.abs(values).max() <= 1 + 4 * EPSILON[dtype]
    assert np.diff(values).min() >= -4 * EPSILON[dtype]


@each_dtype
def test_functions_at_the_ends_of_their_range(dtype):
    x = np.array([-np.inf, -1e30, -100.0, 100.0, 1e30, np.inf], dtype)
    expected = np.sign(x)
    near = {"rtol": 0, "atol": 6 * EPSILON[dtype]}
    assert_allclose(in_kernel(tanh, x), expected, **near)
    assert_allclose(in_kernel(sigmoid, x), (1 + expected) / 2, **near)
    assert_array_equal(in_kernel(relu, x), np.maximum(x, 0))


@each_dtype
@pytest.mark.parametrize("f", [tanh, sigmoid, relu], ids=lambda f: f.__name__)
def test_functions_hand_on_nan(dtype, f):
    """A diverged network must be seen to have diverged."""
    assert np.isnan(in_kernel(f, np.array([np.nan, 0.5], dtype))[0])


@each_dtype
def test_sigmoid_in_a_kernel(dtype):
    x = grid(dtype, end=3 * END[dtype])
    exact = naive.sigmoid(x.astype(np.float64))
    values = in_kernel(sigmoid, x)
    assert np.abs(values - exact).max() < 4 * EPSILON[dtype]
    assert values.min() >= -2 * EPSILON[dtype]
    assert values.max() <= 1 + 2 * EPSILON[dtype]
    assert_allclose(in_kernel(sigmoid, -x), 1 - values, rtol=0, atol=EPSILON[dtype])


def test_functions_outside_a_kernel_take_arrays():
    x = np.linspace(-5, 5, 11)
    assert_array_equal(tanh(x), np.tanh(x))
    assert_array_equal(relu(x), x * (x > 0))
    assert_allclose(sigmoid(x), naive.sigmoid(x), rtol=1e-14)


# The algebra of every registered cell


def counts_of(cell):
    return [
        len(names)
        for names in (cell.x_gates, cell.h_gates, cell.carried, cell.unit_vectors)
    ]


def draw_arguments(cell, seed, dtype=np.float64, scale=1.0):
    """Arguments of `forward` and a gradient of what it carries on."""
    rng = np.random.default_rng(seed)
    counts = counts_of(cell)
    arguments = [tuple((scale * rng.standard_normal(n)).astype(dtype)) for n in counts]
    return arguments, tuple(rng.standard_normal(counts[2]).astype(dtype))


def algebra(cell, dtype=np.float64):
    bindings = cell.bindings()
    return [plain(f, dtype, **bindings) for f in (cell.forward, cell.backward)]


@each_variant
def test_backward_is_the_gradient_of_forward(variant):
    """Each argument in turn, where the input and the state pre-activations differ."""
    cell = make_cell(*variant)
    forward, backward = algebra(cell)
    for seed in range(5):
        arguments, d_carry = draw_arguments(cell, seed)
        tape = forward(*arguments)[1]
        found = np.concatenate(backward(d_carry, tape, *arguments[2:]))
        ends = np.cumsum(counts_of(cell))[:-1]

        def value(point, ends=ends, d_carry=d_carry):
            carry = forward(*map(tuple, np.split(point, ends)))[0]
            return np.dot(d_carry, carry)

        point, h = np.concatenate(arguments), 1e-4
        expected = [
            (8 * (value(point + v) - value(point - v)) - value(point + 2 * v))
            / (12 * h)
            + value(point - 2 * v) / (12 * h)
            for v in h * np.eye(point.size)
        ]
        assert_allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "variant", [v for v in VARIANTS if CELLS[v[0]].additive], ids="-".join
)
def test_additive_cells_see_the_sum_only(variant):
    """`additive` promises that input and state enter as a_x + a_h; both gradients are
    then the same."""
    cell = make_cell(*variant)
    forward, backward = algebra(cell)
    (ax, ah, carry, unit), d_carry = draw_arguments(cell, 0)
    summed, tape = forward(tuple(np.add(ax, ah)), (0.0,) * len(ah), carry, unit)
    assert_allclose(forward(ax, ah, carry, unit)[0], summed, rtol=1e-14)
    d_ax, d_ah, _, _ = backward(d_carry, tape, carry, unit)
    assert d_ax == d_ah


@each_variant
def test_algebra_stays_in_float32(variant):
    """No literal widens a float32 kernel."""
    cell = make_cell(*variant)
    forward, backward = algebra(cell, np.float32)
    arguments, d_carry = draw_arguments(cell, 0, np.float32)
    carry, tape = forward(*arguments)
    d_ax, d_ah, _, d_unit = backward(d_carry, tape, *arguments[2:])
    for part in (carry, tape, d_ax, d_ah, d_unit):
        assert all(type(value) is np.float32 for value in part)


@each_dtype
@each_variant
def test_saturated_cells_stay_finite(variant, dtype):
    """Large pre-activations give finite outputs and gradients, without a warning."""
    cell = make_cell(*variant)
    forward, backward = algebra(cell, dtype)
    for seed in range(20):
        (ax, ah, carry, unit), d_carry = draw_arguments(cell, seed, dtype)
        large = [tuple(dtype(1e10) * np.array(part, dtype)) for part in (ax, ah)]
        carried, tape = forward(*large, carry, unit)
        gradients = backward(d_carry, tape, carry, unit)
        assert np.isfinite(np.concatenate([carried, tape, *gradients])).all()


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_documented_and_comparable(name):
    """Its equations and its source are in the docstring; get_params rebuilds it."""
    doc = CELLS[name].__doc__
    assert "::" in doc and "References" in doc
    for activation in CELLS[name].activations:
        cell = make_cell(name, activation)
        assert type(cell)(**cell.get_params()).get_params() == cell.get_params()
        assert cell.get_params().get("activation", "tanh") == activation


@pytest.mark.parametrize(
    "kind", [kind for kind in CELLS.values() if len(kind.activations) > 1]
)
def test_an_unknown_activation_is_refused(kind):
    message = "activation must be one of 'tanh', 'relu', got 'softsign'."
    with pytest.raises(ValueError, match=re.escape(message)):
        kind("softsign").bindings()


def test_the_base_cell_has_no_algebra():
    with pytest.raises(NotImplementedError, match="a cell must define `forward`"):
        Cell.forward((), (), (), ())
    with pytest.raises(NotImplementedError, match="a cell must define `backward`"):
        Cell.backward((), (), (), ())
    assert Cell().bindings() == {}


# Checks of a user's cell


class Leaky(Cell):
    """A sound cell, which the tests below break in one way each."""

    x_gates = h_gates = ("a",)
    taped = ("h",)
    unit_vectors = ("u",)

    @staticmethod
    def forward(ax, ah, carry, unit):
        h = tanh(ax[0] + ah[0] + unit[0] * carry[0])
        return (h,), (h,)

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        da = d_carry[0] * (1.0 - tape[0] * tape[0])
        return (da,), (da,), (da * unit[0],), (da * carry[0],)


@each_variant
def test_registered_cells_pass_the_check(variant):
    check_cell(make_cell(*variant))


def test_a_sound_cell_passes_the_check():
    check_cell(Leaky())


@pytest.mark.parametrize(
    "attributes, message",
    [
        (
            {"taped": ["h"]},
            "taped of Broken must be a tuple of at most 6 names, got ['h'].",
        ),
        (
            {"x_gates": tuple("abcdefg")},
            "x_gates of Broken must be a tuple of at most 6 names, got ('a', 'b',",
        ),
        (
            {"h_gates": ("a", "a")},
            "h_gates of Broken must be different names, none of them 'ih' or 'hh'",
        ),
        ({"x_gates": ()}, "x_gates of Broken must name at least one gate, got ()."),
        (
            {"carried": ("c", "h")},
            "carried of Broken must begin with 'h', the output, got ('c', 'h').",
        ),
        (
            {"additive": True, "h_gates": ()},
            "x_gates and h_gates of Broken must be as many, since it is additive, "
            "got ('a',) and ().",
        ),
    ],
    ids=["list", "seven", "twice", "no_gate", "no_output", "additive"],
)
def test_declared_parts_are_checked(attributes, message):
    broken = type("Broken", (Leaky,), attributes)()
    with pytest.raises(ValueError, match=re.escape(message)):
        check_parts(broken)


@pytest.mark.parametrize(
    "name, result, message",
    [
        ("forward", (1,), "forward of Broken must return 2 tuples, got (1,)."),
        (
            "forward",
            (1, (1,)),
            "forward of Broken must return 2 tuples, got (1, (1,)).",
        ),
        (
            "forward",
            ((1, 2), (1,)),
            "forward of Broken must return carry with one value for each of ('h',), "
            "got 2.",
        ),
        (
            "forward",
            ((1,), ()),
            "forward of Broken must return tape with one value for each of ('h',), "
            "got 0.",
        ),
        (
            "backward",
            ((1,), (1,), (1,)),
            "backward of Broken must return 4 tuples, got ((1,), (1,), (1,)).",
        ),
        (
            "backward",
            ((), (1,), (1,), (1,)),
            "backward of Broken must return d_ax with one value for each of ('a',), "
            "got 0.",
        ),
        (
            "backward",
            ((1,), (1, 1), (1,), (1,)),
            "backward of Broken must return d_ah with one value for each of ('a',), "
            "got 2.",
        ),
        (
            "backward",
            ((1,), (1,), (), (1,)),
            "backward of Broken must return d_carry with one value for each of "
            "('h',), got 0.",
        ),
        (
            "backward",
            ((1,), (1,), (1,), ()),
            "backward of Broken must return d_unit with one value for each of "
            "('u',), got 0.",
        ),
    ],
)
def test_what_a_cell_returns_is_checked(name, result, message):
    def stub(*arguments):
        return result

    broken = type("Broken", (Leaky,), {name: staticmethod(stub)})()
    with pytest.raises(ValueError, match=re.escape(message)):
        check_parts(broken)


@pytest.mark.parametrize("part", ["d_ax", "d_ah", "d_carry", "d_unit"])
def test_a_wrong_gradient_is_found(part):
    position = ["d_ax", "d_ah", "d_carry", "d_unit"].index(part)

    def backward(d_carry, tape, carry, unit):
        found = list(Leaky.backward(d_carry, tape, carry, unit))
        found[position] = (found[position][0] * 1.01,)
        return tuple(found)

    broken = type("Broken", (Leaky,), {"backward": staticmethod(backward)})()
    message = f"gradient of forward, got .* for {part}\\[0\\] where central differences"
    with pytest.raises(ValueError, match=message):
        check_cell(broken)
