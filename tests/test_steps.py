"""Classes and numbers for each step: what is trained, answered, scored and refused."""

import pickle

import adversary
import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score, make_scorer, r2_score
from sklearn.metrics import get_scorer as sklearn_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from skrnn import RNNSequenceRegressor, RNNTagger
from skrnn.estimators import fitting
from skrnn.metrics import get_scorer, step_log_loss

X = [np.random.default_rng(i).normal(size=(1 + i % 6, 2)) for i in range(24)]
TAGS = [
    np.array(["cold", "mild", "warm"])[np.digitize(x[:, 0], [-0.5, 0.5])] for x in X
]
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


def test_the_loss_is_the_weighted_mean_over_steps():
    rng = np.random.default_rng(0)
    weight = [rng.uniform(size=len(x)) for x in X]
    options = {"alpha": 0.0, "batch_size": 24, "max_iter": 1}
    est = tiny("tags", learning_rate_init=1e-12, **options).fit(X, TAGS, weight)
    expected = step_log_loss(TAGS, est.predict_proba(X), sample_weight=weight)
    assert_allclose(est.loss_, expected, rtol=1e-9)


def test_ignored_steps_are_not_there():
    """Neither for the classes, nor for the loss, nor for the score."""
    est = fitted("tags", ignored_label="mild")
    assert est.classes_.tolist() == ["cold", "warm"]
    weight = [(tags != "mild").astype(float) for tags in TAGS]
    others = [np.where(tags == "mild", "cold", tags) for tags in TAGS]
    same = tiny("tags").fit(X, others, weight)
    assert_array_equal(est.theta_, same.theta_)
    assert est.score(X, TAGS) == same.score(X, others, weight)


@pytest.mark.parametrize("target", ["sums", "pairs"])
def test_steps_without_a_number_do_not_count(target):
    holes = [
        np.where(x[:, :1] > 0.5, np.nan, np.atleast_2d(y.T).T)
        for x, y in zip(X, TARGETS[target], strict=True)
    ]
    holes = [h[:, 0] if target == "sums" else h for h in holes]
    weight = [(x[:, 0] <= 0.5).astype(float) for x in X]
    found = tiny(target).fit(X, holes)
    same = tiny(target).fit(X, TARGETS[target], weight)
    assert_array_equal(found.theta_, same.theta_)


# Whole sequences


CRF = {"crf": True, "hidden_layer_sizes": (4,), "max_iter": 5}


def chains(n, seed):
    """Noisy views of a chain of three labels that seldom change."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n):
        moves = rng.uniform(size=rng.integers(5, 20)) < 0.1
        labels = (rng.integers(3) + moves.cumsum()) % 3
        X.append(np.eye(3)[labels] + 0.9 * rng.normal(size=(len(labels), 3)))
        y.append(labels)
    return X, y


@pytest.mark.heavy
def test_a_chain_of_labels_is_learnt_better_with_a_crf():
    (X, y), test = chains(200, 0), chains(100, 1)
    params = {"hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0}
    plain, chained = (RNNTagger(crf=crf, **params).fit(X, y) for crf in (False, True))
    assert chained.score(*test) > plain.score(*test) + 0.02
    transitions = chained.weights_["transitions"][:3]
    assert (transitions.argmax(axis=1) == [0, 1, 2]).all()


def test_probabilities_of_a_chain_sum_to_one():
    est = fitted("tags", **CRF)
    for proba, log_proba in zip(
        est.predict_proba(X), est.predict_log_proba(X), strict=True
    ):
        assert_allclose(proba.sum(axis=1), 1.0)
        assert_allclose(np.exp(log_proba), proba)


def test_a_chain_comes_back_from_a_pickle():
    est = fitted("tags", **CRF)
    same = pickle.loads(pickle.dumps(est))
    assert_equal_lists(same.predict(X), est.predict(X))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crf": 1}, "crf must be True or False, got 1"),
        ({"class_weight": "balanced"}, "class_weight must be None with crf=True"),
    ],
)
def test_parameters_that_do_not_go_with_a_crf_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        tiny("tags", **{**CRF, **change}).fit(X, TAGS)


def test_data_that_do_not_go_with_a_crf_are_refused():
    with pytest.raises(ValueError, match="crf must be False for several labels"):
        tiny("keys", **CRF).fit(X, KEYS)
    weight = [np.arange(1.0, 1 + len(x)) for x in X]
    with pytest.raises(ValueError, match="one weight for each sequence with crf=True"):
        tiny("tags", **CRF).fit(X, TAGS, weight)
    with pytest.raises(ValueError, match="step cannot answer with crf=True"):
        fitted("tags", **CRF).step(X[0][0])


# Gradients


@each_target
@pytest.mark.parametrize(
    "params", [{}, {"bptt_steps": 2}, {"dropout": 0.3}, {"crf": 1}]
)
@pytest.mark.parametrize("n_shards", [1, 3])
def test_the_gradient_is_that_of_central_differences(
    target, params, n_shards, monkeypatch
):
    """Of minibatches of ragged sequences, weighted by steps, cut into shards."""
    if params == {"crf": 1}:
        if target != "tags":
            pytest.skip("a chain has one label for each step")
        params = {"crf": True}
    objective, data, theta = objective_of(tiny(target, **params), target, monkeypatch)
    monkeypatch.setattr(objective, "_n_shards", lambda plan: n_shards)
    indices = np.array([3, 17, 5, 11, 8, 2])

    def value(theta):
        shards = objective.pack(data, indices)
        assert len(shards) == n_shards
        return objective(theta, shards, data, indices, np.random.default_rng(0))

    gradient = value(theta)[1].copy()
    direction = np.random.default_rng(1).choice([-1.0, 1.0], theta.size)
    h = 1e-6
    slope = value(theta + h * direction)[0] - value(theta - h * direction)[0]
    if "bptt_steps" not in params:  # a truncated gradient is another one
        assert_allclose(gradient @ direction, slope / (2 * h), rtol=1e-6)
    assert np.isfinite(gradient).all() and gradient.any()


def objective_of(est, target, monkeypatch):
    """The objective of a fit, its data, and weights at random."""
    found = {}

    def stop(objective, data, theta, *args, **kwargs):
        found.update(objective=objective, data=data, theta=theta.copy())
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "fit_stochastic", stop)
    rng = np.random.default_rng(0)
    weight = [rng.uniform(size=len(x)) for x in X]
    if est.get_params().get("crf"):
        weight = rng.uniform(size=len(X))
    with pytest.warns(UserWarning, match="interrupted"):
        est.fit(X, TARGETS[target], weight)
    return found["objective"], found["data"], rng.normal(size=found["theta"].size)


# scikit-learn


@each_kind
def test_searches_and_cross_validation_take_ragged_targets(target):
    grid = {"hidden_layer_sizes": [(2,), (3,)]}
    search = GridSearchCV(tiny(target), grid, cv=3).fit(X, TARGETS[target])
    assert len(search.predict(X)) == len(X)
    scores = cross_val_score(tiny(target), X, TARGETS[target], cv=KFold(3))
    assert scores.shape == (3,)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("tags", "step_f1_macro"),
        ("tags", "step_neg_log_loss"),
        ("keys", "step_f1_micro"),
        ("sums", "step_r2"),
        ("pairs", "step_neg_root_mean_squared_error"),
    ],
)
def test_scorers_of_steps_guide_early_stopping(target, name):
    """By name or as what `get_scorer` returns."""
    curves = []
    for scoring in (name, get_scorer(name)):
        est = tiny(target, early_stopping=True, scoring=scoring)
        est.fit(X, TARGETS[target], sample_weight=np.ones(24))
        curves.append(est.validation_scores_)
    assert len(curves[0]) == est.n_iter_ and curves[0] == curves[1]


def test_early_stopping_is_scored_without_ignored_steps():
    """In whatever way they are marked: the label, NaN, None and NA are one."""
    curves = []
    for missing in ("-PAD-", None, np.nan, pd.NA):
        tags = [[missing, *part[1:]] if len(part) > 1 else part for part in TAGS]
        est = tiny("tags", ignored_label="-PAD-", scoring="step_accuracy")
        est.fit(X, tags, X_val=X, y_val=tags)
        assert est.validation_scores_[-1] == est.score(X, tags)
        curves.append(est.validation_scores_)
    assert all(curve == curves[0] for curve in curves)


@each_kind
@pytest.mark.parametrize(
    "scoring",
    ["accuracy", "r2", "nope", sklearn_scorer("f1_macro"), make_scorer(r2_score)],
)
def test_scorers_of_tables_are_refused_before_the_first_epoch(target, scoring):
    """In words that lead to one that fits."""
    name = KINDS[target].__name__
    message = rf"^scoring of {name} must .*get_scorer knows, 'step_accuracy', .*'step_r"
    with pytest.raises(ValueError, match=message):
        tiny(target, scoring=scoring).fit(X, TARGETS[target])


def test_a_metric_is_no_scorer_of_steps():
    with pytest.raises(ValueError, match="^scoring .* a metric function rather than"):
        tiny("sums", scoring=r2_score).fit(X, SUMS)


COLUMNS = {
    "list": lambda y: [part[:, np.newaxis] for part in y],
    "frames": lambda y: [pd.DataFrame({"target": part}) for part in y],
    "padded": lambda y: padded(COLUMNS["list"](y), y[0][0]),
}


@each_kind
@pytest.mark.parametrize("form", COLUMNS)
def test_targets_in_one_column_are_1d(target, form):
    """Quietly, everywhere: a list of columns has no other meaning."""
    column = COLUMNS[form](TARGETS[target])
    est = tiny(target).fit(X, column, X_val=X, y_val=column).partial_fit(X, column)
    plain = fitted(target).partial_fit(X, TARGETS[target])
    assert_array_equal(est.theta_, plain.theta_)
    assert est.score(X, column) == est.score(X, TARGETS[target])
    assert [a.ndim for a in est.predict(X)] == [1] * len(X)


@pytest.mark.parametrize(
    ("target", "name"), [("tags", "step_neg_log_loss"), ("sums", "step_r2")]
)
@pytest.mark.parametrize("form", ["list", "frames"])
def test_targets_in_one_column_are_scored_as_1d(target, name, form):
    column, est = COLUMNS[form](TARGETS[target]), fitted(target)
    found = get_scorer(name)(est, X, column)
    assert found == get_scorer(name)(est, X, TARGETS[target])


@each_target
def test_fits_go_on(target):
    est = clone(fitted(target)).set_params(warm_start=True)
    est.fit(X, TARGETS[target]).fit(X, TARGETS[target])
    est.partial_fit(X, TARGETS[target])
    assert est.n_iter_ == 5


# Targets in other forms


@each_kind
def test_frames_series_and_object_arrays_are_read(target):
    """Of equal lengths as a table, of any as a column of arrays."""
    column = pd.Series(TARGETS[target], index=range(100, 124))
    assert_array_equal(tiny(target).fit(X, column).theta_, fitted(target).theta_)
    table = np.random.default_rng(0).normal(size=(24, 6))
    y = table.cumsum(axis=1) if target == "sums" else np.where(table > 0, "a", "b")
    expected = tiny(target).fit(table, list(y))
    found = tiny(target).fit(pd.DataFrame(table), pd.DataFrame(y))
    assert_array_equal(found.theta_, expected.theta_)
    assert found.score(table, pd.DataFrame(y)) == expected.score(table, y)


@each_target
@pytest.mark.parametrize("layout", sorted(adversary.LAYOUTS))
def test_every_disguise_of_targets_is_seen_through(target, layout):
    """The same values in another container, order, type or place, for each sequence."""
    disguise, y = adversary.LAYOUTS[layout], TARGETS[target]
    weight = [disguise(np.linspace(0.5, 1.0, len(x))) for x in X]
    found = tiny(target).fit(X, [disguise(np.array(part)) for part in y], weight)
    expected = tiny(target).fit(X, y, [np.linspace(0.5, 1.0, len(x)) for x in X])
    assert_array_equal(found.theta_, expected.theta_)
    score = found.score(X, [disguise(np.array(part)) for part in y], weight)
    assert score == expected.score(X, y, weight)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_steps_without_a_label_do_not_count(missing):
    """NaN among strings in a list would be the label "nan"."""
    holes = [[missing if tag == "mild" else str(tag) for tag in tags] for tags in TAGS]
    found, expected = tiny("tags").fit(X, holes), fitted("tags", ignored_label="mild")
    assert_array_equal(found.classes_, expected.classes_)
    assert_array_equal(found.theta_, expected.theta_)
    assert found.score(X, holes) == expected.score(X, TAGS)
    codes = [np.where(tags == "mild", np.nan, tags == "warm") for tags in TAGS]
    assert_array_equal(tiny("tags").fit(X, codes).theta_, expected.theta_)


@pytest.mark.parametrize("make", [pd.array, pd.Series, pl.Series])
def test_integers_with_gaps_stay_integers(make):
    """As floats, large ones would become the same class."""
    big, missing = 2**60, None if make is pl.Series else pd.NA
    holes = [[missing, *[big + i % 2 for i in range(len(x) - 1)]] for x in X]
    options = {} if make is pl.Series else {"dtype": "Int64"}
    est = tiny("tags").fit(X, [make(part, **options) for part in holes])
    assert est.classes_.tolist() == [big, big + 1]
    assert_array_equal(est.theta_, tiny("tags").fit(X, holes).theta_)


def test_an_ignored_label_of_another_kind_is_nowhere():
    found = fitted("tags", ignored_label=-100)
    assert_array_equal(found.theta_, fitted("tags").theta_)


def test_labels_of_steps_may_be_objects():
    found = tiny("tags").fit(X, [tags.astype(object) for tags in TAGS])
    assert found.classes_.dtype.kind == "U"
    counts = [np.arange(len(x)).astype(object) for x in X]
    assert tiny("tags").fit(X, counts).classes_.tolist() == [0, 1, 2, 3, 4, 5]


@each_kind
@pytest.mark.parametrize("weight", ["series", "padded"])
def test_weights_reach_the_scorer_of_early_stopping(target, weight):
    weight = {
        "series": pd.Series(np.ones(24), index=range(100, 124)),
        "padded": np.ones((24, 6)),
    }[weight]
    seen = []

    def scorer(estimator, X, y, sample_weight):
        seen.append(len(sample_weight))
        return estimator.score(X, y, sample_weight)

    est = tiny(target, early_stopping=True, validation_fraction=0.25, scoring=scorer)
    est.fit(X, TARGETS[target], weight)
    assert set(seen) == {6}


@each_kind
@pytest.mark.parametrize("n_jobs", [2, 3])
def test_any_number_of_threads_gives_the_same_bits(target, n_jobs):
    est = fitted(target, n_jobs=n_jobs)
    assert_array_equal(est.theta_, fitted(target).theta_)
    assert_equal_lists(est.predict(X), fitted(target).predict(X))


# Refusals


@each_kind
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y[:-1], "y must hold the steps of each of the 24 sequences, got 23"),
        (lambda y: [*y[:3], y[3][:-1], *y[4:]], r"y\[3\] must be of shape \(4,\)"),
        (lambda y: [part[0] for part in y], r"got a single value in y\[0\]"),
        (
            lambda y: padded(y, y[0][0])[:, :4],
            "y must have a column for each time step",
        ),
        (
            lambda y: [*y[:3], [[1, 2], [3]], *y[4:]],
            r"^y\[3\] was refused: setting an array element with a sequence",
        ),
    ],
)
def test_targets_that_do_not_fit_are_refused(target, change, message):
    est = tiny(target)
    with pytest.raises(ValueError, match=message):
        est.fit(X, change(TARGETS[target]))
    assert not hasattr(est, "theta_")


@each_kind
def test_weights_that_do_not_fit_are_refused(target):
    message = "sample_weight must hold a weight, or an array of weights of the steps"
    with pytest.raises(ValueError, match=message):
        tiny(target).fit(X, TARGETS[target], np.ones(23))


@each_kind
def test_collections_are_no_targets(target):
    lists = [np.array([*[[3]] * len(x), None], object)[:-1] for x in X]
    for call in (tiny(target).fit, fitted(target).score):
        with pytest.raises(ValueError, match="y must hold str or numbers, got list"):
            call(X, lists)


@each_kind
def test_targets_of_which_none_counts_are_refused(target):
    none = [np.full(len(x), np.nan) for x in X]
    message = "y must have a step that is not ignored, got none"
    for call in (tiny(target).fit, fitted(target).score):
        with pytest.raises(ValueError, match=message):
            call(X, none)


def changed(i, step, value, target="pairs"):
    y = [np.array(part, dtype=float) for part in TARGETS[target]]
    y[i][step] = value
    return y


WRONG = {
    "infinite": ("sums", changed(4, 2, np.inf, "sums"), r"y\[4\] must be fin.* inf at"),
    "half": ("pairs", changed(4, 2, [1, np.nan]), r"y\[4\] must be finite, .* nan at"),
    "half a set": ("keys", changed(4, 2, [np.nan, 1], "keys"), r"y\[4\] .* at step 2"),
    "negative": (
        "counts",
        [np.abs(y) for y in SUMS[:9]]
        + [np.array([1.0, np.nan, 0.0, -7.0])]
        + SUMS[10:],
        r"y\[9\] must be finite and non-negative, got -7.0 at step 3",
    ),
    "continuous": ("tags", SUMS, "label type: continuous.* for RNNSequenceRegressor"),
    "mixed": ("tags", [[0] * len(x) for x in X[:9]] + TAGS[9:], "str or numbers"),
    "mixed in one": ("tags", [["a", *range(len(x) - 1)] for x in X], "str or numbers"),
    "columns": ("tags", [k * (1 + np.arange(2)) for k in KEYS], "fit an estimator to"),
    "strings": ("sums", TAGS, "y must be numeric, got dtype <U4"),
}


@pytest.mark.parametrize(("target", "y", "message"), WRONG.values(), ids=WRONG)
def test_targets_of_a_wrong_value_are_refused(target, y, message):
    est = tiny("sums", loss="poisson") if target == "counts" else tiny(target)
    with pytest.raises(ValueError, match=message):
        est.fit(X, y)


@each_kind
@pytest.mark.parametrize("y", [None, 3, np.float64(3), iter(TAGS)])
def test_targets_that_are_no_list_are_refused(target, y):
    est = fitted(target)
    with pytest.raises(ValueError, match="y must be a list with an array for each"):
        est.score(X, y)


@each_kind
def test_a_mask_is_never_ignored(target):
    message = r"y\[0\] must not be a masked array"
    with pytest.raises(ValueError, match=message):
        tiny(target).fit(X, [np.ma.array(y) for y in TARGETS[target]])
    with pytest.raises(ValueError, match="sample_weight must not be a masked array"):
        tiny(target).fit(X, TARGETS[target], np.ma.array(np.ones(24)))


def test_validation_targets_are_refused_by_their_name():
    with pytest.raises(ValueError, match=r"y_val\[1\] must be of shape \(2,\)"):
        tiny("tags").fit(X, TAGS, X_val=X[:3], y_val=[y[:1] for y in TAGS[:3]])
    with pytest.raises(ValueError, match="sample_weight_val must hold a weight, or"):
        data = {"X_val": X[:3], "y_val": TAGS[:3], "sample_weight_val": [1.0, 1.0]}
        tiny("tags").fit(X, TAGS, **data)


@pytest.mark.parametrize("level", [0.3, 0.9])
def test_the_score_of_a_quantile_is_that_of_scikit_learn(level):
    """Without weights; some versions take other quantiles with weights of 1."""
    est = fitted("sums", loss="quantile", quantiles=level)
    predicted = np.concatenate(est.predict(X))
    expected = d2_pinball_score(np.concatenate(SUMS), predicted, alpha=level)
    assert est.score(X, SUMS) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("missing", [None, pd.NA])
def test_a_step_that_is_half_missing_is_named(missing):
    pairs = [part.astype(object) for part in PAIRS]
    pairs[4][2, 1] = missing
    message = r"y\[4\] must be finite, or NaN in all columns, got .* at step 2"
    for call in (tiny("pairs").fit, fitted("pairs").score):
        with pytest.raises(ValueError, match=message):
            call(X, pairs)


def test_a_target_that_cannot_be_scored_is_named():
    with pytest.raises(ValueError, match=r"y\[4\] must be finite, .* inf at step 2"):
        fitted("sums").score(X, changed(4, 2, np.inf, "sums"))


@each_kind
def test_negative_weights_are_no_weights_of_a_score(target):
    with pytest.raises(ValueError, match=r"sample_weight\[0\] must be non-negative"):
        fitted(target).score(X, TARGETS[target], -np.ones(24))


@each_kind
def test_a_weight_that_is_no_number_is_named_by_sequence_and_step(target):
    weight = [np.ones(len(x)) for x in X]
    weight[4][2] = np.nan
    message = r"sample_weight\[4\] must be non-negative and finite, got nan at step 2"
    for call in (tiny(target).fit, fitted(target).score):
        with pytest.raises(ValueError, match=message):
            call(X, TARGETS[target], weight)


@each_kind
def test_complex_weights_are_refused(target):
    with pytest.raises(ValueError, match="^sample_weight was refused: Complex data"):
        tiny(target).fit(X, TARGETS[target], np.ones(24) + 1j)


@each_kind
def test_weights_of_steps_without_a_target_are_no_weights_of_a_score(target):
    y = [np.array(part, object) for part in TARGETS[target]]
    weight = [np.zeros(len(x)) for x in X]
    y[3][1], weight[3][1] = None, 1.0
    with pytest.raises(ValueError, match="^sample_weight "):
        fitted(target).score(X, y, weight)


def test_scores_of_other_kinds_of_labels_are_refused():
    with pytest.raises(ValueError, match="^y must be numeric, got dtype <U4"):
        fitted("keys").score(X, TAGS)
    with pytest.raises(ValueError, match="^y was refused: .* mix of"):
        fitted("tags").score(X, KEYS)


# Fits that go on


def test_an_ignored_label_is_no_class():
    message = "must not hold the ignored_label, got 'mild' in"
    est = tiny("tags", ignored_label="mild")
    with pytest.raises(ValueError, match=message):
        est.partial_fit(X, TAGS, classes=["cold", "mild", "warm"])
    est.partial_fit(X[:6], TAGS[:6], classes=["cold", "warm"])
    assert est.partial_fit(X, TAGS).classes_.tolist() == ["cold", "warm"]


def test_a_chain_cannot_be_put_on_later():
    y = [keys[:, 0] for keys in KEYS]
    est = tiny("tags", warm_start=True).fit(X, y).set_params(crf=True)
    with pytest.raises(ValueError, match="crf must stay as it is when a fit goes on"):
        est.fit(X, y)


def test_steps_that_do_not_count_leave_the_penalty_as_it_is():
    """Compared with sequences that end before them, and weights that do not move."""
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((5, 2)) for _ in range(6)]
    y = [rng.standard_normal(5) for _ in X]
    longer = [np.vstack([x, np.zeros((45, 2))]) for x in X]
    missing = [np.append(values, np.full(45, np.nan)) for values in y]
    losses = [
        RNNSequenceRegressor(
            3, alpha=10.0, learning_rate_init=1e-300, max_iter=1, random_state=0
        )
        .fit(*data)
        .loss_
        for data in ((X, y), (longer, missing))
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-12)


@pytest.mark.parametrize(("est", "pooling"), [(RNNTagger(), "last")])
def test_a_state_whose_head_reads_something_else_is_refused(est, pooling):
    X = [np.ones((3, 1)), np.ones((2, 1))]
    est = clone(est).set_params(hidden_layer_sizes=2, max_iter=1)
    est.fit(X, [[0, 1, 1], [1, 0]])
    est._architecture_ = {**est._architecture_, "pooling": pooling}
    with pytest.raises(ValueError, match="'pooling' must be one of steps in this RNNT"):
        pickle.dumps(est)
