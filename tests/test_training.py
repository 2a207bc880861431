"""How a fit runs: solvers, schedules, starts, dropout, validation, progress."""

import logging
import math
import re

import numpy as np
import pytest
from sklearn.metrics import log_loss

from skrnn import RNNClassifier, RNNRegressor
from skrnn.optimizers import LBFGS, OPTIMIZERS, SCHEDULES, SGD, Adam, RMSprop
from skrnn.training import Objective

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
PLAIN = {
    "solver": SGD(momentum=0),
    "learning_rate": "cosine",
    "alpha": 0.0,
    "batch_size": 40,
    "max_iter": 1,
}


def tiny(kind, **params):
    return kind(**BASE | params)


def fitted(kind, **params):
    return tiny(kind, **params).fit(X, Y[kind])


def loss_of(est, X, y, weight=None):
    """The mean loss, from predictions."""
    if isinstance(est, RNNClassifier):
        proba = est.predict_proba(X)
        return log_loss(y, proba, labels=est.classes_, sample_weight=weight)
    return np.average((est.predict(X) - y) ** 2, weights=weight) / 2


class Still(SGD):
    """Leaves theta where it starts."""

    def update(self, theta, gradient, state, learning_rate):
        pass


STILL = {"solver": Still(), "max_iter": 1}


class Recorder(SGD):
    """Plain descent that notes its learning rates and the norms it is given."""

    rates, norms = [], []

    def update(self, theta, gradient, state, learning_rate):
        self.rates.append(learning_rate)
        self.norms.append(float(np.linalg.norm(gradient)))
        super().update(theta, gradient, state, learning_rate)


@pytest.fixture
def recorder():
    Recorder.rates.clear()
    Recorder.norms.clear()
    return Recorder(momentum=0.0)


# Solvers


@quiet
@both
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_solver_by_name_is_its_object_with_defaults(kind, name):
    expected = fitted(kind, solver=name)
    assert np.array_equal(
        fitted(kind, solver=OPTIMIZERS[name]()).theta_, expected.theta_
    )


@quiet
@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("adam", Adam(beta_1=0.5)),
        ("rmsprop", RMSprop(rho=0.5)),
        ("sgd", SGD(momentum=0.5)),
        ("sgd", SGD(nesterov=False)),
        ("lbfgs", LBFGS(memory=1)),
    ],
    ids=repr,
)
def test_hyper_parameters_of_a_solver_object_count(name, other):
    default = fitted(RNNRegressor, solver=name)
    assert (
        np.abs(fitted(RNNRegressor, solver=other).theta_ - default.theta_).max() > 1e-7
    )


@pytest.mark.heavy
@quiet
@both
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("solver", STOCHASTIC)
def test_every_solver_learns_with_every_schedule(kind, solver, schedule):
    rate = 0.1 if solver == "sgd" else 0.03
    est = fitted(
        kind,
        solver=solver,
        learning_rate=schedule,
        learning_rate_init=rate,
        max_iter=30,
    )
    assert loss_of(est, X, Y[kind]) < 0.75 * est.loss_curve_[0]


@pytest.mark.heavy
@both
def test_lbfgs_converges_to_a_flat_point(kind):
    params = {"solver": "lbfgs", "max_iter": 500, "alpha": 5.0}
    est = fitted(kind, **params)
    assert est.n_iter_ < 500 and est.loss_curve_ == sorted(est.loss_curve_)[::-1]
    again = fitted(kind, **params)
    assert np.array_equal(again.theta_, est.theta_)


@quiet
@pytest.mark.parametrize("name", SCHEDULES)
def test_the_rate_follows_the_schedule_at_every_update(name, recorder):
    """10 epochs of 4 minibatches; the rate of update k belongs to k / 4 epochs."""
    fitted(
        RNNRegressor,
        solver=recorder,
        learning_rate=name,
        learning_rate_init=0.01,
        batch_size=10,
        max_iter=10,
    )
    t = np.arange(40) / 4
    expected = {
        "constant": np.full(40, 0.01),
        "adaptive": np.full(40, 0.01),
        "invscaling": 0.01 / np.sqrt(1 + t),
        "cosine": 0.005 * (1 + np.cos(np.pi * t / 10)),
    }
    if name == "onecycle":
        assert recorder.rates[0] == pytest.approx(0.01 / 25)
        assert np.argmax(recorder.rates) == 12 and max(recorder.rates) == 0.01
        assert recorder.rates[-1] < 1e-4
    else:
        np.testing.assert_allclose(recorder.rates, expected[name], rtol=1e-12)


def test_a_stall_stops_a_constant_rate_and_lowers_an_adaptive_one(recorder):
    stalling = {"tol": 1e9, "n_iter_no_change": 2, "max_iter": 100, "batch_size": 40}
    stalling |= {"solver": recorder, "learning_rate_init": 0.01}
    assert fitted(RNNRegressor, learning_rate="constant", **stalling).n_iter_ == 4
    recorder.rates.clear()
    est = fitted(RNNRegressor, learning_rate="adaptive", **stalling)
    assert est.n_iter_ == 19  # 4, then 3 for each further fifth, down to 1e-6
    expected = 0.01 / 5.0 ** np.r_[0, np.repeat(np.arange(6), 3)]
    np.testing.assert_allclose(recorder.rates, expected, rtol=1e-12)


# Epochs


@both
def test_the_loss_of_an_epoch_is_the_mean_over_its_sequences(kind):
    """Also where the last minibatch is smaller."""
    est = fitted(kind, **STILL, alpha=0.0, batch_size=7)
    assert est.loss_ == pytest.approx(loss_of(est, X, Y[kind]), rel=1e-12)


@both
def test_each_epoch_takes_all_sequences_in_a_new_order(kind, monkeypatch):
    seen = []
    evaluate = Objective.__call__

    def spy(self, theta, packed, data, indices, rng):
        seen.append(indices)
        return evaluate(self, theta, packed, data, indices, rng)

    monkeypatch.setattr(Objective, "__call__", spy)
    fitted(kind, batch_size=15)
    assert [batch.size for batch in seen] == [15, 15, 10] * 3
    epochs = np.concatenate(seen).reshape(3, 40)
    assert np.array_equal(np.sort(epochs), np.tile(np.arange(40), (3, 1)))
    assert len({tuple(epoch) for epoch in epochs}) == 3
    seen.clear()
    fitted(kind, batch_size=15, shuffle=False)
    assert np.array_equal(np.concatenate(seen), np.tile(np.arange(40), 3))


# The norm of the gradient, and the penalty


def test_clipping_bounds_the_gradient_and_keeps_its_direction(recorder, capsys):
    """The step has the clipped norm; the line reports the norm before."""
    start = fitted(RNNRegressor, **STILL).theta_
    steps, norms = [], []
    for limit in (None, 1e-3):
        est = fitted(
            RNNRegressor,
            **PLAIN | {"solver": recorder},
            learning_rate_init=1.0,
            max_grad_norm=limit,
            verbose=1,
        )
        steps.append(est.theta_ - start)
        norms.append(re.search("gradient norm (\\S+)", capsys.readouterr().out)[1])
    free, clipped = steps
    assert np.linalg.norm(clipped) == pytest.approx(1e-3) == recorder.norms[1]
    np.testing.assert_allclose(clipped / 1e-3, free / np.linalg.norm(free), atol=1e-9)
    assert norms[0] == norms[1] == f"{np.linalg.norm(free):.3g}"


@both
def test_alpha_shrinks_weights_but_no_bias(kind):
    """One plain step of rate 1 moves a weight w by alpha w / n more, a bias by 0."""
    step = PLAIN | {"max_grad_norm": None, "learning_rate_init": 1.0}
    start = fitted(kind, **STILL).weights_
    free = fitted(kind, **step).weights_
    penalised = fitted(kind, **step | {"alpha": 8.0}).weights_
    for name, before in start.items():
        is_bias = "bias" in name
        expected = free[name] - (0.0 if is_bias else 8.0 / 40) * before
        np.testing.assert_allclose(penalised[name], expected, atol=1e-12, err_msg=name)
        assert is_bias or np.abs(before).max() > 0.1


# Where a fit starts


def start_of(kind=RNNRegressor, X=X, y=None, weight=None, **params):
    est = tiny(kind, **{"hidden_layer_sizes": (20,)} | params | STILL)
    return est.fit(X, Y[kind] if y is None else y, weight).weights_


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mingru", "indrnn"])
def test_input_weights_start_with_glorot_gate_by_gate(cell):
    for gate in start_of(cell=cell)["weight_ih_l0"].reshape(-1, 20, 2):
        bound = math.sqrt(6 / (20 + 2))
        assert 0.8 * bound < np.abs(gate).max() <= bound
        assert gate.min() < 0 < gate.max()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "peephole_lstm"])
def test_recurrent_weights_start_orthogonal_gate_by_gate(cell):
    gates = start_of(cell=cell)["weight_hh_l0"].reshape(-1, 20, 20)
    for gate in gates:
        np.testing.assert_allclose(gate @ gate.T, np.eye(20), atol=1e-12)
    assert len(gates) == 1 or np.abs(gates[0] - gates[1]).max() > 0.1


def test_recurrent_weights_start_at_the_identity_for_relu():
    weights = start_of(cell="rnn", activation="relu")
    assert np.array_equal(weights["weight_hh_l0"], np.eye(20))


def test_biases_start_at_zero_but_for_the_forget_gate():
    for cell, forget in (("gru", 0.0), ("lstm", 1.0), ("peephole_lstm", 1.0)):
        weights = start_of(cell=cell, hidden_layer_sizes=(3, 3), bidirectional=True)
        for level in ("l0", "l0_reverse", "l1", "l1_reverse"):
            assert not weights[f"bias_hh_{level}"].any()
            biases = weights[f"bias_ih_{level}"].reshape(-1, 3)
            assert not np.delete(biases, 1, axis=0).any()
            assert (biases[1] == forget).all()


def test_unit_vectors_start_as_their_papers_say():
    u = start_of(cell="indrnn")["weight_u_l0"]
    assert 0 <= u.min() < 0.2 and 0.8 < u.max() <= 1
    assert not start_of(cell="peephole_lstm")["weight_p_f_l0"].any()


def test_the_head_starts_at_the_best_constant():
    y, w = Y[RNNClassifier], np.linspace(1, 3, 40)
    shares = np.bincount(y, weights=w) / w.sum()
    bias = start_of(RNNClassifier, weight=w)["head_bias"]
    np.testing.assert_allclose(bias, np.log(shares), rtol=1e-12)
    share = np.average(y > 0, weights=w)
    bias = start_of(RNNClassifier, y=y > 0, weight=w)["head_bias"]
    np.testing.assert_allclose(bias, np.log(share / (1 - share)), rtol=1e-10)
    v = np.abs(SUMS)
    mean = np.average(v, axis=0, weights=w)
    np.testing.assert_allclose(start_of(y=v, weight=w)["head_bias"], mean)
    bias = start_of(y=v, weight=w, loss="poisson")["head_bias"]
    np.testing.assert_allclose(bias, np.log(mean))
    bias = start_of(y=v, loss="absolute_error")["head_bias"]
    np.testing.assert_allclose(bias, np.median(v, axis=0))
    bias = start_of(y=v[:, 0], loss="quantile", quantiles=0.9)["head_bias"]
    assert (v[:, 0] <= bias).mean() == pytest.approx(0.9, abs=0.03)


# Dropout


@pytest.mark.heavy
@both
@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
def test_dropout_acts_in_training_only(kind, name):
    """The training loss is that of masked units, the validation loss is not."""
    y = Y[kind]
    est = tiny(kind, **{name: 0.6}, hidden_layer_sizes=(8, 8), **STILL)
    est.fit(X, y, X_val=X, y_val=y)
    plain = tiny(kind, hidden_layer_sizes=(8, 8), **STILL).fit(X, y, X_val=X, y_val=y)
    assert np.array_equal(est.theta_, plain.theta_)
    assert np.array_equal(est.predict(X), est.predict(X))
    assert np.array_equal(est.predict(X), plain.predict(X))
    assert est.validation_loss_curve_ == plain.validation_loss_curve_
    assert abs(est.loss_ - plain.loss_) > 1e-3
    assert plain.loss_ == pytest.approx(plain.validation_loss_curve_[0], rel=1e-3)


# Truncated backpropagation through time


@pytest.mark.heavy
@both
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_bptt_steps_carries_the_state_over_chunks(kind, pooling):
    """The loss does not depend on chunks; the gradient does; long chunks are none."""
    params = {"pooling": pooling, "hidden_layer_sizes": (4, 3), "batch_size": 40}
    whole = fitted(kind, **params)
    for steps in (6, 100):
        est = fitted(kind, **params, bptt_steps=steps)
        assert np.array_equal(est.theta_, whole.theta_)
    short = fitted(kind, **params, bptt_steps=2)
    assert short.loss_curve_[0] == pytest.approx(whole.loss_curve_[0], rel=1e-12)
    assert np.abs(short.theta_ - whole.theta_).max() > 1e-5
    short.theta_[:] = whole.theta_
    np.testing.assert_allclose(short.predict(X), whole.predict(X), rtol=1e-12)


# Validation data


@both
def test_given_validation_data_is_judged_after_each_epoch(kind):
    y, w = Y[kind], np.r_[np.zeros(5), np.linspace(1, 2, 10)]
    val = {"X_val": X[:15], "y_val": y[:15]}
    est = tiny(kind, max_iter=5).fit(X[15:], y[15:], **val, sample_weight_val=w)
    plain = tiny(kind, max_iter=5).fit(X[15:], y[15:])
    assert np.array_equal(est.theta_, plain.theta_) and len(est.loss_curve_) == 5
    curve = est.validation_loss_curve_
    assert len(curve) == 5 == len(set(curve))
    assert curve[-1] == pytest.approx(loss_of(est, X[:15], y[:15], w), rel=1e-12)
    assert est.best_iter_ is est.validation_scores_ is None


def overfit(kind, **params):
    """Random targets: the validation data soon gets worse."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 40) if kind is RNNClassifier else rng.standard_normal(40)
    defaults = {"hidden_layer_sizes": (16,), "max_iter": 200, "early_stopping": True}
    defaults |= {"learning_rate": "constant", "learning_rate_init": 0.02}
    est = tiny(kind, **defaults | params)
    return est, y


@pytest.mark.heavy
@both
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_early_stopping_restores_the_best_weights(kind, solver):
    est, y = overfit(kind, solver=solver, n_iter_no_change=4)
    est.fit(X[10:], y[10:], X_val=X[:10], y_val=y[:10])
    curve = est.validation_loss_curve_
    assert 4 < len(curve) == est.n_iter_ < 200
    assert est.best_iter_ == np.argmin(curve) + 1 < est.n_iter_
    assert loss_of(est, X[:10], y[:10]) == pytest.approx(min(curve), rel=1e-9)
    assert curve[-1] > min(curve) + 1e-3


@pytest.mark.heavy
@both
def test_patience_and_tol_of_early_stopping(kind):
    def n_iter(**params):
        est, y = overfit(kind, **params)
        return est.fit(X[10:], y[10:], X_val=X[:10], y_val=y[:10]).n_iter_

    assert n_iter(n_iter_no_change=1, tol=1e9) == 3  # one to begin with, two stale
    assert n_iter(n_iter_no_change=7, tol=1e9) == 9
    assert n_iter(n_iter_no_change=2) < n_iter(n_iter_no_change=12)


@pytest.mark.heavy
@both
def test_early_stopping_on_a_scorer(kind):
    """The best score decides, whatever the loss does; ties go to the first."""
    name = "balanced_accuracy" if kind is RNNClassifier else "r2"
    est, y = overfit(kind, scoring=name, n_iter_no_change=5)
    est.fit(X[10:], y[10:], X_val=X[:10], y_val=y[:10])
    scores = est.validation_scores_
    assert len(scores) == len(est.validation_loss_curve_) == est.n_iter_ < 200
    assert est.best_iter_ == np.argmax(scores) + 1
    assert est.best_validation_score_ == max(scores)
    by_callable, _ = overfit(kind, scoring=lambda e, X, y: -loss_of(e, X, y))
    by_loss, _ = overfit(kind)
    for other in (by_callable, by_loss):
        other.fit(X[10:], y[10:], X_val=X[:10], y_val=y[:10])
    assert by_callable.best_iter_ == by_loss.best_iter_
    assert np.array_equal(by_callable.theta_, by_loss.theta_)


def test_the_scorer_sees_the_data_set_aside_and_its_weights():
    """A stratified share of X, y and weights that still belong together."""
    y = np.r_[np.zeros(30), np.ones(10)]
    marked = [np.full((3, 2), i / 40) for i in range(40)]
    seen = []

    def scorer(est, X, y, sample_weight):
        seen.append((X, y, sample_weight, est.predict_proba(X)))
        return -len(seen)

    est = tiny(
        RNNClassifier, early_stopping=True, validation_fraction=0.4, scoring=scorer
    )
    est.fit(marked, y, np.arange(40) + 1.0)
    assert len(seen) == est.n_iter_ == 3 and est.t_ == 24 * 3
    X_val, y_val, w_val, _ = seen[0]
    i = np.array([round(x[0, 0] * 40) for x in X_val])
    assert sorted(np.bincount(y_val.astype(int))) == [4, 12]
    assert np.array_equal(y_val, y[i]) and np.array_equal(w_val, i + 1.0)
    assert np.array_equal(est.predict_proba(X_val), seen[0][3])
    assert np.abs(seen[2][3] - seen[0][3]).max() > 0
    for seed in range(1, 5):
        est.set_params(random_state=seed).fit(marked, y, np.arange(40) + 1.0)
        assert sorted(np.bincount(seen[-1][1].astype(int))) == [4, 12]
        assert sorted(seen[-1][2]) != sorted(w_val)


def test_given_validation_data_goes_before_a_fraction():
    est = tiny(RNNRegressor, early_stopping=True, validation_fraction=0.5)
    est.fit(X, SUMS[:, 0], X_val=X[:7], y_val=SUMS[:7, 0])
    assert est.t_ == 40 * 3
    fraction = tiny(RNNRegressor, early_stopping=True, validation_fraction=0.5)
    assert fraction.fit(X, SUMS).t_ == 20 * 3


# Progress


LINE = (
    r"epoch +(\d+)  loss [\d.e+-]+  {}gradient norm [\d.e+-]+  [\d,]+ sequences/s  "
    r"[\d.]+ s left"
)
VALIDATION = r"validation loss [\d.]+  validation score -?\d\.\d{4}  "


@both
@quiet
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_verbose_prints_one_line_an_epoch(kind, solver, capsys):
    est = tiny(kind, solver=solver, verbose=1, alpha=1.0, max_iter=4, warm_start=True)
    est.fit(X, Y[kind])
    est.fit(X, Y[kind])
    lines = capsys.readouterr().out.splitlines()
    epochs = [re.fullmatch(LINE.format(""), line)[1] for line in lines]
    assert epochs == [str(k + 1) for k in range(8)]
    assert [f"{float(line.split()[3]):.6g}" for line in lines] == [
        f"{loss:.6g}" for loss in est.loss_curve_
    ]
    assert lines[3].endswith(" 0.0 s left")


@both
def test_verbose_tells_the_validation_loss_and_score(kind, capsys):
    scoring = "accuracy" if kind is RNNClassifier else "r2"
    est = fitted(kind, verbose=True, early_stopping=True, scoring=scoring)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == est.n_iter_ == 3
    for line, loss in zip(lines, est.validation_loss_curve_, strict=True):
        assert re.fullmatch(LINE.format(VALIDATION), line)
        assert f"validation loss {loss:.6g}  " in line


@both
def test_the_logger_gets_the_lines_for_debugging(kind, caplog, capsys):
    with caplog.at_level(logging.DEBUG, logger="skrnn"):
        fitted(kind)
    assert len(caplog.records) == 3
    for record in caplog.records:
        assert record.name == "skrnn" and record.levelno == logging.DEBUG
        assert re.fullmatch(LINE.format(""), record.getMessage())
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="skrnn"):
        fitted(kind)
    assert not caplog.records and capsys.readouterr().out == ""
