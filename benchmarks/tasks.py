"""Learning tasks of the kinds that users have: data by seed, a network, a score."""

import runpy
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from defaults.archive import load
from peers.network import Shape
from sklearn.datasets import load_digits
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from skrnn.metrics import entity_f1_score
from skrnn.preprocessing import TokenEncoder

EXAMPLES = Path(__file__).parents[1] / "examples"
LOWEST_KEY, N_KEYS = 21, 88  # of a piano, in MIDI's numbers


@dataclass
class Data:
    """Targets are class indices, or 0 and 1; `names` are those of the classes."""

    X: list
    y: object
    X_test: list
    y_test: object
    names: list = field(default_factory=list)


@dataclass(frozen=True)
class Task:
    """What is learnt, by which network, and how its probabilities are judged.

    Attributes
    ----------
    text : str
    make : callable
        Maps a seed to Data.
    shape : Shape
    epochs : int
    measure : str
    score : callable
        Maps probabilities, one row for each sequence or step, and Data to a number.
    labels : bool
        Whether there are several labels at once.
    sign : int
        -1 where less is better.
    """

    text: str
    make: Callable
    shape: Shape
    epochs: int
    measure: str
    score: Callable
    labels: bool = False
    sign: int = 1


def accuracy(proba, data):
    """Share of the sequences whose class is right."""
    return float(np.mean(proba.argmax(1) == data.y_test))


def entity_f1(proba, data):
    """F1 of the names found in sentences."""
    ends = np.cumsum([len(y) for y in data.y_test])[:-1]
    names = np.array(data.names)
    found = np.split(names[proba.argmax(1)], ends)
    return entity_f1_score([names[y] for y in data.y_test], found)


def neg_log_likelihood(proba, data):
    """Of a step, over all its labels, in nats."""
    true = np.concatenate(data.y_test) > 0.5
    p = np.clip(np.where(true, proba, 1.0 - proba), 1e-7, 1.0)
    return float(-np.log(p).sum(axis=1).mean())


def sentences(seed):
    """What a parameter is, by its description: see examples/text_classification.py."""
    X, y, groups = runpy.run_path(str(EXAMPLES / "text_classification.py"))[
        "load_data"
    ]()
    split = GroupShuffleSplit(1, test_size=0.25, random_state=seed)
    train, test = next(split.split(X, y, groups))
    names, y = np.unique(y, return_inverse=True)
    encoder = TokenEncoder(min_df=2).fit(X[train])
    return Data(
        encoder.transform(X[train]),
        y[train],
        encoder.transform(X[test]),
        y[test],
        list(names),
    )


def entities(seed, n=1000):
    """Names in the generated sentences of examples/tagging.py."""
    made = runpy.run_path(str(EXAMPLES / "tagging.py"))
    few, all_names = made["RARE"][:8], made["RARE"]
    parts = [
        made["Grammar"](made["AMBIGUOUS"] + names, seed=2 * seed + i).sentences(n)
        for i, names in enumerate((few, all_names))
    ]
    (X, y), (X_test, y_test) = parts
    names = sorted({tag for tags in y + y_test for tag in tags})
    y, y_test = (
        [np.array([names.index(t) for t in s]) for s in p] for p in (y, y_test)
    )
    encoder = TokenEncoder(min_df=3).fit(X)
    return Data(encoder.transform(X), y, encoder.transform(X_test), y_test, names)


# What follows a chord on each degree of the scale, and how often.
FOLLOWING = {
    0: {3: 3, 4: 3, 5: 2, 1: 2, 2: 1},
    1: {4: 5, 6: 1, 0: 1},
    2: {5: 3, 3: 2},
    3: {4: 3, 0: 2, 1: 2},
    4: {0: 5, 5: 2, 3: 1},
    5: {1: 3, 3: 3, 4: 1},
    6: {0: 4, 5: 1},
}
SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
VOICES = ((40, 60), (48, 67), (55, 74), (60, 81))  # range of each, in MIDI's numbers


class Chorales:
    """Draws pieces in four parts: a Markov chain of chords, each voice led nearby."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def piece(self):
        """A roll, (n_timesteps, 88) of 0 and 1, in a random key."""
        key, degree, keys = self.rng.integers(12), 0, [48, 55, 64, 72]
        n_steps = self.rng.integers(40, 81)
        roll = []
        while len(roll) < n_steps:
            tones = (SCALE[(degree + np.array([0, 2, 4])) % 7] + key) % 12
            keys = [self.lead(v, keys[v], tones) for v in range(len(VOICES))]
            roll += self.chord(keys, key)
            following = FOLLOWING[degree]
            chances = np.array(list(following.values())) / sum(following.values())
            degree = self.rng.choice(list(following), p=chances)
        return np.array(roll[:n_steps], np.float32)

    def lead(self, voice, before, tones):
        """The next key of a voice: mostly the nearest tone, in the bass the root."""
        low, high = VOICES[voice]
        allowed = tones[:1] if voice == 0 and self.rng.random() < 0.7 else tones
        keys = np.array([k for k in range(low, high + 1) if k % 12 in allowed])
        nearest = keys[np.argsort(abs(keys - before), kind="stable")]
        return nearest[0 if len(nearest) == 1 or self.rng.random() < 0.8 else 1]

    def chord(self, keys, key):
        """One to four steps; in a long chord the soprano may move up in between."""
        n_steps = self.rng.choice([1, 2, 4], p=[0.2, 0.6, 0.2])
        steps = np.zeros((n_steps, N_KEYS))
        steps[:, np.array(keys) - LOWEST_KEY] = 1.0
        if n_steps > 1 and self.rng.random() < 0.3:
            step = next(s for s in (1, 2) if (keys[-1] + s - key) % 12 in SCALE)
            steps[-1, keys[-1] - LOWEST_KEY] = 0.0
            steps[-1, keys[-1] + step - LOWEST_KEY] = 1.0
        return list(steps)


def music(seed, n_train=160, n_test=100):
    """The keys of the next step, from all steps so far; generated."""
    chorales = Chorales(seed)
    rolls = [chorales.piece() for _ in range(n_train + n_test)]
    X, y = [r[:-1] for r in rolls], [r[1:] for r in rolls]
    return Data(X[:n_train], y[:n_train], X[n_train:], y[n_train:])


def speakers(seed, folder=None):
    """JapaneseVowels, official split: nine speakers, 12 features, 7 to 29 steps."""
    (X, y), (X_test, y_test) = load("JapaneseVowels", folder)
    X, X_test = ([x.astype(np.float32) for x in part] for part in (X, X_test))
    names, y = np.unique(y, return_inverse=True)
    return Data(X, y, X_test, np.searchsorted(names, y_test), list(names))


def digits(seed):
    """Handwritten digits of scikit-learn, 8 rows of 8 pixels."""
    X, y = load_digits(return_X_y=True)
    X = (X.reshape(-1, 8, 8) / 16.0).astype(np.float32)
    parts = train_test_split(X, y, test_size=0.33, stratify=y, random_state=seed)
    return Data(parts[0], parts[2], parts[1], parts[3])


def all_tasks(folder=None):
    """Every task by name; `folder` is where JapaneseVowels may lie."""
    both = {"bidirectional": True}
    keys = partial(
        Task,
        make=music,
        epochs=60,
        measure="nats a step",
        score=neg_log_likelihood,
        labels=True,
        sign=-1,
    )
    return {
        "sentences": Task(
            "sentences to 6 classes",
            sentences,
            Shape(64, pooling="max", embedding_dim=64, **both),
            10,
            "accuracy",
            accuracy,
        ),
        "entities": Task(
            "names in sentences",
            entities,
            Shape(32, pooling="steps", embedding_dim=32, **both),
            10,
            "entity F1",
            entity_f1,
        ),
        "music": keys("next keys of chorales", shape=Shape(64, pooling="steps")),
        "music-lstm": keys("the same, LSTM", shape=Shape(64, "lstm", pooling="steps")),
        "speakers": Task(
            "JapaneseVowels",
            partial(speakers, folder=folder),
            Shape(64, **both),
            100,
            "accuracy",
            accuracy,
        ),
        "digits": Task("digits by rows", digits, Shape(64), 20, "accuracy", accuracy),
    }
