"""Optimisers against obvious NumPy twins, schedules against closed forms."""

import math
import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

from skrnn.jit import specialise
from skrnn.optimizers import (
    LBFGS,
    OPTIMIZERS,
    SCHEDULES,
    SGD,
    Adam,
    Optimizer,
    RMSprop,
    Schedule,
    StochasticOptimizer,
    clip_norm,
    make_optimizer,
    make_schedule,
)
from skrnn.optimizers.adam import adam_step

DTYPES = [np.float32, np.float64]
RTOL = {np.float32: 2e-5, np.float64: 1e-12}
STOCHASTIC = {
    name: kind for name, kind in OPTIMIZERS.items() if kind.full_batch is False
}
VARIANTS = [
    *[kind() for kind in STOCHASTIC.values()],
    Adam(beta_1=0, beta_2=0.5, epsilon=0.1),
    Adam(beta_1=0.5, beta_2=0),
    RMSprop(rho=0, epsilon=1),
    RMSprop(rho=np.float32(0.5)),
    SGD(nesterov=False),
    SGD(momentum=0),
    SGD(momentum=0, nesterov=False),
]
on_variants = pytest.mark.parametrize("optimizer", VARIANTS, ids=repr)
on_dtypes = pytest.mark.parametrize("dtype", DTYPES)


# The obvious twins: allocate freely, return everything


def naive_adam(optimizer, theta, g, state, learning_rate):
    t, b1, b2 = state["t"] + 1, optimizer.beta_1, optimizer.beta_2
    m = b1 * state["m"] + (1 - b1) * g
    v = b2 * state["v"] + (1 - b2) * g**2
    m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
    theta = theta - learning_rate * m_hat / (np.sqrt(v_hat) + optimizer.epsilon)
    return theta, {"t": t, "m": m, "v": v}


def naive_rmsprop(optimizer, theta, g, state, learning_rate):
    v = optimizer.rho * state["v"] + (1 - optimizer.rho) * g**2
    theta = theta - learning_rate * g / (np.sqrt(v) + optimizer.epsilon)
    return theta, {"t": state["t"] + 1, "v": v}


def naive_sgd(optimizer, theta, g, state, learning_rate):
    b = optimizer.momentum * state["b"] + g
    step = g + optimizer.momentum * b if optimizer.nesterov else b
    return theta - learning_rate * step, {"t": state["t"] + 1, "b": b}


NAIVE = {"adam": naive_adam, "rmsprop": naive_rmsprop, "sgd": naive_sgd}
TWINS = {OPTIMIZERS[name]: twin for name, twin in NAIVE.items()}


def problem(dtype, n_steps=20, size=137):
    """A start, and gradients of very different sizes, some of them 0."""
    rng = np.random.default_rng(0)
    gradients = rng.standard_normal((n_steps, size)) * 10 ** rng.uniform(-4, 3, size)
    gradients[:, ::10] = 0
    gradients = gradients.astype(dtype)
    return rng.standard_normal(size).astype(dtype), gradients


def run(optimizer, theta, gradients, state=None):
    state = optimizer.init(theta) if state is None else state
    for g in gradients:
        optimizer.update(theta, g, state, 0.01)
    return state


# Stochastic optimisers


def test_every_stochastic_optimizer_has_a_twin():
    assert NAIVE.keys() == STOCHASTIC.keys()
    assert len(OPTIMIZERS) == len(STOCHASTIC) + 1 and LBFGS.full_batch is True


@on_dtypes
@on_variants
def test_update_equals_its_twin(optimizer, dtype):
    """20 steps equal the textbook formulas in float64; theta moves by all of them."""
    theta, gradients = problem(dtype)
    expected, twin = theta.astype(np.float64), optimizer.init(theta.astype(np.float64))
    start = theta.copy()
    state = optimizer.init(theta)
    for g in gradients:
        optimizer.update(theta, g, state, 0.01)
        arguments = expected, g.astype(np.float64), twin, 0.01
        expected, twin = TWINS[type(optimizer)](optimizer, *arguments)
        size = np.abs(expected).max()
        np.testing.assert_allclose(theta, expected, RTOL[dtype], RTOL[dtype] * size)
    assert state.keys() == twin.keys() and state["t"] == 20
    for name in optimizer.buffers:
        scale = np.abs(twin[name]).max()
        np.testing.assert_allclose(
            state[name], twin[name], RTOL[dtype], RTOL[dtype] * scale
        )
    assert ((theta != start) == gradients.any(axis=0)).all()


BY_HAND = [  # start 1, learning rate 0.1, gradients 2 and -1
    (SGD(momentum=0), [0.8, 0.9]),
    (SGD(momentum=0.5, nesterov=False), [0.8, 0.8]),  # b = 2, then 0.5 * 2 - 1 = 0
    (SGD(momentum=0.5), [0.7, 0.8]),  # steps 2 + 0.5 * 2 = 3, then -1 + 0.5 * 0
    (RMSprop(rho=0.75, epsilon=1), [0.9, 0.95]),  # v = 1 / 4 * 4 = 1, 3 / 4 + 1 / 4 = 1
    # m = 1, m_hat = 2, v = 1, v_hat = 4: step 2 / (2 + 1); then m = 0.5 - 0.5 = 0
    (Adam(beta_1=0.5, beta_2=0.75, epsilon=1), [1 - 0.2 / 3, 1 - 0.2 / 3]),
    # m = 1.5, m_hat = 2, as above; then m = 0.25 * 1.5 - 0.75 = -0.375,
    # m_hat = -0.375 / (15 / 16) = -0.4, v = 0.75 + 0.25 = 1, v_hat = 1 / (7 / 16)
    (
        Adam(beta_1=0.25, beta_2=0.75, epsilon=1),
        [1 - 0.2 / 3, 1 - 0.2 / 3 + 0.04 / (math.sqrt(16 / 7) + 1)],
    ),
]


@on_dtypes
@pytest.mark.parametrize(("optimizer", "expected"), BY_HAND)
def test_two_steps_by_hand(optimizer, expected, dtype):
    theta = np.ones(1, dtype)
    state = optimizer.init(theta)
    for gradient, value in zip([2, -1], expected, strict=True):
        optimizer.update(theta, np.full(1, gradient, dtype), state, 0.1)
        assert theta[0] == pytest.approx(value, rel=RTOL[dtype])


@on_dtypes
@on_variants
def test_update_works_in_place_and_keeps_the_dtype(optimizer, dtype):
    theta, gradients = problem(dtype, n_steps=2)
    original = gradients.copy()
    state = optimizer.init(theta)
    buffers = {name: state[name] for name in optimizer.buffers}
    assert optimizer.update(theta, gradients[0], state, 0.01) is None
    assert all(state[name] is buffers[name] for name in buffers)
    assert {array.dtype for array in [theta, *buffers.values()]} == {np.dtype(dtype)}
    np.testing.assert_array_equal(gradients, original)


@pytest.mark.parametrize("number", [int, float, np.float32, np.float64])
def test_one_signature_for_each_dtype(number):
    """Whatever type the hyper-parameters have, no kernel is compiled twice."""
    for dtype in DTYPES:
        theta = np.ones(3, dtype)
        optimizer = Adam(beta_1=number(0), beta_2=number(0), epsilon=number(1))
        optimizer.update(theta, theta.copy(), optimizer.init(theta), number(1))
        kernel = specialise(adam_step, dtype)
        assert len(getattr(kernel, "signatures", [None])) == 1


@on_dtypes
@on_variants
def test_state_can_be_pickled_and_resumed_bit_for_bit(optimizer, dtype):
    theta, gradients = problem(dtype)
    whole = theta.copy()
    state = run(optimizer, whole, gradients)
    halfway = run(optimizer, theta, gradients[:7])
    optimizer, theta, halfway = pickle.loads(pickle.dumps((optimizer, theta, halfway)))
    resumed = run(optimizer, theta, gradients[7:], halfway)
    np.testing.assert_array_equal(theta, whole)
    for name, value in state.items():
        np.testing.assert_array_equal(resumed[name], value)


@on_dtypes
@on_variants
def test_nan_is_not_hidden(optimizer, dtype):
    theta, gradients = problem(dtype, n_steps=1)
    gradients[0, 5] = np.nan
    run(optimizer, theta, gradients)
    assert np.flatnonzero(np.isnan(theta)).tolist() == [5]


@on_dtypes
@on_variants
def test_dead_buffers_become_zero_and_not_subnormal(optimizer, dtype):
    theta = np.ones(3, dtype)
    state = optimizer.init(theta)
    for name in optimizer.buffers:
        state[name][:] = np.finfo(dtype).tiny / 4
    gradient = np.array([0, np.finfo(dtype).tiny / 4, np.finfo(dtype).tiny], dtype)
    optimizer.update(theta, gradient, state, 0.01)
    assert not any(state[name].any() for name in optimizer.buffers)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_arrays_that_do_not_match_theta_are_refused(name):
    optimizer, theta = OPTIMIZERS[name](), np.zeros(3)
    state = optimizer.init(theta)
    with pytest.raises(ValueError, match=r"must be float64 of shape \(3,\).*\(2,\)"):
        optimizer.update(theta, np.zeros(2), state, 0.1)
    with pytest.raises(ValueError, match="must be float64.*like theta, got float32"):
        optimizer.update(theta, np.zeros(3, np.float32), state, 0.1)
    with pytest.raises(ValueError, match="gradient and state must be"):
        optimizer.update(theta, theta, optimizer.init(np.zeros(4)), 0.1)


# All optimisers on the same targets


def quadratic(theta):
    """A bowl ten times as steep along one axis as along the other; least at (3, -2)."""
    slope = np.array([1, 10], theta.dtype) * (theta - np.array([3, -2], theta.dtype))
    return 0.5 * slope @ (theta - np.array([3, -2], theta.dtype)), slope


def rosenbrock(theta):
    """The banana valley, least at (1, 1)."""
    x, y = theta
    dx, dy = -2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2, np.array([dx, dy], theta.dtype)


TARGETS = {quadratic: (3, -2), rosenbrock: (1, 1)}
RATES = {
    ("adam", quadratic): 0.2,
    ("adam", rosenbrock): 0.2,
    ("rmsprop", quadratic): 0.1,
    ("rmsprop", rosenbrock): 0.01,
    ("sgd", quadratic): 0.02,
    ("sgd", rosenbrock): 1e-3,
}


def descend(name, target, theta, n_steps=6000):
    optimizer = make_optimizer(name)
    if optimizer.full_batch:
        return optimizer.minimize(target, theta, max_iter=100, tol=1e-6)[0]
    state = optimizer.init(theta)
    schedule = make_schedule("cosine", RATES[name, target], n_steps)
    for step in range(n_steps):
        optimizer.update(theta, target(theta)[1], state, schedule(step))
    return theta


@on_dtypes
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_reaches_the_minimum(name, target, dtype):
    theta = descend(name, target, np.array([-1.2, 1], dtype))
    assert theta.dtype == dtype
    np.testing.assert_allclose(theta, TARGETS[target], atol=5e-3)


# L-BFGS


def minimize(optimizer=None, *, max_iter=100, tol=1e-6, callback=None):
    return (optimizer or LBFGS()).minimize(
        rosenbrock, np.array([-1.2, 1.0]), max_iter=max_iter, tol=tol, callback=callback
    )


def test_lbfgs_reports_how_it_ended():
    theta, n_iter, converged, message = minimize()
    assert theta.dtype == np.float64 and type(n_iter) is int and 20 < n_iter < 60
    assert converged is True and "CONVERGENCE" in message


@pytest.mark.parametrize(
    ("optimizer", "max_iter", "reason"),
    [(LBFGS(), 3, "ITERATIONS"), (LBFGS(max_fun=3), 100, "EVALUATIONS")],
)
def test_lbfgs_limits(optimizer, max_iter, reason):
    _, n_iter, converged, message = minimize(optimizer, max_iter=max_iter)
    assert 0 < n_iter <= 3 and converged is False and reason in message


def test_lbfgs_memory_matters():
    assert minimize(LBFGS(memory=1))[1] > minimize(LBFGS(memory=10))[1]


def test_lbfgs_callback_follows_and_stops():
    values = []

    def callback(theta, value):
        assert value == rosenbrock(theta)[0] and type(value) is float
        values.append(value)
        return value < 1

    theta, n_iter, converged, message = minimize(callback=callback)
    assert values == sorted(values, reverse=True) and len(values) == n_iter
    assert values[-1] < 1 <= values[-2] and rosenbrock(theta)[0] == values[-1]
    assert converged is True and message == "stopped by the callback"


@on_dtypes
def test_lbfgs_speaks_the_dtype_of_theta(dtype):
    """Also when the objective writes all its gradients into one buffer."""
    buffer, start, seen = np.empty(2, dtype), np.array([-1.2, 1], dtype), set()

    def objective(theta):
        seen.add(theta.dtype)
        value, buffer[:] = rosenbrock(theta)
        return value, buffer

    def callback(theta, value):
        seen.add(theta.dtype)

    before = start.copy()
    theta, *_ = LBFGS().minimize(
        objective, start, max_iter=100, tol=1e-6, callback=callback
    )
    assert seen == {np.dtype(dtype)} and theta.dtype == dtype
    np.testing.assert_array_equal(start, before)
    np.testing.assert_allclose(theta, 1, atol=1e-4)


def test_lbfgs_does_not_call_nan_convergence():
    def objective(theta):
        return math.nan, np.full_like(theta, math.nan)

    theta, _, converged, _ = LBFGS().minimize(
        objective, np.ones(2), max_iter=5, tol=1e-4
    )
    assert converged is False and theta.tolist() == [1, 1]


# Hyper-parameters


class Holder(BaseEstimator):
    def __init__(self, solver=None):
        self.solver = solver


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_are_scikit_learn_parameters(name):
    """Clone, nested parameters and a short repr, and nothing but parameters inside."""
    optimizer = OPTIMIZERS[name]()
    first, value = next(iter(optimizer.get_params().items()))
    search = clone(Holder(optimizer)).set_params(**{f"solver__{first}": value / 2})
    assert search.get_params()[f"solver__{first}"] == value / 2
    assert getattr(optimizer, first) == value
    assert repr(optimizer) == f"{OPTIMIZERS[name].__name__}()"
    assert vars(optimizer) == optimizer.get_params()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_make_optimizer_takes_names_and_objects(name):
    optimizer = make_optimizer(name)
    assert type(optimizer) is OPTIMIZERS[name]
    assert make_optimizer(optimizer) is optimizer


@pytest.mark.parametrize("solver", ["adamm", Adam, None, ["adam"]])
def test_make_optimizer_lists_the_choices(solver):
    message = "solver must be one of 'adam', 'rmsprop', 'sgd', 'lbfgs' or an optimizer"
    with pytest.raises(ValueError, match=message):
        make_optimizer(solver)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (Adam(beta_1=1), r"beta_1 must be in \[0, 1\), got 1\."),
        (Adam(beta_1="high"), r"beta_1 must be in \[0, 1\), got 'high'\."),
        (Adam(beta_2=-0.1), r"beta_2 must be in \[0, 1\), got -0\.1\."),
        (Adam(epsilon=0), r"epsilon must be a positive number, got 0\."),
        (RMSprop(rho=math.nan), r"rho must be in \[0, 1\), got nan\."),
        (RMSprop(epsilon=math.inf), r"epsilon must be a positive number, got inf\."),
        (SGD(momentum=1.5), r"momentum must be in \[0, 1\), got 1\.5\."),
        (SGD(nesterov="no"), r"nesterov must be True or False, got 'no'\."),
        (LBFGS(max_fun=0), r"max_fun must be an integer of at least 1, got 0\."),
        (LBFGS(memory=2.5), r"memory must be an integer of at least 1, got 2\.5\."),
    ],
)
def test_bad_hyper_parameters_are_named(optimizer, message):
    with pytest.raises(ValueError, match=message):
        make_optimizer(optimizer)


def test_a_users_optimizer_is_welcome():
    class Plain(StochasticOptimizer):
        def check(self):
            pass

        def update(self, theta, gradient, state, learning_rate):
            state["t"] += 1
            theta -= learning_rate * gradient

    optimizer, theta = make_optimizer(Plain()), np.ones(2)
    assert run(optimizer, theta, np.ones((3, 2))) == {"t": 3}
    np.testing.assert_allclose(theta, 0.97)


@pytest.mark.parametrize(
    ("call", "method"),
    [
        (lambda: Optimizer().check(), "check"),
        (lambda: StochasticOptimizer().update(None, None, None, 1), "update"),
        (lambda: Schedule(1, 1)(0), "__call__"),
    ],
)
def test_unfinished_classes_say_what_is_missing(call, method):
    with pytest.raises(NotImplementedError, match=f"must define `{method}`"):
        call()


# Schedules: initial rate 2, planned for 10 epochs

CLOSED_FORMS = {
    "constant": {0: 2, 5: 2, 9.9: 2, 25: 2},
    "invscaling": {0: 2, 3: 1, 8: 2 / 3, 24: 2 / 5},
    "adaptive": {0: 2, 5: 2, 9.9: 2, 25: 2},
    "cosine": {
        0: 2,
        2.5: 1 + math.sqrt(0.5),
        5: 1,
        7.5: 1 - math.sqrt(0.5),
        10: 0,
        25: 0,
    },
    "onecycle": {
        0: 2 / 25,
        1.5: (2 + 2 / 25) / 2,
        3: 2,
        6.5: (2 + 2e-4) / 2,
        10: 2e-4,
        25: 2e-4,
    },
}
POINTS = [(name, *point) for name in SCHEDULES for point in CLOSED_FORMS[name].items()]


@pytest.mark.parametrize(("name", "epoch", "rate"), POINTS)
def test_schedule_values(name, epoch, rate):
    value = make_schedule(name, 2, 10)(epoch)
    assert type(value) is float and value == pytest.approx(rate, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_are_smooth_pure_functions_of_progress(name):
    schedule = make_schedule(name, 2, 10)
    rates = [schedule(epoch / 100) for epoch in range(1200)]
    assert [schedule(epoch / 100) for epoch in range(1200)] == rates
    assert np.abs(np.diff(rates)).max() < 0.02 and 0 <= min(rates) <= max(rates) <= 2
    falling = rates[300:] if name == "onecycle" else rates
    assert falling == sorted(falling, reverse=True)
    assert type(pickle.loads(pickle.dumps(schedule))) is SCHEDULES[name]


@pytest.mark.parametrize("name", SCHEDULES)
def test_only_adaptive_goes_on_after_a_stall(name):
    assert make_schedule(name, 2, 10).on_stall() is (name == "adaptive")


def test_adaptive_divides_by_five_until_it_is_tiny():
    schedule, other = (make_schedule("adaptive", 1e-4, 10) for _ in range(2))
    for expected in [2e-5, 4e-6]:
        assert schedule.on_stall() is True
        assert schedule(1) == pytest.approx(expected)
    assert schedule.on_stall() is False
    assert other(1) == 1e-4


@pytest.mark.parametrize("name", ["linear", None, ["cosine"]])
def test_unknown_schedules_list_the_choices(name):
    message = "learning_rate must be one of 'constant', 'invscaling', .*, got"
    with pytest.raises(ValueError, match=message):
        make_schedule(name, 0.1, 10)


@pytest.mark.parametrize("initial", [0, -1, math.nan, math.inf])
def test_initial_rate_must_be_positive(initial):
    with pytest.raises(ValueError, match="learning_rate_init must be positive, got"):
        make_schedule("constant", initial, 10)


# Clipping


@on_dtypes
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_clip_norm_shrinks_long_gradients_only(dtype, size):
    gradient = np.random.default_rng(0).standard_normal(size).astype(dtype)
    norm = np.linalg.norm(gradient.astype(np.float64))
    clipped = gradient.copy()
    assert clip_norm(clipped, 2 * norm) == pytest.approx(norm, rel=1e-13)
    np.testing.assert_array_equal(clipped, gradient)
    value = clip_norm(clipped, norm / 3)
    assert type(value) is float and value == pytest.approx(norm, rel=1e-13)
    assert clipped.dtype == dtype
    np.testing.assert_allclose(clipped, gradient / 3, rtol=5 * np.finfo(dtype).eps)


def test_clip_norm_adds_in_float64():
    """In float32 the squares would overflow, and small ones would vanish."""
    assert clip_norm(np.full(4, 1e30, np.float32), np.inf) == pytest.approx(2e30)
    assert clip_norm(np.full(4, 1e-30, np.float32), np.inf) == pytest.approx(2e-30)
    assert clip_norm(np.zeros(3, np.float32), 1) == 0
    assert clip_norm(np.zeros(0), 1) == 0


@on_dtypes
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_clip_norm_leaves_a_broken_gradient(dtype, bad):
    gradient = np.array([3, bad, 4], dtype)
    original = gradient.copy()
    assert not np.isfinite(clip_norm(gradient, 1))
    np.testing.assert_array_equal(gradient, original)


@pytest.mark.parametrize("max_norm", [0, -1, math.nan])
def test_clip_norm_needs_a_positive_limit(max_norm):
    with pytest.raises(ValueError, match="max_norm must be positive, got"):
        clip_norm(np.ones(2), max_norm)
