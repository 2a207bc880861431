"""The shapes that are timed, and random data for them."""

from dataclasses import dataclass, replace

import numpy as np

N_CLASSES = 10


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
    def updates(self):
        """Updates of a whole fit."""
        return self.sequences // self.batch * self.epochs


CASES = (
    Case(32, 8, 8, 64, sequences=1024, epochs=4),
    Case(32, 50, 1, 32, sequences=512, epochs=2),
    Case(32, 100, 8, 64, sequences=256, epochs=2),
    Case(64, 100, 16, 128, sequences=256, epochs=2),
    Case(64, 100, 64, 256, sequences=128, epochs=2),
)
LARGEST = Case(64, 50, 128, 512, sequences=128, epochs=2)


def training_cases(full):
    """The cases of the training tables; with `full` one more, and longer fits."""
    if not full:
        return CASES
    long = [replace(case, sequences=1024, epochs=4) for case in CASES[:-1]]
    return *long, *(replace(c, sequences=512, epochs=4) for c in (CASES[-1], LARGEST))


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
