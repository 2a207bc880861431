"""Windows hold what a slow loop says, cross no border and copy nothing."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold, TimeSeriesSplit

from skrnn import RNNRegressor
from skrnn.preprocessing import sliding_windows


def slow_windows(series, window, horizon, step):
    X, y = [], []
    for start in range(0, len(series) - window - horizon + 1, step):
        X.append(series[start : start + window])
        y.append(series[start + window : start + window + horizon])
    return np.array(X), np.array(y)


def make_series(n_timesteps, n_features=2, start=0):
    return start + np.arange(n_timesteps * n_features).reshape(n_timesteps, n_features)


@settings(deadline=None, max_examples=60)
@given(
    window=st.integers(1, 5),
    horizon=st.integers(1, 4),
    step=st.integers(1, 4),
    extra=st.lists(st.integers(0, 6), min_size=1, max_size=3),
    n_features=st.integers(1, 3),
)
def test_windows_are_those_of_a_slow_loop(window, horizon, step, extra, n_features):
    lengths = [window + horizon + more for more in extra]
    series = [make_series(n, n_features, 1000 * i) for i, n in enumerate(lengths)]
    expected = [slow_windows(x, window, horizon, step) for x in series]

    X, y = sliding_windows(series[0], window, horizon, step)
    assert_array_equal(X, expected[0][0])
    n = (lengths[0] - window - horizon) // step + 1
    assert X.shape == (n, window, n_features)
    flat = expected[0][1].reshape(n, -1)
    assert_array_equal(y, flat[:, 0] if flat.shape[1] == 1 else flat)

    X, y, groups = sliding_windows(
        series, window, horizon, step, groups=range(len(series))
    )
    assert_array_equal(np.array(X), np.concatenate([x for x, _ in expected]))
    flat = np.concatenate([y for _, y in expected]).reshape(len(X), -1)
    assert_array_equal(y, flat[:, 0] if flat.shape[1] == 1 else flat)
    assert_array_equal(groups, np.array(X)[:, 0, 0] // 1000)


def test_one_dimension_is_one_feature():
    X, y = sliding_windows([1.0, 2.0, 3.0, 4.0], 2)
    assert X.shape == (2, 2, 1) and y.tolist() == [3, 4]
    X, y = sliding_windows([[1.0, 2.0, 3.0], [7.0, 8.0, 9.0]], 2)
    assert [x[:, 0].tolist() for x in X] == [[1, 2], [7, 8]] and y.tolist() == [3, 9]


@pytest.mark.parametrize(
    ("target", "horizon", "expected"),
    [
        (1, 1, [7, 10]),
        ([1], 1, [7, 10]),
        ([2, 0], 1, [[8, 6], [11, 9]]),
        (0, 2, [[6, 9]]),
        ([0, 1], 2, [[6, 7, 9, 10]]),
    ],
)
def test_targets_are_the_columns_named(target, horizon, expected):
    """The first step's targets come before those of the second."""
    _, y = sliding_windows(make_series(4, 3), 2, horizon, target=target)
    assert y.tolist() == expected


def test_nothing_is_copied(tmp_path):
    """A recording on disk stays there."""
    np.save(tmp_path / "long.npy", make_series(100))
    series = np.load(tmp_path / "long.npy", mmap_mode="r")
    X, y = sliding_windows(series, 10, target=0)
    assert np.shares_memory(X, series) and not X.flags.writeable
    assert X.strides[:2] == (16, 16)
    assert np.shares_memory(y, series) and not y.flags.writeable
    views, y, groups = sliding_windows([series, series], 10, groups=[0, 1])
    assert all(np.shares_memory(x, series) and not x.flags.writeable for x in views)
    whole, _, _ = sliding_windows(series, 10, groups=np.repeat([0, 1], 50))
    assert np.shares_memory(whole[-1], series)


def test_no_series_of_a_list_is_copied_to_tell_what_it_is():
    series = [np.zeros((100_000, 2)) for _ in range(2)]
    tracemalloc.start()
    sliding_windows(series, 10, step=10_000, target=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < series[0].nbytes / 10


@pytest.mark.parametrize("n_features", [1, 2])
def test_an_array_of_series_is_a_list_of_them(n_features):
    series = [make_series(5, n_features), make_series(7, n_features)]
    if n_features == 1:
        series = [x.ravel() for x in series]
    objects = np.empty(2, dtype=object)
    objects[:] = series
    got, expected = sliding_windows(objects, 3), sliding_windows(series, 3)
    assert isinstance(got[0], list)
    for one, other in zip(got, expected, strict=True):
        assert_array_equal(one, other)


def test_labels_of_rows_tell_series_apart():
    """As a column of a long table does."""
    series, labels = np.arange(9), list("aaaabbbbb")
    got = sliding_windows(series, 3, groups=labels)
    expected = sliding_windows([series[:4], series[4:]], 3, groups=["a", "b"])
    for one, other in zip(got, expected, strict=True):
        assert_array_equal(one, other)
    assert got[2].tolist() == ["a", "b", "b"]


def test_groups_keep_series_apart_in_folds():
    series = [make_series(n, 1, 100 * i) for i, n in enumerate((8, 9, 7))]
    X, y, groups = sliding_windows(series, 4, groups=list("xyz"))
    for train, test in GroupKFold(3).split(X, y, groups):
        assert not {y[i] // 100 for i in train} & {y[i] // 100 for i in test}


def test_the_gap_of_the_docstring_keeps_targets_apart():
    X, y = sliding_windows(np.arange(40), 5, horizon=3)
    for train, test in TimeSeriesSplit(3, gap=2).split(X):
        assert y[train].max() < y[test].min()
        assert y[train].max() + 1 == y[test].min()


@pytest.mark.heavy
def test_a_network_learns_from_windows():
    X, y = sliding_windows(np.sin(np.arange(200) / 4), 12, step=2)
    rnn = RNNRegressor((8,), max_iter=30, learning_rate_init=0.02, random_state=0)
    assert rnn.fit(X, y).score(X, y) > 0.9


SERIES = make_series(9)
MASKED = np.ma.masked_equal(SERIES, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SERIES, 0), r"^window must be an integer >= 1, got 0\."),
        ((SERIES, 2.0), r"^window must be an integer >= 1, got 2\.0\."),
        ((SERIES, 2, 0), r"^horizon must be an integer >= 1, got 0\."),
        ((SERIES, 2, 1, True), r"^step must be an integer >= 1, got True\."),
        ((SERIES, 8, 2), r"^series must have .* window \+ horizon = 10 steps, got 9\."),
        (([SERIES, SERIES[:3]], 3), r"^series\[1\] must have .* = 4 steps, got 3\."),
        (([SERIES, SERIES[:, :1]], 3), r"^series\[1\] must have .*\[0\], 2, got 1\."),
        (
            ([SERIES, SERIES[0, 0]], 3),
            r"^series\[1\] must be an array .* shape \(\) ",
        ),
        (
            (SERIES.astype(str), 3),
            r"^series must be an array .* numbers, .* <U",
        ),
        ((SERIES[np.newaxis], 3), r"^series must be an array .* got shape \(1, 9, 2\)"),
        (([], 3), r"^series must be an array .* got shape \(0,\)"),
    ],
)
def test_series_and_sizes_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        sliding_windows(*arguments)


@pytest.mark.parametrize("target", [2, -1, [0, 2], []])
def test_targets_must_be_features(target):
    with pytest.raises(ValueError, match=r"^target must be among the 2 features, 0"):
        sliding_windows(SERIES, 3, target=target)


@pytest.mark.parametrize(
    ("series", "groups", "message"),
    [
        (MASKED, None, r"^series must not be a masked array"),
        (MASKED.astype(object), None, r"^series must not be a masked array"),
        ([SERIES, MASKED], None, r"^series\[1\] must not be a masked array"),
        (SERIES, MASKED[:, 0], r"^groups must not be a masked array"),
        (SERIES, [1, 2], r"^groups must have 9 labels, .*, got shape \(2,\)\."),
        ([SERIES], list(range(9)), r"^groups must have 1 labels, .*, got shape \(9,\)"),
        (SERIES, list("aaabbbaaa"), r"^groups must have the rows of each series next"),
    ],
)
def test_masks_and_groups_that_do_not_fit_are_refused(series, groups, message):
    with pytest.raises(ValueError, match=message):
        sliding_windows(series, 1, groups=groups)
