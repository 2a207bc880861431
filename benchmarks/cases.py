"""The shapes that are timed, and random data for them."""

from dataclasses import dataclass, replace

import numpy as np

N_CLASSES = 10
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class Case:
    """Sizes of a training set and of a network; `epochs` is how long a fit runs."""

    batch: int
    steps: int
    features: int
    units: int
    sequences: int
    epochs: int

    def __str__(self):
        return f"B{self.batch} T{self.steps} D{self.features} H{self.units}"

    @property
    def updates_per_epoch(self):
        """Minibatches of an epoch."""
        return self.sequences // self.batch

    @property
    def updates(self):
        """Updates of a whole fit."""
        return self.updates_per_epoch * self.epochs

    @property
    def sizes(self):
        """What a contender is made with, besides the cell."""
        return {"units": self.units, "batch_size": self.batch}

    def data(self):
        """A training set of this shape."""
        return random_data([self.steps] * self.sequences, self.features)

    def operations(self, cell):
        """Floating point operations of the matrix products in one update.

        Forward, then the same again for the gradients of the weights, and those of
        the states; nobody needs the gradient of the input.
        """
        gates, steps = GATES[cell] * self.units, self.batch * self.steps
        head = 2 * self.batch * self.units * N_CLASSES
        forward = 2 * steps * (self.features + self.units) * gates + head
        states = 2 * steps * self.units * gates + head
        return 2 * forward + states


CASES = (
    Case(32, 8, 8, 64, sequences=1024, epochs=16),
    Case(32, 50, 1, 32, sequences=512, epochs=16),
    Case(32, 100, 8, 64, sequences=512, epochs=4),
    Case(64, 100, 16, 128, sequences=512, epochs=4),
    Case(64, 100, 64, 256, sequences=256, epochs=8),
    Case(64, 50, 128, 512, sequences=256, epochs=8),
)


def training_cases(full):
    """The cases of the training tables; with `full` fits are four times as long."""
    if not full:
        return CASES
    return tuple(replace(case, sequences=4 * case.sequences) for case in CASES)


def random_data(lengths, features, seed=0):
    """Normal float32 sequences with balanced labels: 3-D if all lengths are equal."""
    rng = np.random.default_rng(seed)
    X = [rng.standard_normal((n, features), dtype=np.float32) for n in lengths]
    y = rng.permutation(np.arange(len(lengths)) % N_CLASSES)
    return (np.stack(X) if len(set(lengths)) == 1 else X), y


def ragged_lengths(n_sequences, shortest, longest, seed=0):
    """Lengths drawn uniformly, both ends included."""
    rng = np.random.default_rng(seed)
    return rng.integers(shortest, longest, n_sequences, endpoint=True).tolist()
