"""Predictions while sequences are still coming in, for many streams at once.

A network learns handwritten digits as sequences of eight pixel rows, and their
beginnings, so that it also knows what to think of those. Then the test images arrive
row by row: after each row `step` answers for all of them. A stream is closed as soon as
the network is sure, and the last answers are those of `predict`.
"""

import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skrnn import RNNClassifier

SURE = 0.95


def main():
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8).astype(np.float32) / 16
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    beginnings = [x[:n] for n in (3, 4, 5, 6, 7, 8) for x in X_train]
    rnn = RNNClassifier(64, cell="gru", max_iter=15, random_state=0)
    rnn.fit(beginnings, np.tile(y_train, 6))

    state = None
    for t in range(X_test.shape[1]):
        proba, state = rnn.step(X_test[:, t], state, method="predict_proba")
        right = rnn.classes_[proba.argmax(axis=1)] == y_test
        print(f"after row {t + 1}: {right.mean():.0%} of the digits are right")
    assert np.allclose(proba, rnn.predict_proba(X_test), atol=1e-5)

    rows_read, right = close_when_sure(rnn, X_test, y_test)
    print(f"\nClosed when sure: {rows_read:.1f} of 8 rows read, {right:.0%} right")
    print(f"One step of one stream: {time_one_stream(rnn, X_test[:1]):.0f} us")


def close_when_sure(rnn, X, y):
    """Mean number of rows read, and the share of right answers."""
    n_steps, open_streams, state = X.shape[1], np.arange(len(X)), None
    n_rows, n_right = 0, 0
    for t in range(n_steps):
        x_t = X[open_streams, t]
        proba, state = rnn.step(x_t, state, method="predict_proba")
        n_rows += len(open_streams)
        done = (proba.max(axis=1) > SURE) | (t == n_steps - 1)
        answers = rnn.classes_[proba.argmax(axis=1)]
        n_right += np.sum(done & (answers == y[open_streams]))
        open_streams, state = open_streams[~done], state[~done]
        if len(open_streams) == 0:
            break
    return n_rows / len(X), n_right / len(X)


def time_one_stream(rnn, X, n_repeats=200):
    """Median microseconds of a step."""
    seconds = []
    for _ in range(n_repeats):
        state = None
        for t in range(X.shape[1]):
            began = time.perf_counter()
            _, state = rnn.step(X[:, t], state)
            seconds.append(time.perf_counter() - began)
    return 1e6 * np.median(seconds)


if __name__ == "__main__":
    main()
