"""What the estimators take, predict, and hold after fit."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils.class_weight import compute_sample_weight

from skrnn import RNNClassifier, RNNRegressor
from skrnn.cells import CELLS, GRU
from skrnn.training import watchers

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
TINY = {"hidden_layer_sizes": (3,), "cell": "gru", "max_iter": 2, "random_state": 0}
EXACT = {"solver": "lbfgs", "max_iter": 60, "hidden_layer_sizes": (4,), "cell": "gru"}
LOSSES = ["squared_error", "absolute_error", "huber", "poisson", "quantile"]
both = pytest.mark.parametrize("kind", [RNNClassifier, RNNRegressor])


def make_X(n=24, n_features=2, seed=0, low=2, high=7):
    """Ragged sequences, of `low` to `high` steps."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(low, high, n, endpoint=True)
    return [rng.standard_normal((length, n_features)) for length in lengths]


X = make_X()
SUMS = np.array([x.sum(axis=0) for x in X])
LABELS = (SUMS[:, 0] > 0).astype(int)
TARGETS = {RNNClassifier: LABELS, RNNRegressor: SUMS[:, 0]}
VALUES = np.random.default_rng(1).standard_normal((24, 5))


def tiny(kind, **params):
    return kind(**{**TINY, **params})


def fitted(kind, **params):
    return tiny(kind, **params).fit(X, TARGETS[kind])


def padded(sequences):
    """As one array, filled up with NaN."""
    shape = (len(sequences), max(map(len, sequences)), sequences[0].shape[1])
    array = np.full(shape, np.nan)
    for entry, x in zip(array, sequences, strict=True):
        entry[: len(x)] = x
    return array


def as_objects(sequences):
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


# Forms of X


@both
@pytest.mark.parametrize("form", [padded, as_objects, tuple])
def test_forms_of_ragged_input_are_one(kind, form):
    """A padded array, an object array and a tuple fit as the list: the same bits."""
    expected, y = fitted(kind), TARGETS[kind]
    est = tiny(kind).fit(form(X), y)
    assert np.array_equal(est.theta_, expected.theta_)
    assert np.array_equal(est.predict(form(X)), expected.predict(X))
    assert np.array_equal(est.predict(X), expected.predict(X))
    assert not hasattr(est, "n_features_in_") and est.n_step_features_in_ == 2


@both
@pytest.mark.parametrize("form", [list, lambda v: v[:, :, None], pd.DataFrame])
def test_forms_of_univariate_input_are_one(kind, form):
    """1-D sequences, (n, T, 1) and tables are the same univariate sequences."""
    y = TARGETS[kind]
    expected = tiny(kind).fit(VALUES, y)
    assert np.array_equal(tiny(kind).fit(form(VALUES), y).theta_, expected.theta_)
    assert expected.n_features_in_ == 5 and expected.n_step_features_in_ == 1


def test_columns_of_a_table_are_remembered():
    frame = pd.DataFrame(VALUES, columns=list("abcde"))
    est = tiny(RNNRegressor).fit(frame, VALUES[:, 0])
    assert list(est.feature_names_in_) == list("abcde")
    assert est.fit(VALUES[:, :4], VALUES[:, 0]).n_features_in_ == 4
    assert not hasattr(est, "feature_names_in_")


def test_columns_of_frames_in_a_list_are_found_by_name():
    """A frame whose columns have another order would be read wrongly."""
    frames = [pd.DataFrame(x, columns=["up", "down"]) for x in X]
    swapped, y = [x[["down", "up"]] for x in frames], SUMS[:, 0]
    est = tiny(RNNRegressor).fit(frames, y)
    assert np.array_equal(est.theta_, fitted(RNNRegressor).theta_)
    assert list(est.feature_names_in_) == ["up", "down"]
    for refuse in (
        lambda: est.predict(swapped),
        lambda: est.score(swapped, y),
        lambda: est.partial_fit(swapped, y),
        lambda: est.fit(frames, y, X_val=swapped, y_val=y),
        lambda: est.step(swapped[0]),
    ):
        with pytest.raises(ValueError, match="columns that RNNRegressor was fitted w"):
            refuse()
    state = est.step(frames[0])[1]
    assert np.array_equal(est.step(X[0])[1], state)
    assert not hasattr(est.fit(X, y), "feature_names_in_")


@both
@pytest.mark.parametrize("layout", ["F", "read-only", "memmap", "strided"])
def test_memory_layout_of_input_is_of_no_effect(kind, layout, tmp_path):
    array = make_X(low=6, high=6)
    array, y = np.array(array), TARGETS[kind]
    expected = tiny(kind).fit(array, y)
    if layout == "F":
        other = np.asfortranarray(array)
    elif layout == "read-only":
        other = array.copy()
        other.flags.writeable = False
    elif layout == "memmap":
        np.save(tmp_path / "X.npy", array)
        other = np.load(tmp_path / "X.npy", mmap_mode="r")
    else:
        other = np.repeat(array, 2, axis=1)[:, ::2]
    est = tiny(kind).fit(other, y)
    assert np.array_equal(est.theta_, expected.theta_)
    assert np.array_equal(est.predict(other), expected.predict(array))


# Types


@pytest.mark.parametrize(
    ("dtype", "given", "expected"),
    [
        (None, np.float32, np.float32),
        (None, np.float64, np.float64),
        (None, np.float16, np.float64),
        (None, np.int32, np.float64),
        (None, bool, np.float64),
        (None, ">f4", np.float32),
        ("float32", np.float64, np.float32),
        ("float32", np.int64, np.float32),
        (np.float32, np.float64, np.float32),
        ("float64", np.float32, np.float64),
    ],
)
@both
def test_weights_have_the_dtype_asked_for_or_that_of_X(kind, dtype, given, expected):
    data = [(4 * x).astype(given) for x in X]
    est = tiny(kind, dtype=dtype).fit(data, TARGETS[kind])
    assert est.theta_.dtype == expected
    assert all(view.dtype == expected for view in est.weights_.values())
    assert est.hidden_states(data).dtype == expected
    assert est.predict(X).shape == (24,)  # another dtype than in fit


def test_one_float64_sequence_makes_all_float64():
    data = [x.astype(np.float32) for x in X[:-1]] + [X[-1]]
    assert tiny(RNNRegressor).fit(data, SUMS[:, 0]).theta_.dtype == np.float64


@pytest.mark.heavy
@pytest.mark.parametrize("form", ["array", "list", "memmap"])
def test_float32_weights_need_no_float32_copy_of_X(form, tmp_path, monkeypatch):
    """Fit on float64 input converts minibatch by minibatch: memory stays small."""
    monkeypatch.setattr(watchers, "SCALE_STEPS", 100)  # of the 1280 steps here
    big = np.random.default_rng(0).standard_normal((64, 20, 400))
    data = list(big) if form == "list" else big
    if form == "memmap":
        np.save(tmp_path / "X.npy", big)
        data = np.load(tmp_path / "X.npy", mmap_mode="r")
    est = tiny(RNNRegressor, dtype="float32", batch_size=4)
    est.fit(data, big[:, 0, 0])  # loads and compiles all that is needed
    tracemalloc.start()
    est.fit(data, big[:, 0, 0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < big.nbytes / 4


# Classification


@pytest.mark.heavy
@pytest.mark.parametrize(
    "labels",
    [
        np.array([0, 1]),
        np.array([-1, 1]),
        np.array([False, True]),
        np.array([2.0, 7.0]),
        np.array(["no", "yes"]),
        np.array(["no", "yes"], dtype=object),
        np.array(["b", "c", "a"]),
        np.array([30, 10, 20, 0]),
    ],
    ids=repr,
)
def test_labels_of_any_kind_are_learnt_and_given_back(labels):
    """Each class is learnt under its own label; probabilities follow `classes_`."""
    codes = np.digitize(SUMS[:, 0], np.quantile(SUMS[:, 0], [0.25, 0.5, 0.75]))
    y = labels[codes % len(labels)]
    est = RNNClassifier(**EXACT, random_state=0, alpha=0.0, tol=1e-9).fit(X, y)
    assert np.array_equal(est.classes_, np.unique(y))
    predicted, proba = est.predict(X), est.predict_proba(X)
    assert predicted.dtype == est.classes_.dtype
    assert np.array_equal(predicted, y) and est.score(X, y) == 1.0
    assert proba.shape == (24, len(labels))
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-12)
    assert np.array_equal(est.classes_[proba.argmax(axis=1)], predicted)
    np.testing.assert_allclose(np.exp(est.predict_log_proba(X)), proba, rtol=1e-12)


@pytest.mark.heavy
def test_multilabel_targets_are_learnt_label_by_label():
    y = np.column_stack([SUMS[:, 0] > 0, SUMS[:, 1] > 0, SUMS.sum(axis=1) > 0])
    est = RNNClassifier(**EXACT, random_state=0, alpha=0.0, tol=1e-9)
    est.fit(X, y.astype(int))
    predicted, proba = est.predict(X), est.predict_proba(X)
    assert np.array_equal(predicted, y) and predicted.dtype == np.int64
    assert est.score(X, y) == 1.0
    assert np.array_equal(est.classes_, [0, 1, 2])
    assert np.array_equal(proba > 0.5, y) and proba.sum(axis=1).max() > 1.5
    np.testing.assert_allclose(np.exp(est.predict_log_proba(X)), proba, rtol=1e-12)


def test_a_single_class_is_predicted_always():
    est = tiny(RNNClassifier).fit(X, np.full(24, "only"))
    assert (est.predict(X) == "only").all()
    assert np.array_equal(est.predict_proba(X), np.ones((24, 1)))
    assert np.array_equal(est.predict_log_proba(X), np.zeros((24, 1)))


@pytest.mark.parametrize(
    ("y", "bias", "expected"),
    [
        ([0, 1], [1000.0], [-1000.0, 0.0]),
        ([0, 1], [-1000.0], [0.0, -1000.0]),
        ([0, 1, 2], [-500.0, 0.0, 900.0], [-1400.0, -900.0, 0.0]),
        ([[0, 1], [1, 0]], [-1000.0, 800.0], [-1000.0, 0.0]),
    ],
)
def test_log_probabilities_are_exact_at_extreme_scores(y, bias, expected):
    """No logarithm of a probability rounded to 0."""
    est = tiny(RNNClassifier, dtype="float32").fit(
        X, np.resize(y, (24, *np.shape(y[0])))
    )
    est.weights_["head_weight"][:] = 0.0
    est.weights_["head_bias"][:] = bias
    assert np.array_equal(est.predict_log_proba(X), np.tile(expected, (24, 1)))


@both
def test_a_column_of_targets_warns_and_counts_as_1d(kind):
    column = TARGETS[kind][:, np.newaxis]
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        est = tiny(kind).fit(X, column)
    assert np.array_equal(est.theta_, fitted(kind).theta_)
    assert est.predict(X).shape == (24,)


# Weights of classes and of samples


@pytest.mark.parametrize("weight", [{0: 1.0, 1: 5.0}, "balanced"])
def test_class_weight_equals_sample_weight(weight):
    y = (SUMS[:, 0] > 1).astype(int)
    w = compute_sample_weight(weight, y)
    assert w.min() < w.max()
    est = tiny(RNNClassifier, class_weight=weight).fit(X, y)
    assert np.array_equal(est.theta_, tiny(RNNClassifier).fit(X, y, w).theta_)
    both_weights = np.linspace(1, 2, 24)
    est.fit(X, y, both_weights)
    expected = tiny(RNNClassifier).fit(X, y, w * both_weights)
    assert np.array_equal(est.theta_, expected.theta_)


def test_class_weight_of_string_and_of_multilabel_targets():
    y = np.where(LABELS == 1, "yes", "no")
    est = tiny(RNNClassifier, class_weight={"yes": 3, "no": 1}).fit(X, y)
    w = np.where(LABELS == 1, 3, 1)
    assert np.array_equal(est.theta_, tiny(RNNClassifier).fit(X, y, w).theta_)
    several = np.column_stack([LABELS, 1 - LABELS])
    weights = [{0: 1, 1: 2}, {0: 3, 1: 1}]
    est = tiny(RNNClassifier, class_weight=weights).fit(X, several)
    w = compute_sample_weight(weights, several)
    assert np.array_equal(est.theta_, tiny(RNNClassifier).fit(X, several, w).theta_)


def assert_weights_equal_repeats(est, y):
    """Weights 0 to 3 and as many copies give the same model, to 1e-7."""
    counts = np.random.default_rng(0).integers(0, 4, 24)
    est.set_params(batch_size=1000, alpha=0.1, max_iter=10, learning_rate_init=0.02)
    weighted = clone(est).fit(X, y, counts)
    indices = np.repeat(np.arange(24), counts)
    repeated = clone(est).fit([X[i] for i in indices], y[indices])
    np.testing.assert_allclose(weighted.theta_, repeated.theta_, rtol=0, atol=1e-7)
    np.testing.assert_allclose(weighted.loss_curve_, repeated.loss_curve_, rtol=1e-7)
    even = clone(est).fit(X, y)
    assert np.abs(weighted.theta_ - even.theta_).max() > 1e-3


@pytest.mark.heavy
@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd", "lbfgs"])
def test_weighted_sequences_equal_repeated_ones(solver):
    classes = np.digitize(SUMS[:, 0], [-1, 1])
    assert_weights_equal_repeats(tiny(RNNClassifier, solver=solver), classes)


@pytest.mark.heavy
@pytest.mark.parametrize("loss", LOSSES)
def test_weighted_sequences_equal_repeated_ones_for_every_loss(loss):
    est = tiny(RNNRegressor, loss=loss, quantiles=[0.2, 0.7])
    assert_weights_equal_repeats(est, np.abs(SUMS))


# Regression


@pytest.mark.heavy
def test_several_outputs_are_learnt_column_by_column():
    y = np.column_stack([SUMS, SUMS[:, 0] - SUMS[:, 1]])
    est = RNNRegressor(**EXACT, random_state=0, alpha=0.0, tol=1e-9).fit(X, y)
    assert est.predict(X).shape == y.shape
    assert r2_score(y, est.predict(X), multioutput="raw_values").min() > 0.9
    assert est.score(X, y) == pytest.approx(r2_score(y, est.predict(X)))


@pytest.mark.heavy
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_minimised(loss):
    y = np.abs(SUMS[:, 0])
    est = RNNRegressor(**EXACT, loss=loss, random_state=0, alpha=0.0).fit(X, y)
    assert est.loss_ < 0.4 * est.loss_curve_[0]
    assert est.predict(X).shape == (24,)
    score = d2_pinball_score if loss == "quantile" else r2_score
    assert est.score(X, y) == pytest.approx(score(y, est.predict(X)))
    assert est.out_activation_ == ("exp" if loss == "poisson" else "identity")
    assert loss != "poisson" or est.predict(X).min() > 0


def test_huber_delta_goes_from_absolute_to_squared_error():
    def predict(loss, **params):
        params |= {"alpha": 0, "max_grad_norm": None, "learning_rate_init": 3e-3}
        est = RNNRegressor(**TINY, loss=loss, **params)
        return est.fit(X, SUMS[:, 0]).predict(X)

    squared = predict("squared_error")
    np.testing.assert_allclose(predict("huber", huber_delta=1e6), squared, rtol=1e-9)
    small = predict("huber", huber_delta=1e-5)
    np.testing.assert_allclose(small, predict("absolute_error"), atol=1e-3)
    assert np.abs(small - squared).max() > 0.01


@pytest.mark.parametrize("n_targets", [1, 2])
def test_several_quantiles_have_their_axis_and_never_cross(n_targets):
    y = SUMS[:, 0] if n_targets == 1 else SUMS
    levels = (0.1, 0.5, 0.6, 0.9)
    est = tiny(RNNRegressor, loss="quantile", quantiles=levels).fit(X, y)
    assert est.predict(X).shape == (*y.shape, 4)
    assert est.n_outputs_ == 4 * n_targets and est.out_activation_ == "ordered"
    expected = [
        d2_pinball_score(y, est.predict(X)[..., k], alpha=q)
        for k, q in enumerate(levels)
    ]
    assert est.score(X, y) == pytest.approx(np.mean(expected))
    est.theta_[:] = 20 * np.random.default_rng(0).standard_normal(est.theta_.size)
    assert np.diff(est.predict(X), axis=-1).min() >= 0


def test_score_of_quantiles_is_weighted():
    y, w = SUMS[:, 0], np.linspace(0, 3, 24)
    est = tiny(RNNRegressor, loss="quantile", quantiles=(0.2, 0.8)).fit(X, y)
    expected = [
        d2_pinball_score(y, predicted, alpha=q, sample_weight=w)
        for predicted, q in zip(est.predict(X).T, (0.2, 0.8), strict=True)
    ]
    assert est.score(X, y, w) == pytest.approx(np.mean(expected))
    assert est.score(X, y, w) != pytest.approx(est.score(X, y))


def test_a_list_of_one_quantile_is_like_that_quantile():
    y = SUMS[:, 0]
    listed = tiny(RNNRegressor, loss="quantile", quantiles=[0.8]).fit(X, y)
    single = tiny(RNNRegressor, loss="quantile", quantiles=0.8).fit(X, y)
    assert np.array_equal(listed.predict(X), single.predict(X))
    assert listed.predict(X).shape == (24,)
    assert np.isfinite(listed.score(X, y))


# Fitted attributes


def test_attributes_of_a_plain_fit():
    est = tiny(RNNClassifier, hidden_layer_sizes=(5, 4), max_iter=3).fit(
        X, np.digitize(SUMS[:, 0], [-1, 1])
    )
    gru = [3 * 5 * (2 + 5 + 2), 3 * 4 * (5 + 4 + 2)]
    assert est.n_parameters_ == est.theta_.size == sum(gru) + 3 * (4 + 1)
    assert (est.n_iter_, est.t_, est.n_layers_, est.n_outputs_) == (3, 72, 4, 3)
    assert est.out_activation_ == "softmax" and est.n_step_features_in_ == 2
    assert len(est.loss_curve_) == 3 and est.loss_ == est.loss_curve_[-1]
    assert est.best_loss_ == min(est.loss_curve_)
    assert est.validation_loss_curve_ is est.validation_scores_ is None
    assert est.best_iter_ is est.best_validation_score_ is None
    assert fitted(RNNClassifier).out_activation_ == "logistic"
    assert fitted(RNNClassifier).n_outputs_ == 1


@both
def test_unfitted_estimators_say_so(kind):
    est = kind()
    for method in (est.predict, est.hidden_states):
        with pytest.raises(NotFittedError, match="is not fitted yet"):
            method(X)
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        est.weights_  # noqa: B018 - a property that raises


@pytest.mark.parametrize("cell", CELLS)
def test_weights_are_named_views_in_the_shapes_of_pytorch(cell):
    est = fitted(RNNRegressor, cell=cell, hidden_layer_sizes=(3, 4), bidirectional=True)
    kind, weights = CELLS[cell], est.weights_
    for depth, n_inputs, n_units in ((0, 2, 3), (1, 6, 4)):
        for end in ("", "_reverse"):
            name = f"l{depth}{end}"
            n_x, n_h = (len(g) * n_units for g in (kind.x_gates, kind.h_gates))
            assert weights[f"weight_ih_{name}"].shape == (n_x, n_inputs)
            assert weights[f"bias_ih_{name}"].shape == (n_x,)
            if n_h:
                assert weights[f"weight_hh_{name}"].shape == (n_h, n_units)
                assert weights[f"bias_hh_{name}"].shape == (n_h,)
            for vector in kind.unit_vectors:
                assert weights[f"weight_{vector}_{name}"].shape == (n_units,)
    assert weights["head_weight"].shape == (1, 8)
    assert sum(w.size for w in weights.values()) == est.theta_.size
    before = est.predict(X)
    for w in weights.values():
        assert np.shares_memory(w, est.theta_)
        w += 0.1
    assert np.abs(est.predict(X) - before).max() > 1e-3


# Hidden states and attention


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_predictions_are_the_head_on_pooled_hidden_states(pooling, bidirectional):
    est = fitted(
        RNNRegressor,
        pooling=pooling,
        bidirectional=bidirectional,
        hidden_layer_sizes=(3, 4),
    )
    width = 8 if bidirectional else 4
    steps, last = est.hidden_states(X, return_sequences=True), est.hidden_states(X)
    assert [s.shape for s in steps] == [(len(x), width) for x in X]
    assert last.shape == (24, width)
    ends = [np.r_[s[-1, :4], s[0, 4:]] for s in steps]
    np.testing.assert_allclose(last, ends, rtol=1e-12)
    pooled = {
        "last": lambda: last,
        "mean": lambda: [s.mean(axis=0) for s in steps],
        "max": lambda: [s.max(axis=0) for s in steps],
        "attention": lambda: [
            w @ s for w, s in zip(est.attention_weights(X), steps, strict=True)
        ],
    }[pooling]()
    weights = est.weights_
    expected = pooled @ weights["head_weight"][0] + weights["head_bias"][0]
    np.testing.assert_allclose(est.predict(X), expected, rtol=1e-10)


@both
def test_attention_weights_are_shares_of_the_real_steps(kind):
    est = fitted(kind, pooling="attention")
    weights = est.attention_weights(padded(X))
    assert [w.shape for w in weights] == [(len(x),) for x in X]
    assert min(w.min() for w in weights) > 0
    np.testing.assert_allclose([w.sum() for w in weights], 1.0, rtol=1e-12)
    assert max(w.std() for w in weights) > 0


@both
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_other_poolings_have_no_attention_weights(kind, pooling):
    est = fitted(kind, pooling=pooling)
    assert not hasattr(est, "attention_weights")
    with pytest.raises(AttributeError) as caught:
        est.attention_weights(X)
    cause = caught.value.__cause__ or caught.value
    assert "needs pooling='attention', got" in str(cause)


def test_a_cell_object_equals_its_name():
    expected = fitted(RNNRegressor, cell="gru")
    assert np.array_equal(fitted(RNNRegressor, cell=GRU()).theta_, expected.theta_)


@both
def test_predictions_are_those_of_the_loss_that_was_fitted(kind):
    """A parameter that is changed after fit changes nothing before the next fit."""
    params = {"pooling": "mean"}
    if kind is RNNRegressor:
        params |= {"loss": "poisson"}
    est = tiny(kind, **params).fit(X, np.abs(TARGETS[kind]))
    before = est.predict(X)
    est.set_params(cell="lstm", hidden_layer_sizes=(9,), pooling="max", dtype="float32")
    if kind is RNNRegressor:
        est.set_params(loss="squared_error")
    assert np.array_equal(est.predict(X), before)
