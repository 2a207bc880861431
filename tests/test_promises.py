"""The same bits whatever the threads, and predictions that know no neighbours."""

import ast
import hashlib
import inspect
import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skrnn import RNNClassifier, RNNRegressor, RNNTagger
from skrnn.cells import CELLS
from skrnn.estimators.serving import server_of
from skrnn.network.network import VECTOR_COUNTS_AS, Network
from skrnn.sequences import Plan
from skrnn.training import Objective, Threads, inference, objective

KINDS = [RNNClassifier, RNNRegressor]
both = pytest.mark.parametrize("kind", KINDS)
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def fit_big(n_jobs):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((40 + i % 20, 4)) for i in range(64)]
    y = np.array([x[:, 0].sum() for x in X])
    params = {"batch_size": 64, "max_iter": 2, "dtype": "float32", "random_state": 0}
    params |= {"dropout": 0.2, "recurrent_dropout": 0.2, "learning_rate": "cosine"}
    return RNNRegressor((64,), n_jobs=n_jobs, **params).fit(X, y)


def make_data(n=24, seed=0):
    rng = np.random.default_rng(seed)
    X = [rng.standard_normal((1 + (7 * i) % 9, 2)) for i in range(n)]
    y = np.array([x[:, 0].sum() for x in X])
    return X, y


X, SUMS = make_data()
Y = {RNNClassifier: (SUMS > 0).astype(int), RNNRegressor: SUMS}


def fitted(kind, **params):
    defaults = {"hidden_layer_sizes": (4,), "learning_rate": "cosine", "max_iter": 2}
    return kind(**defaults | {"random_state": 0} | params).fit(X, Y[kind])


def values(est, X):
    return est.predict_proba(X) if hasattr(est, "predict_proba") else est.predict(X)


def run_python(script, **params):
    """What a new process prints."""
    command = [sys.executable, "-c", script]
    params |= {"capture_output": True, "text": True, "check": True}
    return subprocess.run(command, **params).stdout


# One seed, the same bits


@pytest.fixture
def shards(monkeypatch):
    """Numbers of shards that minibatches were cut into."""
    counts = []
    split = Plan.shards

    def spy(self, n_shards):
        if n_shards > 1:
            counts.append(n_shards)
        return split(self, n_shards)

    monkeypatch.setattr(Plan, "shards", spy)
    return counts


@pytest.mark.heavy
def test_a_large_batch_gives_the_same_bits_for_any_n_jobs_and_process(shards):
    """With dropout; the batch is large enough to be cut without any help."""
    alone = fit_big(n_jobs=1)
    assert shards
    for n_jobs in (1, 2, None):
        again = fit_big(n_jobs)
        assert np.array_equal(again.theta_, alone.theta_)
        assert again.loss_curve_ == alone.loss_curve_
    script = f"""
import hashlib
import numpy as np
from skrnn import RNNRegressor
{inspect.getsource(fit_big)}
print(hashlib.sha256(fit_big(n_jobs=2).theta_.tobytes()).hexdigest())
"""
    printed = run_python(script)
    expected = hashlib.sha256(alone.theta_.tobytes()).hexdigest()
    assert printed.strip() == expected


@both
@pytest.mark.parametrize("pooling", ["last", "attention"])
def test_shards_give_the_same_bits_on_any_number_of_threads(
    kind, pooling, monkeypatch, shards
):
    params = {"dropout": 0.2, "recurrent_dropout": 0.2, "pooling": pooling}
    whole = fitted(kind, **params)
    assert not shards
    monkeypatch.setattr(objective, "SHARD_OPERATIONS", 1e3)
    monkeypatch.setattr(objective, "SHARD_SEQUENCES", 5)
    alone = fitted(kind, **params, n_jobs=1)
    assert set(shards) == {4}
    for n_jobs in (2, 3):
        assert np.array_equal(
            fitted(kind, **params, n_jobs=n_jobs).theta_, alone.theta_
        )
    np.testing.assert_allclose(alone.theta_, whole.theta_, rtol=0, atol=1e-9)


TRAINED = {
    "whole sequences": lambda: RNNRegressor(4),
    "in chunks": lambda: RNNRegressor(4, bptt_steps=2, pooling="mean"),
    "every step": lambda: RNNTagger(4),
    "a chain": lambda: RNNTagger(4, crf=True),
    "tokens": lambda: RNNTagger(4, embedding_dim=3),
}


@pytest.mark.parametrize("make", TRAINED.values(), ids=TRAINED)
def test_the_loss_after_the_last_update_is_that_of_the_whole_minibatch(
    make, monkeypatch
):
    """As training computes it, in all shards, for any kind of network."""
    monkeypatch.setattr(objective, "SHARD_OPERATIONS", 1e3)
    monkeypatch.setattr(objective, "SHARD_SEQUENCES", 5)
    judge, judged = Objective.value, []

    def compare(self, theta, shards, data, indices):
        value = judge(self, theta, shards, data, indices)
        expected = self(theta, shards, data, indices, np.random.default_rng(0))[0]
        judged.append((len(shards), value, expected))
        return value

    monkeypatch.setattr(Objective, "value", compare)
    est = make().set_params(alpha=0.0, batch_size=24, max_iter=2, random_state=0)
    ids = [np.arange(1, 1 + len(x)) % 5 + 1 for x in X]
    inputs = ids if getattr(est, "embedding_dim", None) else X
    steps = [row % 2 for row in ids]
    est.fit(inputs, SUMS if isinstance(est, RNNRegressor) else steps)
    ((n_shards, value, expected),) = judged
    assert n_shards == 4
    np.testing.assert_allclose(value, expected, rtol=1e-9)


@both
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_predictions_have_the_same_bits_for_any_n_jobs(kind, n_jobs, monkeypatch):
    est = fitted(kind, pooling="attention")
    monkeypatch.setattr(inference, "BATCH_SEQUENCES", 7)
    monkeypatch.setattr(inference, "SINGLE_THREADED", 0)
    monkeypatch.setattr(inference, "WORTH_A_THREAD", 0)
    expected = values(est, X), est.hidden_states(X), est.attention_weights(X)
    est.set_params(n_jobs=n_jobs)
    found = values(est, X), est.hidden_states(X), est.attention_weights(X)
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])
    assert all(map(np.array_equal, found[2], expected[2]))


def test_batches_are_equal_and_two_where_a_thread_is_worth_it():
    """Cut by the work, never by the number of threads."""
    network = server_of(fitted(RNNRegressor, hidden_layer_sizes=64)).network

    def sizes(n_sequences, n_steps):
        lengths = np.full(n_sequences, n_steps)
        batches = inference._batches(lengths, network)
        assert np.array_equal(np.concatenate(batches), np.arange(n_sequences))
        return [batch.size for batch in batches]

    enough = int(2 * inference.WORTH_A_THREAD / network.layout.n_weights / 40) + 1
    assert sizes(40, enough) == [20, 20]
    assert sizes(40, enough - 1) == [40]
    assert sizes(2 * inference.FEWEST_SEQUENCES - 1, 2 * enough) == [31]
    assert sizes(31, 8100 // 16) == [16, 15]
    assert sizes(104, 2000) == [4] * 26
    ragged = np.r_[np.full(100, 10), np.full(100, 10 * enough)]
    parts = np.array([ragged[b].sum() for b in inference._batches(ragged, network)])
    assert parts.size % 2 == 0
    assert np.ptp(parts) <= 20 * enough
    assert sizes(3, 10**5) == [1, 1, 1]
    assert sizes(600, 2) == [300, 300]


# Predictions that do not depend on the neighbours


@pytest.mark.heavy
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_a_prediction_does_not_depend_on_batch_mates(cell, bidirectional, dtype):
    """Alone, in any order, beside a much longer sequence, or padded: the same."""
    est = fitted(
        RNNRegressor,
        cell=cell,
        bidirectional=bidirectional,
        hidden_layer_sizes=(5, 4),
        dtype=dtype,
    )
    est.theta_[:] *= 2  # away from the small values of the start
    long = np.random.default_rng(1).standard_normal((200, 2))
    padded = np.full((24, 12, 2), np.nan)
    for entry, x in zip(padded, X, strict=True):
        entry[: len(x)] = x
    together = est.predict(X)
    order = np.random.default_rng(2).permutation(24)
    others = {
        "alone": [est.predict([x])[0] for x in X],
        "shuffled": est.predict([X[i] for i in order])[np.argsort(order)],
        "beside a long one": est.predict([*X, long])[:-1],
        "padded": est.predict(padded),
        "repeated": est.predict(X * 3)[24:48],
    }
    scale = np.abs(together).max()
    for name, other in others.items():
        error = np.abs(other - together).max() / scale
        assert error <= TOLERANCE[dtype], name


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_no_pooling_sees_batch_mates_or_the_batch_size(pooling, dtype, monkeypatch):
    est = fitted(RNNClassifier, pooling=pooling, dtype=dtype, bidirectional=True)
    est.theta_[:] *= 2
    together, states = est.predict_proba(X), est.hidden_states(X)
    for size in (1, 5, 1000):
        monkeypatch.setattr(inference, "BATCH_SEQUENCES", size)
        np.testing.assert_allclose(
            est.predict_proba(X), together, rtol=TOLERANCE[dtype]
        )
        np.testing.assert_allclose(
            est.hidden_states(X), states, rtol=0, atol=TOLERANCE[dtype]
        )


@both
def test_padding_leaves_no_trace_in_training(kind):
    """More columns of padding, the same bits."""
    padded = np.full((24, 30, 2), np.nan)
    for entry, x in zip(padded, X, strict=True):
        entry[: len(x)] = x
    expected = fitted(kind)
    assert np.array_equal(expected.fit(padded, Y[kind]).theta_, fitted(kind).theta_)
    assert np.array_equal(values(expected, padded[:, :9]), values(expected, padded))


# Threads


def blas_threads():
    """Numbers of threads that the BLAS libraries may use."""
    pools = threadpool_info()
    return {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}


@pytest.mark.heavy
@both
def test_one_model_predicts_in_many_threads(kind):
    est = fitted(kind, pooling="attention", n_jobs=2)
    many = X * 4
    expected = values(est, many)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: values(est, many), range(16)))
    assert all(np.array_equal(f, expected) for f in found)


@pytest.mark.heavy
def test_fits_in_threads_give_the_same_bits_as_alone():
    kinds, expected = KINDS * 2, [fitted(kind, max_iter=5).theta_ for kind in KINDS * 2]
    barrier = threading.Barrier(4)

    def fit(kind):
        barrier.wait()
        return fitted(kind, max_iter=5).theta_

    with ThreadPoolExecutor(4) as pool:
        assert all(map(np.array_equal, pool.map(fit, kinds), expected))


def test_the_limit_of_blas_threads_is_lifted_afterwards(monkeypatch):
    """After fit, after predict, and after an error."""
    est, inside, evaluate = fitted(RNNRegressor), [], Objective.__call__

    def spy(self, *arguments):
        inside.append(blas_threads())
        return evaluate(self, *arguments)

    def fail(self, *arguments):
        raise MemoryError

    with threadpool_limits(2, user_api="blas"):
        monkeypatch.setattr(Objective, "__call__", spy)
        est.fit(X, SUMS)
        assert blas_threads() == {2} and set.union(*inside) == {1}
        est.predict(X)
        assert blas_threads() == {2}
        monkeypatch.setattr(Objective, "__call__", fail)
        with pytest.raises(MemoryError):
            est.fit(X, SUMS)
        assert blas_threads() == {2}


def limits_blas(est, n_sequences, n_steps):
    network = server_of(est).network
    threads = inference.threads_for(network, n_sequences, n_steps, n_jobs=1)
    return isinstance(threads, Threads)


def test_blas_is_limited_where_a_product_above_the_levels_is_large():
    """Not for every prediction of many steps: to set a limit takes as long as some."""
    most, vector = inference.SINGLE_THREADED, VECTOR_COUNTS_AS
    last = fitted(RNNRegressor, hidden_layer_sizes=64)
    n_most = most // (64 * vector)
    assert not limits_blas(last, n_most, 8 * n_most)
    assert limits_blas(last, n_most + 1, 8 * n_most)
    attention = fitted(RNNRegressor, hidden_layer_sizes=64, pooling="attention")
    n_most = (most - 64 * vector * vector) // (64 * 64 + 64 * vector)
    assert not limits_blas(attention, 1, n_most)
    assert limits_blas(attention, 1, n_most + 1)
    tagger = RNNTagger(hidden_layer_sizes=64, cell="rnn", max_iter=1)
    tagger.fit(X, [np.arange(len(x)) % 3 for x in X])
    n_most = most // (64 * 3)
    assert not limits_blas(tagger, 1, n_most)
    assert limits_blas(tagger, 1, n_most + 1)


def test_blas_is_limited_where_one_row_meets_a_large_head():
    """NumPy has a vector multiplied, of which BLAS shares out less."""
    wide = fitted(RNNRegressor, cell="rnn", hidden_layer_sizes=91)
    assert not limits_blas(wide, 1, 1)
    labels = np.eye(len(X), 100, dtype=np.int64)
    wide = RNNClassifier(hidden_layer_sizes=91, cell="rnn", max_iter=1)
    wide.fit(X, labels)
    assert limits_blas(wide, 1, 1)
    assert inference.light_streams(server_of(wide).network) == 0


def test_threads_are_worth_it_from_some_steps_on():
    est = fitted(RNNRegressor, hidden_layer_sizes=64)
    network = server_of(est).network
    n_worth = -(-2 * inference.WORTH_A_THREAD // network.layout.n_weights)
    assert not limits_blas(est, 1, n_worth - 1)
    assert inference.threads_for(network, 1, n_worth, n_jobs=2).n_jobs == 2


@pytest.mark.parametrize("pooling", ["last", "attention"])
def test_few_streams_are_those_that_need_no_limit(pooling):
    est = fitted(RNNClassifier, hidden_layer_sizes=32, pooling=pooling)
    n_light = inference.light_streams(server_of(est).network)
    assert n_light > 1
    assert not limits_blas(est, n_light, n_light)
    assert limits_blas(est, n_light + 1, n_light + 1)


@pytest.mark.parametrize(("n_sequences", "n_threads"), [(100, 2), (130, 1)])
def test_a_prediction_limits_blas_by_its_sequences(n_sequences, n_threads, monkeypatch):
    """And not by their steps, of which there are too many in both cases."""
    est = fitted(RNNRegressor, hidden_layer_sizes=64)
    seen, answer = set(), Network.answer

    def spy(self, *arguments):
        seen.update(blas_threads())
        return answer(self, *arguments)

    monkeypatch.setattr(Network, "answer", spy)
    with threadpool_limits(2, user_api="blas"):
        est.predict([max(X, key=len)] * n_sequences)
    assert seen == {n_threads}


OVERLAP = """
import threading
from threadpoolctl import OpenBLASController, threadpool_info, threadpool_limits
from skrnn.training import Threads

def blas_threads():
    return [p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"]

def first():
    with Threads(1):
        first_is_in.set()
        second_is_in.wait()
    first_is_out.set()
    all_done.wait()  # lives on, as the thread of a pool does

def second():
    with Threads(1):
        second_is_in.set()
        first_is_out.wait()
        inside.append(blas_threads())

def alone():
    with Threads(1):
        inside.append(blas_threads())

with Threads(1):
    pass
before, inside = blas_threads(), []
first_is_in, second_is_in, first_is_out, all_done = (
    threading.Event() for _ in range(4)
)
threads = [threading.Thread(target=f) for f in (first, second)]
threads[0].start()
first_is_in.wait()
threads[1].start()
threads[1].join()
after = blas_threads()
all_done.set()
threads[0].join()
with threadpool_limits(2, user_api="blas"):
    thread = threading.Thread(target=alone)
    thread.start()
    thread.join()
print([before, after, *inside])
"""


def test_the_limit_holds_and_is_lifted_where_threads_overlap():
    """Started by one thread, ended by another; and under a limit of the user's."""
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}
    printed = run_python(OVERLAP, env=env)
    before, after, *inside = ast.literal_eval(printed)
    assert after == before
    assert {n for threads in inside for n in threads} == {1}


def test_no_thread_outlives_a_fit_or_a_predict(monkeypatch):
    monkeypatch.setattr(objective, "SHARD_OPERATIONS", 1e3)
    monkeypatch.setattr(objective, "SHARD_SEQUENCES", 5)
    monkeypatch.setattr(inference, "BATCH_SEQUENCES", 3)
    monkeypatch.setattr(inference, "SINGLE_THREADED", 0)
    monkeypatch.setattr(inference, "WORTH_A_THREAD", 0)
    before = threading.active_count()
    fitted(RNNRegressor, n_jobs=3).predict(X)
    assert threading.active_count() == before


def predict_in_child(est, connection):
    connection.send(est.predict(X))


@pytest.mark.skipif(sys.platform != "linux", reason="fork is safe on Linux only")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_predicts():
    est = fitted(RNNRegressor, n_jobs=2)
    context = multiprocessing.get_context("fork")
    mine, yours = context.Pipe()
    child = context.Process(target=predict_in_child, args=(est, yours))
    child.start()
    assert mine.poll(60)
    assert np.array_equal(mine.recv(), est.predict(X))
    child.join(60)
    assert child.exitcode == 0
