"""A fit that goes on, is interrupted, or fails; and the warnings that help."""

import re
import time
from types import SimpleNamespace

import numpy as np
import pytest
from cases import global_random_state
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNClassifier, RNNRegressor
from skrnn.optimizers import OPTIMIZERS, SCHEDULES, SGD
from skrnn.training import Diagnosis, Objective

KINDS = [RNNClassifier, RNNRegressor]
both = pytest.mark.parametrize("kind", KINDS)
STOCHASTIC = [name for name in OPTIMIZERS if not OPTIMIZERS[name].full_batch]
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


RNG = np.random.default_rng(0)
X = [RNG.standard_normal((2 + i % 5, 2)) for i in range(40)]
SUMS = np.array([x.sum(axis=0) for x in X])
BASE = {
    "hidden_layer_sizes": (4,),
    "max_iter": 3,
    "batch_size": 32,
    "learning_rate": "cosine",
    "learning_rate_init": 3e-3,
    "random_state": 0,
}
Y = {RNNClassifier: np.digitize(SUMS[:, 0], [-1, 1]), RNNRegressor: SUMS[:, 0]}


def tiny(kind, **params):
    return kind(**BASE | params)


def fitted(kind, **params):
    return tiny(kind, **params).fit(X, Y[kind])


def squared_loss(est, X, y):
    return np.mean((est.predict(X) - y) ** 2) / 2


# Going on: warm starts and partial fits


@quiet
@both
def test_warm_starts_of_plain_descent_are_one_long_fit(kind):
    """Without a solver's memory nothing tells three fits of 2 epochs from one of 6."""
    params = {"solver": SGD(momentum=0), "learning_rate": "constant"}
    params |= {"learning_rate_init": 0.05, "batch_size": 7, "dropout": 0.2}
    whole = fitted(kind, **params, max_iter=6)
    est = tiny(kind, **params, max_iter=2, warm_start=True)
    for done in (2, 4, 6):
        est.fit(X, Y[kind])
        assert est.n_iter_ == len(est.loss_curve_) == done and est.t_ == 40 * done
    assert np.array_equal(est.theta_, whole.theta_)
    assert est.loss_curve_ == whole.loss_curve_
    assert est.set_params(warm_start=False).fit(X, Y[kind]).n_iter_ == 2


@quiet
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_warm_start_goes_on_learning_with_every_schedule(schedule):
    est = tiny(RNNRegressor, warm_start=True, learning_rate=schedule, max_iter=5)
    first = est.fit(X, SUMS[:, 0]).theta_.copy()
    est.fit(X, SUMS[:, 0])
    assert np.abs(est.theta_ - first).max() > 1e-3
    assert est.loss_curve_[9] < est.loss_curve_[4]


@quiet
@pytest.mark.parametrize("params", [{"solver": "lbfgs"}, {"early_stopping": True}])
def test_curves_grow_over_warm_starts(params):
    est = tiny(RNNRegressor, warm_start=True, learning_rate="constant", **params)
    first = list(est.fit(X, SUMS[:, 0]).loss_curve_)
    est.fit(X, SUMS[:, 0])
    assert est.n_iter_ == 6 and est.loss_curve_[:3] == first
    assert est.loss_curve_ == sorted(est.loss_curve_, reverse=True)
    validation = est.validation_loss_curve_
    assert validation is None if "solver" in params else len(validation) == 6


@both
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_layer_sizes", (5,)),
        ("pooling", "mean"),
        ("bidirectional", True),
        ("dtype", "float32"),
        ("cell", "lstm"),
        ("cell", "indrnn"),
        ("activation", "relu"),  # a part of the cell
    ],
)
def test_a_changed_architecture_cannot_go_on(kind, name, value):
    est = fitted(kind, warm_start=True, cell="rnn", max_iter=1)
    est.set_params(**{name: value})
    told = {"activation": "cell"}.get(name, name)
    for going_on in (est.fit, est.partial_fit):
        with pytest.raises(ValueError, match=f"{told} must stay as it is when a fit"):
            going_on(X, Y[kind])


@both
def test_a_fit_that_goes_on_wants_X_as_before(kind):
    est = fitted(kind, warm_start=True)
    table = np.array([x[:2, 0] for x in X])
    for going_on in (est.fit, est.partial_fit):
        with pytest.raises(ValueError, match=r"X must have 2 feature\(s\) per step"):
            going_on([np.hstack([x, x]) for x in X], Y[kind])
    est = tiny(kind, warm_start=True).fit(table, Y[kind])
    for going_on in (est.fit, est.partial_fit):
        with pytest.raises(ValueError, match="X has 4 features, but .* is expecting 2"):
            going_on(np.hstack([table, table]), Y[kind])
    assert est.n_iter_ == 3 and est.n_features_in_ == 2


@quiet
@both
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_partial_fits_are_the_epochs_of_a_fit(kind, solver):
    params = {"solver": solver, "learning_rate": "constant", "dropout": 0.2}
    whole = fitted(kind, **params, max_iter=4)
    est = tiny(kind, **params, max_iter=4)
    for _ in range(4):
        assert est.partial_fit(X, Y[kind]) is est
    assert np.array_equal(est.theta_, whole.theta_)
    assert est.loss_curve_ == whole.loss_curve_
    assert (est.n_iter_, est.t_) == (4, 160)


@quiet
def test_partial_fit_goes_on_after_a_fit():
    est = fitted(RNNRegressor, learning_rate="constant", solver="sgd")
    theta = est.theta_.copy()
    est.partial_fit(X[:10], SUMS[:10, 0], np.ones(10))
    assert est.n_iter_ == 4 and est.t_ == 130
    assert np.abs(est.theta_ - theta).max() > 1e-5


@pytest.mark.parametrize("schedule", ["cosine", "onecycle"])
def test_partial_fit_never_stops_learning(schedule):
    """However many calls come, the rate does not fall to zero for good."""
    est = tiny(RNNRegressor, learning_rate=schedule, max_iter=2)
    for _ in range(5):
        before = est.partial_fit(X, SUMS[:, 0]).theta_.copy()
    assert np.abs(est.partial_fit(X, SUMS[:, 0]).theta_ - before).max() > 1e-6


def test_partial_fit_takes_a_changed_solver():
    est = tiny(RNNRegressor, solver="adam").partial_fit(X, SUMS[:, 0])
    est.set_params(solver="sgd").partial_fit(X, SUMS[:, 0])
    assert est.n_iter_ == 2


def test_partial_fit_knows_the_classes_it_was_told():
    y = np.array(["a", "b"])[Y[RNNClassifier] % 2]
    est = tiny(RNNClassifier).partial_fit(X, y, classes=["c", "b", "a"])
    assert est.classes_.tolist() == ["a", "b", "c"] and est.n_outputs_ == 3
    assert est.predict_proba(X).shape == (40, 3)
    est.partial_fit(X, np.full(40, "c"))
    message = r"must hold the classes \['a', 'b', 'c'\] only, got \['d'\]"
    with pytest.raises(ValueError, match=message):
        est.partial_fit(X, np.full(40, "d"))
    implied = tiny(RNNClassifier).partial_fit(X, y)
    assert implied.classes_.tolist() == ["a", "b"]


def test_partial_fit_refuses_other_classes_later():
    est = tiny(RNNClassifier).partial_fit(X, Y[RNNClassifier], classes=[0, 1, 2])
    est.partial_fit(X, Y[RNNClassifier], classes=[2, 1, 0])
    with pytest.raises(ValueError, match="classes must"):
        est.partial_fit(X, Y[RNNClassifier], classes=[0, 1, 2, 3])


def test_partial_fit_refuses_balanced_class_weights():
    est = tiny(RNNClassifier, class_weight="balanced")
    message = "class_weight must be None or a dict in partial_fit, got 'balanced'"
    with pytest.raises(ValueError, match=message):
        est.partial_fit(X, Y[RNNClassifier])


def test_classes_of_a_failed_partial_fit_are_forgotten():
    est = tiny(RNNClassifier)
    with pytest.raises(ValueError, match="X must hold at least one sequence"):
        est.partial_fit([], [], classes=[0, 1, 2, 3])
    assert est.fit(X, Y[RNNClassifier]).classes_.tolist() == [0, 1, 2]


# The seed


@pytest.mark.heavy
@both
def test_a_seed_fixes_the_fit_and_nothing_else(kind):
    params = {"dropout": 0.3, "recurrent_dropout": 0.3, "early_stopping": True}
    state = global_random_state()
    est = fitted(kind, **params)
    assert global_random_state() == state
    assert np.array_equal(est.fit(X, Y[kind]).theta_, fitted(kind, **params).theta_)
    generator = fitted(kind, **params, random_state=np.random.RandomState(0))
    assert np.array_equal(generator.theta_, est.theta_)
    for other in (1, None):
        assert not np.array_equal(
            fitted(kind, **params, random_state=other).theta_, est.theta_
        )
    unshuffled = [
        fitted(kind, batch_size=8, shuffle=flag).theta_ for flag in (True, False)
    ]
    assert not np.array_equal(*unshuffled)


# Ctrl-C


@pytest.fixture
def interrupt_at(monkeypatch):
    """Ctrl-C in the n-th evaluation of the objective."""

    def install(n, error=KeyboardInterrupt):
        calls = iter(range(1, 10_000))
        evaluate = Objective.__call__

        def call(self, *arguments):
            if next(calls) == n:
                raise error
            return evaluate(self, *arguments)

        monkeypatch.setattr(Objective, "__call__", call)

    return install


@both
def test_an_interrupted_fit_keeps_the_latest_weights(kind, interrupt_at):
    """In the second of two minibatches of epoch 6: the first one counts."""
    params = {"batch_size": 20, "learning_rate": "constant", "max_iter": 100}
    interrupt_at(12)
    with pytest.warns(UserWarning, match="interrupted in epoch 6; the latest weights"):
        est = fitted(kind, **params)
    assert est.n_iter_ == len(est.loss_curve_) == 5 and est.t_ == 200
    assert est.loss_ == est.loss_curve_[-1] and est.best_loss_ == min(est.loss_curve_)
    five = tiny(kind, **params, tol=0).set_params(max_iter=5)
    with pytest.warns(ConvergenceWarning):
        five.fit(X, Y[kind])
    assert 0 < np.abs(est.theta_ - five.theta_).max() < 0.02
    est.partial_fit(X, Y[kind])
    assert est.n_iter_ == 6


def test_an_interrupted_lbfgs_keeps_the_latest_weights(interrupt_at):
    interrupt_at(25)
    with pytest.warns(UserWarning, match="interrupted in epoch .*latest weights are"):
        est = fitted(RNNRegressor, solver="lbfgs", max_iter=100, alpha=0.0)
    assert est.n_iter_ > 5 and est.loss_ < 0.5 * est.loss_curve_[0]
    assert squared_loss(est, X, SUMS[:, 0]) == pytest.approx(est.loss_, rel=1e-9)


@pytest.mark.heavy
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_interrupted_early_stopping_keeps_the_best_weights(solver, interrupt_at):
    y = RNG.standard_normal(40)
    params = {"early_stopping": True, "n_iter_no_change": 1000, "max_iter": 1000}
    params |= {"hidden_layer_sizes": (8,), "learning_rate": "constant"}
    est = tiny(RNNRegressor, **params, solver=solver, learning_rate_init=0.05)
    interrupt_at(60)
    with pytest.warns(
        UserWarning, match="interrupted in epoch .*best weights are kept"
    ):
        est.fit(X[10:], y[10:], X_val=X[:10], y_val=y[:10])
    curve = est.validation_loss_curve_
    assert est.best_iter_ == np.argmin(curve) + 1 < est.n_iter_
    assert squared_loss(est, X[:10], y[:10]) == pytest.approx(min(curve), rel=1e-9)


def test_an_interrupt_in_the_first_epoch_leaves_a_usable_estimator(interrupt_at):
    interrupt_at(1)
    with pytest.warns(UserWarning, match="interrupted in epoch 1; the latest weights"):
        est = fitted(RNNRegressor, early_stopping=True)
    assert est.n_iter_ == 0 and est.loss_curve_ == [] and np.isnan(est.loss_)
    assert np.isfinite(est.predict(X)).all()


@quiet
def test_an_interrupted_warm_start_keeps_what_it_began_with(interrupt_at):
    est = fitted(RNNRegressor, warm_start=True, learning_rate="constant")
    theta = est.theta_.copy()
    interrupt_at(1)
    with pytest.warns(UserWarning, match="interrupted in epoch 4"):
        est.fit(X, SUMS[:, 0])
    assert np.array_equal(est.theta_, theta) and est.n_iter_ == 3


@both
def test_an_error_in_training_leaves_the_earlier_fit_as_it_was(kind, interrupt_at):
    est = fitted(kind)
    before, theta = est.predict(X), est.theta_.copy()
    interrupt_at(1, MemoryError)
    with pytest.raises(MemoryError):
        est.fit([x[:, :1] for x in X], Y[kind] * 2)
    assert np.array_equal(est.theta_, theta)
    assert np.array_equal(est.predict(X), before)


@both
def test_refused_data_leaves_the_earlier_fit_as_it_was(kind):
    est = fitted(kind)
    before = est.predict(X)
    with pytest.raises(ValueError, match="sample_weight must be non-negative"):
        est.fit([x[:, :1] for x in X], Y[kind] * 2, -np.ones(40))
    assert np.array_equal(est.predict(X), before)


# A loss that becomes infinite or NaN

DIVERGING = {
    "cell": "rnn",
    "activation": "relu",
    "solver": SGD(momentum=0),
    "learning_rate": "constant",
    "max_grad_norm": None,
    "max_iter": 50,
}


@pytest.mark.heavy
@both
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loss_that_diverges_is_an_error_that_says_what_to_change(kind, dtype):
    """Without NumPy's warnings; and the weights that are kept predict."""
    long = [np.tile(10 * x, (10, 1)) for x in X]
    est = tiny(kind, **DIVERGING, dtype=dtype, learning_rate_init=1e6)
    message = (
        r"The loss became infinite or NaN in epoch \d+; .* are kept. Lower "
        r"learning_rate_init \(now 1000000.0\), set max_grad_norm to 1 \(now None\), "
        r"or scale X and y\."
    )
    with pytest.raises(ValueError, match=message):
        est.fit(long, Y[kind])
    assert np.isfinite(est.theta_).all() and np.isfinite(est.predict(long)).all()
    est.set_params(learning_rate_init=1e-3, max_grad_norm=1.0, learning_rate="cosine")
    assert np.isfinite(est.fit(X, Y[kind]).loss_curve_).all()


# A kernel that runs as plain Python warns where a compiled one does not.
@pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_targets_beyond_the_floats_are_told_in_the_first_epoch(solver):
    est = tiny(RNNRegressor, solver=solver)
    with pytest.raises(ValueError, match="The loss became infinite or NaN in epoch 1;"):
        est.fit(X, 1e200 * SUMS[:, 0])
    assert est.n_iter_ == 0 and np.isfinite(est.predict(X)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_that_are_kept_give_finite_predictions(dtype):
    """One huge step per epoch: its weights are finite, but their loss is not."""
    rate = 1e30 if dtype == "float32" else 1e250
    params = DIVERGING | {"dtype": dtype, "learning_rate_init": rate, "batch_size": 40}
    est = tiny(RNNRegressor, **params)
    with pytest.raises(ValueError, match="The loss became infinite or NaN in epoch 2"):
        est.fit(X, SUMS[:, 0])
    assert np.isfinite(est.predict(X)).all()


def test_a_last_step_into_infinity_is_an_error_too():
    params = DIVERGING | {"learning_rate_init": 1e250, "batch_size": 40, "max_iter": 1}
    est = tiny(RNNRegressor, **params)
    with pytest.raises(ValueError, match="loss became infinite or NaN after epoch 1;"):
        est.fit(X, SUMS[:, 0])
    assert np.isfinite(est.predict(X)).all()


@quiet
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_diverging_warm_start_keeps_sound_weights(early_stopping):
    params = {"learning_rate": "constant", "warm_start": True, "cell": "rnn"}
    est = tiny(RNNRegressor, **params, activation="relu", batch_size=40)
    est.set_params(early_stopping=early_stopping)
    before = squared_loss(est.fit(X, SUMS[:, 0]), X, SUMS[:, 0])
    est.set_params(learning_rate_init=1e250, max_grad_norm=None, solver=SGD(momentum=0))
    epoch = 4 if early_stopping else 5
    with pytest.raises(ValueError, match=f"became infinite or NaN in epoch {epoch}"):
        est.fit(X, SUMS[:, 0])
    assert squared_loss(est, X, SUMS[:, 0]) == pytest.approx(before)


def test_early_stopping_that_diverges_keeps_the_best_weights():
    rates = iter([1e-3] * 20 + [1e250] * 20)

    class Jump(SGD):
        def update(self, theta, gradient, state, learning_rate):
            super().update(theta, gradient, state, next(rates))

    params = DIVERGING | {"solver": Jump(momentum=0), "batch_size": 40}
    est = tiny(RNNRegressor, **params, early_stopping=True, n_iter_no_change=100)
    with pytest.raises(ValueError, match="became infinite or NaN in epoch 21"):
        est.fit(X[10:], SUMS[10:, 0], X_val=X[:10], y_val=SUMS[:10, 0])
    curve = est.validation_loss_curve_
    best = np.nanmin(curve)
    assert curve[est.best_iter_ - 1] == best
    assert squared_loss(est, X[:10], SUMS[:10, 0]) == pytest.approx(best)


# Warnings that help


@both
@pytest.mark.parametrize("params", [{"learning_rate": "constant"}, {"solver": "lbfgs"}])
def test_a_loss_that_still_falls_is_told(kind, params):
    message = (
        r"The loss has not converged in max_iter=3 epochs; its last values were "
        r"(\S+, ){2}\S+\. Raise max_iter"
    )
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        tiny(kind, **params).fit(X, Y[kind])
    assert caught[0].filename == __file__


@both
@pytest.mark.parametrize("schedule", ["cosine", "onecycle"])
def test_a_schedule_that_ends_with_the_epochs_warns_of_nothing(kind, schedule):
    assert fitted(kind, learning_rate=schedule).n_iter_ == 3


@both
def test_badly_scaled_input_is_told(kind):
    shifted = [x + [0, 500] for x in X]
    message = (
        "X is badly scaled: the values of feature 1 are about 5.. on average, .*Scale "
        "each feature to mean 0 and variance 1 over all steps"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        tiny(kind, max_iter=2).fit(shifted, Y[kind])
    assert caught[0].filename == __file__


def test_integers_that_may_be_ids_are_told_of_embedding_dim():
    message = "X is badly scaled: .* If these are ids of tokens, set embedding_dim; if"
    for ids in ([x[:, 0].astype(int) + 500 for x in X], np.full((len(X), 3), 500)):
        with pytest.warns(UserWarning, match=message):
            tiny(RNNClassifier, max_iter=2).fit(ids, Y[RNNClassifier])
    with pytest.warns(UserWarning, match="network saturates. Scale each feature"):
        tiny(RNNClassifier, max_iter=2).fit(
            [x.astype(int) + 500 for x in X], Y[RNNClassifier]
        )


def test_a_diagnosis_is_told_once_though_gradients_calm_down_between():
    """And other cells are advised only where the cell is a simple one."""
    wild = SimpleNamespace(loss=1.0, gradient_norm=1e3, input_gradient_norm=0.0)
    calm = SimpleNamespace(loss=0.5, gradient_norm=1.0, input_gradient_norm=1.0)
    for is_gated, ending in (
        (False, "max_grad_norm, or use cell="),
        (True, r"norm\.$"),
    ):
        tell = Diagnosis(1.0, is_gated)
        with pytest.warns(ConvergenceWarning) as caught:
            for epoch in [*[wild] * 4, calm, *[wild] * 4]:
                tell(epoch, None)
        exploding, vanishing = (str(warning.message) for warning in caught)
        assert re.search(f"The gradient explodes: .*{ending}", exploding)
        assert "The gradient vanishes" in vanishing


@both
def test_exploding_gradients_are_told_once(kind):
    """A relu network whose state grows at each of 60 steps."""
    long = [np.tile(10 * x, (20, 1)) for x in X[:10]]
    est = tiny(kind, cell="rnn", activation="relu", learning_rate_init=1e-5, max_iter=8)
    message = (
        "The gradient explodes: its norm was above 100 for 3 epochs, .* in the last. "
        "Scale X and y, lower learning_rate_init or max_grad_norm, or use cell='lstm'"
    )
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        est.fit(long, Y[kind][:10])
    assert len(caught) == 1 and caught[0].filename == __file__


VANISHED = [np.r_[[[2.0 * (i % 2) - 1]], np.zeros((150, 1))] for i in range(8)]
VANISHING = (
    "The gradient vanishes: its norm was below 1e-06 for 3 epochs and the loss hardly "
    "fell. Use cell='gru' or 'lstm', pooling='mean' or 'attention', shorter sequences"
)


def test_vanishing_gradients_are_told_once():
    """The class is told by the first step, 150 blank steps before the end."""
    est = tiny(RNNClassifier, cell="gru", alpha=0.0, max_iter=6)
    with pytest.warns(ConvergenceWarning, match=VANISHING) as caught:
        est.fit(VANISHED, np.arange(8) % 2)
    assert len(caught) == 1 and caught[0].filename == __file__


@pytest.mark.heavy
@pytest.mark.parametrize("params", [{}, {"alpha": 0.0, "batch_size": 3}])
def test_vanishing_gradients_are_told_with_a_penalty_and_with_minibatches(params):
    with pytest.warns(ConvergenceWarning, match="The gradient vanishes"):
        tiny(RNNClassifier, max_iter=6, **params).fit(VANISHED, np.arange(8) % 2)


@pytest.mark.heavy
@both
@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_a_healthy_fit_prints_and_warns_nothing(kind, solver, capfd):
    """Warnings are errors here. Nothing is written, not even by libraries."""
    fitted(kind, solver=solver, max_iter=60, alpha=10.0, tol=1e-2)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_the_time_left_counts_down(monkeypatch, capsys):
    """With epochs of 0.1 s: the mean of those so far, times those to come."""
    evaluate = Objective.__call__

    def slow(self, *arguments):
        time.sleep(0.1)
        return evaluate(self, *arguments)

    monkeypatch.setattr(Objective, "__call__", slow)
    fitted(RNNRegressor, batch_size=40, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    left = [float(line.split()[-3]) for line in lines]
    assert 0.2 <= left[0] and 0.1 <= left[1] < left[0] and left[2] == 0.0
