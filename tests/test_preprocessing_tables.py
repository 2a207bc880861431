"""Flat rows, other orders of axes and padding, made into sequences and back."""

import numpy as np
import pandas as pd
import pytest
from markers import needs_polars_columns
from numpy.testing import assert_allclose, assert_array_equal
from ragged_checks import run_checks
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.inspection import permutation_importance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier, RNNRegressor
from skrnn.preprocessing import (
    ToSequences,
    from_channels_first,
    from_padded,
    to_channels_first,
    to_padded,
)

NAN = np.nan


def assert_same(got, expected):
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert_array_equal(one, other)
        assert one.shape == np.shape(other)


# ToSequences: 3 steps of 2 features, oldest first, and one column for all steps

STEPS = np.arange(12).reshape(2, 3, 2)
WHOLE = np.array([[100], [200]])
WITH_WHOLE = np.concatenate([STEPS, np.repeat(WHOLE[:, np.newaxis], 3, 1)], axis=2)


def flat(columns):
    """The columns of STEPS in some order; -1 stands for WHOLE."""
    table = np.column_stack([STEPS.reshape(2, 6), WHOLE])
    return table[:, columns]


@pytest.mark.parametrize(
    ("columns", "parameters", "expected"),
    [
        ([0, 1, 2, 3, 4, 5], {}, STEPS),
        ([4, 5, 2, 3, 0, 1], {"time_order": "newest_first"}, STEPS),
        ([0, 1, 2, 3, 4, 5, -1], {"broadcast": [6]}, WITH_WHOLE),
        ([0, 1, -1, 2, 3, 4, 5], {"broadcast": [2]}, WITH_WHOLE),
        (
            [-1, 4, 5, 2, 3, 0, 1],
            {"broadcast": (0,), "time_order": "newest_first"},
            WITH_WHOLE,
        ),
    ],
)
def test_columns_find_their_step(columns, parameters, expected):
    to_sequences = ToSequences(2, **parameters)
    X = flat(columns)
    got = to_sequences.fit_transform(X)
    assert_array_equal(got, expected)
    assert got.dtype == X.dtype
    assert_array_equal(to_sequences.inverse_transform(got), X)
    assert to_sequences.n_timesteps_ == 3
    assert to_sequences.n_features_in_ == len(columns)


def test_columns_for_the_whole_sequence_by_name_and_in_the_order_given():
    frame = pd.DataFrame(
        [[1.0, 7.0, 2.0, 8.0, 3.0]], columns=["t0", "age", "t1", "size", "t2"]
    )
    to_sequences = ToSequences(broadcast=["size", "age"]).fit(frame)
    expected = [[[1, 8, 7], [2, 8, 7], [3, 8, 7]]]
    assert_array_equal(to_sequences.transform(frame), expected)
    assert to_sequences.broadcast_.tolist() == [3, 1]
    assert to_sequences.feature_names_in_.tolist() == list(frame.columns)
    assert_array_equal(to_sequences.inverse_transform(expected), frame)
    assert_array_equal(ToSequences(broadcast=[3, 1]).fit_transform(frame), expected)


def test_one_feature_makes_one():
    X = np.arange(6.0).reshape(2, 3)
    assert_array_equal(ToSequences().fit_transform(X), X[:, :, np.newaxis])
    assert np.shares_memory(ToSequences().fit_transform(X), X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"n_features_per_step": 0},
            r"^n_features_per_step must be an integer >= 1",
        ),
        ({"n_features_per_step": 2.0}, r"^n_features_per_step must be .*, got 2\.0\."),
        ({"n_features_per_step": True}, r"^n_features_per_step must be .*, got True\."),
        ({"time_order": "oldest"}, r"^time_order must be one of .*, got 'oldest'\."),
        (
            {"n_features_per_step": 4},
            r"multiple of n_features_per_step=4 .*, got 6\.",
        ),
        (
            {"n_features_per_step": 2, "broadcast": [0]},
            r"without the 1 to broadcast, got 5\.",
        ),
        ({"broadcast": range(6)}, r"without the 6 to broadcast, got 0\."),
        ({"broadcast": 1}, r"must be a list of positions or of names, got 1\."),
        ({"broadcast": "x0"}, r"must be a list of positions or of names, got 'x0'\."),
        ({"broadcast": [6]}, r"got 6; X has the columns \[0, 1, 2, 3, 4, 5\]\."),
        ({"broadcast": [-1]}, r"^broadcast must name columns of X, got -1; X has"),
        ({"broadcast": ["age"]}, r"^broadcast must name columns of X, got 'age'; X"),
        (
            {"broadcast": [2, 2]},
            r"^broadcast must name no column twice, got \[2",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        ToSequences(**parameters).fit(np.ones((2, 6)))


@pytest.mark.parametrize("shape", [(2, 6), (2, 3, 1), (2, 2, 2)])
def test_sequences_of_another_shape_have_no_inverse(shape):
    to_sequences = ToSequences(2).fit(np.ones((2, 6)))
    with pytest.raises(ValueError, match=r"must be of shape \(n_sequences, 3, 2\)"):
        to_sequences.inverse_transform(np.ones(shape))


@pytest.mark.parametrize(
    "estimator", [ToSequences(), ToSequences(time_order="newest_first")]
)
def test_all_checks_of_sklearn_pass(estimator):
    assert run_checks(estimator, {}) > 30


@pytest.mark.heavy
def test_tables_reach_a_network_through_what_takes_tables_only():
    """A scaler before it, bagging and a permutation importance around it."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8))
    y = (X[:, 6] > 0).astype(int)
    rnn = RNNClassifier((8,), max_iter=40, learning_rate_init=0.05, random_state=0)
    pipe = make_pipeline(StandardScaler(), ToSequences(2), rnn)
    bagging = BaggingClassifier(clone(pipe), n_estimators=2, random_state=0).fit(X, y)
    assert bagging.predict(X).shape == (60,)
    pipe.fit(X, y)
    importance = permutation_importance(pipe, X, y, n_repeats=2, random_state=0)
    assert importance.importances_mean.argmax() == 6


@pytest.mark.parametrize(
    "library",
    ["default", "pandas", pytest.param("polars", marks=needs_polars_columns)],
)
def test_a_pipeline_can_choose_the_output_of_what_comes_before(library):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(12, 4)), columns=["a", "b", "c", "age"])
    pipe = make_pipeline(
        StandardScaler(),
        ToSequences(broadcast=["age"]),
        RNNRegressor((4,), max_iter=2, random_state=0),
    )
    assert pipe.set_output(transform=library) is pipe
    if library == "default":
        pipe.set_params(tosequences__broadcast=[3])
    assert pipe.fit(table, table["a"]).predict(table).shape == (12,)
    assert pipe[:-1].transform(table).shape == (12, 3, 2)


def test_lags_newest_first_are_read_as_a_forecaster_hands_them():
    """One row at a time, F-ordered; the same prediction as for the sequence."""
    series = np.sin(np.arange(60) / 3)
    lags = np.column_stack([series[4 - k : 59 - k] for k in range(5)])
    pipe = make_pipeline(
        ToSequences(time_order="newest_first"),
        RNNRegressor((4,), max_iter=3, random_state=0),
    ).fit(np.asfortranarray(lags), series[5:])
    row = np.asfortranarray(lags[-1:])
    expected = pipe[-1].predict([series[54:59]])
    assert_allclose(pipe.predict(row), expected, rtol=1e-12)


# Channels first


def test_channels_first_and_back():
    X = np.arange(24).reshape(2, 3, 4)
    steps = from_channels_first(X)
    assert steps.shape == (2, 4, 3) and steps[1, 2, 0] == X[1, 0, 2]
    assert np.shares_memory(steps, X)
    assert_array_equal(to_channels_first(steps), X)
    ragged = [X[0], X[1, :, :2]]
    assert_same(from_channels_first(ragged), [x.T for x in ragged])
    assert_same(to_channels_first(tuple(from_channels_first(ragged))), ragged)
    objects = np.empty(2, dtype=object)
    objects[:] = ragged
    assert_same(from_channels_first(objects), [x.T for x in ragged])


@pytest.mark.parametrize(
    ("convert", "axes"),
    [
        (from_channels_first, "n_channels, n_timesteps"),
        (to_channels_first, "n_timesteps, n_channels"),
    ],
)
def test_axes_are_not_guessed(convert, axes):
    with pytest.raises(ValueError, match=rf"\(n_sequences, {axes}\) .* shape \(3, 4\)"):
        convert(np.ones((3, 4)))
    with pytest.raises(ValueError, match=rf"^X\[1\] must be an array \({axes}\), got"):
        convert([np.ones((3, 4)), np.ones(3)])


# Padding

RAGGED = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]])]


def test_padding_and_back():
    padded = to_padded(RAGGED)
    expected = [[[1, 2], [3, 4]], [[5, 6], [NAN, NAN]]]
    assert_array_equal(padded, expected)
    assert_same(from_padded(padded), RAGGED)
    assert all(np.shares_memory(x, padded) for x in from_padded(padded))
    longer = to_padded(RAGGED, value=-1.0, length=4)
    assert longer.shape == (2, 4, 2) and (longer[1, 1:] == -1).all()
    assert_same(from_padded(longer, value=-1), RAGGED)
    assert_same(from_padded(longer, [2, 1]), RAGGED)
    assert_array_equal(to_padded(padded, length=3), to_padded(RAGGED, length=3))


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (np.float32, NAN, np.float32),
        (np.float64, NAN, np.float64),
        (np.int64, 0, np.int64),
        (np.int64, NAN, np.float64),
        (np.int32, 0, np.int32),
    ],
)
def test_padding_keeps_the_type_if_it_holds_the_value(dtype, value, expected):
    """Ids padded with 0 are ids."""
    X = [x.astype(dtype) for x in RAGGED]
    assert to_padded(X, value=value).dtype == expected
    assert to_padded(X[:1], value=value).dtype == expected


def test_padded_ids_and_back():
    ids = [[3, 4, 5], [6]]
    padded = to_padded(ids, value=0)
    assert padded.tolist() == [[[3], [4], [5]], [[6], [0], [0]]]
    assert_same(from_padded(padded[:, :, 0], value=0), ids)


def test_missing_values_are_no_padding():
    X = [np.array([[1.0, NAN], [NAN, 3.0]]), np.array([[NAN, 4.0]])]
    assert_same(from_padded(to_padded(X)), X)


def test_sequences_are_not_cut():
    with pytest.raises(ValueError, match=r"at least 2, .*, got 1, and X\[0\] has 2"):
        to_padded(RAGGED, length=1)


@pytest.mark.parametrize(
    ("X", "lengths", "message"),
    [
        (np.ones(3), None, r"^X must be an array .*, got shape \(3,\)\."),
        (
            np.full((2, 3), NAN),
            None,
            r"^X\[0\] must have 1 to 3 steps, got 0; le",
        ),
        (np.ones((2, 3)), [3, 4], r"^X\[1\] must have 1 to 3 steps, got 4;"),
        (np.ones((2, 3)), [0, 3], r"^X\[0\] must have 1 to 3 steps, got 0;"),
        (np.ones((2, 3)), [3], r"^lengths must be 2 integers, .*, got shape \(1,\)"),
        (np.ones((2, 3)), [1.0, 2.0], r"^lengths must be 2 integers, .* float64\."),
    ],
)
def test_padding_that_cannot_be_cut_off_is_named(X, lengths, message):
    with pytest.raises(ValueError, match=message):
        from_padded(X, lengths)


# Masks


MASKED = np.ma.masked_equal(np.arange(6.0).reshape(1, 2, 3), 4)


@pytest.mark.parametrize(
    "convert", [from_channels_first, to_channels_first, from_padded, to_padded]
)
@pytest.mark.parametrize(
    ("X", "name"), [(MASKED, "X"), ([np.ones((2, 3)), MASKED[0]], r"X\[1\]")]
)
def test_masks_are_refused_and_not_lost(convert, X, name):
    with pytest.raises(ValueError, match=f"^{name} must not be a masked array"):
        convert(X)


def test_lengths_with_a_mask_are_refused():
    lengths = np.ma.masked_equal([2, 1], 1)
    with pytest.raises(ValueError, match=r"^lengths must not be a masked array"):
        from_padded(np.ones((2, 3)), lengths)
