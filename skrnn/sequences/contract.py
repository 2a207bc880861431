"""The one owner of the data contract: what X may be, and what is wrong with it."""

import math
from numbers import Number

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import (
    _check_feature_names,
    check_array,
    validate_data,
)

from skrnn.sequences.containers import ArraySequences, ListSequences
from skrnn.sequences.naming import naming

CHUNK_VALUES = 2**20

FORMS = (
    "a list of (n_timesteps_i, n_features) arrays, a list of 1-D arrays, an "
    "(n_sequences, n_timesteps, n_features) array, or an (n_sequences, n_timesteps) "
    "array or DataFrame of univariate sequences"
)

OF_TEXTS = "encode texts with skrnn.preprocessing.TokenEncoder"
OF_TABLES = (
    "a table with a row for each step becomes sequences by "
    "skrnn.preprocessing.sequences_from_frame"
)

ALONE = "Reshape your data; one sequence x alone is passed as [x]."

NAN_REMEDIES = {
    "list": "impute it first, or cut it off if it is padding",
    "3-D": (
        "impute it first (only steps that are NaN in all features at the end of a "
        "sequence are padding)"
    ),
    "2-D": (
        "impute it first, or pass sequences of different lengths as a list of 1-D "
        "arrays"
    ),
}


def check_sequences(X, *, estimator=None, reset=True, dtype=None, allow_nan=False):
    """Check X against the data contract, without a copy of it.

    Parameters
    ----------
    X : list, tuple, array-like or DataFrame
        One of

        - list, tuple or 1-D object array of (n_timesteps_i, n_features) arrays;
        - list, tuple or 1-D object array of 1-D arrays: univariate sequences;
        - array of shape (n_sequences, n_timesteps, n_features), in which steps that
          are NaN in all features at the end of a sequence are padding;
        - array, DataFrame or list of equally long lists of numbers, of shape
          (n_sequences, n_timesteps): univariate sequences, oldest step first.

    estimator : estimator, default=None
        Where to record, or to look up, what X must be like: `n_step_features_in_`
        for all forms, `n_features_in_` for 2-D X only, and `feature_names_in_` for
        DataFrames: one that is X, or those in a list.
    reset : bool, default=True
        Whether to record (in `fit`) or to compare (in `predict`).
    dtype : dtype, default=None
        What to compute in, if that is settled; values that it cannot hold are refused.
        None takes float32 if all of X is, else float64.
    allow_nan : bool, default=False
        Whether NaN may stand for a missing value. In a 3-D array the steps that are NaN
        in all features at the end of a sequence are padding all the same.

    Returns
    -------
    Sequences
    """
    with naming("X"):
        return _check_sequences(X, estimator, reset, dtype, allow_nan)


def _check_sequences(X, estimator, reset, dtype, allow_nan):
    form, X = recognise(X)
    if form == "2-D" and not reset and hasattr(estimator, "n_features_in_"):
        _check_feature_names(estimator, X, reset=False)
    is_usable = _is_no_infinity if allow_nan else np.isfinite
    sequences = _READERS[form](X, estimator, is_usable)
    if dtype is not None:
        _compute_in(np.dtype(dtype), sequences)
    if estimator is not None:
        compare_or_record(X, sequences, form, estimator, reset)
    return sequences


def _is_no_infinity(array):
    return ~np.isinf(array)


def check_step(x, n_features, dtype, estimator=None):
    """Check one step of some streams.

    Parameters
    ----------
    x : array-like of shape (n_streams, n_features) or (n_features,)
    n_features : int
    dtype : dtype
    estimator : estimator, default=None
        Who knows the names that the columns of a DataFrame must have.

    Returns
    -------
    ndarray of shape (n_streams, n_features)
        Contiguous, writable and of type `dtype`: x itself, if it is so.
    """
    if type(x) is not np.ndarray or x.ndim != 2 or x.dtype != dtype:
        _compare_names(_column_names(x), estimator, "x_t")
        x = _read_step(x, dtype)
    elif not x.flags.carray:
        x = x.copy()
    if x.shape[1] != n_features or len(x) == 0:
        raise ValueError(
            f"x_t must be of shape (n_streams, {n_features}), or ({n_features},) for "
            f"one stream, got {len(x)} stream(s) of {x.shape[1]} feature(s)."
        )
    if not math.isfinite(np.vdot(x, x)):  # one pass; large values make it infinite too
        _check_step_is_finite(x)
    return x


def _check_step_is_finite(x):
    for stream, feature in np.argwhere(~np.isfinite(x))[:1].tolist():
        raise ValueError(
            f"x_t has {x[stream, feature]} in stream {stream}, feature {feature}; "
            "clip it or impute it first."
        )


def _read_step(x, dtype):
    """Return `x` as a new array of two dimensions."""
    array = _to_numeric(x, "x_t")
    if array.ndim not in (1, 2):
        raise ValueError(
            "x_t must be an array (n_streams, n_features), or (n_features,) for one "
            f"stream, got shape {array.shape}."
        )
    with np.errstate(over="ignore"):  # what becomes infinite is refused
        return np.array(array, dtype, order="C", ndmin=2)


def recognise(X):
    """Tell the form of X.

    Parameters
    ----------
    X : list, tuple, array-like or DataFrame
        As in `check_sequences`.

    Returns
    -------
    form : {"list", "3-D", "2-D"}
    X : list, tuple, array or DataFrame
        X itself, or what it is made into before it is read.
    """
    if isinstance(X, (list, tuple)):
        return ("2-D", np.asarray(X)) if _is_table(X) else ("list", X)
    if not (hasattr(X, "__array__") or issparse(X)):
        raise ValueError(f"X must be {FORMS}, got {type(X).__name__}.")
    if not hasattr(X, "shape"):
        X = np.asarray(X)
    if len(X.shape) > 3:
        raise ValueError(f"X must be {FORMS}, got an array of shape {tuple(X.shape)}.")
    if len(X.shape) == 3:
        return "3-D", X
    if len(X.shape) < 2 and not issparse(X):
        array = np.asarray(X)
        if array.ndim == 0 or array.dtype.kind not in "OUT":
            raise ValueError(
                f"X must be {FORMS}, got an array of shape {array.shape}. {ALONE}"
            )
        return "list", list(array)
    return "2-D", X


def _is_table(X):
    """Whether X is rows of plain numbers, all of the same length."""
    if not all(isinstance(row, (list, tuple)) for row in X):
        return False
    lengths = {len(row) for row in X}
    plain = all(isinstance(value, Number) for row in X for value in row)
    return plain and len(lengths) == 1 and lengths != {0}


def _read_list(X, estimator, is_usable):
    if len(X) == 0:
        raise ValueError("X must hold at least one sequence, got an empty list.")
    arrays = [_read_element(x, i, is_usable) for i, x in enumerate(X)]
    n_features = arrays[0].shape[1]
    if any(array.shape[1] != n_features for array in arrays):
        _refuse_mixed_features(arrays)
    lengths = np.array([len(array) for array in arrays], dtype=np.int64)
    dtype = _computing_dtype({array.dtype for array in arrays})
    return ListSequences(arrays, lengths, n_features, dtype)


def _read_element(x, i, is_usable):
    """Return sequence `i` as an array of shape (n_timesteps, n_features)."""
    array = _to_numeric(x, f"X[{i}]")
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        _refuse_element(array, i)
    _check_not_empty(array.shape, f"X[{i}]")
    if array.dtype.kind == "f" and not is_usable(array).all():
        _refuse_value(array, i, "list", is_usable)
    return array


def _read_3d(X, estimator, is_usable):
    array = _to_numeric(X, "X")
    if len(array) == 0:
        raise ValueError(
            f"X must hold at least one sequence, got an array of shape {array.shape}."
        )
    _check_not_empty(array.shape[1:], "X")
    return _array_sequences(array, "3-D", is_usable)


def _read_2d(X, estimator, is_usable):
    refuse_masked(X, "X")
    try:
        array = check_array(
            X,
            dtype="numeric",
            ensure_all_finite=False,
            estimator=estimator,
            input_name="X",
        )
        array = _to_numeric(array, "X")[:, :, np.newaxis]
    except ValueError as error:
        if "string" not in str(error):
            raise
        hint = OF_TABLES if hasattr(X, "columns") else OF_TEXTS
        raise ValueError(f"{str(error).rstrip('.')}; {hint}.") from error
    return _array_sequences(array, "2-D", is_usable)


def _array_sequences(array, form, is_usable):
    lengths = _measure(array, form, is_usable)
    dtype = _computing_dtype({array.dtype})
    return ArraySequences(array, np.arange(len(array)), lengths, dtype)


def _computing_dtype(dtypes):
    """Return float32 if all of `dtypes` are, in any byte order, else float64."""
    is_single = all(dtype.type is np.float32 for dtype in dtypes)
    return np.dtype(np.float32 if is_single else np.float64)


_READERS = {"list": _read_list, "3-D": _read_3d, "2-D": _read_2d}


def _to_numeric(x, name):
    """Return `x` as an array of real numbers; `name` is what messages call it."""
    array = x if type(x) is np.ndarray else _to_array(x, name)
    if array.dtype.kind in "fiub":
        return array if array.dtype.itemsize <= 8 else _narrow(array)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} must be real.")
    if array.dtype.kind != "O" or array.ndim == 0:
        got = f"dtype {array.dtype}" if array.ndim else type(x).__name__
        hint = f"; {OF_TEXTS}" if array.dtype.kind in "SUT" else ""
        raise ValueError(f"{name} must be numeric, got {got}{hint}.")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} must be numeric, got objects: {error}.") from error


def _narrow(array):
    """Return an array of long doubles in float64."""
    with np.errstate(over="ignore"):  # what becomes infinite is refused
        return array.astype(np.float64)


def _to_array(x, name):
    if issparse(x):
        raise TypeError(
            f"Sparse data was passed for {name}, but dense data is required. Use "
            "'.toarray()' to convert to a dense numpy array."
        )
    refuse_masked(x, name)
    try:
        return np.asarray(x)
    except ValueError as error:
        raise ValueError(
            f"{name} must be an (n_timesteps, n_features) array, got a "
            f"{type(x).__name__} that numpy makes no array of: {error}"
        ) from error


def refuse_masked(x, name):
    """Raise ValueError if `x`, which messages call `name`, is a masked array."""
    if isinstance(x, np.ma.MaskedArray):
        raise ValueError(
            f"{name} must not be a masked array, since its mask would be ignored; "
            "impute it first."
        )


def _measure(array, form, is_usable):
    """Return the length of each sequence of an array of shape (n, T, D)."""
    n, T, D = array.shape
    lengths = np.full(n, T, dtype=np.int64)
    if array.dtype.kind == "f":
        n_chunk = max(1, CHUNK_VALUES // (T * D))
        for start in range(0, n, n_chunk):
            chunk = array[start : start + n_chunk]
            if not np.isfinite(chunk).all():
                lengths[start : start + n_chunk] = _measure_chunk(
                    chunk, start, form, is_usable
                )
    return lengths


def _measure_chunk(chunk, start, form, is_usable):
    """Return the lengths of the sequences from `start` on, some not all finite."""
    lengths = _lengths_before_padding(chunk) if form == "3-D" else chunk.shape[1]
    lengths = np.broadcast_to(lengths, len(chunk))
    is_real = np.arange(chunk.shape[1]) < lengths[:, np.newaxis]
    is_bad = (~is_usable(chunk).all(axis=2) & is_real).any(axis=1) | (lengths == 0)
    if is_bad.any():
        i = int(is_bad.argmax())
        if lengths[i] == 0:
            raise ValueError(
                f"X[{start + i}] must have at least one step, got only padding (NaN)."
            )
        _refuse_value(chunk[i], start + i, form, is_usable)
    return lengths


def _lengths_before_padding(chunk):
    """Return the number of steps, (n,), before those that are NaN to the end."""
    is_padding = np.isnan(chunk).all(axis=2)
    n_trailing = np.logical_and.accumulate(is_padding[:, ::-1], axis=1).sum(axis=1)
    return chunk.shape[1] - n_trailing


def _check_not_empty(shape, name):
    n_timesteps, n_features = shape
    if n_timesteps == 0:
        raise ValueError(
            f"{name} must have at least one step, got none; leave out empty sequences."
        )
    if n_features == 0:
        raise ValueError(f"{name} must have at least one feature per step, got none.")


def _refuse_element(array, i):
    got = "a single number" if array.ndim == 0 else f"an array of shape {array.shape}"
    raise ValueError(
        f"X[{i}] must be an (n_timesteps, n_features) array or a 1-D array, got {got}. "
        + ALONE
    )


def _refuse_value(array, i, form, is_usable):
    """Name the first value of sequence `i`, shape (T, D), that is not usable."""
    step, feature = np.argwhere(~is_usable(array))[0].tolist()
    value = array[step, feature]
    place = f"step {step}" + (f", feature {feature}" if array.shape[1] > 1 else "")
    if np.isnan(value):
        raise ValueError(f"X[{i}] has NaN at {place}; {NAN_REMEDIES[form]}.")
    raise ValueError(f"X[{i}] has {value} at {place}; clip it or impute it first.")


def _compute_in(dtype, sequences):
    if dtype.itemsize < sequences.dtype.itemsize:
        _refuse_overflow(sequences, dtype)
    sequences.dtype = dtype


def _refuse_overflow(sequences, dtype):
    """Name the first sequence with a value that is infinite in `dtype`."""
    sizes = sequences.largest_values()
    for i in np.flatnonzero(sizes > np.finfo(dtype).max)[:1]:
        raise ValueError(
            f"X[{i}] has values of up to {sizes[i]:.3g}, too large for {dtype.name}, "
            "which is computed in; scale X, or compute in float64."
        )


def _refuse_mixed_features(arrays):
    D = arrays[0].shape[1]
    i = next(i for i, array in enumerate(arrays) if array.shape[1] != D)
    hint = ""
    if len({len(array) for array in arrays}) == 1:
        hint = _transposed_hint(arrays)
    raise ValueError(
        f"X[{i}] must have as many features as X[0], {D}, got {arrays[i].shape[1]}."
        + hint
    )


def _transposed_hint(X):
    remedy = "X.transpose(0, 2, 1)" if hasattr(X, "shape") else "[x.T for x in X]"
    return (
        " The axes look transposed: they must be (sequences, time, features). Use "
        f"{remedy}."
    )


def compare_or_record(X, sequences, form, estimator, reset):
    """Do to `estimator` what `reset` asks for, now that X is known to be good.

    Parameters
    ----------
    X, form
        What `recognise` returns.
    sequences : Sequences
        Their lengths and number of features count.
    estimator, reset
        As in `check_sequences`.
    """
    if reset:
        for name in ("n_features_in_", "feature_names_in_"):
            vars(estimator).pop(name, None)
        estimator.n_step_features_in_ = sequences.n_features
    elif hasattr(estimator, "n_step_features_in_"):
        _compare_step_features(X, sequences, estimator)
    if form == "list":
        names = _shared_names(X)
        if not reset:
            _compare_names(names, estimator, "X")
        elif names is not None:
            estimator.feature_names_in_ = np.array(names, dtype=object)
    if form == "2-D" and (reset or hasattr(estimator, "n_features_in_")):
        validate_data(estimator, X, reset=reset, skip_check_array=True)


def _column_names(x):
    """Names of the columns of a DataFrame, None if they are not all strings."""
    names = list(getattr(x, "columns", ()))
    return names if names and all(isinstance(name, str) for name in names) else None


def _shared_names(X):
    """Names of the features of a step: those of all DataFrames in a list, or None."""
    first, shared = 0, None
    for i, x in enumerate(X):
        names = _column_names(x) if hasattr(x, "columns") else None
        if shared is None:
            first, shared = i, names
        elif names is not None:
            refuse_other_columns(f"X[{i}]", names, f"of X[{first}]", shared)
    return shared


def _compare_names(names, estimator, argument):
    """Compare with the names of a step's features in `fit`, where both have some."""
    fitted = getattr(estimator, "feature_names_in_", None)
    if names is None or fitted is None or hasattr(estimator, "n_features_in_"):
        return  # the last says that they are names of time steps
    whose = f"that {type(estimator).__name__} was fitted with"
    refuse_other_columns(argument, names, whose, fitted.tolist())


def refuse_other_columns(place, columns, whose, expected):
    """Raise ValueError unless the columns at `place` are those that are expected."""
    if columns != expected:
        raise ValueError(
            f"{place} must have the columns {whose}, {expected}, in this order, got "
            f"{columns}."
        )


def _compare_step_features(X, sequences, estimator):
    D = estimator.n_step_features_in_
    if sequences.n_features == D:
        return
    hint = ""
    if len(X.shape) == 2 if hasattr(X, "shape") else np.ndim(X[0]) == 1:
        hint = (
            " A 2-D X, and a list of 1-D arrays, are univariate sequences; pass one "
            "sequence alone as [X]."
        )
    elif (sequences.lengths == D).all():
        hint = _transposed_hint(X)
    raise ValueError(
        f"X must have {D} feature(s) per step, as {type(estimator).__name__} was "
        f"fitted with, got {sequences.n_features}.{hint}"
    )
