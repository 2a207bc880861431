"""Dropout: one mask for each sequence, drawn for a whole minibatch at once."""

import numpy as np


class Masks:
    """Factors that switch values off, and scale the others up, for one minibatch.

    The same units of a sequence are off at all its steps (Gal and Ghahramani, 2016).

    Parameters
    ----------
    between : list of array (B, width) or None
        One for each level, for its input; None for no dropout.
    recurrent : list of array (B, n_units) or (0, n_units)
        One for each layer, for the previous output on its way into the product.
    head : array (B, F) or None
        For the input of the head.
    """

    def __init__(self, between, recurrent, head):
        self.between = between
        self.recurrent = recurrent
        self.head = head
        self._is_empty = (
            head is None
            and all(mask is None for mask in between)
            and all(mask.shape[0] == 0 for mask in recurrent)
        )

    @classmethod
    def none(cls, stack):
        """Masks that change nothing."""
        recurrent = [
            np.empty((0, layer.n_units), stack.dtype) for layer in stack.layers
        ]
        return cls([None] * len(stack.levels), recurrent, None)

    @classmethod
    def draw(cls, stack, n_sequences, dropout, recurrent_dropout, rng):
        """Draw masks for a minibatch of `n_sequences` sequences."""
        nothing = stack.no_masks
        if dropout == recurrent_dropout == 0.0:
            return nothing
        between, recurrent, head = nothing.between, nothing.recurrent, None
        if dropout > 0.0:
            widths = [sum(la.n_units for la in level) for level in stack.levels]
            widths.insert(0, 0 if stack.embedding is None else stack.n_inputs)
            *between, head = [
                _mask(rng, (n_sequences, w), dropout, stack.dtype) if w else None
                for w in widths
            ]
        if recurrent_dropout > 0.0:
            recurrent = [
                _mask(rng, (n_sequences, la.n_units), recurrent_dropout, stack.dtype)
                for la in stack.layers
            ]
        return cls(between, recurrent, head)

    def select(self, sequences):
        """Masks of some sequences of the minibatch; a slice or an index array."""
        if self._is_empty:
            return self
        return Masks(
            [None if mask is None else mask[sequences] for mask in self.between],
            [
                np.ascontiguousarray(mask[sequences]) if mask.shape[0] else mask
                for mask in self.recurrent
            ],
            None if self.head is None else self.head[sequences],
        )

    def apply_to_input(self, depth, rows, plan):
        """Mask packed rows (N, width) on their way into level `depth`."""
        mask = self.between[depth]
        return rows if mask is None else rows * mask[plan.sequence_of_row]

    def apply_to_head(self, values, spread):
        """Mask pooled values; ``spread(mask)`` has the row that each of them needs."""
        return values if self.head is None else values * spread(self.head)


def _mask(rng, shape, rate, dtype):
    """0 with probability `rate`, else 1 / (1 - rate)."""
    kept = rng.random(shape, dtype=dtype) >= rate
    return kept.astype(dtype) / dtype.type(1.0 - rate)
