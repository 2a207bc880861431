"""Sequences of token ids: what an embedding reads."""

import numpy as np

from skrnn.sequences.containers import FlatSequences
from skrnn.sequences.targets import place_of

PADDING, UNKNOWN, FIRST = 0, 1, 2
LARGEST = 2**31 - 1
COMPUTED_IN = np.dtype(np.float32)  # ids have no precision that could be kept


def check_ids(sequences, dtype):
    """Sequences of integers >= 1, those after which only padding comes cut off.

    Parameters
    ----------
    sequences : Sequences
        Checked, of one feature.
    dtype : dtype or None
        What to compute in; None for float32.

    Returns
    -------
    FlatSequences
        Of int64 rows.

    Raises
    ------
    ValueError
        That names the first step that holds no id.
    """
    if sequences.n_features != 1:
        raise ValueError(
            "X must have one feature per step, the id of a token, with embedding_dim, "
            f"got {sequences.n_features}."
        )
    values = sequences.take(np.arange(len(sequences)), np.float64)[:, 0]
    bad = ~are_ids(values)
    if bad.any():
        row = int(bad.argmax())
        i, step = place_of(row, sequences.lengths)
        raise ValueError(
            f"X[{i}] has {values[row]:g} at step {step}; with embedding_dim each step "
            f"is the id of a token, an integer from 0 to {LARGEST}."
        )
    ids = values.astype(np.int64)
    lengths = _lengths_before_padding(ids, sequences.lengths)
    starts = np.cumsum(sequences.lengths) - sequences.lengths
    return FlatSequences(
        ids[:, np.newaxis], starts, lengths, np.dtype(dtype or COMPUTED_IN)
    )


def are_ids(values):
    """Whether each number can be an id, or padding."""
    return (values >= PADDING) & (values <= LARGEST) & (values == np.floor(values))


def _lengths_before_padding(ids, lengths):
    """Number of ids, (n_sequences,), before the zeros at the end of each sequence."""
    firsts = np.cumsum(lengths) - lengths
    step = np.arange(ids.size) - np.repeat(firsts, lengths)
    ends = np.maximum.reduceat(np.where(ids == PADDING, 0, step + 1), firsts)
    if not ends.all():
        raise ValueError(
            f"X[{int(ends.argmin())}] must have at least one token, got only padding "
            "(0)."
        )
    inside = (ids == PADDING) & (step < np.repeat(ends, lengths))
    if inside.any():
        i, step = place_of(int(inside.argmax()), lengths)
        raise ValueError(
            f"X[{i}] has the id 0 at step {step}, before other ids; 0 is padding and "
            "may only come at the end, an unknown token is 1."
        )
    return ends


def replace_unknown(sequences, known):
    """The sequences with the id 1 in place of all that are not `known`, (n_ids,)."""
    rows = known_or_unknown(sequences.rows, known)
    return FlatSequences(rows, sequences.starts, sequences.lengths, sequences.dtype)


def known_or_unknown(ids, known):
    """`ids`, with 1 in place of those that are not `known`, (n_ids,)."""
    is_known = known[np.minimum(ids, known.size - 1)] & (ids < known.size)
    return np.where(is_known, ids, UNKNOWN)
