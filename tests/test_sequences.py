"""X is what the data contract says, and a packed minibatch is X and nothing else."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from skrnn.sequences import (
    BLOCK_ROWS,
    ArraySequences,
    ListSequences,
    Sequences,
    Shard,
    check_sequences,
    contract,
    pack,
    plan_for,
)
from skrnn.sequences.layout import make_plan

NAN = np.nan


class Fitted(BaseEstimator):
    """An estimator that records what `check_sequences` records."""


def fitted(X):
    estimator = Fitted()
    check_sequences(X, estimator=estimator)
    return estimator


def make_ragged(lengths=(3, 1, 4, 1, 5), n_features=2, dtype=np.float64):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, n_features)).astype(dtype) for n in lengths]


def pad(arrays):
    shape = (len(arrays), max(map(len, arrays)), arrays[0].shape[1])
    padded = np.full(shape, NAN, dtype=arrays[0].dtype)
    for entry, array in zip(padded, arrays, strict=True):
        entry[: len(array)] = array
    return padded


def to_object_array(arrays):
    result = np.empty(len(arrays), dtype=object)
    result[:] = arrays
    return result


def contents(sequences):
    """The sequences as a list of float64 arrays, one `take` for each."""
    return [sequences.take(np.array([i]), np.float64) for i in range(len(sequences))]


def assert_holds(sequences, arrays):
    assert isinstance(sequences, Sequences)
    assert len(sequences) == len(arrays)
    assert sequences.n_features == np.shape(arrays[0])[1]
    assert sequences.lengths.dtype == np.int64
    assert sequences.lengths.tolist() == [len(array) for array in arrays]
    assert sequences.n_steps == sum(len(array) for array in arrays)
    for got, array in zip(contents(sequences), arrays, strict=True):
        np.testing.assert_array_equal(got, array)


# The forms of X


def to_memmap(arrays, folder):
    for i, array in enumerate(arrays):
        np.save(folder / f"{i}.npy", array)
    return [np.load(folder / f"{i}.npy", mmap_mode="r") for i in range(len(arrays))]


def to_read_only(arrays):
    copies = [array.copy() for array in arrays]
    for copy in copies:
        copy.flags.writeable = False
    return copies


def to_frames(arrays, frame):
    return [frame({f"c{j}": x[:, j] for j in range(x.shape[1])}) for x in arrays]


RAGGED_FORMS = {
    "list": lambda arrays: arrays,
    "tuple": tuple,
    "object array": to_object_array,
    "Series of arrays": lambda arrays: pd.Series(arrays),
    "nested lists": lambda arrays: [array.tolist() for array in arrays],
    "pandas": lambda arrays: to_frames(arrays, pd.DataFrame),
    "polars": lambda arrays: to_frames(arrays, pl.DataFrame),
    "read-only": to_read_only,
    "F-ordered": lambda arrays: [np.asfortranarray(array) for array in arrays],
    "strided": lambda arrays: [np.repeat(array, 3, axis=0)[::3] for array in arrays],
    "reversed": lambda arrays: [array[::-1].copy()[::-1] for array in arrays],
    "big-endian": lambda arrays: [array.astype(">f8") for array in arrays],
    "objects": lambda arrays: [array.astype(object) for array in arrays],
    "mixed": lambda arrays: [arrays[0].tolist(), *arrays[1:]],
    "padded": pad,
    "padded F-ordered": lambda arrays: np.asfortranarray(pad(arrays)),
    "padded strided": lambda arrays: np.repeat(pad(arrays), 2, axis=1)[:, ::2],
    "padded big-endian": lambda arrays: pad(arrays).astype(">f8"),
    "padded objects": lambda arrays: pad(arrays).astype(object),
    "padded read-only": lambda arrays: to_read_only([pad(arrays)])[0],
}


@pytest.mark.parametrize("form", RAGGED_FORMS)
def test_all_forms_of_ragged_data_are_the_same(form):
    """Container, order, strides and byte order of X change nothing."""
    arrays = make_ragged()
    assert_holds(check_sequences(RAGGED_FORMS[form](arrays)), arrays)


def test_memory_mapped_sequences(tmp_path):
    """Read-only files on disk are sequences like any other."""
    arrays = make_ragged()
    assert_holds(check_sequences(to_memmap(arrays, tmp_path)), arrays)
    (padded,) = to_memmap([pad(arrays)], tmp_path)
    assert_holds(check_sequences(padded), arrays)


UNIVARIATE_FORMS = {
    "list of lists": lambda rows: rows.tolist(),
    "list of arrays": list,
    "list of series": lambda rows: [pd.Series(row) for row in rows],
    "columns": lambda rows: [row[:, np.newaxis] for row in rows],
    "3-D": lambda rows: rows[:, :, np.newaxis],
    "2-D": lambda rows: rows,
    "2-D objects": lambda rows: rows.astype(object),
    "2-D big-endian": lambda rows: rows.astype(">f8"),
    "2-D F-ordered": np.asfortranarray,
    "2-D read-only": lambda rows: to_read_only([rows])[0],
    "pandas": pd.DataFrame,
    "pandas nullable": lambda rows: pd.DataFrame(rows).astype("Float64"),
    "polars": lambda rows: pl.DataFrame(rows),
}


@pytest.mark.parametrize("form", UNIVARIATE_FORMS)
def test_all_forms_of_univariate_data_are_the_same(form):
    """Rows of numbers are sequences with one feature, in a table or out of it."""
    rows = np.random.default_rng(0).normal(size=(4, 3))
    sequences = check_sequences(UNIVARIATE_FORMS[form](rows))
    assert_holds(sequences, rows[:, :, np.newaxis])


def test_array_protocol_is_enough():
    """An object that only has `__array__` is read as the array it makes."""

    class Wrapper:
        def __init__(self, array):
            self.array = array

        def __array__(self, dtype=None, copy=None):
            return self.array

    arrays = make_ragged()
    assert_holds(check_sequences(Wrapper(pad(arrays))), arrays)
    assert_holds(check_sequences([Wrapper(array) for array in arrays]), arrays)
    table = np.ones((3, 2))
    assert_holds(check_sequences(Wrapper(table)), table[:, :, np.newaxis])


@settings(deadline=None, max_examples=50)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=7),
    n_features=st.integers(1, 3),
    chunk=st.integers(1, 40),
    dtype=st.sampled_from(["f2", "f4", "f8", ">f4", "i1", "i8", "u2", "?"]),
)
def test_list_and_padded_array_agree(lengths, n_features, chunk, dtype):
    """Padding says as much as a list does, whatever chunks are validated."""
    arrays = [(array > 0).astype(dtype) for array in make_ragged(lengths, n_features)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contract, "CHUNK_VALUES", chunk)
        assert_holds(check_sequences(arrays), arrays)
        floats = [array.astype(np.float64) for array in arrays]
        assert_holds(check_sequences(pad(floats)), floats)
        whole = np.stack([arrays[0]] * len(arrays))
        assert_holds(check_sequences(whole), list(whole))


# Types


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (["f4", "f4"], np.float32),
        ([">f4", "<f4"], np.float32),
        (["f4", "f8"], np.float64),
        (["f2", "f2"], np.float64),
        (["i4", "f4"], np.float64),
        (["?", "?"], np.float64),
        (["g", "g"], np.float64),
        (["O", "O"], np.float64),
    ],
)
def test_float32_only_if_all_is_float32(dtypes, expected):
    """float32 stays float32; everything else is computed in float64."""
    arrays = [np.ones((3, 1), dtype=dtype) for dtype in dtypes]
    forms = [arrays]
    if len(set(dtypes)) == 1:
        forms += [np.stack(arrays), np.stack(arrays)[:, :, 0]]
    for X in forms:
        sequences = check_sequences(X)
        assert sequences.dtype == expected and sequences.dtype.isnative


def test_a_selection_has_the_type_of_the_whole():
    """A subset that happens to be float32 is computed like the rest."""
    X = [np.ones((2, 1), dtype=np.float32), np.ones((2, 1))]
    assert check_sequences(X).select(slice(1)).dtype == np.float64


# Nothing is copied


@pytest.mark.parametrize("dtype", ["f8", "f4", ">f8", "f2", "i8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_data_is_not_copied(dtype, order):
    """Sequences refer to the user's arrays, of whatever type, and so do selections."""
    cube = np.ones((5, 4, 3), dtype=dtype, order=order)
    table = np.ones((5, 4), dtype=dtype, order=order)
    for X in (cube, table):
        sequences = check_sequences(X)
        assert np.shares_memory(sequences.array, X)
        for indices in (slice(1, 4), np.array([3, 0]), np.arange(5) > 2):
            assert np.shares_memory(sequences.select(indices).array, X)
    for sequences in (check_sequences(list(cube)), check_sequences(list(table))):
        for mine, theirs in zip(sequences.select([4, 0]).arrays, (4, 0), strict=True):
            assert np.shares_memory(mine, sequences.arrays[theirs])
    assert np.shares_memory(check_sequences(list(cube)).arrays[2], cube)


def test_memory_maps_stay_on_disk(tmp_path):
    """A memory map is neither read into memory nor converted as a whole."""
    (padded,) = to_memmap([pad(make_ragged(dtype=np.float32))], tmp_path)
    assert np.shares_memory(check_sequences(padded).array, padded)
    arrays = to_memmap(make_ragged(), tmp_path)
    for mine, theirs in zip(check_sequences(arrays).arrays, arrays, strict=True):
        assert np.shares_memory(mine, theirs)


@pytest.mark.parametrize("make", [list, pad], ids=["list", "array"])
def test_what_is_taken_belongs_to_the_taker(make):
    """Rows are a writable, C-contiguous copy; X survives writing to them."""
    for dtype in (np.float32, np.float64):
        X = make(to_read_only([np.asfortranarray(x) for x in make_ragged()]))
        sequences, indices = check_sequences(X), np.array([4, 0, 4])
        rows, lengths = sequences.take(indices, dtype), sequences.lengths[indices]
        assert rows.dtype == dtype and rows.shape == (13, 2)
        assert lengths.tolist() == [5, 3, 5] and lengths.dtype == np.int64
        assert rows.flags.c_contiguous and rows.flags.writeable
        assert not any(np.shares_memory(rows, x) for x in X)


# What X must not be

FINE = np.ones((3, 2))


def with_value(value, step, feature=0, shape=(6, 2)):
    array = np.ones(shape)
    array[step, feature] = value
    return array


BAD_VALUES = [
    pytest.param(
        [FINE, FINE, with_value(NAN, 4, 1)],
        r"^X\[2\] has NaN at step 4, feature 1; impute it first, or cut it off if it "
        r"is padding\.$",
        id="list-nan",
    ),
    pytest.param(
        [FINE, with_value(-np.inf, 2)],
        r"^X\[1\] has -inf at step 2, feature 0; clip it or impute it first\.$",
        id="list-inf",
    ),
    pytest.param(
        [[1.0, 2.0], [1.0, NAN, 3.0]],
        r"^X\[1\] has NaN at step 1; impute it first, or cut it off",
        id="univariate-nan",
    ),
    pytest.param(
        [np.vstack([FINE, [[NAN, NAN]]])],
        r"^X\[0\] has NaN at step 3, feature 0; impute it first, or cut it off",
        id="list-padding",
    ),
    pytest.param(
        [[[1.0, None]]], r"^X\[0\] has NaN at step 0, feature 1", id="list-None"
    ),
    pytest.param(
        np.stack([np.ones((6, 2)), with_value(NAN, 2, 1)]),
        r"^X\[1\] has NaN at step 2, feature 1; impute it first \(only steps that are "
        r"NaN in all features at the end of a sequence are padding\)\.$",
        id="3d-nan",
    ),
    pytest.param(
        np.stack([with_value(NAN, 5), np.ones((6, 2))]),
        r"^X\[0\] has NaN at step 5, feature 0; impute it first \(only",
        id="3d-half-a-step",
    ),
    pytest.param(
        np.stack([np.ones((6, 2)), with_value(NAN, 3, slice(2))]),
        r"^X\[1\] has NaN at step 3, feature 0; impute it first \(only",
        id="3d-gap",
    ),
    pytest.param(
        np.stack([with_value(NAN, slice(5, 6), slice(2)), with_value(np.inf, 1)]),
        r"^X\[1\] has inf at step 1, feature 0; clip it",
        id="3d-inf",
    ),
    pytest.param(
        np.stack([FINE, FINE * NAN]),
        r"^X\[1\] must have at least one step, got only padding \(NaN\)\.$",
        id="3d-all-nan",
    ),
    pytest.param(
        with_value(NAN, 3, 1),
        r"^X\[3\] has NaN at step 1; impute it first, or pass sequences of different "
        r"lengths as a list of 1-D arrays\.$",
        id="2d-nan",
    ),
    pytest.param(
        pd.DataFrame(with_value(NAN, 3, 1)).astype("Float64"),
        r"^X\[3\] has NaN at step 1; impute it first",
        id="2d-NA",
    ),
    pytest.param(
        with_value(np.inf, 3, 1), r"^X\[3\] has inf at step 1; clip it", id="2d-inf"
    ),
]


@pytest.mark.parametrize("chunk", [1, 12, 2**20])
@pytest.mark.parametrize(("X", "message"), BAD_VALUES)
def test_bad_values_are_named(X, message, chunk, monkeypatch):
    """NaN and inf are refused by sequence, step and feature, with the remedy."""
    monkeypatch.setattr(contract, "CHUNK_VALUES", chunk)
    with pytest.raises(ValueError, match=message):
        check_sequences(X)


WRONG_FORMS = [
    pytest.param(None, r"^X must be a list of .*, got NoneType\.$", id="None"),
    pytest.param("abc", r"^X must be a list of .*, got str\.$", id="str"),
    pytest.param({"a": FINE}, r"^X must be a list of .*, got dict\.$", id="dict"),
    pytest.param(
        (x for x in [FINE]),
        r"^X must be a list of .*, got generator\.$",
        id="generator",
    ),
    pytest.param(3.5, r"^X must be a list of .*, got float\.$", id="number"),
    pytest.param(
        np.ones((2, 2, 2, 2)),
        r"^X must be a list of .*, got an array of shape \(2, 2, 2, 2\)\.$",
        id="4-D",
    ),
    pytest.param([], r"^X must hold at least one sequence, got an empty list", id="[]"),
    pytest.param(
        np.array([], dtype=object),
        r"^X must hold at least one sequence",
        id="no-objects",
    ),
    pytest.param(
        np.ones((0, 3, 2)),
        r"^X must hold at least one sequence, got an array of shape \(0, 3, 2\)",
        id="3d-none",
    ),
    pytest.param(
        np.ones((0, 3)), r"^X was refused: Found array with 0 sample\(s\)", id="2d-none"
    ),
    pytest.param(
        np.ones((3, 0, 2)), r"^X must have at least one step, got none; leave", id="T=0"
    ),
    pytest.param(
        np.ones((3, 2, 0)), r"^X must have at least one feature per step", id="D=0"
    ),
    pytest.param(
        np.ones((3, 0)), r"^X was refused: Found array with 0 feature\(s\)", id="2d-T=0"
    ),
    pytest.param(
        [FINE, np.ones((0, 2))],
        r"^X\[1\] must have at least one step, got none; leave out empty sequences\.$",
        id="list-T=0",
    ),
    pytest.param([[1.0], []], r"^X\[1\] must have at least one step", id="empty-row"),
    pytest.param(
        [FINE, np.ones((2, 0))],
        r"^X\[1\] must have at least one feature per step, got none\.$",
        id="list-D=0",
    ),
    pytest.param(
        [FINE, FINE, np.ones((4, 3))],
        r"^X\[2\] must have as many features as X\[0\], 2, got 3\.$",
        id="mixed-features",
    ),
    pytest.param(
        [np.ones((2, 5)), np.ones((2, 7))],
        r"^X\[1\] must have as many features as X\[0\], 5, got 7\. The axes look "
        r"transposed: they must be \(sequences, time, features\)\. Use "
        r"\[x\.T for x in X\]\.$",
        id="transposed-ragged",
    ),
    pytest.param(
        [FINE, FINE[np.newaxis]],
        r"^X\[1\] must be an \(n_timesteps, n_features\) array or a 1-D array, got an "
        r"array of shape \(1, 3, 2\)\. Reshape your data; one sequence x alone is "
        r"passed as \[x\]\.$",
        id="3-D-element",
    ),
    pytest.param([1.0, 2.0], r"^X\[0\] must be .*, got a single number\. R", id="1-D"),
    pytest.param([FINE, 3], r"^X\[1\] must be .*, got a single number\.", id="0-D"),
    pytest.param(
        np.array([1, 2], dtype=object),
        r"^X\[0\] must be .*, got a single",
        id="1-D-obj",
    ),
    pytest.param(
        np.arange(3.0),
        r"^X must be a list .* Reshape your data; one sequence x alone .* as \[x\]\.$",
        id="1-D-array",
    ),
    pytest.param(np.float64(3), r"^X must be .* of shape \(\)\. R", id="0-D-array"),
    pytest.param(
        pd.Series([1.0, 2.0]), r"^X must be .* of shape \(2,\)\. Resh", id="Series"
    ),
    pytest.param(
        [FINE, [[1, 2], [3]]],
        r"^X\[1\] must be an \(n_timesteps, n_features\) array, got a list that numpy "
        r"makes no array of: .*inhomogeneous",
        id="ragged-element",
    ),
    pytest.param(
        [FINE, "abc"],
        r"^X\[1\] must be numeric, got str; encode texts with skrnn.*TokenEncoder\.$",
        id="list-str",
    ),
    pytest.param(
        pd.Series(["a b", "c"]),
        r"^X\[0\] must be numeric, got str; en",
        id="str-Series",
    ),
    pytest.param(
        np.array(["a b", "c"]), r"^X\[0\] must be numeric, got str_?; en", id="1-D-str"
    ),
    pytest.param([None], r"^X\[0\] must be numeric, got NoneType\.$", id="list-None"),
    pytest.param([{"a": 1}], r"^X\[0\] must be numeric, got dict\.$", id="list-dict"),
    pytest.param(
        [FINE, np.array([["a", "b"]])],
        r"^X\[1\] must be numeric, got dtype <U1; encode texts with skrnn",
        id="list-strings",
    ),
    pytest.param(
        [np.array([["1", "a"]], dtype=object)],
        r"^X\[0\] must be numeric, got objects: could not convert",
        id="list-objects",
    ),
    pytest.param(
        [pd.DataFrame({"a": ["x"], "b": [1.0]})],
        r"^X\[0\] must be numeric, got objects: could not convert",
        id="list-frame",
    ),
    pytest.param(
        [np.array([[{}]], dtype=object)],
        r"^X\[0\] must be numeric, got objects: float\(\) argument",
        id="list-dicts",
    ),
    pytest.param(
        [FINE, np.array([["2020-01-01"]], dtype="M8[D]")],
        r"^X\[1\] must be numeric, got dtype datetime64\[D\]\.$",
        id="list-dates",
    ),
    pytest.param(
        np.array([[["a"]]]), r"^X must be numeric, got dtype <U1; enc", id="3d-strings"
    ),
    pytest.param(
        np.array([["2020-01-01"]], dtype="M8[D]"),
        r"^X must be numeric, got dtype datetime64\[D\]\.$",
        id="2d-dates",
    ),
    pytest.param(
        pl.DataFrame({"a": ["x"], "b": [1.0]}),
        r"^X must be .* could not convert string to float: 'x'; a table with a row for "
        r"each step becomes sequences by skrnn.preprocessing.sequences_from_frame\.$",
        id="2d-polars",
    ),
    pytest.param(
        pd.DataFrame({"a": ["x"], "b": [1.0]}),
        r"^X was .* string to float: 'x'; a table .* skrnn.*sequences_from_frame\.$",
        id="2d-pandas",
    ),
    pytest.param(
        np.array([["a"]]),
        r"not compatible with arrays of .*; encode texts",
        id="2d-str",
    ),
    pytest.param(
        [FINE, FINE * 1j],
        r"^Complex data not supported: X\[1\] must be real\.$",
        id="list-complex",
    ),
    pytest.param(
        np.ones((1, 2, 3)) * 1j, r"^Complex data not supported: X must", id="3d-complex"
    ),
    pytest.param(FINE * 1j, r"^X was refused: Complex data not", id="2d-complex"),
    pytest.param(
        [FINE, np.ma.ones((3, 2))],
        r"^X\[1\] must not be a masked array, since its mask would be ignored",
        id="list-masked",
    ),
    pytest.param(
        np.ma.ones((3, 2, 1)), r"^X must not be a masked array, since", id="3d-masked"
    ),
    pytest.param(
        np.ma.ones((3, 2)), r"^X must not be a masked array, since", id="2d-masked"
    ),
]


@pytest.mark.parametrize(("X", "message"), WRONG_FORMS)
def test_wrong_forms_are_refused(X, message):
    """What is no set of sequences is refused by name, not computed with."""
    with pytest.raises(ValueError, match=message):
        check_sequences(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (csr_array(FINE), r"^Sparse data was passed for X, but dense data is required"),
        (
            [FINE, csr_array(FINE)],
            r"^Sparse data was passed for X\[1\], but dense data is required\. Use "
            r"'\.toarray\(\)'",
        ),
    ],
)
def test_sparse_data_is_refused_as_sklearn_does(X, message):
    """Sparse data is a TypeError with scikit-learn's words."""
    with pytest.raises(TypeError, match=message):
        check_sequences(X)


def test_unparsable_tables_fail_as_in_sklearn():
    """`check_estimator` looks for a TypeError when a table holds a dict."""
    X = FINE.astype(object)
    X[0, 0] = {"foo": "bar"}
    with pytest.raises(TypeError, match=r"argument must be .* string.* number"):
        check_sequences(X)


# What is recorded on the estimator


def test_a_table_pins_width_and_names():
    """2-D X records what scikit-learn records, and one feature per step."""
    estimator = fitted(pd.DataFrame(FINE, columns=["t0", "t1"]))
    assert estimator.n_features_in_ == 2 and estimator.n_step_features_in_ == 1
    assert estimator.feature_names_in_.tolist() == ["t0", "t1"]


@pytest.mark.parametrize("X", [make_ragged(), pad(make_ragged()), [[1.0], [2.0, 3.0]]])
def test_other_forms_leave_no_width(X):
    """`n_features_in_` would be a lie for sequences; an old one is removed."""
    for estimator in (Fitted(), fitted(pd.DataFrame({"a": [1.0]}))):
        sequences = check_sequences(X, estimator=estimator)
        assert vars(estimator) == {"n_step_features_in_": sequences.n_features}


@pytest.mark.parametrize("X", [[FINE * NAN], FINE * NAN, FINE[np.newaxis] * np.inf])
def test_refused_data_records_nothing(X):
    """A failed fit leaves the estimator unfitted."""
    estimator = Fitted()
    with pytest.raises(ValueError, match="has (NaN|inf)"):
        check_sequences(X, estimator=estimator)
    assert vars(estimator) == {}


def test_predict_records_nothing():
    """`reset=False` compares and leaves the estimator as it was."""
    estimator = fitted(FINE)
    before = dict(vars(estimator))
    for X in (FINE, FINE[:, :, np.newaxis], [[1.0], [2.0, 3.0]]):
        check_sequences(X, estimator=estimator, reset=False)
        assert vars(estimator) == before


def test_width_is_compared_for_tables_only():
    """After a 2-D fit, a table of another width is refused; sequences are not."""
    estimator = fitted(FINE)
    message = "X has 5 features, but Fitted is expecting 2 features as input"
    with pytest.raises(ValueError, match=message):
        check_sequences(np.ones((3, 5)), estimator=estimator, reset=False)
    for X in (np.ones((3, 5, 1)), [np.ones(7)]):
        assert check_sequences(X, estimator=estimator, reset=False).n_features == 1


def test_names_are_compared_for_tables():
    """After a fit on a DataFrame, other column names are refused."""
    estimator = fitted(pd.DataFrame(FINE, columns=["t0", "t1"]))
    other = pd.DataFrame(FINE, columns=["t1", "t0"])
    with pytest.raises(ValueError, match="feature names should match"):
        check_sequences(other, estimator=estimator, reset=False)


LIBRARIES = pytest.mark.parametrize(
    "frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"]
)


@LIBRARIES
def test_names_are_compared_for_frames_in_a_list(frame):
    """By position, columns in another order would give wrong answers silently."""
    estimator = fitted(to_frames(make_ragged(n_features=2), frame))
    assert estimator.feature_names_in_.tolist() == ["c0", "c1"]
    X = [np.ones((2, 2)), *(frame({"c1": [1.0], "c0": [2.0]}) for _ in range(3))]
    message = (
        r"^X must have the columns that Fitted was fitted with, \['c0', 'c1'\], in "
        r"this order, got \['c1', 'c0'\]\.$"
    )
    with pytest.raises(ValueError, match=message):
        check_sequences(X, estimator=estimator, reset=False)
    X[2] = frame({"c0": [1.0], "c1": [2.0]})
    message = r"^X\[2\] must have the columns of X\[1\], \['c1', 'c0'\], .* got \['c0'"
    for anyone, reset in ((estimator, False), (Fitted(), True), (Fitted(), False)):
        with pytest.raises(ValueError, match=message):
            check_sequences(X, estimator=anyone, reset=reset)


@LIBRARIES
def test_columns_without_names_are_read_by_position(frame):
    """Arrays, and frames whose columns are no strings, before and after others."""
    frames = to_frames(make_ragged(n_features=2), frame)
    arrays = make_ragged(n_features=2)
    numbered = [pd.DataFrame(x, columns=[1, 0]) for x in arrays]
    half = [pd.DataFrame(x, columns=["a", 0]) for x in arrays]
    for known in (frames, arrays, numbered, half, frames[:1] + arrays):
        estimator = fitted(known)
        assert hasattr(estimator, "feature_names_in_") == (known[0] is frames[0])
        for X in (
            frames,
            arrays,
            numbered,
            half,
            numbered[:1] + frames,
            np.ones((2, 3, 2)),
        ):
            check_sequences(X, estimator=estimator, reset=False)
    table = fitted(pd.DataFrame(FINE, columns=["t0", "t1"]))
    check_sequences([frame({"a": [1.0]})], estimator=table, reset=False)


def test_tables_of_any_width_after_a_univariate_ragged_fit():
    """Without a pinned width there is none to compare, nor names."""
    estimator = fitted([[1.0], [2.0, 3.0]])
    for X in (np.ones((2, 9)), pd.DataFrame({"a": [1.0], "b": [2.0]})):
        check_sequences(X, estimator=estimator, reset=False)
        assert not hasattr(estimator, "n_features_in_")


TRANSPOSED = r"The axes look transposed: they must be \(sequences, time, features\)"


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((2, 7, 3)), r"Fitted was fitted with, got 3\.$"),
        (make_ragged((4, 2), 5), r"Fitted was fitted with, got 5\.$"),
        (np.ones((2, 2, 7)), rf"got 7\. {TRANSPOSED}\. Use X\.transpose\(0, 2, 1\)\.$"),
        (np.ones((2, 2, 1)), rf"got 1\. {TRANSPOSED}\. Use X\.transpose\(0, 2, 1\)\.$"),
        (make_ragged((2, 2), 5), rf"got 5\. {TRANSPOSED}\. Use \[x\.T for x in X\]\.$"),
        (to_frames(make_ragged((2,), 5), pd.DataFrame), rf"got 5\. {TRANSPOSED}"),
        (np.ones((7, 2)), r"got 1\. A 2-D X, .* pass one sequence alone as \[X\]\.$"),
        (pd.DataFrame(FINE), r"got 1\. A 2-D X, .* one sequence alone as \[X\]\.$"),
        ([[1.0, 2.0], [3.0, 4.0]], r"got 1\. A 2-D X, .* sequence alone as \[X\]\.$"),
    ],
)
def test_another_number_of_features_is_refused(X, message):
    """The message names both numbers, and the remedy if it can be known."""
    estimator = fitted(make_ragged(n_features=2))
    with pytest.raises(ValueError, match=r"^X must have 2 feature\(s\) per step, as "):
        check_sequences(X, estimator=estimator, reset=False)
    with pytest.raises(ValueError, match=message):
        check_sequences(X, estimator=estimator, reset=False)


def test_an_unfitted_estimator_compares_nothing():
    """As in scikit-learn, whoever predicts first checks that there was a fit."""
    estimator = Fitted()
    check_sequences(FINE, estimator=estimator, reset=False)
    assert vars(estimator) == {}


class LastSteps(RegressorMixin, BaseEstimator):
    """Linear regression on what flattened sequences of equal length hold."""

    def fit(self, X, y):
        sequences = check_sequences(X, estimator=self)
        y = validate_data(self, X="no_validation", y=y, reset=False)
        self.regression_ = LinearRegression().fit(self._flat(sequences), y)
        return self

    def predict(self, X):
        check_is_fitted(self)
        sequences = check_sequences(X, estimator=self, reset=False)
        return self.regression_.predict(self._flat(sequences))

    def _flat(self, sequences):
        rows = sequences.take(np.arange(len(sequences)), sequences.dtype)
        return rows.reshape(len(sequences), -1)


CHECKED = []


@pytest.mark.filterwarnings("ignore:Skip:sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([LastSteps()])
def test_estimators_on_the_contract_pass_sklearns_checks(estimator, check):
    """2-D X obeys scikit-learn in names, widths, messages and types."""
    CHECKED.append(check)
    check(estimator)


def test_sklearns_checks_did_run():
    """A tag that turned most checks off would make the test above empty."""
    assert len(CHECKED) == 0 or len(CHECKED) > 40


# Packing, against an obvious slow twin

RAGGED = st.lists(st.integers(1, 7), min_size=1, max_size=9)


def slow_order(lengths):
    return sorted(range(len(lengths)), key=lambda b: -lengths[b])


def slow_rows(arrays):
    """The rows of `arrays`, step by step, longest sequence first."""
    order = slow_order([len(array) for array in arrays])
    steps = range(max(map(len, arrays)))
    rows = [arrays[b][t] for t in steps for b in order if t < len(arrays[b])]
    return np.array(rows)


def assert_packs(packed, arrays):
    """`packed` is what packing `arrays`, given longest first, must give."""
    lengths = [len(array) for array in arrays]
    sizes = [sum(n > t for n in lengths) for t in range(max(lengths))]
    np.testing.assert_array_equal(packed.rows, slow_rows(arrays))
    assert packed.plan.lengths.tolist() == sorted(lengths, reverse=True)
    assert packed.plan.sizes.tolist() == sizes
    assert packed.plan.starts.tolist() == [0, *np.cumsum(sizes)]
    for field in (
        packed.plan.sizes,
        packed.plan.starts,
        packed.plan.lengths,
        packed.plan.order,
    ):
        assert field.dtype == np.int64 and field.flags.c_contiguous
    assert packed.rows.flags.c_contiguous and packed.rows.flags.writeable


def pack_all(arrays):
    return pack(check_sequences(arrays), np.arange(len(arrays)), np.float64)


@settings(deadline=None)
@given(RAGGED, st.integers(1, 3), st.randoms(), st.sampled_from([list, pad]))
def test_pack_equals_its_slow_twin(lengths, n_features, random, make):
    """Rows, sizes, starts, lengths and order, for any minibatch of any X."""
    arrays = make_ragged(lengths, n_features)
    indices = np.array([random.randrange(len(arrays)) for _ in range(5)])
    chosen = [arrays[i] for i in indices]
    packed = pack(check_sequences(make(arrays)), indices, np.float64)
    assert_packs(packed, chosen)
    assert packed.plan.order.tolist() == slow_order([len(array) for array in chosen])


@settings(deadline=None)
@given(RAGGED)
def test_unpack_and_restore_undo_packing(lengths):
    """Values of steps and of sequences come back in minibatch order."""
    arrays = make_ragged(lengths)
    packed = pack_all(arrays)
    for got, array in zip(packed.unpack(packed.rows), arrays, strict=True):
        np.testing.assert_array_equal(got, array)
    for got, array in zip(packed.unpack(packed.rows[:, 0]), arrays, strict=True):
        np.testing.assert_array_equal(got, array[:, 0])
    last = packed.restore(packed.rows[packed.plan.last_rows])
    np.testing.assert_array_equal(last, [array[-1] for array in arrays])
    assert packed.restore(packed.plan.lengths).tolist() == lengths


@settings(deadline=None)
@given(RAGGED)
def test_reverse_rows_run_each_sequence_backwards(lengths):
    """Each sequence turns within its own length; turning twice changes nothing."""
    arrays = make_ragged(lengths)
    packed = pack_all(arrays)
    backwards = packed.unpack(packed.rows[packed.plan.reverse_rows])
    for got, array in zip(backwards, arrays, strict=True):
        np.testing.assert_array_equal(got, array[::-1])
    twice = packed.plan.reverse_rows[packed.plan.reverse_rows]
    assert twice.tolist() == list(range(sum(lengths)))


@settings(deadline=None)
@given(RAGGED)
def test_rows_know_their_sequence(lengths):
    """Dropout masks and poolings reach every row by the sequence it belongs to."""
    packed, B = pack_all(make_ragged(lengths)), len(lengths)
    by_length = sorted(lengths, reverse=True)
    steps = [(t, b) for t in range(max(lengths)) for b in range(B) if t < by_length[b]]
    assert packed.plan.sequence_of_row.tolist() == [b for _, b in steps]


@settings(deadline=None)
@given(RAGGED, st.integers(1, 4))
def test_time_slices_are_packs_of_the_pieces(lengths, n_steps):
    """Each slice packs the pieces of the active sequences, without a copy."""
    packed = pack_all(make_ragged(lengths))
    ordered = [packed.unpack(packed.rows)[b] for b in packed.plan.order]
    n_rows = 0
    for start in range(0, max(lengths), n_steps):
        piece = packed.time_slice(start, start + n_steps)
        pieces = [array[start : start + n_steps] for array in ordered]
        active = [array for array in pieces if len(array)]
        assert_packs(piece, active)
        assert piece.plan.order.tolist() == packed.plan.order[: len(active)].tolist()
        assert np.shares_memory(piece.rows, packed.rows)
        n_rows += len(piece.rows)
    assert n_rows == sum(lengths)


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=300),
    st.integers(0, 59),
    st.integers(1, 4),
)
def test_blocks_are_the_steps_that_begin_within_so_many_rows(lengths, start, n_shards):
    """Of a minibatch, of its last steps, and of its shards."""
    plan = make_plan(np.array(lengths))
    last = plan.time_slice(min(start, max(lengths) - 1), max(lengths))
    for part in (plan, last, *(shard for shard, _ in plan.shards(n_shards))):
        numbers = [row // BLOCK_ROWS for row in part.starts[:-1].tolist()]
        firsts = [t for t, k in enumerate(numbers) if t == 0 or k > numbers[t - 1]]
        assert part.blocks.tolist() == [*firsts, part.sizes.size]
        n_rows = np.diff(part.starts[part.blocks])
        assert n_rows.max() < BLOCK_ROWS + part.n_sequences


@settings(deadline=None)
@given(RAGGED, st.integers(1, 12))
def test_shards_are_packs_of_about_equally_many_steps(lengths, n_shards):
    """The packed sequences in their order; each border is as near as can be."""
    arrays = make_ragged(lengths)
    plan, shards = make_shards(arrays, n_shards)
    assert 1 <= len(shards) <= min(n_shards, len(arrays))
    for shard in shards:
        order = shard.plan.order
        assert_packs(shard, [arrays[i] for i in order])
        assert order.tolist() == plan.order[shard.positions].tolist()
    dealt = np.concatenate([shard.plan.order for shard in shards])
    assert dealt.tolist() == plan.order.tolist()
    ends = np.cumsum([shard.plan.n_rows for shard in shards]) / plan.n_rows
    for wanted in np.arange(1, n_shards) / n_shards:
        distance = np.abs(np.append(ends, 0.0) - wanted).min()
        assert distance <= 0.5 * max(lengths) / plan.n_rows + 1e-9


def make_shards(arrays, n_shards):
    sequences, indices = check_sequences(arrays), np.arange(len(arrays))
    plan = plan_for(sequences, indices)
    shards = plan.shards(n_shards)
    return plan, [Shard(sequences, indices, *shard, np.float64) for shard in shards]


def test_a_shard_unpacks_by_itself():
    """Unpacking a shard gives its own sequences, in minibatch order."""
    arrays = make_ragged((2, 5, 3, 4))
    packed = make_shards(arrays, 2)[1][1]
    expected = [arrays[i] for i in sorted(packed.plan.order)]
    for got, array in zip(packed.unpack(packed.rows), expected, strict=True):
        np.testing.assert_array_equal(got, array)
    assert packed.restore(packed.plan.order).tolist() == sorted(packed.plan.order)


# Selections


@settings(deadline=None)
@given(RAGGED, st.data(), st.sampled_from([list, pad]))
def test_selections_index_like_arrays(lengths, data, make):
    """A selection of a selection is what indexing twice would give."""
    arrays = make_ragged(lengths)
    sequences = check_sequences(make(arrays))
    assert isinstance(sequences, ListSequences if make is list else ArraySequences)
    n = len(arrays)
    picks = data.draw(st.lists(st.integers(-n, n - 1), min_size=1, max_size=5))
    selection = sequences.select(np.array(picks))
    assert_holds(selection, [arrays[i] for i in picks])
    assert_holds(
        selection.select(slice(None, None, -1)), [arrays[i] for i in picks[::-1]]
    )
    mask = np.array(lengths) == max(lengths)
    assert_holds(sequences.select(mask), [arrays[i] for i in np.flatnonzero(mask)])


@pytest.mark.parametrize("make", [list, pad], ids=["list", "array"])
def test_indices_out_of_range_are_refused(make):
    """Kernels check no bounds, so indices are checked before them."""
    sequences = check_sequences(make(make_ragged()))
    for use in (sequences.select, lambda indices: pack(sequences, indices, "f8")):
        with pytest.raises(IndexError, match="out of bounds"):
            use(np.array([0, 5]))


@pytest.mark.parametrize("make", [list, pad], ids=["list", "array"])
def test_truncated_sequences_are_their_first_steps(make):
    ragged = make_ragged()
    short = check_sequences(make(ragged)).truncate(2)
    rows = short.take(np.arange(len(ragged)), np.float64)
    np.testing.assert_array_equal(short.lengths, [min(len(x), 2) for x in ragged])
    np.testing.assert_array_equal(rows, np.concatenate([x[:2] for x in ragged]))


@pytest.mark.parametrize("make", [list, pad], ids=["list", "array"])
@pytest.mark.parametrize("dtype", ["f8", "f2", ">f4"])
def test_the_largest_value_of_each_sequence_is_known(make, dtype):
    """Of either sign, and whatever padding there is."""
    arrays = [array.astype(dtype) for array in make_ragged()]
    sequences = check_sequences(make(arrays)).select(np.array([3, 0, 4]))
    expected = [np.abs(arrays[i]).max() for i in (3, 0, 4)]
    assert sequences.largest_values().tolist() == expected


def test_the_largest_value_of_integers_and_bools_is_known():
    lowest = np.full((2, 3, 1), -128, "i1")
    for X in (lowest, list(lowest)):
        assert check_sequences(X).largest_values().tolist() == [128, 128]
    for X in (lowest < 0, list(lowest < 0)):
        assert check_sequences(X).largest_values().tolist() == [1, 1]


def test_a_kind_of_sequences_must_define_its_methods():
    """The base class names what is missing."""
    sequences = Sequences(np.array([1]), 1, np.dtype("f8"))
    with pytest.raises(NotImplementedError, match="must define `select`"):
        sequences.select(slice(1))
    with pytest.raises(NotImplementedError, match="must define `truncate`"):
        sequences.truncate(1)
    with pytest.raises(NotImplementedError, match="must define `take`"):
        sequences.take(np.array([0]), np.float64)
    with pytest.raises(NotImplementedError, match="must define `view`"):
        sequences.view(0)


# Without the compiler


SCRIPT = """
import sys
import numpy as np
from skrnn.sequences import check_sequences, pack
assert "numba" not in sys.modules
X = [np.arange(n) for n in (2.0, 4.0, 1.0)]
packed = pack(check_sequences(X), np.arange(3), np.float64)
print(packed.rows.ravel().tolist(), packed.plan.reverse_rows.tolist())
print([plan.order.tolist() for plan, _ in packed.plan.shards(2)])
print([x.ravel().tolist() for x in packed.unpack(packed.rows)])
"""


@pytest.mark.heavy
@pytest.mark.parametrize("disable", ["0", "1"])
def test_packing_works_without_compiling(disable):
    """NUMBA_DISABLE_JIT=1 gives the same numbers; importing does not load numba."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "NUMBA_DISABLE_JIT": disable},
        capture_output=True,
        text=True,
    )
    assert result.stdout.splitlines() == [
        "[0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 3.0] [6, 4, 2, 5, 1, 3, 0]",
        "[[1], [0, 2]]",
        "[[0.0, 1.0], [0.0, 1.0, 2.0, 3.0], [0.0]]",
    ], result.stderr
