"""What y may be: a target, or a row of targets, for each sequence."""

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_array

from skrnn.losses.base import refuse_first
from skrnn.sequences import as_plain, is_missing, naming, refuse_masked


def check_y(y, dtype):
    """Targets as an array of shape (n_sequences,) or (n_sequences, n_columns)."""
    with naming("y"), np.errstate(over="ignore"):  # what becomes infinite is refused
        return _check_y(y, dtype)


def _check_y(y, dtype):
    refuse_masked(y, "y")
    lengths = {np.size(target) for target in y} if isinstance(y, (list, tuple)) else {1}
    if len(lengths) > 1:
        raise ValueError(
            "y must hold one target, or one row of targets, for each sequence, got "
            f"entries of {min(lengths)} to {max(lengths)} values; a target for each "
            "step is for RNNTagger and RNNSequenceRegressor."
        )
    y = _keep_missing(y) if dtype is None else _refuse_text(y)
    y = check_array(
        y, ensure_2d=False, dtype=dtype, ensure_all_finite=False, input_name="y"
    )
    if y.dtype.kind == "f":
        refuse_first(y, ~np.isfinite(y), "finite")
    if y.dtype.kind == "O":
        refuse_first(y, is_missing(y), "a label")
    if y.dtype.kind == "S":
        raise TypeError("y must hold str or numbers, got bytes; decode them.")
    if y.dtype.kind == "V":
        raise TypeError(f"y must hold str or numbers, got records, {y.dtype}.")
    if y.ndim == 2 and y.shape[1] == 1:
        return column_or_1d(y, warn=True)
    return y


def _refuse_text(y):
    """Numbers, none of them missing, written out or a date."""
    values = np.asarray(y)
    if values.dtype == object and values.ndim > 0:
        refuse_first(values, is_missing(values), "finite")
        values = as_plain(values)
    if values.dtype.kind in "mMSU":
        raise ValueError(f"y must be numeric, got dtype {values.dtype}.")
    return y


def _keep_missing(y):
    """A list of labels in which NaN has not become the label 'nan'."""
    if not isinstance(y, (list, tuple)) or np.asarray(y).dtype.kind != "U":
        return y
    labels = np.asarray(y, object)
    refuse_first(labels, is_missing(labels), "a label")
    return as_plain(labels)
