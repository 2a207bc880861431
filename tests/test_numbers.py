"""Numbers at the edge: large inputs, long sequences, odd data and weights.

Whatever they are, what comes out is finite and right, or an error that says what to
change. Raw scores of losses have `test_exact_losses.py`.
"""

import naive
import numpy as np
import pytest
from cases import (
    POOLING_NAMES,
    VARIANTS,
    draw_sequences,
    exactness,
    largest_error,
    make_case,
    make_cell,
    signs,
    step_of,
)
from sklearn.base import clone

from skrnn import RNNClassifier, RNNRegressor
from skrnn.optimizers import SGD

KINDS = [RNNClassifier, RNNRegressor]
DTYPES = [np.float32, np.float64]
LONG = 100_000

each_variant = pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
both = pytest.mark.parametrize("kind", KINDS)
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
# A kernel that runs as plain Python warns where a compiled one does not.
plain_python_warns = pytest.mark.filterwarnings(
    "ignore:overflow encountered in scalar:RuntimeWarning"
)


def slow(value):
    return pytest.param(value, marks=pytest.mark.slow)


# Saturated gates

each_scale = pytest.mark.parametrize("scale", [1e4, 1e10, 1e30])


@pytest.fixture
def large_gates(monkeypatch):
    """Let the oracle take pre-activations whose exp is no number."""
    monkeypatch.setattr(naive, "sigmoid", lambda a: 0.5 + 0.5 * np.tanh(0.5 * a))


def large_case(variant, scale, dtype, **options):
    sequences = [dtype(scale) * x for x in draw_sequences(dtype=dtype)]
    sizes = {"hidden_layer_sizes": (3, 2)}
    return make_case(variant, sequences=sequences, dtype=dtype, **sizes | options)


@each_scale
@each_dtype
@each_variant
def test_scores_of_large_inputs_are_the_oracles(variant, dtype, scale, large_gates):
    """Gates are open or closed; relu and minGRU carry on what is large."""
    for pooling in POOLING_NAMES[:3]:
        case = large_case(variant, scale, dtype, pooling=pooling)
        views = {name: w.astype(np.float64) for name, w in case.views.items()}
        sequences = [x.astype(np.float64) for x in case.sequences]
        expected = case.naive.raw_scores(views, sequences)
        error = largest_error(case.raw_scores(), expected)
        assert error < (1e-5 if dtype is np.float32 else 1e-12), pooling


@each_scale
@each_variant
def test_gradients_of_large_inputs_are_the_oracles(variant, scale, large_gates):
    """A gate that is wide open has slope zero, whatever it is multiplied with."""
    for bidirectional in (False, True):
        case = large_case(
            variant, scale, np.float64, pooling="mean", bidirectional=bidirectional
        )
        assert exactness(case) < 1e-11


@each_dtype
@pytest.mark.parametrize(
    "variant",
    [v for v in VARIANTS if v[1] == "tanh" and v[0] != "mingru"],
    ids="-".join,
)
def test_saturated_gates_leave_the_gradient_to_the_head(variant, dtype):
    """Else rounding errors, times the input, would drown what can be learnt."""
    case = large_case(variant, 1e30, dtype, hidden_layer_sizes=(3,), pooling="mean")
    weights = np.ones((len(case.sequences), 2), dtype)
    gradient = case.gradient(lambda raw: (0.0, weights))[1]
    of_head = np.abs(case.network.layout.views(gradient)["head_weight"]).max()
    assert 0.1 < of_head == np.abs(gradient[: case.network.layout.n_weights]).max()


@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_no_pooling_hides_that_a_state_is_no_number(pooling):
    case = make_case(("gru", "tanh"), pooling=pooling)
    case.views["weight_hh_l0"][:] = np.nan
    assert np.isnan(case.raw_scores()).all()


# Sequences of one step, and of a hundred thousand


@pytest.mark.heavy
@both
@each_dtype
@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_sequences_of_one_step_are_learnt(kind, dtype, pooling):
    """A network without time is one without a recurrent gradient."""
    x = np.random.default_rng(0).standard_normal((64, 1, 2)).astype(dtype)
    y = x[:, 0, 0] > 0 if kind is RNNClassifier else x[:, 0, 0]
    est = kind((4,), pooling=pooling, max_iter=30, learning_rate_init=0.03)
    est.set_params(random_state=0, learning_rate="cosine").fit(x, y)
    assert est.score(x, y) > 0.9
    assert not np.isnan(est.theta_).any()


class Still(SGD):
    """Leaves theta where it starts."""

    def update(self, theta, gradient, state, learning_rate):
        pass


def check_epoch(variant, bptt_steps, n_steps=LONG):
    """Loss and gradient of two sequences are those of the oracle."""
    gradients = []

    class Watching(Still):
        def update(self, theta, gradient, state, learning_rate):
            gradients.append(gradient.copy())

    rng = np.random.default_rng(0)
    X, y = [rng.standard_normal((n, 2)) for n in (n_steps, 1)], np.array([1.0, -1.0])
    est = RNNRegressor(
        (3,),
        make_cell(*variant),
        pooling="mean",
        solver=Watching(),
        learning_rate="constant",
        bptt_steps=bptt_steps,
        max_grad_norm=None,
        alpha=0.0,
        max_iter=1,
        random_state=0,
    )
    theta, [gradient] = est.fit(X, y).theta_, gradients
    network, cell = est._network(), est.cell_
    oracle = naive.NaiveNetwork(
        step_of(cell, *variant), len(cell.carried), (3,), False, "mean", bptt_steps
    )
    direction = signs(theta.size)
    views = network.layout.views(theta + 1e-30j * direction)
    error = oracle.raw_scores(views, X)[:, 0] - y
    expected = (error**2).mean() / 2
    assert est.loss_ == pytest.approx(expected.real, rel=1e-12)
    difference = gradient @ direction - expected.imag / 1e-30
    assert abs(difference) < 1e-11 * np.abs(gradient).max()


@quiet
@pytest.mark.heavy
def test_an_epoch_on_long_sequences_is_the_oracles():
    """Loss and truncated gradient, in chunks of 500 steps."""
    check_epoch(("gru", "tanh"), 500, n_steps=5000)


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("bptt_steps", [1000, None])
@each_variant
def test_an_epoch_on_100_000_steps_is_the_oracles_for_every_cell(variant, bptt_steps):
    check_epoch(variant, bptt_steps)


def in_both_dtypes(**params):
    """One model in float32 and in float64, with the same weights."""
    short = np.random.default_rng(0).standard_normal((8, 4, 2))
    models = []
    for dtype in ("float32", "float64"):
        est = RNNRegressor((3,), **params, dtype=dtype, max_iter=1, random_state=0)
        models.append(est.set_params(learning_rate="cosine"))
        models[-1].fit(short, short[:, :, 0].sum(axis=1))
    single, double = models
    double.theta_[:] = single.theta_
    return single, double


def long_sequence(n_steps=LONG):
    """Noise, and then a constant, whose rounding errors do not cancel."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1, n_steps, 2))
    x[:, n_steps // 2 :] = 0.3
    return x.astype(np.float32)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "pooling", [*POOLING_NAMES[:2], *(slow(p) for p in POOLING_NAMES[2:])]
)
@pytest.mark.parametrize(
    "variant", [v for v in VARIANTS if v != ("rnn", "relu")], ids="-".join
)
def test_float32_keeps_its_digits_over_100_000_steps(variant, pooling):
    """Sums over the steps are made in float64. A simple network turns its state by an
    orthogonal matrix at each step, so that the rounding errors of all steps add up."""
    X = long_sequence()
    single, double = in_both_dtypes(cell=make_cell(*variant), pooling=pooling)
    error = largest_error(single.predict(X), double.predict(X))
    assert error < (LONG * 2.0**-23 if variant[0] == "rnn" else 2e-5)


@pytest.mark.heavy
@pytest.mark.parametrize("n_steps", [10_000, slow(LONG)])
@pytest.mark.parametrize("pooling", ["mean", "attention"])
def test_a_long_float32_stream_is_its_sequence(pooling, n_steps):
    """A sum in float32 would round a part of each step away."""
    (single, double), X = in_both_dtypes(pooling=pooling), long_sequence(n_steps)
    state = None
    for t in range(n_steps):
        y, state = single.step(X[:, t], state)
    assert largest_error(y, double.predict(X)) < 2e-6


# Features that say nothing, or are of another size

rng = np.random.default_rng(2)
X = [rng.standard_normal((2 + i % 5, 2)) for i in range(40)]
SUMS = np.array([x.sum(axis=0) for x in X])
Y = {RNNClassifier: np.digitize(SUMS[:, 0], [-1, 1]), RNNRegressor: SUMS[:, 0]}
BASE = {
    "hidden_layer_sizes": (4,),
    "max_iter": 4,
    "batch_size": 8,
    "learning_rate": "cosine",
    "random_state": 0,
}


def tiny(kind, **params):
    return kind(**BASE | params)


@both
@each_dtype
def test_constant_features_teach_the_base_rate(kind, dtype):
    """Nothing to tell the sequences apart: shares of the classes, or the mean."""
    alike = np.full((40, 5, 3), 7.0, dtype)
    est = tiny(kind, solver="lbfgs", max_iter=200, tol=1e-6).fit(alike, Y[kind])
    if kind is RNNClassifier:
        shares = np.bincount(Y[kind]) / 40
        np.testing.assert_allclose(est.predict_proba(alike)[0], shares, rtol=1e-3)
    else:
        mean = Y[kind].mean()
        np.testing.assert_allclose(est.predict(alike), mean, rtol=0, atol=1e-3)


@pytest.mark.heavy
@quiet
@both
@each_dtype
def test_features_of_any_size_train_to_finite_weights(kind, dtype):
    """One useful feature beside a constant, a tiny and a huge one."""
    rng = np.random.default_rng(0)
    beside = [
        np.c_[x, np.ones(len(x)), rng.standard_normal((len(x), 2)) * [1e-30, 1e9]]
        for x in X
    ]
    beside = [x.astype(dtype) for x in beside]
    est = tiny(kind, max_iter=20, learning_rate_init=0.03)
    with pytest.warns(UserWarning, match="X is badly scaled: .* of feature 4 are"):
        est.fit(beside, Y[kind])
    assert np.isfinite(est.theta_).all() and np.isfinite(est.loss_curve_).all()
    assert est.loss_ < est.loss_curve_[0]


# Weights of zero


ODD = np.arange(40) % 2 == 1
GARBAGE = {RNNClassifier: 0, RNNRegressor: 1e300}
FITS = {
    "minibatches": {},
    "dropout": {"dropout": 0.3},
    "lbfgs": {"solver": "lbfgs"},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.3},
    "score": {
        "early_stopping": True,
        "validation_fraction": 0.3,
        "scoring": {RNNClassifier: "neg_log_loss", RNNRegressor: "r2"},
    },
}


def assert_same_fit(est, other):
    """To rounding, which may grow from update to update."""
    np.testing.assert_allclose(est.theta_, other.theta_, rtol=0, atol=1e-9)
    for curve in ("loss_curve_", "validation_loss_curve_", "validation_scores_"):
        found, expected = getattr(est, curve), getattr(other, curve)
        assert (found is None) == (expected is None)
        if found is not None:
            np.testing.assert_allclose(found, expected, rtol=1e-8)
    assert (est.t_, est.best_iter_) == (other.t_, other.best_iter_)


@quiet
@both
@pytest.mark.parametrize("name", FITS)
def test_a_sequence_of_weight_zero_is_not_there(kind, name):
    """Its target may be out of all proportion. The order of the others stays, too."""
    params = dict(FITS[name])
    if "scoring" in params:
        params["scoring"] = params["scoring"][kind]
    w = np.where(ODD, 0.0, 1.0 + np.arange(40) % 7)
    y = np.where(ODD, GARBAGE[kind], Y[kind])
    est = tiny(kind, **params).fit(X, y, w)
    kept = [x for x, odd in zip(X, ODD, strict=True) if not odd]
    assert_same_fit(est, tiny(kind, **params).fit(kept, Y[kind][~ODD], w[~ODD]))


@both
def test_zero_weights_in_partial_fit_and_validation(kind):
    w, y = np.where(ODD, 0.0, 1.0), np.where(ODD, GARBAGE[kind], Y[kind])
    kept = [x for x, odd in zip(X, ODD, strict=True) if not odd]
    est, other = tiny(kind), tiny(kind)
    for _ in range(2):
        est.partial_fit(X, y, w)
        other.partial_fit(kept, Y[kind][~ODD])
    assert_same_fit(est, other)
    est.fit(X, Y[kind], X_val=X, y_val=y, sample_weight_val=w)
    other.fit(X, Y[kind], X_val=kept, y_val=Y[kind][~ODD])
    assert_same_fit(est, other)


@both
def test_zero_weights_in_score(kind):
    est = tiny(kind).fit(X, Y[kind])
    kept = [x for x, odd in zip(X, ODD, strict=True) if not odd]
    found = est.score(X, Y[kind], np.where(ODD, 0.0, 3.0))
    assert found == pytest.approx(est.score(kept, Y[kind][~ODD]), rel=1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e308])
def test_only_ratios_of_weights_count(size):
    """Their sum need not be a float. (The penalty is relative to it.)"""
    w = np.linspace(0.5, 1.0, 40)
    est = tiny(RNNRegressor, alpha=0.0).fit(X, Y[RNNRegressor], size * w)
    assert_same_fit(est, clone(est).fit(X, Y[RNNRegressor], w))


def test_weights_that_are_all_zero_are_refused():
    est = tiny(RNNClassifier, class_weight={0: 0.0, 1: 0.0, 2: 0.0})
    message = "must be positive for at least one sequence, .*got a largest of 0.0"
    with pytest.raises(ValueError, match=message):
        est.fit(X, Y[RNNClassifier])


# Rare classes, far quantiles


@pytest.fixture(scope="module")
def one_in_ten_thousand():
    """Short noise, of which one sequence is special, and that one."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (10_000, 3, 1)).astype(np.float32)
    X[1234] += 3
    y = np.zeros(10_000, int)
    y[1234] = 1
    return X, y


@pytest.mark.heavy
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_one_in_ten_thousand(class_weight, one_in_ten_thousand):
    """Without weights no worse than the base rate; with them both classes are found."""
    X, y = one_in_ten_thousand
    est = RNNClassifier((4,), class_weight=class_weight, batch_size=500, max_iter=20)
    est.set_params(random_state=0, learning_rate_init=0.03).fit(X, y)
    log_proba = est.predict_log_proba(X)
    assert np.isfinite(est.loss_curve_).all() and np.isfinite(log_proba).all()
    if class_weight == "balanced":
        assert (est.predict(X) == y).all()
        assert est.loss_ < 0.1
    else:
        base_rate = 1e-4 * (1 + np.log(1e4))
        assert -log_proba[np.arange(len(y)), y].mean() < 1.01 * base_rate


def spread_data(n, seed):
    """The last step tells where y lies, the first how far around."""
    rng = np.random.default_rng(seed)
    X = [rng.uniform(-1, 1, (2 + i % 3, 1)).astype(np.float32) for i in range(n)]
    location, spread = (np.array([x[t, 0] for x in X]) for t in (-1, 0))
    return X, location + (1.5 + spread) * rng.standard_normal(n)


@pytest.mark.heavy
def test_far_quantiles_cover_what_they_say():
    """4,000 sequences have 40 beyond each; their share is known to 0.0016 or so.

    Allowed is thrice that, for the network's own error.
    """
    levels = (0.01, 0.5, 0.99)
    est = RNNRegressor((8,), loss="quantile", quantiles=levels, max_iter=20)
    est.set_params(batch_size=128, random_state=0).fit(*spread_data(4000, 0))
    X, y = spread_data(20_000, 1)
    predicted = est.predict(X)
    shares = (y[:, np.newaxis] <= predicted).mean(axis=0)
    np.testing.assert_allclose(shares[[0, 2]], [0.01, 0.99], rtol=0, atol=0.005)
    np.testing.assert_allclose(shares[1], 0.5, rtol=0, atol=0.03)
    first = np.array([x[0, 0] for x in X])
    width = predicted[:, 2] - predicted[:, 0]
    assert width[first > 0.5].mean() > 1.5 * width[first < -0.5].mean()
    for scale in (1, 1e3, 1e30):
        far = est.predict([np.float32(scale) * x for x in X[:200]])
        assert np.isfinite(far).all() and (np.diff(far, axis=1) >= 0).all()


# Training that cannot go on


def test_targets_that_the_dtype_cannot_hold_are_named():
    """The weights would begin with an infinite bias; an earlier fit stays."""
    est = tiny(RNNRegressor, dtype="float32").fit(X, SUMS[:, 0])
    theta = est.theta_.copy()
    message = (
        r"y must be of a size that float32 can compute with, got values up to "
        r"1e\+300; scale it\."
    )
    with pytest.raises(ValueError, match=message):
        est.fit(X, np.full(40, 1e300))
    assert np.array_equal(est.theta_, theta)


@plain_python_warns
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "quantile"])
@pytest.mark.parametrize("size", [1e25, 1e35])
def test_huge_targets_are_learnt_or_refused_in_float32(loss, size):
    est = tiny(RNNRegressor, loss=loss, dtype="float32")
    try:
        est.fit(X, size * SUMS[:, 0])
    except ValueError as error:
        assert "The loss became infinite or NaN in epoch 1" in str(error)
    assert np.isfinite(est.theta_).all() and np.isfinite(est.predict(X)).all()
    assert np.isfinite(est.loss_curve_).all()


@plain_python_warns
def test_lbfgs_that_diverges_says_what_it_heeds():
    """It has no learning rate, and does not clip."""
    est = tiny(RNNRegressor, solver="lbfgs", alpha=0.5)
    message = r"the last finite weights are kept. Raise alpha \(now 0.5\), or scale X"
    with pytest.raises(ValueError, match=message):
        est.fit(X, 1e200 * SUMS[:, 0])
    assert np.isfinite(est.theta_).all() and np.isfinite(est.predict(X)).all()


DIVERGING = {
    "cell": "rnn",
    "activation": "relu",
    "learning_rate": "constant",
    "batch_size": 40,
}


@plain_python_warns
def test_a_limit_of_the_gradient_that_does_not_help_is_to_be_lowered():
    est = tiny(RNNRegressor, **DIVERGING, solver="sgd", learning_rate_init=1e250)
    message = r"Lower learning_rate_init \(now 1e\+250\), lower max_grad_norm \(now 1.0"
    with pytest.raises(ValueError, match=message):
        est.fit(X, SUMS[:, 0])
    assert np.isfinite(est.predict(X)).all()


@plain_python_warns
def test_a_fit_that_diverged_goes_on_without_the_memory_of_it():
    """Early stopping keeps the best weights; the momentum that ruined the later ones
    would ruin them too."""
    rates = iter([1e-3] * 10 + [1e10] * 40)

    class Jump(SGD):
        def update(self, theta, gradient, state, learning_rate):
            rate = next(rates, learning_rate)
            super().update(theta, gradient, state, rate)

    params = DIVERGING | {"max_grad_norm": None, "early_stopping": True}
    est = tiny(RNNRegressor, **params, solver=Jump(), max_iter=50, n_iter_no_change=50)
    with pytest.raises(ValueError, match="infinite or NaN in epoch .* the best finite"):
        est.fit(X, SUMS[:, 0])
    for _ in rates:
        pass
    kept = np.mean((est.predict(X) - SUMS[:, 0]) ** 2)
    est.set_params(learning_rate_init=1e-3)
    for _ in range(3):
        est.partial_fit(X, SUMS[:, 0])
    assert np.mean((est.predict(X) - SUMS[:, 0]) ** 2) < 1.1 * kept


@pytest.mark.parametrize("early_stopping", [False, True])
def test_validation_data_that_diverge_are_told_apart(early_stopping):
    """Training is well; it is y_val that the loss cannot take."""
    est = tiny(RNNRegressor, early_stopping=early_stopping)
    message = (
        r"The validation loss became infinite or NaN in epoch 1; .* or scale X and y, "
        r"X_val and y_val alike\."
    )
    with pytest.raises(ValueError, match=message):
        est.fit(X, SUMS[:, 0], X_val=X, y_val=1e200 * SUMS[:, 0])
    assert np.isfinite(est.theta_).all() and np.isfinite(est.predict(X)).all()


@quiet
@pytest.mark.parametrize("solver", ["adam", "rmsprop"])
@pytest.mark.filterwarnings("ignore:X is badly scaled:UserWarning")
def test_gradients_whose_square_is_no_float_still_teach(solver):
    """Without clipping, these solvers would divide by infinity for ever after."""
    large = [np.float32(1e25) * x.astype(np.float32) for x in X]
    params = {"solver": solver, "max_grad_norm": None, "learning_rate": "constant"}
    est = tiny(RNNClassifier, cell="mingru", **params, max_iter=1, batch_size=40)
    start = tiny(RNNClassifier, cell="mingru", solver=Still(), max_iter=1)
    start = start.set_params(batch_size=40).fit(large, Y[RNNClassifier]).weights_
    est.fit(large, Y[RNNClassifier])
    moved = np.abs(est.weights_["weight_ih_l0"] - start["weight_ih_l0"])
    assert moved[4:].max() > 1e-4  # of the candidates, which carry what is large
