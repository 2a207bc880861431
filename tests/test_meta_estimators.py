"""Ragged sequences in scikit-learn's pipelines, searches and ensembles.

Most of them hand X on as it is. Those that make an array of it, by design, get one row
of numbers for each sequence, and a step in a pipeline that makes sequences of the rows:
bagging, self-training, permutation importance, and stacking with `passthrough`.
"""

import joblib
import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - enables
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.semi_supervised import SelfTrainingClassifier

from skrnn import Cell, RNNClassifier, RNNRegressor
from skrnn.cells.algebra import tanh
from skrnn.datasets import make_adding_problem, make_switching_sines
from skrnn.optimizers import Adam

pytestmark = pytest.mark.heavy
TINY = {
    "hidden_layer_sizes": (3,),
    "cell": "rnn",
    "learning_rate_init": 0.05,
    "max_iter": 3,
    "random_state": 0,
}
LOSS = "neg_log_loss"
LENGTHS = {"n_timesteps": (8, 12), "random_state": 0}

X, CODES = make_switching_sines(24, n_classes=2, n_features=2, **LENGTHS)
Y = np.array(["slow first", "fast first"])[CODES]
X_SUM, Y_SUM = make_adding_problem(24, **LENGTHS)
WEIGHTS = np.random.default_rng(0).uniform(0.1, 2.0, 24)

CLASSIFIER = RNNClassifier(**TINY)
REGRESSOR = RNNRegressor(**TINY)
FOLDS = list(StratifiedKFold(2).split(np.zeros(24), Y))


def take(sequences, indices):
    return [sequences[i] for i in indices]


def scale(sequences):
    """Each sequence to deviations from its own mean."""
    return [x - x.mean(axis=0) for x in sequences]


def scaled(estimator):
    return make_pipeline(FunctionTransformer(scale), estimator)


def fold_scores(estimator, sequences=X, y=Y, scoring=LOSS):
    """Cross-validation by hand."""
    score = get_scorer(scoring)
    return np.array(
        [
            score(
                clone(estimator).fit(take(sequences, train), y[train]),
                take(sequences, test),
                y[test],
            )
            for train, test in FOLDS
        ]
    )


def as_objects(sequences):
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


# Pipelines and searches


def test_a_pipeline_hands_sequences_on():
    pipe = scaled(CLASSIFIER).fit(X, Y)
    alone = clone(CLASSIFIER).fit(scale(X), Y)
    assert_array_equal(pipe.predict_proba(X), alone.predict_proba(scale(X)))
    assert pipe.score(X, Y) == alone.score(scale(X), Y)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_grid_search_over_cells_and_sizes_equals_a_loop(backend):
    grid = {
        "rnnclassifier__cell": ["rnn", "gru"],
        "rnnclassifier__hidden_layer_sizes": [(2,), (2, 2)],
    }
    search = GridSearchCV(scaled(CLASSIFIER), grid, scoring=LOSS, cv=FOLDS, n_jobs=2)
    with joblib.parallel_config(backend):
        search.fit(X, Y)
    results = search.cv_results_
    for params, *scores in zip(
        results["params"],
        results["split0_test_score"],
        results["split1_test_score"],
        strict=True,
    ):
        expected = fold_scores(scaled(CLASSIFIER).set_params(**params))
        assert_array_equal(scores, expected)
    best = scaled(CLASSIFIER).set_params(**search.best_params_).fit(X, Y)
    assert_array_equal(search.predict_proba(X), best.predict_proba(X))
    assert len(set(results["mean_test_score"])) == 4


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("resource", ["n_samples", "max_iter"])
def test_a_halving_search_raises_its_resource(backend, resource):
    search = HalvingGridSearchCV(
        CLASSIFIER,
        {"hidden_layer_sizes": [(1,), (2,), (3,), (4,)]},
        factor=2,
        resource=resource,
        min_resources=6 if resource == "n_samples" else 1,
        max_resources=24 if resource == "n_samples" else 4,
        scoring=LOSS,
        cv=2,
        random_state=0,
        n_jobs=2,
    )
    with joblib.parallel_config(backend):
        search.fit(X, Y)
    assert search.n_candidates_ == [4, 2, 1]
    assert search.n_resources_ == (
        [6, 12, 24] if resource == "n_samples" else [1, 2, 4]
    )
    best = clone(CLASSIFIER).set_params(**search.best_params_).fit(X, Y)
    assert_array_equal(search.best_estimator_.theta_, best.theta_)


def test_a_grid_search_reaches_into_the_solver():
    est = clone(CLASSIFIER).set_params(solver=Adam())
    search = GridSearchCV(
        est, {"solver__beta_1": [0.1, 0.9]}, scoring=LOSS, cv=FOLDS, n_jobs=2
    ).fit(X, Y)
    expected = [
        fold_scores(clone(CLASSIFIER).set_params(solver=Adam(beta_1=beta))).mean()
        for beta in (0.1, 0.9)
    ]
    assert_array_equal(search.cv_results_["mean_test_score"], expected)
    assert expected[0] != expected[1]


leak = 0.5


class LeakyCell(Cell):
    """A cell as a user writes it, whose state leaks."""

    x_gates = h_gates = ("a",)
    taped = ("f",)
    additive = True

    def __init__(self, leak=0.5):
        self.leak = leak

    def bindings(self):
        return {"leak": float(self.leak)}

    @staticmethod
    def forward(ax, ah, carry, unit):
        f = tanh(ax[0] + ah[0])
        return (leak * carry[0] + (1.0 - leak) * f,), (f,)

    @staticmethod
    def backward(d_carry, tape, carry, unit):
        f = tape[0]
        da = d_carry[0] * (1.0 - leak) * (1.0 - f * f)
        return (da,), (da,), (d_carry[0] * leak,), ()


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_grid_search_reaches_into_a_cell_of_the_user(backend):
    """Leak 0 is the simple recurrent cell, which is a candidate by name as well."""
    est = clone(CLASSIFIER).set_params(cell=LeakyCell())
    grid = [{"cell__leak": [0.0, 0.9]}, {"cell": ["rnn"]}]
    search = GridSearchCV(est, grid, scoring=LOSS, cv=FOLDS, n_jobs=2)
    with joblib.parallel_config(backend):
        search.fit(X, Y)
    without, with_leak, by_name = search.cv_results_["mean_test_score"]
    assert_allclose(without, by_name, rtol=1e-12)
    assert with_leak != without
    assert est.cell.leak == 0.5


@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_early_stopping_within_a_grid_search(scoring):
    est = clone(CLASSIFIER).set_params(
        max_iter=60,
        early_stopping=True,
        validation_fraction=0.25,
        n_iter_no_change=2,
        tol=0.2,
        scoring=scoring,
    )
    search = GridSearchCV(est, {"alpha": [0.0, 1.0]}, scoring=LOSS, cv=FOLDS, n_jobs=2)
    best = search.fit(X, Y).best_estimator_
    assert 3 <= best.n_iter_ < 60 and 1 <= best.best_iter_ <= best.n_iter_
    expected = fold_scores(clone(est).set_params(**search.best_params_)).mean()
    assert search.best_score_ == expected


# Cross-validation


@pytest.mark.parametrize("form", [list, tuple, as_objects])
def test_folds_are_the_same_for_lists_and_object_arrays(form):
    scores = cross_val_score(CLASSIFIER, form(X), Y, scoring=LOSS, cv=FOLDS)
    assert_array_equal(scores, fold_scores(CLASSIFIER))


def test_cross_val_predict_puts_each_sequence_in_its_place():
    predicted = cross_val_predict(
        CLASSIFIER, X, Y, cv=FOLDS, method="predict_proba", n_jobs=2
    )
    for train, test in FOLDS:
        fitted = clone(CLASSIFIER).fit(take(X, train), Y[train])
        assert_array_equal(predicted[test], fitted.predict_proba(take(X, test)))


def test_learning_curve_takes_the_first_sequences():
    sizes, train_scores, test_scores = learning_curve(
        CLASSIFIER, X, Y, cv=FOLDS, scoring=LOSS, train_sizes=[10, 12], n_jobs=2
    )
    assert_array_equal(sizes, [10, 12])
    assert_array_equal(test_scores[1], fold_scores(CLASSIFIER))
    train = FOLDS[0][0][:10]
    part = take(X, train), Y[train]
    expected = get_scorer(LOSS)(clone(CLASSIFIER).fit(*part), *part)
    assert train_scores[0, 0] == expected


def test_learning_curve_goes_on_with_partial_fit():
    """Each size goes on from the one before; labels are those of all of y."""
    _, _, scores = learning_curve(
        CLASSIFIER,
        X,
        Y,
        cv=FOLDS,
        scoring=LOSS,
        train_sizes=[8, 12],
        exploit_incremental_learning=True,
    )
    train, test = FOLDS[0]
    est = clone(CLASSIFIER)
    for part in (train[:8], train[8:]):
        est.partial_fit(take(X, part), Y[part], classes=np.unique(Y))
    assert scores[1, 0] == get_scorer(LOSS)(est, take(X, test), Y[test])


def test_validation_curve_varies_a_parameter():
    _, scores = validation_curve(
        scaled(REGRESSOR),
        X_SUM,
        Y_SUM,
        param_name="rnnregressor__alpha",
        param_range=[0.0, 10.0],
        cv=FOLDS,
        scoring="neg_mean_squared_error",
    )
    for alpha, row in zip([0.0, 10.0], scores, strict=True):
        est = scaled(clone(REGRESSOR).set_params(alpha=alpha))
        expected = fold_scores(est, X_SUM, Y_SUM, "neg_mean_squared_error")
        assert_array_equal(row, expected)
    assert (scores[0] != scores[1]).all()


# Estimators around the estimator


@pytest.mark.parametrize("ensemble", [True, False])
def test_calibration_fits_on_folds(ensemble):
    model = CalibratedClassifierCV(CLASSIFIER, cv=FOLDS, ensemble=ensemble).fit(X, Y)
    proba = model.predict_proba(X)
    assert_allclose(proba.sum(axis=1), 1.0)
    parts = [part.estimator for part in model.calibrated_classifiers_]
    subsets = [train for train, _ in FOLDS] if ensemble else [np.arange(24)]
    for part, subset in zip(parts, subsets, strict=True):
        expected = clone(CLASSIFIER).fit(take(X, subset), Y[subset])
        assert_array_equal(part.theta_, expected.theta_)


def test_voting_averages_members():
    members = [clone(CLASSIFIER).set_params(random_state=seed) for seed in (1, 2)]
    named = list(zip("ab", members, strict=True))
    voting = VotingClassifier(named, voting="soft", n_jobs=2).fit(X, Y)
    probas = [clone(member).fit(X, Y).predict_proba(X) for member in members]
    assert_allclose(voting.predict_proba(X), np.mean(probas, axis=0))


def test_voting_averages_regressors():
    members = [clone(REGRESSOR).set_params(random_state=seed) for seed in (1, 2)]
    voting = VotingRegressor(list(zip("ab", members, strict=True))).fit(X_SUM, Y_SUM)
    each = [clone(member).fit(X_SUM, Y_SUM).predict(X_SUM) for member in members]
    assert_allclose(voting.predict(X_SUM), np.mean(each, axis=0))


def test_stacking_learns_from_members_on_held_out_folds():
    stack = StackingClassifier(
        [("rnn", CLASSIFIER)], final_estimator=LogisticRegression(), cv=FOLDS
    ).fit(X, Y)
    held_out = cross_val_predict(CLASSIFIER, X, Y, cv=FOLDS, method="predict_proba")
    final = LogisticRegression().fit(held_out[:, 1:], Y)
    assert_allclose(stack.final_estimator_.coef_, final.coef_)
    features = clone(CLASSIFIER).fit(X, Y).predict_proba(X)[:, 1:]
    assert_allclose(stack.predict_proba(X), final.predict_proba(features))


def test_stacking_hands_regressors_to_the_final_one():
    members = [("rnn", REGRESSOR), ("gru", clone(REGRESSOR).set_params(cell="gru"))]
    stack = StackingRegressor(members, final_estimator=LinearRegression(), cv=2)
    fitted = [clone(member).fit(X_SUM, Y_SUM).predict(X_SUM) for _, member in members]
    features = stack.fit(X_SUM, Y_SUM).transform(X_SUM)
    assert_allclose(features, np.transpose(fitted))


def test_a_tuned_threshold_cuts_the_probability():
    model = TunedThresholdClassifierCV(
        CLASSIFIER, scoring="balanced_accuracy", cv=FOLDS, n_jobs=2
    ).fit(X, CODES)
    proba = clone(CLASSIFIER).fit(X, CODES).predict_proba(X)[:, 1]
    predicted = model.predict(X)
    assert_array_equal(predicted, proba >= model.best_threshold_)
    assert 0 < predicted.sum() < 24


def test_a_transformed_target_is_learnt_and_given_back():
    model = TransformedTargetRegressor(REGRESSOR, func=np.log1p, inverse_func=np.expm1)
    inner = clone(REGRESSOR).fit(X_SUM, np.log1p(Y_SUM))
    expected = np.expm1(inner.predict(X_SUM))
    assert_allclose(model.fit(X_SUM, Y_SUM).predict(X_SUM), expected)


def test_several_outputs_get_an_estimator_each():
    columns = np.column_stack([CODES, [len(x) % 3 for x in X]])
    model = MultiOutputClassifier(CLASSIFIER, n_jobs=2).fit(X, columns)
    predicted = model.predict(X)
    for k, column in enumerate(columns.T):
        assert_array_equal(predicted[:, k], clone(CLASSIFIER).fit(X, column).predict(X))
    assert model.predict_proba(X)[1].shape == (24, 3)


def test_several_outputs_get_a_weighted_regressor_each():
    values = np.column_stack([Y_SUM, -Y_SUM])
    model = MultiOutputRegressor(REGRESSOR).fit(X_SUM, values, sample_weight=WEIGHTS)
    expected = clone(REGRESSOR).fit(X_SUM, -Y_SUM, sample_weight=WEIGHTS)
    assert_array_equal(model.predict(X_SUM)[:, 1], expected.predict(X_SUM))


# Those that need a table


N_FEATURES = 2
TABLE = np.array([x[:8].ravel() for x in X])


def to_sequences(rows):
    return rows.reshape(len(rows), -1, N_FEATURES)


FLAT = make_pipeline(FunctionTransformer(to_sequences), CLASSIFIER)


def test_bagging_draws_rows_that_become_sequences():
    model = BaggingClassifier(FLAT, n_estimators=2, random_state=0, n_jobs=2)
    model.fit(TABLE, Y)
    probas = [
        member[-1].predict_proba(to_sequences(TABLE)) for member in model.estimators_
    ]
    assert_allclose(model.predict_proba(TABLE), np.mean(probas, axis=0))
    assert model.estimators_[0][-1].n_step_features_in_ == N_FEATURES


def test_permutation_importance_finds_the_steps_that_count():
    """With labels made of the last step alone, only the last columns matter."""
    model = clone(FLAT).set_params(rnnclassifier__pooling="last")
    y = (TABLE[:, -1] > 0).astype(int)
    model.set_params(rnnclassifier__max_iter=30).fit(TABLE, y)
    result = permutation_importance(
        model, TABLE, y, scoring=LOSS, n_repeats=3, random_state=0, n_jobs=2
    )
    assert result.importances.shape == (16, 3)
    assert result.importances_mean.argmax() == 15


def test_self_training_labels_rows_it_is_sure_of():
    labels = CODES.copy()
    labels[::3] = -1
    model = SelfTrainingClassifier(FLAT, threshold=0.5, max_iter=2).fit(TABLE, labels)
    assert set(model.transduction_) == {0, 1}
    first = clone(FLAT).fit(TABLE[labels >= 0], labels[labels >= 0])
    assert_array_equal(model.transduction_[::3], first.predict(TABLE[::3]))


def test_stacking_with_passthrough_adds_the_rows():
    stack = StackingClassifier(
        [("rnn", FLAT)],
        final_estimator=LogisticRegression(),
        passthrough=True,
        cv=FOLDS,
    )
    features = stack.fit(TABLE, Y).transform(TABLE)
    proba = clone(FLAT).fit(TABLE, Y).predict_proba(TABLE)
    assert_allclose(features, np.column_stack([proba[:, 1:], TABLE]))


# Metadata


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def weighted_loss(estimator, sequences, y, sample_weight=None):
    proba = estimator.predict_proba(sequences)
    return -log_loss(y, proba, sample_weight=sample_weight)


def test_sample_weights_are_routed_to_fit_and_score(routing):
    est = clone(CLASSIFIER)
    est.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    params = {"sample_weight": WEIGHTS}
    scores = cross_validate(est, X, Y, cv=FOLDS, params=params)["test_score"]
    searched = GridSearchCV(est, {"alpha": [1e-4]}, cv=FOLDS).fit(X, Y, **params)
    for k, (train, test) in enumerate(FOLDS):
        fitted = clone(CLASSIFIER).fit(take(X, train), Y[train], WEIGHTS[train])
        expected = fitted.score(take(X, test), Y[test], WEIGHTS[test])
        assert scores[k] == searched.cv_results_[f"split{k}_test_score"][0] == expected


def test_a_scorer_gets_the_weights_it_asks_for(routing):
    scorer = get_scorer(LOSS).set_score_request(sample_weight=True)
    est = clone(CLASSIFIER).set_fit_request(sample_weight=False)
    scores = cross_val_score(
        est, X, Y, cv=FOLDS, scoring=scorer, params={"sample_weight": WEIGHTS}
    )
    train, test = FOLDS[0]
    fitted = clone(CLASSIFIER).fit(take(X, train), Y[train])
    expected = weighted_loss(fitted, take(X, test), Y[test], WEIGHTS[test])
    assert_allclose(scores[0], expected)


def test_a_pipeline_transforms_the_validation_data_too(routing):
    train, test = FOLDS[0]
    held_out = take(X, test)
    est = clone(CLASSIFIER).set_params(early_stopping=True)
    est.set_fit_request(X_val=True, y_val=True)
    pipe = make_pipeline(FunctionTransformer(scale), est, transform_input=["X_val"])
    pipe.fit(take(X, train), Y[train], X_val=held_out, y_val=Y[test])
    alone = clone(est).fit(
        scale(take(X, train)), Y[train], X_val=scale(held_out), y_val=Y[test]
    )
    assert pipe[-1].validation_loss_curve_ == alone.validation_loss_curve_
    assert_array_equal(pipe[-1].theta_, alone.theta_)


def test_folds_of_the_regressor_are_scored_by_r2():
    scores = cross_val_score(REGRESSOR, X_SUM, Y_SUM, cv=KFold(2), n_jobs=2)
    first = clone(REGRESSOR).fit(X_SUM[12:], Y_SUM[12:])
    assert scores[0] == first.score(X_SUM[:12], Y_SUM[:12])
