"""A stream read step by step has the predictions of the sequence read as a whole."""

import gc
import pickle
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from cases import POOLING_NAMES, VARIANTS, make_cell
from sklearn.exceptions import NotFittedError

from skrnn import RNNClassifier, RNNRegressor
from skrnn.training import inference

T = 5
X = np.random.default_rng(0).standard_normal((9, T, 2))
CLASSES = np.arange(9) % 3
SUMS = X.sum(axis=1)
KINDS = {RNNClassifier: (CLASSES, "predict_proba"), RNNRegressor: (SUMS, "predict")}
TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
QUANTILE = {"loss": "quantile", "quantiles": (0.1, 0.5, 0.9)}
METHODS = ["predict", "predict_proba", "predict_log_proba"]


def fitted(kind=RNNClassifier, y=None, hidden_layer_sizes=(3,), **params):
    """A network whose weights are large enough to make all steps count."""
    params = {"learning_rate": "cosine", "max_iter": 1, "random_state": 0} | params
    y = KINDS[kind][0] if y is None else y
    est = kind(hidden_layer_sizes, **params).fit(X, y)
    rng = np.random.default_rng(1)
    est.theta_[:] = 0.6 * rng.standard_normal(est.theta_.size)
    return est


def assert_close(actual, expected, dtype="float64"):
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    error = np.abs(actual - expected).max()
    assert error <= TOLERANCE[dtype] * max(1.0, np.abs(expected).max())


def steps(est, X, state=None, method="predict"):
    """The answer after each step of an array (n_streams, T, n_features)."""
    answers = []
    for t in range(X.shape[1]):
        y, state = est.step(X[:, t], state, method=method)
        answers.append(y)
    return answers


def check_stream(est, method="predict", dtype="float64"):
    for t, y in enumerate(steps(est, X, method=method)):
        assert_close(y, getattr(est, method)(X[:, : t + 1]), dtype)


# The same as predict


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("pooling", POOLING_NAMES)
@pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
@pytest.mark.parametrize(
    ("kind", "sizes"), [(RNNClassifier, (3,)), (RNNRegressor, (4, 3))]
)
def test_every_step_equals_predict(kind, variant, pooling, sizes, dtype):
    cell = make_cell(*variant)
    est = fitted(
        kind, cell=cell, pooling=pooling, hidden_layer_sizes=sizes, dtype=dtype
    )
    check_stream(est, KINDS[kind][1], dtype)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "y",
    [CLASSES, CLASSES > 0, np.array(["a", "b", "c"])[CLASSES], (SUMS > 0).astype(int)],
    ids=["classes", "binary", "strings", "multilabel"],
)
def test_answers_of_the_classifier(y, method):
    est = fitted(y=y)
    for t, answer in enumerate(steps(est, X, method=method)):
        expected = getattr(est, method)(X[:, : t + 1])
        if method == "predict":
            assert np.array_equal(answer, expected)
        else:
            assert_close(answer, expected)


@pytest.mark.parametrize("y", [SUMS[:, 0] ** 2, SUMS**2], ids=["flat", "columns"])
@pytest.mark.parametrize("params", [{"loss": "poisson"}, QUANTILE, {"loss": "huber"}])
def test_answers_of_the_regressor(y, params):
    check_stream(fitted(RNNRegressor, y, **params))


@pytest.mark.parametrize("y", [CLASSES, CLASSES > 0, (SUMS > 0).astype(int)])
def test_predict_is_the_most_probable_class(y):
    """Labels come from raw scores, not from probabilities."""
    est = fitted(y=y)
    proba = est.predict_proba(X)
    if np.ndim(y) == 2:
        assert np.array_equal(est.predict(X), proba > 0.5)
    else:
        assert np.array_equal(est.predict(X), est.classes_[proba.argmax(axis=1)])


def test_a_network_cut_into_chunks_streams():
    check_stream(fitted(bptt_steps=2, pooling="mean"))


@pytest.mark.parametrize("pooling", POOLING_NAMES)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_many_streams_are_cut_into_parts(n_jobs, pooling, monkeypatch):
    """Streams are worked off in batches, on threads if they are worth it."""
    monkeypatch.setattr(inference, "WORTH_A_THREAD", 0)
    many = np.random.default_rng(2).standard_normal((601, 3, 2))
    est = fitted(n_jobs=n_jobs, pooling=pooling)
    last = steps(est, many, method="predict_proba")[-1]
    assert_close(last, est.predict_proba(many))


@pytest.mark.heavy
def test_long_streams_do_not_drift():
    long = np.random.default_rng(3).standard_normal((1, 2000, 2))
    for pooling in POOLING_NAMES:
        est = fitted(pooling=pooling)
        last = steps(est, long, method="predict_proba")[-1]
        assert_close(last, est.predict_proba(long))


# The state


@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_an_old_state_is_never_changed(pooling):
    """A caller may go back to it, and take another way from there."""
    est = fitted(pooling=pooling, hidden_layer_sizes=(3, 3), cell="lstm")
    _, old = est.step(X[:, 0])
    kept = old.copy()
    first, new = est.step(X[:, 1], old)
    est.step(X[:, 2], new)
    assert np.array_equal(old, kept)
    assert not np.shares_memory(old, new)
    assert np.array_equal(est.step(X[:, 1], old)[0], first)
    branch = est.step(X[:, 3], old, method="predict_proba")[0]
    assert_close(branch, est.predict_proba(X[:, [0, 3]]))


@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_streams_join_and_leave(pooling):
    """A row of the state is a stream; one of zeros has not begun."""
    est = fitted(pooling=pooling)
    _, state = est.step(X[:4, 0])
    _, other = est.step(X[4:6, 2])
    fresh = np.zeros((1, state.shape[1]))
    joined = np.concatenate([state[[3, 1]], other, fresh])
    x_t = np.concatenate([X[[3, 1], 1], X[4:6, 3], X[6:7, 0]])
    answer, _ = est.step(x_t, joined, method="predict_proba")
    sequences = [X[3, :2], X[1, :2], X[4, 2:4], X[5, 2:4], X[6, :1]]
    assert_close(answer, est.predict_proba(sequences))


def test_one_stream_may_come_without_its_axis():
    est = fitted(RNNRegressor)
    y, state = est.step(X[0, 0])
    assert y.shape == (1, 2) and state.shape == (1, 3)
    assert_close(est.step(X[0, 1], state)[0], est.predict(X[:1, :2]))


@pytest.mark.parametrize(
    "form",
    [
        np.ndarray.tolist,
        np.asfortranarray,
        pd.DataFrame,
        lambda x: x.astype(">f8"),
        lambda x: x[::-1][::-1],
        lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
    ],
    ids=["list", "columns", "DataFrame", "byte order", "strided", "read-only"],
)
def test_forms_of_a_step(form):
    x_t = np.round(4 * X[:, 0])
    for dtype in TOLERANCE:
        est = fitted(dtype=dtype)
        expected, _ = est.step(x_t.astype(dtype), method="predict_proba")
        answer, state = est.step(form(x_t), method="predict_proba")
        assert np.array_equal(answer, expected)
        assert answer.dtype == state.dtype == dtype


def test_a_step_leaves_nothing_in_the_estimator():
    est = fitted()
    before = pickle.dumps(est)
    est.step(X[:, 0])
    assert pickle.dumps(est) == before


def test_an_estimator_that_streamed_is_freed():
    est = fitted()
    est.step(X[:, 0])
    seen = weakref.ref(est)
    del est
    gc.collect()
    assert seen() is None


@pytest.mark.heavy
def test_model_and_state_go_on_in_another_process(tmp_path):
    est = fitted(cell="lstm", pooling="attention", dtype="float32")
    state = est.step(X[:, 0])[1]
    expected = est.step(X[:, 1], state, method="predict_proba")[0]
    (tmp_path / "saved").write_bytes(pickle.dumps((est, X[:, 1], state)))
    script = (
        "import pickle; est, x_t, state = pickle.load(open('saved', 'rb'));"
        "print(est.step(x_t, state, method='predict_proba')[0].tolist())"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True
    )
    assert np.array_equal(np.array(eval(run.stdout), "float32"), expected)


@pytest.mark.heavy
def test_threads_may_step_on_one_model():
    est = fitted(pooling="mean", hidden_layer_sizes=(16,))
    long = np.random.default_rng(4).standard_normal((4, 300, 2))
    parts = [long[i : i + 1 + i % 2] for i in range(3)]

    def last(part):
        return steps(est, part, method="predict_proba")[-1]

    expected = [last(part) for part in parts]
    with ThreadPoolExecutor(3) as pool:
        for answer, wanted in zip(pool.map(last, parts), expected, strict=True):
            assert np.array_equal(answer, wanted)


# What is learnt in between


@pytest.mark.parametrize("cell", ["rnn", "gru", "indrnn", "peephole_lstm"])
def test_weights_edited_in_place_are_seen(cell):
    est = fitted(cell=cell, pooling="attention")
    est.step(X[:, 0])
    for view in est.weights_.values():
        view[:] = np.random.default_rng(5).standard_normal(view.shape)
        check_stream(est, "predict_proba")


def test_a_new_fit_is_seen():
    est = fitted()
    est.step(X[:, 0])
    est.set_params(cell="lstm", hidden_layer_sizes=(5,)).fit(X, CLASSES > 0)
    check_stream(est, "predict_proba")
    est.partial_fit(X, CLASSES > 0)
    check_stream(est, "predict_proba")
    est.theta_ = est.theta_ * 2
    check_stream(est, "predict_proba")


# Errors


def refused(message, *args, error=ValueError, **params):
    """Check that a network refuses a step, by default a fitted classifier."""
    est = params.pop("est", None) or fitted()
    with pytest.raises(error, match=message):
        est.step(*args, **params)


def test_a_network_that_reads_from_the_end_is_refused():
    est = fitted(bidirectional=True)
    refused("cannot stream a network with bidirectional=True", X[:, 0], est=est)


def test_an_estimator_that_is_not_fitted_is_refused():
    refused("not fitted yet", X[:, 0], est=RNNClassifier(), error=NotFittedError)


@pytest.mark.parametrize(
    ("x_t", "message"),
    [
        (np.ones((3, 4)), r"\(n_streams, 2\), or \(2,\).*got 3 stream.* of 4 feature"),
        (np.ones(3), "got 1 stream.* of 3 feature"),
        (np.ones((0, 2)), "got 0 stream"),
        (np.ones((2, 1, 2)), r"x_t must be an array .*, got shape \(2, 1, 2\)"),
        (1.0, r"x_t must be an array .*, got shape \(\)"),
        ([[1.0, 2.0], [np.nan, 1.0]], "x_t has nan in stream 1, feature 0"),
        (np.array([[1.0, np.inf]]), "x_t has inf in stream 0, feature 1"),
        (np.ma.ones((3, 2)), "x_t must not be a masked array"),
        ([["a", "b"]], "x_t must be numeric"),
    ],
)
def test_a_step_that_cannot_be_used_is_refused(x_t, message):
    refused(message, x_t)


def test_a_sparse_step_is_refused():
    refused("Sparse data", scipy.sparse.csr_array(X[:, 0]), error=TypeError)


def test_values_too_large_for_single_precision_are_refused():
    refused("x_t has inf in stream 0", [1e300, 0], est=fitted(dtype="float32"))
    assert len(fitted().step([1e300, 0])[0]) == 1


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (np.zeros((2, 3)), "a row for each of the 9 stream.* in x_t, got 2"),
        (np.zeros((9, 4)), r"\(n_streams, 3\) and type float64, got .*\(9, 4\)"),
        (np.zeros((9, 3), "f4"), "type float64, got .* type float32"),
        (np.zeros(3), r"state must be as .*got one of shape \(3,\)"),
        ([[0.0] * 3] * 9, "state must be as this model's step returned it.*got list"),
        (
            np.where(np.arange(9)[:, None] < 2, 0, np.full(3, np.inf)),
            "finite.*stream 2",
        ),
    ],
)
def test_a_state_of_something_else_is_refused(state, message):
    refused(message, X[:, 0], state)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_method_is_refused(kind):
    known = "'predict', 'predict_proba'" if kind is RNNClassifier else "'predict',"
    message = f"method must be one of .{known}.*, got 'score'"
    refused(message, X[:, 0], est=fitted(kind), method="score")
