"""Checked sequences: views of the user's data that hand out minibatches."""

import numpy as np

from skrnn.lazy import cached_property


class Sequences:
    """Checked sequences with the same number of features at each step.

    They refer to the user's data; only what `take` hands out is a copy.

    Parameters
    ----------
    lengths : ndarray of shape (n_sequences,), int64
        Number of steps of each sequence.
    n_features : int
        Number of features of each step.
    dtype : dtype
        What to compute in: float32 if all of the data is float32, else float64.

    Attributes
    ----------
    common_length : int or None
        Number of steps of each sequence if all have the same.
    """

    def __init__(self, lengths, n_features, dtype):
        self.lengths = lengths
        first = int(lengths[0]) if lengths.size else None
        self.common_length = first if (lengths == first).all() else None
        self.n_features = n_features
        self.dtype = dtype

    def __len__(self):
        return self.lengths.size

    @cached_property
    def n_steps(self):
        """Number of steps of all sequences together."""
        return int(self.lengths.sum())

    def select(self, indices):
        """Return the sequences at `indices`, without a copy of the data.

        Parameters
        ----------
        indices : slice or ndarray of int or bool
            Anything that indexes an array of n_sequences entries.

        Returns
        -------
        Sequences
        """
        raise NotImplementedError("a kind of sequences must define `select`")

    def truncate(self, n_steps):
        """Return the first `n_steps` of each sequence, without a copy of the data."""
        raise NotImplementedError("a kind of sequences must define `truncate`")

    def largest_values(self):
        """Largest absolute value of each sequence, (n_sequences,), in float64."""
        values = [self.view(i) for i in range(len(self))]
        return np.array([max(float(x.max()), -float(x.min())) for x in values])

    def view(self, i):
        """Return sequence `i`, (n_timesteps, n_features), as it lies."""
        raise NotImplementedError("a kind of sequences must define `view`")

    def take(self, indices, dtype):
        """Copy the sequences at `indices` into one array, one after the other.

        Parameters
        ----------
        indices : ndarray of shape (B,), int
            Which sequences, in which order.
        dtype : dtype
            Type of the rows.

        Returns
        -------
        ndarray of shape (sum of lengths, n_features)
            One row for each step; C-contiguous and writable.
        """
        raise NotImplementedError("a kind of sequences must define `take`")


class ListSequences(Sequences):
    """Sequences that are arrays of their own.

    Parameters
    ----------
    arrays : list of ndarray of shape (n_timesteps_i, n_features)
        Numeric and finite.
    lengths, n_features, dtype
        As in `Sequences`.
    """

    def __init__(self, arrays, lengths, n_features, dtype):
        super().__init__(lengths, n_features, dtype)
        self.arrays = arrays

    def select(self, indices):
        positions = np.arange(len(self))[indices].tolist()
        arrays = [self.arrays[i] for i in positions]
        return ListSequences(arrays, self.lengths[indices], self.n_features, self.dtype)

    def truncate(self, n_steps):
        arrays = [array[:n_steps] for array in self.arrays]
        lengths = np.minimum(self.lengths, n_steps)
        return ListSequences(arrays, lengths, self.n_features, self.dtype)

    def view(self, i):
        return self.arrays[i]

    def take(self, indices, dtype):
        n_rows = int(self.lengths[indices].sum())
        rows = np.empty((n_rows, self.n_features), dtype=dtype)
        return np.concatenate([self.arrays[i] for i in indices.tolist()], out=rows)


class ArraySequences(Sequences):
    """Sequences that are entries of one array.

    Parameters
    ----------
    array : ndarray of shape (n, T, n_features)
        Numeric, and finite but for padding.
    entries : ndarray of shape (n_sequences,), int
        Index in `array` of each sequence.
    lengths, dtype
        As in `Sequences`. What lies behind its length in an entry is padding.
    """

    def __init__(self, array, entries, lengths, dtype):
        super().__init__(lengths, array.shape[2], dtype)
        self.array = array
        self.entries = entries

    def select(self, indices):
        entries, lengths = self.entries[indices], self.lengths[indices]
        return ArraySequences(self.array, entries, lengths, self.dtype)

    def truncate(self, n_steps):
        lengths = np.minimum(self.lengths, n_steps)
        return ArraySequences(self.array, self.entries, lengths, self.dtype)

    def view(self, i):
        return self.array[self.entries[i], : self.lengths[i]]

    def take(self, indices, dtype):
        longest = self.common_length or self.lengths[indices].max()
        padded = self.array[self.entries[indices], :longest]
        rows = padded.astype(dtype, order="C", copy=False).reshape(-1, self.n_features)
        if self.common_length:
            return rows
        is_real = np.arange(longest) < self.lengths[indices, np.newaxis]
        return rows if is_real.all() else rows.take(np.flatnonzero(is_real), axis=0)


class FlatSequences(Sequences):
    """Sequences that lie one after the other in one array.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
    starts : ndarray of shape (n_sequences,), int64
        Row of the first step of each sequence.
    lengths, dtype
        As in `Sequences`. Rows between the sequences are padding.
    """

    def __init__(self, rows, starts, lengths, dtype):
        super().__init__(lengths, rows.shape[1], dtype)
        self.rows = rows
        self.starts = starts

    def select(self, indices):
        starts, lengths = self.starts[indices], self.lengths[indices]
        return FlatSequences(self.rows, starts, lengths, self.dtype)

    def truncate(self, n_steps):
        lengths = np.minimum(self.lengths, n_steps)
        return FlatSequences(self.rows, self.starts, lengths, self.dtype)

    def view(self, i):
        return self.rows[self.starts[i] : self.starts[i] + self.lengths[i]]

    def take(self, indices, dtype):
        lengths = self.lengths[indices]
        ends = np.cumsum(lengths)
        places = np.repeat(self.starts[indices] - ends + lengths, lengths)
        places += np.arange(places.size)
        return self.rows.take(places, axis=0).astype(dtype, copy=False)
