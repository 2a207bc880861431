"""The same bits wherever a model is fitted, and predictions that know no neighbours.

`test_promises.py` has fits and predictions on several threads, small networks beside
batch mates and padding, and fits in threads at once. Here: processes, backends of
joblib, limits of BLAS, seeds of hash tables; and networks wide enough for products in
tiles and blocks, in `predict` and in `step`.
"""

import hashlib
import inspect
import os
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from skrnn import RNNClassifier, RNNRegressor
from skrnn.cells import CELLS
from skrnn.training import inference, objective

pytestmark = pytest.mark.heavy
POOLINGS = ["last", "mean", "max", "attention"]
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
BACKENDS = [("sequential", 1), ("threading", 2), ("threading", 4), ("loky", 2)]
BACKENDS.append(pytest.param("loky", 4, marks=pytest.mark.slow))

each_cell = pytest.mark.parametrize("cell", CELLS)
each_dtype = pytest.mark.parametrize("dtype", TOLERANCE)


def digest(*arrays):
    state = hashlib.sha256()
    for array in arrays:
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()


def make_data():
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((3 + (7 * i) % 11, 3)) for i in range(48)]
    sums = np.array([x[:, 0].sum() for x in X])
    return X, np.array(["low", "middle", "top"])[np.digitize(sums, [-1, 1])], sums


MODELS = {
    "classifier": {
        "cell": "lstm",
        "bidirectional": True,
        "pooling": "attention",
        "hidden_layer_sizes": (20, 9),
        "dropout": 0.2,
        "recurrent_dropout": 0.1,
        "early_stopping": True,
        "validation_fraction": 0.3,
        "class_weight": {"low": 1.0, "top": 2.0, "middle": 0.7},
        "dtype": "float32",
    },
    "regressor": {"hidden_layer_sizes": (64,), "solver": "lbfgs", "pooling": "mean"},
}


def fit_digest(name, seed=0, n_jobs=None):
    """A digest of all that a fit and its predictions hold."""
    X, labels, sums = make_data()
    kind, y = {
        "classifier": (RNNClassifier, labels),
        "regressor": (RNNRegressor, sums),
    }[name]
    params = {"max_iter": 3, "batch_size": 16, "learning_rate": "cosine"}
    params |= {"alpha": 1.0, "tol": 10.0} if name == "regressor" else {}
    est = kind(**params | MODELS[name], random_state=seed, n_jobs=n_jobs).fit(X, y)
    answer = est.predict_proba if name == "classifier" else est.predict
    return digest(est.theta_, est.loss_curve_, answer(X * 4), est.hidden_states(X))


def in_new_process(**env):
    """Digests of both models, computed by a new process."""
    parts = (make_data, digest, fit_digest)
    script = "\n".join(
        [
            "import hashlib",
            "import numpy as np",
            "from skrnn import RNNClassifier, RNNRegressor",
            f"MODELS = {MODELS!r}",
            *map(inspect.getsource, parts),
            "print(fit_digest('classifier'), fit_digest('regressor'))",
        ]
    )
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout.split()


@pytest.fixture(scope="module")
def expected():
    return {name: fit_digest(name) for name in MODELS}


# Fits: the same bits


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_gives_the_same_bits_again(name, expected):
    assert fit_digest(name) == expected[name]
    assert fit_digest(name, seed=1) != expected[name]


@pytest.mark.parametrize("n_jobs", [1, 2, 4, -1])
@pytest.mark.parametrize("name", MODELS)
def test_n_jobs_changes_no_bit(name, n_jobs, monkeypatch):
    """Minibatches are cut, and predictions are worth threads."""
    monkeypatch.setattr(objective, "SHARD_OPERATIONS", 1e4)
    monkeypatch.setattr(objective, "SHARD_SEQUENCES", 4)
    monkeypatch.setattr(inference, "WORTH_A_THREAD", 0)
    monkeypatch.setattr(inference, "SINGLE_THREADED", 0)
    assert fit_digest(name, n_jobs=n_jobs) == fit_digest(name)


@pytest.mark.parametrize("n_threads", [1, 2, 4])
@pytest.mark.parametrize("name", MODELS)
def test_a_limit_of_blas_threads_changes_no_bit(name, n_threads, expected):
    with threadpool_limits(n_threads, user_api="blas"):
        assert fit_digest(name) == expected[name]


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "1", "OPENBLAS_NUM_THREADS": "1"},
        {"PYTHONHASHSEED": "4242", "OPENBLAS_NUM_THREADS": "4"},
    ],
    ids=["one thread", "four threads"],
)
def test_another_process_gives_the_same_bits(env, expected):
    """With other hashes of strings, which are labels here, and another BLAS limit."""
    assert in_new_process(**env) == list(expected.values())


@pytest.mark.parametrize("backend, n_jobs", BACKENDS)
def test_backends_of_joblib_change_no_bit(backend, n_jobs, expected):
    """Fits side by side; those in threads share the process's BLAS."""
    with joblib.parallel_config(backend, n_jobs=n_jobs):
        found = joblib.Parallel()(
            joblib.delayed(fit_digest)(name) for name in [*MODELS, *MODELS]
        )
    assert found == [*expected.values()] * 2


@pytest.fixture(scope="module")
def searched():
    return search("sequential", 1)


def search(backend, n_jobs):
    X, labels, _ = make_data()
    est = RNNClassifier((5,), max_iter=2, learning_rate="cosine", random_state=0)
    grid = {"cell": ["gru", "rnn"], "learning_rate_init": [0.01, 0.1]}
    found = GridSearchCV(est, grid, scoring="neg_log_loss", cv=2, n_jobs=n_jobs)
    with joblib.parallel_config(backend):
        found.fit(X, labels)
    scores = [found.cv_results_[f"split{k}_test_score"] for k in range(2)]
    best = found.best_estimator_
    return digest(*scores, best.theta_, best.loss_curve_, found.predict_proba(X))


@pytest.mark.parametrize("backend, n_jobs", BACKENDS)
def test_a_grid_search_gives_the_same_bits_on_every_backend(backend, n_jobs, searched):
    assert search(backend, n_jobs) == searched


# Predictions that do not depend on the neighbours, in wide networks


def wide(cell, dtype, pooling="last", bidirectional=False):
    """Untrained, with weights that make every step count.

    70 units fill a tile of 64 columns and a bit of the next.
    """
    short = np.random.default_rng(0).standard_normal((4, 2, 3))
    est = RNNRegressor((70, 33), cell, pooling=pooling, bidirectional=bidirectional)
    est.set_params(dtype=dtype, max_iter=1, learning_rate="cosine", random_state=0)
    return est.fit(short, short[:, 0, :2])


def ragged(dtype):
    """So many steps that the time loops cut them into several blocks."""
    rng = np.random.default_rng(1)
    lengths = [1, 2, 90, 17, 40, 3, 64, 5, 1, 33, 7, 20, 2, 11, 50, 8]
    return [rng.standard_normal((n, 3)).astype(dtype) for n in lengths]


def assert_close(found, expected, dtype, name=None):
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert error <= TOLERANCE[dtype], (name, error)


def padded(X, extra):
    longest = max(map(len, X)) + extra
    array = np.full((len(X), longest, 3), np.nan, X[0].dtype)
    for entry, x in zip(array, X, strict=True):
        entry[: len(x)] = x
    return array


def as_objects(X):
    array = np.empty(len(X), object)
    array[:] = X
    return array


@each_dtype
@each_cell
@pytest.mark.parametrize("bidirectional", [False, True])
def test_neighbours_padding_and_form_do_not_count(
    cell, bidirectional, dtype, monkeypatch
):
    X = ragged(dtype)
    pooling = POOLINGS[list(CELLS).index(cell) % len(POOLINGS)]
    est = wide(cell, dtype, pooling, bidirectional)
    together = est.predict(X)
    forms = {
        "padded": padded(X, 0),
        "padded more": padded(X, 50),
        "columns": [np.asfortranarray(x) for x in X],
        "objects": as_objects(X),
        "reversed views": [x[::-1].copy()[::-1] for x in X],
    }
    for name, form in forms.items():
        assert np.array_equal(est.predict(form), together), name
    alone = np.concatenate([est.predict([x]) for x in X])
    assert_close(alone, together, dtype, "alone")
    assert_close(est.predict(X[::-1])[::-1], together, dtype, "reversed")
    assert_close(est.predict(X * 30)[160:176], together, dtype, "many")
    for size in (1, 3, 7):
        monkeypatch.setattr(inference, "BATCH_SEQUENCES", size)
        monkeypatch.setattr(inference, "MIN_BATCH_SEQUENCES", size)
        assert_close(est.predict(X), together, dtype, f"batches of {size}")


@each_dtype
@each_cell
def test_a_stream_does_not_know_the_others(cell, dtype):
    """Steps alone, with a few and with many others, and `predict` agree."""
    est = wide(cell, dtype, POOLINGS[list(CELLS).index(cell) % len(POOLINGS)])
    X = np.random.default_rng(2).standard_normal((300, 6, 3)).astype(dtype)
    answers = {}
    for n in (1, 2, 5, 300):
        state = None
        for t in range(X.shape[1]):
            y, state = est.step(X[:n, t], state)
        answers[n] = y
    for n, y in answers.items():
        assert_close(y, est.predict(X)[:n], dtype, n)
        assert_close(y[:1], answers[1], dtype, n)
