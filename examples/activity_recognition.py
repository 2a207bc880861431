"""What is somebody doing? Recordings of persons whom the model has never met.

The data are generated, after a phone in a pocket: acceleration along three axes, 25
times a second, for 2 to 6 seconds. Steps upstairs are slow and push before they ease
off, steps downstairs drop and then hit, running is fast and strong. But each person has
a pace, a strength and a way to carry the phone, so one's walk may be another's stairs.

Recordings of one person are alike, so the folds of the cross-validation are made of
persons: none is on both sides. Folds of recordings would promise too much. A forest
that sees the usual statistics of each recording, which know little of order, is
compared with a network that reads it in both directions.
"""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import RNNClassifier
from skrnn.preprocessing import PerStep

RATE = 25  # readings a second
ACTIVITIES = {  # pace, strength, and how late in a step the peak comes
    "running": (1.4, 1.6, 0.0),
    "stairs down": (1.05, 1.1, 0.6),
    "stairs up": (0.9, 0.9, -0.6),
    "standing": (1.0, 0.0, 0.0),
    "walking": (1.0, 1.0, 0.0),
}


def make_person(rng):
    """Draw the pace, the strength and the axes of the phone of a person."""
    pace, strength = rng.uniform([1.4, 0.6], [2.2, 1.4])
    axes, triangle = np.linalg.qr(np.eye(3) + 0.3 * rng.normal(size=(3, 3)))
    return pace, strength, axes * np.sign(triangle.diagonal())


def make_recording(activity, person, rng):
    own_pace, own_strength, axes = person
    pace, strength, late = ACTIVITIES[activity]
    n = rng.integers(2 * RATE, 6 * RATE)
    steps = rng.random() + np.cumsum(own_pace * pace / RATE * rng.uniform(0.7, 1.3, n))
    turn = 2 * np.pi * steps
    force = own_strength * strength * rng.uniform(0.8, 1.2)
    up = 3 * force * np.sin(turn + late * np.sin(turn))
    x = np.column_stack([force * np.sin(turn / 2), 0.4 * np.roll(up, 2), up + 9.81])
    return x @ axes + rng.normal(0, 0.5, (n, 3))


def make_recordings(n_persons=16, n_each=6, seed=0):
    rng = np.random.default_rng(seed)
    X, y, persons = [], [], []
    for k in range(n_persons):
        person = make_person(rng)
        for activity in [*ACTIVITIES] * n_each:
            X.append(make_recording(activity, person, rng))
            y.append(activity)
            persons.append(k)
    return X, y, persons


def compute_statistics(X):
    """Mean, spread, extremes and mean change of each axis of each recording."""
    changes = [np.abs(np.diff(x, axis=0)).mean(0) for x in X]
    levels = [[x.mean(0), x.std(0), x.min(0), x.max(0)] for x in X]
    return np.hstack([changes, np.reshape(levels, (len(X), -1))])


def make_models():
    rnn = RNNClassifier(
        32,
        bidirectional=True,
        pooling="mean",
        max_iter=20,
        dtype="float32",
        random_state=0,
    )
    return {
        "statistics, forest": make_pipeline(
            FunctionTransformer(compute_statistics),
            RandomForestClassifier(random_state=0),
        ),
        "network": make_pipeline(PerStep(StandardScaler()), rnn),
    }


def main():
    X, y, persons = make_recordings()
    lengths = [len(x) for x in X]
    print(f"{len(X)} recordings of {persons[-1] + 1} persons, generated")
    print(f"{min(lengths)} to {max(lengths)} readings of {X[0].shape[1]} axes each\n")

    print("Accuracy in folds      of persons         of recordings")
    for name, model in make_models().items():
        new = cross_val_score(model, X, y, groups=persons, cv=GroupKFold(4))
        mixed = cross_val_score(model, X, y, cv=KFold(4, shuffle=True, random_state=0))
        print(f"  {name:18} {new.mean():.3f} +- {new.std():.3f}  {mixed.mean():.3f}")


if __name__ == "__main__":
    main()
