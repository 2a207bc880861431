"""How long will it last? The remaining life of machines, answered at every hour.

The data are generated. Each machine wears at a pace of its own, faster and faster,
until it fails. Its sensors feel the wear, but more than that they feel the load, which
changes every few hours, and noise: a reading says little, a history much. The network
reads the history and answers each hour with three quantiles: the median, and bounds for
eight cases out of ten. A forest gets the reading of the hour, the age, and averages of
the last 8 and 32 hours.

Nobody can tell a machine with 150 hours to live from one with 200 while both are like
new; so a life of more than 100 hours counts as 100, as is usual in this field. Whole
machines are kept for the test. At the end some of them are stopped in mid-life, as if
today, and the last answer of each is compared with what was still to come.
"""

import numpy as np
from scipy.ndimage import uniform_filter1d
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNSequenceRegressor
from skrnn.preprocessing import PerStep

LONG = 100  # hours


def make_machine(rng):
    """Make the load and three sensors at each hour, and the hours that are left."""
    life = rng.integers(80, 250)
    hours = np.arange(life)
    onset = rng.uniform(0.3, 0.7) * life
    wear = np.maximum(hours - onset, 0) / (life - onset)
    load = rng.choice(3, p=[0.5, 0.3, 0.2], size=life)[hours // 8, None]
    sensors = (
        rng.normal(0, 0.3, 3)
        + load * [3.0, -2.0, 1.0]
        + wear[:, None] ** 1.5 * (1 + load / 2) * rng.uniform(0.7, 1.3, 3)
        + rng.normal(0, 0.4, (life, 3))
    )
    return np.hstack([load, sensors]), np.minimum(life - hours, LONG)


def add_recent_means(x):
    """Append the age and, for each column, means of the last 8 and 32 hours."""
    means = [
        uniform_filter1d(x, hours, axis=0, mode="nearest", origin=hours // 2 - 1)
        for hours in (8, 32)
    ]
    return np.hstack([x, *means, np.arange(len(x))[:, None]])


def predict_by_forest(X_train, y_train, X_test):
    forest = ExtraTreesRegressor(50, min_samples_leaf=5, random_state=0)
    forest.fit(np.vstack([*map(add_recent_means, X_train)]), np.concatenate(y_train))
    return forest.predict(np.vstack([*map(add_recent_means, X_test)]))


def make_model():
    rnn = RNNSequenceRegressor(
        32,
        loss="quantile",
        quantiles=[0.1, 0.5, 0.9],
        learning_rate_init=0.03,
        max_iter=60,
        early_stopping=True,
        random_state=0,
    )
    return make_pipeline(PerStep(StandardScaler()), rnn)


def report_running(model, X, y, rng):
    """Stop machines in mid-life, and print what is expected of them."""
    print("\nMachines that run today: hours they have left")
    today = [rng.integers(len(x) // 2, len(x)) for x in X]
    last = [
        p[-1] for p in model.predict([x[:n] for x, n in zip(X, today, strict=True)])
    ]
    print("   age   median   8 of 10 within     true")
    for n, hours, true in zip(today, last, y, strict=True):
        low, median, high = LONG * hours
        print(f"  {n:4} {median:8.0f} {low:9.0f} to {high:3.0f} {true[n - 1]:8}")


def main():
    rng = np.random.default_rng(0)
    X, y = zip(*(make_machine(rng) for _ in range(240)), strict=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    print(f"{len(X_train)} machines for training, {sum(map(len, X_train))} hours")

    model = make_model().fit(X_train, [hours / LONG for hours in y_train])
    low, median, high = LONG * np.concatenate(model.predict(X_test)).T
    true = np.concatenate(y_test)
    guesses = {
        "always the median": np.full(len(true), np.median(np.concatenate(y_train))),
        "forest, recent means": predict_by_forest(X_train, y_train, X_test),
        "network": median,
    }
    print(f"\nMean error at each hour of {len(X_test)} other machines")
    for name, guess in guesses.items():
        print(f"  {name:20} {mean_absolute_error(true, guess):5.1f} hours")
    inside = np.mean((low <= true) & (true <= high))
    print(f"between the outer quantiles: {inside:.0%} of the hours, 80% promised")
    report_running(model, X_test[:8], y_test[:8], rng)


if __name__ == "__main__":
    main()
