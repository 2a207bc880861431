"""Targets of each step in scikit-learn's pipelines, searches and curves, and saved.

A ragged y comes through scikit-learn's indexing as what it was: a list stays a list, an
array of objects an array of objects.
"""

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    ShuffleSplit,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_steps import KINDS, TAGS, TARGETS, X, assert_equal_lists, tiny

from skrnn import RNNTagger
from skrnn.metrics import (
    cross_val_predict,
    entity_f1_score,
    get_scorer,
    step_accuracy_score,
    step_r2_score,
)
from skrnn.preprocessing import PerStep, TokenEncoder

each_target = pytest.mark.parametrize("target", TARGETS)
each_kind = pytest.mark.parametrize("target", ["tags", "sums"])


def piped(target, **params):
    return make_pipeline(PerStep(StandardScaler()), tiny(target, **params))


def by_hand(estimator, y, cv=3, score=None):
    """Scores of cross-validation, written out."""
    scores = []
    for train, test in KFold(cv).split(X):
        est = clone(estimator).fit([X[i] for i in train], [y[i] for i in train])
        inputs = [X[i] for i in test], [y[i] for i in test]
        scores.append(score(est, *inputs) if score else est.score(*inputs))
    return scores


class OneHot(TransformerMixin, BaseEstimator):
    """Token ids to rows of 0 and 1, (n_timesteps_i, n_tokens)."""

    def __init__(self, n_tokens):
        self.n_tokens = n_tokens

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return [np.eye(self.n_tokens)[ids] for ids in X]


# Cross-validation


@each_target
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_integer_cv_scores_as_by_hand(target, n_jobs):
    y = TARGETS[target]
    scores = cross_val_score(piped(target), X, y, cv=3, n_jobs=n_jobs)
    assert_allclose(scores, by_hand(piped(target), y))


@pytest.mark.parametrize("target", ["sums", "pairs"])
def test_targets_are_scaled_and_brought_back(target):
    """As by hand with the mean and the deviation of the training steps, quietly."""
    y = [1e4 * part + 3e5 for part in TARGETS[target]]
    scaler = PerStep(StandardScaler())
    est = tiny(target).fit(X[:18], scaler.fit_transform(y[:18]))
    predicted = scaler.inverse_transform(est.predict(X[18:]))
    mean, std = (f(np.concatenate(y[:18]), axis=0) for f in (np.mean, np.std))
    est = tiny(target).fit(X[:18], [(part - mean) / std for part in y[:18]])
    expected = [part * std + mean for part in est.predict(X[18:])]
    for found, part in zip(predicted, expected, strict=True):
        assert_allclose(found.reshape(part.shape), part, rtol=1e-8)
    assert step_r2_score(y[18:], predicted) == pytest.approx(
        step_r2_score(y[18:], expected)
    )


@each_kind
def test_arrays_of_objects_are_indexed_as_well(target):
    y = np.empty(len(X), object)
    y[:] = TARGETS[target]
    inputs = np.empty(len(X), object)
    inputs[:] = X
    scores = cross_val_score(tiny(target), inputs, y, cv=3)
    assert_allclose(scores, by_hand(tiny(target), TARGETS[target]))


@pytest.mark.parametrize(
    "name", ["step_accuracy", "step_f1_macro", "step_neg_log_loss", "sequence_accuracy"]
)
def test_scorers_of_steps_score_as_by_hand(name):
    with np.errstate(divide="ignore"):
        scores = cross_val_score(tiny("tags"), X, TAGS, cv=3, scoring=get_scorer(name))
    assert_allclose(scores, by_hand(tiny("tags"), TAGS, score=get_scorer(name)))


def test_entities_are_scored_in_a_search():
    y = [np.array(["O", "B-X", "I-X"])[np.digitize(x[:, 0], [-0.5, 0.5])] for x in X]
    search = GridSearchCV(
        piped("tags"),
        {"rnntagger__crf": [False, True]},
        cv=3,
        n_jobs=2,
        scoring=get_scorer("entity_f1"),
    ).fit(X, y)
    found = search.score(X, y)
    assert found == entity_f1_score(y, search.predict(X))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("make", [tiny, piped])
def test_scorers_in_cross_validation_leave_out_the_ignored_label(make):
    """As `score` does, and as the metric does that is told of it."""
    est = make("tags", ignored_label="mild")
    scores = cross_val_score(est, X, TAGS, cv=3, scoring=get_scorer("step_accuracy"))
    assert_allclose(scores, cross_val_score(est, X, TAGS, cv=3))
    told = make_scorer(step_accuracy_score, ignored="mild")
    assert_allclose(scores, cross_val_score(est, X, TAGS, cv=3, scoring=told))


def test_entities_are_scored_without_an_ignored_label():
    """Which is no tag of an entity: as without these steps."""
    y = [["-PAD-", *["B-X" if v > 0 else "O" for v in x[1:, 0]]] for x in X]
    est = tiny("tags", ignored_label="-PAD-").fit(X, y)
    found = get_scorer("entity_f1")(est, X, y)
    rest = [[part[1:] for part in labels] for labels in (y, est.predict(X))]
    assert found == entity_f1_score(*([p for p in side if len(p)] for side in rest))
    scores = cross_val_score(est, X, y, cv=3, scoring=get_scorer("entity_f1"))
    assert np.isfinite(scores).all()


@each_kind
def test_groups_and_weights_come_through(target):
    y, weight = TARGETS[target], np.arange(1.0, 25.0)
    found = cross_validate(
        tiny(target),
        X,
        y,
        groups=np.arange(24) // 4,
        cv=GroupKFold(3),
        params={"sample_weight": weight},
        return_estimator=True,
        return_indices=True,
    )
    train = found["indices"]["train"][0]
    alone = tiny(target)
    alone.fit([X[i] for i in train], [y[i] for i in train], weight[train])
    assert_array_equal(found["estimator"][0].theta_, alone.theta_)


@each_target
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_predictions_of_cross_validation_are_those_of_each_fold(target, n_jobs):
    y = TARGETS[target]
    found = cross_val_predict(tiny(target), X, y, cv=3, n_jobs=n_jobs)
    for train, test in KFold(3).split(X):
        est = tiny(target).fit([X[i] for i in train], [y[i] for i in train])
        expected = est.predict([X[i] for i in test])
        assert_equal_lists([found[i] for i in test], expected)


# Searches and curves


@each_target
def test_a_search_finds_and_refits_on_ragged_targets(target):
    y = TARGETS[target]
    step = KINDS[target].__name__.lower()
    grid = {f"{step}__hidden_layer_sizes": [(2,), (3,)]}
    search = GridSearchCV(piped(target), grid, cv=3, n_jobs=2).fit(X, y)
    best = clone(piped(target)).set_params(**search.best_params_).fit(X, y)
    assert_equal_lists(search.predict(X), best.predict(X))
    assert search.score(X, y) == best.score(X, y)


@each_kind
def test_a_random_search_takes_them_too(target):
    space = {"learning_rate_init": [0.01, 0.02, 0.03]}
    search = RandomizedSearchCV(tiny(target), space, n_iter=2, cv=2, random_state=0)
    assert len(search.fit(X, TARGETS[target]).predict(X)) == len(X)


@each_kind
def test_curves_take_ragged_targets(target):
    y = TARGETS[target]
    _, train, test = learning_curve(
        piped(target), X, y, cv=3, train_sizes=[0.5, 1.0], n_jobs=2
    )
    assert train.shape == test.shape == (2, 3)
    assert_allclose(test[1], by_hand(piped(target), y))
    scores = validation_curve(
        tiny(target), X, y, param_name="alpha", param_range=[0, 1], cv=2
    )[1]
    assert scores.shape == (2, 2)


@each_kind
def test_a_learning_curve_may_learn_incrementally(target):
    scores = learning_curve(
        tiny(target),
        X,
        TARGETS[target],
        cv=2,
        train_sizes=[0.8, 1.0],
        exploit_incremental_learning=True,
    )[2]
    assert np.isfinite(scores).all()


@each_kind
def test_a_split_keeps_sequences_and_targets_together(target):
    parts = train_test_split(X, TARGETS[target], random_state=0, test_size=0.25)
    X_train, X_test, y_train, y_test = parts
    assert [len(x) for x in X_test] == [len(y) for y in y_test]
    assert np.isfinite(tiny(target).fit(X_train, y_train).score(X_test, y_test))


def test_a_single_split_may_be_random():
    cv = ShuffleSplit(2, random_state=0)
    assert cross_val_score(tiny("tags"), X, TAGS, cv=cv).shape == (2,)


# Words


WORDS = [["ann", "saw", "rome"], ["rome", "slept"], ["ann", "slept"], ["rome", "saw"]]
ENTITIES = [["B-PER", "O", "B-LOC"], ["B-LOC", "O"], ["B-PER", "O"], ["B-LOC", "O"]]


def test_words_are_tagged_in_one_pipeline():
    pipe = make_pipeline(
        TokenEncoder(),
        OneHot(8),
        RNNTagger(4, max_iter=60, learning_rate_init=0.05, random_state=0),
    )
    pipe.fit(WORDS * 3, ENTITIES * 3)
    assert [tags.tolist() for tags in pipe.predict(WORDS)] == ENTITIES
    assert pipe.score(WORDS, ENTITIES) == 1.0


# Saved pipelines


@each_target
def test_a_pipeline_is_stored_and_loaded(target, tmp_path):
    pipe = piped(target).fit(X, TARGETS[target])
    joblib.dump(pipe, tmp_path / "pipe.joblib")
    loaded = joblib.load(tmp_path / "pipe.joblib")
    assert_equal_lists(loaded.predict(X), pipe.predict(X))
