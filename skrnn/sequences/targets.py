"""Targets of every step: what y may be, and the way to one flat array and back."""

import sys
from itertools import pairwise

import numpy as np

from skrnn.sequences.contract import refuse_masked
from skrnn.sequences.naming import naming

FORMS = (
    "a list with an array for each sequence, (n_timesteps_i,) or (n_timesteps_i, "
    "n_outputs), or one array padded to (n_sequences, n_timesteps)"
)


def join_steps(y, lengths, name="y"):
    """Targets, or weights, of all steps, one sequence after the other.

    Parameters
    ----------
    y : list, tuple or array
        An array-like of shape (lengths[i],) or (lengths[i], n_outputs) for each
        sequence, or an array of shape (n_sequences, n_timesteps) or (n_sequences,
        n_timesteps, n_outputs), which is not read behind the end of a sequence.
    lengths : ndarray of shape (n_sequences,)
    name : str, default="y"
        What messages call it.

    Returns
    -------
    ndarray of shape (n_steps,) or (n_steps, n_outputs)
        Of objects where some strings are in lists, so that NaN and None beside them
        stay what they are.

    Raises
    ------
    ValueError, TypeError
        That names the first sequence whose targets do not fit.
    """
    with naming(name):
        return _join_steps(y, lengths, name)


def _join_steps(y, lengths, name):
    refuse_masked(y, name)
    if hasattr(y, "__array__"):
        y = np.asarray(y)
    if not hasattr(y, "__len__") or getattr(y, "shape", None) == ():
        raise ValueError(f"{name} must be {FORMS}, got {y!r:.60}.")
    if len(y) != lengths.size:
        raise ValueError(
            f"{name} must hold the steps of each of the {lengths.size} sequences, got "
            f"{len(y)}."
        )
    if isinstance(y, np.ndarray) and y.ndim in (2, 3):
        return _join_padded(y, lengths, name)
    parts = [_check_part(part, f"{name}[{i}]", name) for i, part in enumerate(y)]
    for i, (part, length) in enumerate(zip(parts, lengths.tolist(), strict=True)):
        if len(part) != length or part.shape[1:] != parts[0].shape[1:]:
            wanted = (length, *parts[0].shape[1:])
            raise ValueError(
                f"{name}[{i}] must be of shape {wanted}, a row for each step of the "
                f"sequence, got shape {part.shape}."
            )
    return concatenate_targets(parts)


def split_steps(values, lengths):
    """Values of all steps, (n_steps, ...), as a list of one array for each sequence."""
    bounds = [0, *np.cumsum(lengths).tolist()]
    return [values[start:stop] for start, stop in pairwise(bounds)]


def place_of(row, lengths):
    """Sequence and step that a row of all steps belongs to."""
    ends = np.cumsum(lengths)
    i = int(np.searchsorted(ends, row, side="right"))
    return i, int(row - ends[i] + lengths[i])


def read_targets(part):
    """An array; of objects if `part` lists strings, so that a NaN stays what it is, or
    if integers of a frame would become floats by what is missing among them."""
    array = np.asarray(part)
    is_text = array.dtype.kind in "US" and not hasattr(part, "__array__")
    is_foreign = not isinstance(getattr(part, "dtype", array.dtype), np.dtype)
    if array.ndim and (is_text or (is_foreign and array.dtype.kind == "f")):
        return np.asarray(list(part), object)
    return array


def concatenate_targets(parts):
    """Join arrays; as objects if only some are of strings, so that a NaN stays one."""
    kinds = {part.dtype.kind for part in parts}
    if len(kinds) > 1 and kinds & {"U", "S"}:
        parts = [part.astype(object) for part in parts]
    return np.concatenate(parts)


def is_missing(values):
    """Whether each value is NaN, None or pandas.NA."""
    if values.dtype != object:
        return values != values
    NA = getattr(sys.modules.get("pandas"), "NA", None)
    missing = np.frompyfunc(lambda v: v is None or v is NA or v != v, 1, 1)(values)
    return missing.astype(bool)


def has_no_target(values, ignored=None):
    """Whether each step is missing, or `ignored`, in all of its columns."""
    missing = is_missing(values)
    if ignored is not None:
        missing[~missing] = values[~missing].astype(object) == ignored
    return missing.all(axis=tuple(range(1, missing.ndim)))


def as_plain(values, name="y"):
    """An array of objects as one of what the objects are.

    Raises
    ------
    ValueError
        When some are strings, and some are not, or when they are collections.
    """
    if values.dtype != object:
        return values
    with naming(name):
        plain = np.array(values.tolist())
    if plain.shape != values.shape:
        raise ValueError(
            f"{name} must hold str or numbers, got {type(values.flat[0]).__name__}."
        )
    if plain.dtype.kind == "U" and not all(isinstance(v, str) for v in values.flat):
        raise ValueError(f"{name} must hold either str or numbers, got both.")
    return plain


def _join_padded(y, lengths, name):
    if y.shape[1] < lengths.max():
        raise ValueError(
            f"{name} must have a column for each time step, {lengths.max()} at least, "
            f"got shape {y.shape}."
        )
    return y[np.arange(y.shape[1]) < lengths[:, np.newaxis]]


def _check_part(part, place, name):
    refuse_masked(part, place)
    with naming(place):
        array = read_targets(part)
    if array.ndim not in (1, 2):
        got = "a single value" if array.ndim == 0 else f"shape {array.shape}"
        raise ValueError(f"{name} must be {FORMS}, got {got} in {place}.")
    return array
