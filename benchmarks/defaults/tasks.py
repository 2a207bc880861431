"""The learning tasks: different kinds of sequences, each small."""

from dataclasses import dataclass, field
from functools import partial

import archive
import numpy as np
from sklearn.datasets import load_digits, make_regression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler, scale

from skrnn import RNNClassifier, RNNRegressor
from skrnn.datasets import (
    make_adding_problem,
    make_copy_memory,
    make_reber,
    make_switching_sines,
)

N_TEST = 500


@dataclass(frozen=True)
class Task:
    """Data by seed, and how the test score of a fit reads.

    Attributes
    ----------
    make : callable
        ``make(seed)`` returns X, y, X_test, y_test.
    text : str
        What it is, in a few words.
    chance : float or None
        Accuracy of a guess; None makes it a regression.
    stage : str
        The first stage of the study that uses it.
    options : dict
        Parameters that belong to the task.
    """

    make: object
    text: str
    chance: float | None = None
    stage: str = "screening"
    options: dict = field(default_factory=dict)

    def estimator(self, **parameters):
        """The estimator of this kind of target."""
        kind = RNNRegressor if self.chance is None else RNNClassifier
        return kind(**{**parameters, **self.options})

    def normalise(self, score):
        """0 for a guess, 1 for perfect."""
        if self.chance is None:
            return max(score, 0.0)
        return max((score - self.chance) / (1.0 - self.chance), 0.0)


def _split(make, n, seed, **options):
    """Draw a training set of n sequences, then a test set."""
    X, y = make(n + N_TEST, random_state=1000 + seed, **options)
    return X[:n], y[:n], X[n:], y[n:]


def _digits(seed, n=500, scale=16.0):
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(
        X.reshape(-1, 8, 8) / scale, y, train_size=n, stratify=y, random_state=seed
    )
    return parts[0], parts[2], parts[1], parts[3]


def _noisy_labels(seed, n=600, share=0.2):
    X, y, X_test, y_test = _split(
        make_switching_sines, n, seed, n_classes=4, n_timesteps=(10, 20), noise=0.3
    )
    rng = np.random.default_rng(seed)
    wrong = rng.uniform(size=n) < share
    return X, np.where(wrong, rng.integers(4, size=n), y), X_test, y_test


def _windows(series, width, n, ahead=1):
    """Rows of `width` values and the value `ahead` steps later, split in time."""
    X = np.lib.stride_tricks.sliding_window_view(series, width)[:-ahead]
    y = series[width + ahead - 1 :]
    return X[:n], y[:n], X[n + width : n + width + N_TEST], y[n + width :][:N_TEST]


def _seasonal(seed, scale=1.0, shift=0.0):
    """Two seasons and an autoregressive part of order 2, with noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(900)
    noise = rng.normal(scale=0.3, size=t.size)
    for k in t[2:]:
        noise[k] += 0.5 * noise[k - 1] + 0.3 * noise[k - 2]
    phases = 2 * np.pi * rng.uniform(size=2)
    seasons = np.sin(2 * np.pi * t / 12 + phases[0])
    seasons += 0.7 * np.sin(2 * np.pi * t / 30 + phases[1])
    X, y, X_test, y_test = _windows(seasons + noise, 24, 300)
    return X, shift + scale * y, X_test, shift + scale * y_test


def _mackey_glass(seed, delay=17):
    """The chaotic equation of Mackey and Glass, six steps ahead, a little noise."""
    rng = np.random.default_rng(seed)
    x = list(rng.uniform(0.8, 1.4, size=delay + 1))
    for _ in range(1150):
        x.append(0.9 * x[-1] + 0.2 * x[-1 - delay] / (1 + x[-1 - delay] ** 10))
    series = (np.array(x[200:]) - 0.93) / 0.23 + rng.normal(scale=0.05, size=968)
    return _windows(series, 24, 400, ahead=6)


def _frequency(n_sequences, random_state):
    """Ragged noisy waves; the target is their frequency in cycles per 100 steps."""
    rng = np.random.default_rng(random_state)
    y = rng.uniform(3, 20, size=n_sequences)
    X = []
    for frequency in y:
        t = np.arange(rng.integers(20, 50)) / 100
        wave = np.sin(2 * np.pi * (frequency * t + rng.uniform()))
        X.append((wave + rng.normal(scale=0.3, size=t.size))[:, np.newaxis])
    return X, y


def _archive(name, seed, folder=None):
    (X, y), (X_test, y_test) = archive.load(name, folder)
    return X, y, X_test, y_test


def _scaled(make, seed):
    """Each feature to mean 0 and variance 1 over all training steps."""
    X, y, X_test, y_test = make(seed)
    scaler = StandardScaler().fit(np.concatenate(X))
    X, X_test = ([scaler.transform(x) for x in part] for part in (X, X_test))
    return X, y, X_test, y_test


def _table(seed):
    """The regression data of scikit-learn's estimator checks; nothing held out."""
    X, y = make_regression(
        200, 10, n_informative=1, bias=5.0, noise=20, random_state=42
    )
    X, y = StandardScaler().fit_transform(X), scale(y)
    return X, y, X, y


def all_tasks(folder=None):
    """Every task by name; `folder` is where the archive's data may lie."""
    vowels = partial(_archive, "JapaneseVowels", folder=folder)
    sines = make_switching_sines
    return {
        "digits": Task(_digits, "handwritten digits, 8 rows of 8 pixels", 0.1),
        "vowels": Task(
            vowels,
            "JapaneseVowels: 270 ragged, 12 features, official split",
            1 / 9,
        ),
        "adding": Task(
            partial(_split, make_adding_problem, 400, n_timesteps=50),
            "adding problem, 50 steps",
        ),
        "copy": Task(
            partial(_split, make_copy_memory, 250, delay=20),
            "copy memory, 8 symbols, 20 silent steps",
            1 / 8,
        ),
        "reber": Task(
            partial(_split, make_reber, 500, embedded=True),
            "embedded Reber strings, ragged",
            0.5,
        ),
        "sines": Task(
            partial(_split, sines, 300, noise=0.8),
            "switching sines, ragged, 4 features, noise 0.8",
            1 / 3,
        ),
        "tiny": Task(
            partial(_split, sines, 60, noise=0.4, n_timesteps=(20, 40)),
            "switching sines, 60 sequences only",
            1 / 3,
        ),
        "labels": Task(
            _noisy_labels, "short switching sines, 15 % of the labels wrong", 1 / 4
        ),
        "seasonal": Task(_seasonal, "forecast: two seasons and an AR(2), 24 steps"),
        "chaos": Task(_mackey_glass, "forecast: Mackey-Glass 6 ahead, 24 steps"),
        "raw y": Task(
            partial(_seasonal, scale=30.0, shift=200.0), "seasonal, y 200 +- 30"
        ),
        "copy 30": Task(
            partial(_split, make_copy_memory, 250, delay=30),
            "copy memory, 30 silent steps",
            1 / 8,
            stage="stopping",
        ),
        "copy 70": Task(
            partial(_split, make_copy_memory, 200, delay=70),
            "copy memory, 70 silent steps, LSTM",
            1 / 8,
            stage="stopping",
            options={"cell": "lstm"},
        ),
        "motions": Task(
            partial(_archive, "BasicMotions", folder=folder),
            "BasicMotions: 40 sequences, 100 steps, 6 features, unscaled",
            1 / 4,
            stage="final",
        ),
        "raw digits": Task(
            partial(_digits, n=300, scale=1.0), "300 digits, pixels 0-16", 0.1, "final"
        ),
        "frequency": Task(
            partial(_split, _frequency, 300),
            "frequency of a noisy wave, ragged, y 3-20",
            stage="final",
        ),
        "vowels bi": Task(
            vowels,
            "JapaneseVowels as it is, bidirectional",
            1 / 9,
            stage="final",
            options={"bidirectional": True},
        ),
        "scaled bi": Task(
            partial(_scaled, vowels),
            "JapaneseVowels, features scaled, bidirectional",
            1 / 9,
            stage="final",
            options={"bidirectional": True},
        ),
        "table": Task(
            _table,
            "no sequence: 10 columns, alpha=0.01",
            None,
            "final",
            {"alpha": 0.01},
        ),
    }
