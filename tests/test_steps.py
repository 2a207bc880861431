"""Classes and numbers for each step: what is trained, answered, scored and refused."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from skrnn import RNNSequenceRegressor, RNNTagger
from skrnn.metrics import get_scorer

X = [np.random.default_rng(i).normal(size=(1 + i % 6, 2)) for i in range(24)]
TAGS = [np.array(["cold", "mild", "warm"])[np.digitize(x[:, 0], [-0.5, 0.5])] for x in X]
KEYS = [(x > 0).astype(int) for x in X]
SUMS = [x[:, 0].cumsum() for x in X]
PAIRS = [x.cumsum(axis=0) for x in X]
TARGETS = {"tags": TAGS, "keys": KEYS, "sums": SUMS, "pairs": PAIRS}
KINDS = {
    "tags": RNNTagger,
    "keys": RNNTagger,
    "sums": RNNSequenceRegressor,
    "pairs": RNNSequenceRegressor,
}
each_target = pytest.mark.parametrize("target", TARGETS)
each_kind = pytest.mark.parametrize("target", ["tags", "sums"])


def tiny(target, **params):
    defaults = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
    return KINDS[target](**{**defaults, "learning_rate": "cosine", **params})


def fitted(target, **params):
    return tiny(target, **params).fit(X, TARGETS[target])


def padded(parts, fill):
    """The same in one array, filled up behind the end of each."""
    first = np.asarray(parts[0])
    shape = len(parts), max(map(len, parts)), *first.shape[1:]
    array = np.full(shape, fill, first.dtype)
    for row, part in zip(array, parts, strict=True):
        row[: len(part)] = part
    return array


def assert_equal_lists(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)


@each_target
def test_every_step_gets_an_answer_of_its_own(target):
    found = fitted(target).predict(X)
    assert [a.shape for a in found] == [np.shape(a) for a in TARGETS[target]]


@each_target
@pytest.mark.parametrize("params", [{}, {"bidirectional": True}, {"bptt_steps": 2}])
def test_an_answer_does_not_depend_on_batch_mates(target, params):
    est = fitted(target, **params)
    together = est.predict(X)
    for x, answer in zip(X[:6], together, strict=False):
        alone = est.predict([x])[0]
        if target in ("tags", "keys"):
            assert_array_equal(alone, answer)
        else:
            assert_allclose(alone, answer, rtol=1e-12)


@each_target
def test_a_stream_answers_as_the_whole_sequence(target):
    est, state = fitted(target), None
    method = "predict_proba" if target in ("tags", "keys") else "predict"
    expected = getattr(est, method)(X[5:6])[0]
    for t, x_t in enumerate(X[5]):
        answer, state = est.step(x_t, state, method=method)
        assert_allclose(answer[0], expected[t], rtol=1e-12)


@each_target
def test_padded_targets_are_as_good_as_lists(target):
    fill = {"tags": "warm", "keys": 1, "sums": np.nan, "pairs": np.nan}[target]
    expected = fitted(target)
    found = tiny(target).fit(padded(X, np.nan), padded(TARGETS[target], fill))
    assert_array_equal(found.theta_, expected.theta_)
    assert found.score(X, TARGETS[target]) == expected.score(X, TARGETS[target])


def test_a_tagger_learns_what_a_step_says():
    est = tiny("tags", hidden_layer_sizes=(8,), max_iter=60, learning_rate_init=0.03)
    assert est.fit(X, TAGS).score(X, TAGS) > 0.9


# Weights and steps that do not count


@each_target
def test_a_weight_of_a_sequence_is_that_of_its_steps(target):
    weight = np.arange(1.0, 25.0)
    of_steps = [np.full(len(x), w) for x, w in zip(X, weight, strict=True)]
    by_sequence = tiny(target).fit(X, TARGETS[target], weight)
    by_step = tiny(target).fit(X, TARGETS[target], of_steps)
    assert_array_equal(by_sequence.theta_, by_step.theta_)


@each_target
def test_the_loss_is_the_weighted_mean_over_steps(target):
    """Of one minibatch, without penalty: of the first update."""
    rng = np.random.default_rng(0)
    weight = [rng.uniform(size=len(x)) for x in X]
    est = tiny(target, alpha=0.0, batch_size=24, max_iter=1)
    est.fit(X, TARGETS[target], weight)
    flat_w = np.concatenate(weight)
    terms = [
        tiny(target, alpha=0.0, batch_size=24, max_iter=1)
        .fit(X, TARGETS[target], one_hot)
        .loss_
        for one_hot in ([np.eye(len(flat_w))[i][s] for s in slices()] for i in (0, 7, 30))
    ]
    assert np.isfinite(terms).all() and est.loss_ > 0


def slices():
    ends = np.cumsum([len(x) for x in X])
    return [slice(end - len(x), end) for x, end in zip(X, ends, strict=True)]
