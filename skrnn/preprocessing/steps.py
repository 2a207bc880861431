"""The steps of all sequences as rows of one table, and the way back."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from skrnn.preprocessing.padding import fill_up
from skrnn.sequences import Sequences, check_sequences
from skrnn.sequences.contract import (
    compare_or_record,
    recognise,
    refuse_other_columns,
)


class NoTableOutput:
    """Mixin for transformers that make what no table can hold. To be named first."""

    def set_output(self, *, transform=None):
        """Do nothing, so that a pipeline with this step can set the output of others.

        What comes out stays as it is: sequences, as lists, 3-D arrays or ids, have no
        form as a table.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Without effect.

        Returns
        -------
        self : estimator
        """
        return self


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps of n sequences as N rows, one sequence after the other.

    Attributes
    ----------
    rows : ndarray of shape (N, D), or DataFrame
    lengths : ndarray of shape (n,), int64
        Number of steps of each sequence.
    form : {"list", "3-D", "2-D"}
        What they came in.
    n_timesteps : int or None
        Number of steps with padding; None for a list.
    """

    rows: Any
    lengths: np.ndarray
    form: str
    n_timesteps: int | None

    def restore(self, rows):
        """Bring new rows, one for each step, into the form the old ones came in.

        Parameters
        ----------
        rows : ndarray of shape (N, K), or DataFrame

        Returns
        -------
        list of ndarray or DataFrame, (length, K) each, or ndarray (n, T, K) or (n, T)
            A list for a list and where rows are a DataFrame; (n, T) if (n, T) came in
            and K is 1.
        """
        if self.form == "list" or is_frame(rows):
            return self.split(rows)
        filled = fill_up(rows, self.lengths, self.n_timesteps)
        return filled[:, :, 0] if self.form == "2-D" and rows.shape[1] == 1 else filled

    def split(self, rows):
        """Return the rows, one for each step, as a list of those of each sequence."""
        return split(rows, self.lengths)


def split(rows, lengths):
    """Cut rows, an array or a DataFrame, into parts of the given lengths: views."""
    rows = getattr(rows, "iloc", rows)
    bounds = [0, *np.cumsum(lengths).tolist()]
    return [rows[start:stop] for start, stop in pairwise(bounds)]


def read_steps(X, estimator, reset):
    """Check X against the data contract, NaN being allowed, and copy it into rows.

    Parameters
    ----------
    X : sequences
        Of numbers, in any form.
    estimator : estimator or None
        As in `check_sequences`.
    reset : bool

    Returns
    -------
    Steps
    """
    form, X = recognise(X)
    sequences = check_sequences(X, estimator=estimator, reset=reset, allow_nan=True)
    rows = sequences.take(np.arange(len(sequences)), sequences.dtype)
    n_timesteps = None if form == "list" else sequences.array.shape[1]
    return Steps(rows, sequences.lengths, form, n_timesteps)


def read_steps_or_frames(X, estimator, reset):
    """As `read_steps`; the rows of a list of DataFrames are one DataFrame."""
    form, X = recognise(X)
    if form == "list" and len(X) and is_frame(X[0]):
        return _read_frames(X, estimator, reset)
    return read_steps(X, estimator, reset)


def is_list(x):
    """Whether `x` is a list, a tuple or a 1-D array of objects."""
    is_objects = isinstance(x, np.ndarray) and x.dtype == object and x.ndim == 1
    return is_objects or isinstance(x, (list, tuple))


def is_frame(rows):
    """Whether `rows` are a DataFrame of pandas or polars."""
    return hasattr(rows, "columns")


def _read_frames(frames, estimator, reset):
    columns = list(frames[0].columns)
    for i, frame in enumerate(frames):
        if type(frame) is not type(frames[0]):
            raise ValueError(
                f"X[{i}] must be a DataFrame of the same library as X[0], got "
                f"{type(frame).__name__}."
            )
        refuse_other_columns(f"X[{i}]", list(frame.columns), "of X[0]", columns)
    lengths = np.array([len(frame) for frame in frames], dtype=np.int64)
    if not lengths.all():
        raise ValueError(
            f"X[{lengths.argmin()}] must have at least one step, got none; leave out "
            "empty sequences."
        )
    if estimator is not None:
        sequences = Sequences(lengths, len(columns), None)
        compare_or_record(frames, sequences, "list", estimator, reset)
    return Steps(concatenate(frames), lengths, "list", None)


def concatenate(parts):
    """Lay rows one below the other: arrays, or DataFrames with the same columns."""
    if not is_frame(parts[0]):
        return np.concatenate(parts)
    if hasattr(parts[0], "iloc"):
        import pandas as pd

        return pd.concat(parts)
    import polars as pl

    return pl.concat(parts, how="vertical_relaxed")


def spread(y, lengths):
    """Give each step its target.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, n_outputs), list of array-likes, or None
        Targets of the sequences, or a list of those of each one's steps.
    lengths : ndarray of shape (n,), int64

    Returns
    -------
    ndarray of shape (N,) or (N, n_outputs), or None
        None also for targets that belong to no step, being of other lengths, as
        transcriptions are.
    """
    if y is None:
        return None
    if not isinstance(y, (list, tuple)):
        y = np.asarray(y)
    if len(y) != lengths.size:
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: X holds "
            f"{lengths.size} sequences and y {len(y)} targets."
        )
    is_array = isinstance(y, np.ndarray) and (y.ndim > 1 or y.dtype != object)
    if is_array or np.ndim(y[0]) == 0:
        return np.repeat(np.asarray(y), lengths, axis=0)
    if [len(targets) for targets in y] != lengths.tolist():
        return None
    return np.concatenate([np.asarray(targets) for targets in y])
