"""Whole fits that learn: long memory, grammar, robustness, calibration."""

import tracemalloc

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss

from skrnn import RNNClassifier, RNNRegressor
from skrnn.cells import CELLS
from skrnn.datasets import make_adding_problem, make_reber, make_switching_sines

pytestmark = pytest.mark.heavy
PLAN = {"batch_size": 32, "learning_rate": "cosine", "learning_rate_init": 0.01}


def single(problem):
    """X in float32, and y."""
    X, y = problem
    return [x.astype(np.float32) for x in X], y


def reber(n, seed, embedded=False):
    return single(make_reber(n, embedded=embedded, random_state=seed))


def sines(n, seed, **params):
    return single(make_switching_sines(n, random_state=seed, **params))


def test_a_gru_adds_two_numbers_a_hundred_steps_apart():
    """MSE below 0.01 on new data; 1/12 is to remember one of both, 1/6 none."""
    X, y = single(make_adding_problem(2000, random_state=0))
    X_test, y_test = single(make_adding_problem(500, random_state=1))
    est = RNNRegressor((32,), "gru", **PLAN, random_state=0)
    est.set_params(max_iter=20).fit(X, y)
    n_updates = est.n_iter_ * -(-len(X) // 32)
    assert n_updates <= 5000 and est.theta_.dtype == np.float32
    assert np.mean((est.predict(X_test) - y_test) ** 2) < 0.01


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_embedded_reber_grammar_is_learnt(cell):
    """Without memory of the second symbol the accuracy is 0.75 at most."""
    X, y = reber(2000, 0, embedded=True)
    est = RNNClassifier((32,), cell, **PLAN, max_iter=30)
    est.set_params(random_state=0).fit(X, y)
    assert est.score(*reber(1000, 1, embedded=True)) >= 0.97


def test_labels_without_a_pattern_are_not_learnt():
    """Half of each class gets the other label: nothing is left to be found."""
    X, y = reber(600, 0)
    X_test, y_test = reber(1000, 1)
    est = RNNClassifier((16,), **PLAN, max_iter=40)
    control = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        shuffled = y.copy()
        for label in (0, 1):
            members = rng.permutation(np.flatnonzero(y == label))
            shuffled[members[::2]] = 1 - label
        est.set_params(random_state=seed).fit(X, shuffled)
        control.append(est.score(X_test, y_test))
    assert abs(np.mean(control) - 0.5) < 0.08
    assert est.fit(X, y).score(X_test, y_test) > 0.95


def noisy_sines(n, seed):
    """Two classes, a fifth of the labels wrong: easy to learn by heart."""
    X, y = sines(n, seed, n_classes=2, n_timesteps=(15, 25), noise=0.5)
    flipped = np.random.default_rng(seed).random(n) < 0.2
    return X, np.where(flipped, 1 - y, y)


@pytest.fixture(scope="module")
def overfit_losses():
    """Held-out log loss of a network far too large, for three seeds."""
    helps = {
        "nothing": {},
        "dropout": {"dropout": 0.6},
        "recurrent_dropout": {"recurrent_dropout": 0.5},
        "early_stopping": {"early_stopping": True, "validation_fraction": 0.25},
    }
    losses = {name: [] for name in helps}
    for seed in range(3):
        X, y = noisy_sines(100, seed)
        X_test, y_test = noisy_sines(1000, 100 + seed)
        for name, params in helps.items():
            est = RNNClassifier((32, 32), alpha=0.0, max_iter=40, random_state=seed)
            est.set_params(**PLAN, **params).fit(X, y)
            losses[name].append(log_loss(y_test, est.predict_proba(X_test)))
    return {name: np.array(values) for name, values in losses.items()}


def test_the_large_network_overfits(overfit_losses):
    """Without help it does worse than log 2, which is to know nothing."""
    assert overfit_losses["nothing"].min() > np.log(2)


@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout", "early_stopping"])
def test_it_helps_against_overfitting(overfit_losses, name):
    """For every seed, and by a quarter of the loss on average."""
    helped, alone = overfit_losses[name], overfit_losses["nothing"]
    assert (helped < alone).all()
    assert helped.mean() < 0.75 * alone.mean()


def test_truncated_backpropagation_learns():
    """Chunks of 10 steps out of up to 60; the order of two regimes decides."""
    est = RNNClassifier((24,), bptt_steps=10, **PLAN, max_iter=20)
    est.set_params(random_state=0).fit(*sines(400, 0))
    assert est.score(*sines(300, 1)) > 0.9


def test_bptt_steps_bounds_the_memory_of_long_sequences():
    long = [np.sin(np.arange(5000) / (5 + i))[:, np.newaxis] for i in range(4)]

    def peak(steps):
        est = RNNRegressor((4,), bptt_steps=steps, pooling="mean", max_iter=2)
        est.fit([x[:20] for x in long], np.arange(4.0))
        tracemalloc.start()
        est.fit(long, np.arange(4.0))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert est.loss_ < est.loss_curve_[0]
        return found

    assert peak(100) < peak(None) / 4


# Test accuracy on rows of digits and on switching sines. Cells without a recurrent
# product mix their units in the level above only.
BARS = {
    "rnn": (0.88, 0.6),
    "lstm": (0.8, 0.95),
    "gru": (0.88, 0.95),
    "mingru": (0.8, 0.95),
    "indrnn": (0.75, 0.6),
    "peephole_lstm": (0.8, 0.95),
}


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_learns(cell):
    X, y = load_digits(return_X_y=True)
    X = (X / 16).reshape(-1, 8, 8).astype(np.float32)
    est = RNNClassifier((32, 32), cell, **PLAN, random_state=0)
    digits = est.set_params(max_iter=15).fit(X[:1000], y[:1000])
    assert digits.score(X[1000:], y[1000:]) > BARS[cell][0]
    est.set_params(max_iter=20).fit(*sines(400, 0))
    assert est.score(*sines(300, 1)) > BARS[cell][1]


def heteroscedastic(n, seed):
    """The mean of a sequence is the location, its last step the spread."""
    rng = np.random.default_rng(seed)
    X = [rng.standard_normal((rng.integers(5, 15), 1)) for _ in range(n)]
    location = np.array([2 * x.mean() for x in X])
    spread = np.array([0.2 + abs(x[-1, 0]) for x in X])
    return single((X, location + spread * rng.standard_normal(n))), spread


def test_quantiles_are_calibrated_and_know_the_spread():
    (X, y), _ = heteroscedastic(1500, 0)
    (X_test, y_test), spread = heteroscedastic(3000, 1)
    levels = (0.1, 0.5, 0.9)
    est = RNNRegressor((16,), loss="quantile", quantiles=levels, max_iter=25)
    est.set_params(**PLAN, random_state=0).fit(X, y)
    predicted = est.predict(X_test)
    shares = (y_test[:, np.newaxis] <= predicted).mean(axis=0)
    np.testing.assert_allclose(shares, levels, atol=0.04)
    width = predicted[:, 2] - predicted[:, 0]
    assert width.min() >= 0 and np.corrcoef(width, spread)[0, 1] > 0.8
    assert est.score(X_test, y_test) > 0.15
