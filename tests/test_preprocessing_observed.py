"""The time since a value was observed is that of the equations of GRU-D."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from ragged_checks import run_checks
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier
from skrnn.preprocessing import PerStep, TimeSinceObserved

NAN = np.nan


def slow_deltas(x, time):
    """The recursion of the paper, value by value."""
    deltas = np.zeros(x.shape)
    for t in range(1, len(x)):
        for d in range(x.shape[1]):
            deltas[t, d] = time[t] - time[t - 1]
            if np.isnan(x[t - 1, d]):
                deltas[t, d] += deltas[t - 1, d]
    return deltas


def with_gaps(lengths=(5, 1, 7, 3), n_features=3, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, n_features)) for n in lengths]
    return [np.where(rng.random(x.shape) < 0.5, NAN, x).astype(dtype) for x in X]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_since_observed(dtype):
    X = with_gaps(dtype=dtype)
    got = TimeSinceObserved().fit_transform(X)
    for one, x in zip(got, X, strict=True):
        expected = np.hstack([x, slow_deltas(x, np.arange(len(x)))])
        assert_array_equal(one, expected)
        assert one.dtype == dtype


def test_elapsed_time():
    """The feature that holds the time gets no delta of its own."""
    rng = np.random.default_rng(1)
    X = with_gaps()
    for x in X:
        x[:, 1] = np.cumsum(rng.integers(0, 9, len(x)))
    observed = TimeSinceObserved(time=1).fit(X)
    for one, x in zip(observed.transform(X), X, strict=True):
        expected = slow_deltas(x[:, [0, 2]], x[:, 1])
        assert_array_equal(one, np.hstack([x, expected]))
    names = ["x0", "x1", "x2", "x0_since_observed", "x2_since_observed"]
    assert observed.get_feature_names_out().tolist() == names


def test_forms_are_kept():
    """A padded array stays one; a table, of one feature, gets a second."""
    X = [x[: max(1, len(x))] for x in with_gaps((4, 2))]
    X[0][3] = X[1][1] = 1.0
    padded = np.full((2, 5, 3), NAN)
    padded[0, :4], padded[1, :2] = X
    got = TimeSinceObserved().fit_transform(padded)
    assert got.shape == (2, 5, 6) and np.isnan(got[0, 4]).all()
    assert_array_equal(got[1, :2], TimeSinceObserved().fit_transform(X)[1])
    table = TimeSinceObserved().fit(np.array([[1.0, NAN, NAN, 2.0]]))
    got = table.transform([[1.0, NAN, NAN, 2.0]])
    assert_array_equal(got, [[[1, 0], [NAN, 1], [NAN, 2], [2, 3]]])
    assert table.n_features_in_ == 4 and table.n_step_features_in_ == 1


def test_names():
    observed = TimeSinceObserved().fit(with_gaps(n_features=2))
    names = ["pulse", "lactate", "pulse_since_observed", "lactate_since_observed"]
    assert observed.get_feature_names_out(["pulse", "lactate"]).tolist() == names
    with pytest.raises(ValueError, match=r"^input_features must be 2 names, got 1\."):
        observed.get_feature_names_out(["pulse"])


@pytest.mark.parametrize("time", [2, -1, 0.5, "hour"])
def test_time_must_be_a_feature(time):
    with pytest.raises(ValueError, match=r"^time must be the position of one of the 2"):
        TimeSinceObserved(time=time).fit([np.ones((3, 2))])


@pytest.mark.parametrize(
    ("sequence", "step", "value"), [(0, 2, NAN), (1, 0, NAN), (1, 1, -5), (2, 3, 0.5)]
)
def test_time_must_be_known_and_not_decrease(sequence, step, value):
    X = [np.arange(1.0, 5.0)[:, np.newaxis] + [0, 10] for _ in range(3)]
    TimeSinceObserved(time=0).fit(X)
    X[sequence][step, 0] = value
    message = rf"must not decrease, got {value} in X\[{sequence}\] at step {step}\."
    with pytest.raises(ValueError, match=message.replace("-5", "-5.0")):
        TimeSinceObserved(time=0).fit(X)


def test_before_fit_it_says_so():
    with pytest.raises(NotFittedError, match="TimeSinceObserved instance is not fi"):
        TimeSinceObserved().transform(with_gaps())
    with pytest.raises(NotFittedError, match="TimeSinceObserved instance is not fi"):
        TimeSinceObserved().get_feature_names_out()


def test_a_pipeline_can_choose_the_output_of_what_comes_after():
    X = with_gaps()
    pipe = make_pipeline(TimeSinceObserved(), PerStep(SimpleImputer()))
    got = pipe.set_output(transform="pandas").fit_transform(X)
    assert isinstance(got[0], pd.DataFrame) and got[0].shape == (5, 6)


def test_all_checks_of_sklearn_pass():
    assert run_checks(TimeSinceObserved(), {}) > 30


@pytest.mark.heavy
def test_the_recipe_learns_from_what_is_missing():
    """Which class it is shows only in how long ago the last value is."""
    X = [np.full((12, 1), NAN) for _ in range(40)]
    y = np.arange(40) % 2
    for i, x in enumerate(X):
        x[:: 2 + 3 * y[i]] = i % 7
    pipe = make_pipeline(
        TimeSinceObserved(),
        PerStep(SimpleImputer(add_indicator=True)),
        PerStep(StandardScaler()),
        RNNClassifier((8,), max_iter=20, learning_rate_init=0.05, random_state=0),
    )
    assert pipe.fit(X, y).score(X, y) == 1
    names = pipe[:-1].get_feature_names_out()
    assert names.tolist() == ["x0", "x0_since_observed", "missingindicator_x0"]
    frames = [pd.DataFrame(x) for x in X]
    assert_array_equal(pipe.predict(frames), pipe.predict(X))
