"""Predictions after every step of sequences that go on."""

import math

import numpy as np

from skrnn.estimators.serving import server_of
from skrnn.estimators.vocabulary import read_step


class StreamingMixin:
    """Adds `step` to an estimator."""

    def step(self, x_t, state=None, *, method="predict"):
        """Read one more step of some streams and predict from all steps so far.

        A stream is a sequence whose end is not known. After every step the answer is
        that of `predict` on the whole sequence up to there, but for rounding; what a
        step costs does not depend on how many there were.

        Parameters
        ----------
        x_t : array-like of shape (n_streams, n_features) or (n_features,)
            The features of this step, of each stream or of a single one.
        state : ndarray of shape (n_streams, n_numbers), default=None
            What the last call returned; None before the first step.
        method : {"predict", "predict_proba", "predict_log_proba"}, default="predict"
            Whose answer to return; a regressor knows "predict" only.

        Returns
        -------
        y : ndarray of shape (n_streams,) or (n_streams, ...)
            As from `method` for as many sequences; for one stream, with one entry. An
            estimator of each step answers for this one.
        state : ndarray of shape (n_streams, n_numbers)
            A new array, of the type of `theta_`. Each row holds all that is to be
            known of a stream: rows may be selected, joined, copied and saved. A row
            of zeros is a stream that has not begun.

        Notes
        -----
        A network that also reads from the end (`bidirectional`) cannot be streamed,
        nor can a tagger with `crf`, whose labels depend on each other.
        Computation is in the type of `theta_`; an x_t of that type is read where it
        lies. `n_jobs` counts only where a step of all streams takes milliseconds.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(20, 5, 2))
        >>> rnn = RNNRegressor(4, max_iter=1, random_state=0).fit(X, X[:, :, 0].sum(1))
        >>> state = None
        >>> for t in range(5):
        ...     y, state = rnn.step(X[:, t], state)
        >>> np.allclose(y, rnn.predict(X))
        True
        """
        server = server_of(self)
        if not isinstance(method, str) or method not in self._answers:
            raise ValueError(f"method must be one of {self._answers}, got {method!r}.")
        streams = server.streams
        x_t = read_step(self, x_t, server.network.n_inputs, streams.dtype)
        if state is not None:
            _check_state(state, len(x_t), streams)
        with np.errstate(over="ignore", invalid="ignore"):
            raw, new = streams.step(x_t, state, self.n_jobs)
        if not math.isfinite(np.vdot(raw, raw)):
            _check_raw(raw)
        return self._answer(method, raw, server.loss), new


def _check_raw(raw):
    """Name the first stream whose scores are not finite."""
    for stream in np.flatnonzero(~np.isfinite(raw).all(axis=1))[:1]:
        raise ValueError(
            f"x_t makes the network overflow in stream {stream}: its output is "
            "infinite or NaN. Scale x_t as the data it was fitted to."
        )


def _check_state(state, n_streams, streams):
    """Raise ValueError unless `state` is one of `n_streams` streams."""
    n_columns = streams.n_columns
    known = type(state) is np.ndarray and state.ndim == 2
    if not known or state.shape[1] != n_columns or state.dtype != streams.dtype:
        raise ValueError(
            "state must be as this model's step returned it, an array of shape "
            f"(n_streams, {n_columns}) and type {streams.dtype}, got {_shown(state)}."
        )
    if len(state) != n_streams:
        raise ValueError(
            f"state must have a row for each of the {n_streams} stream(s) in x_t, "
            f"got {len(state)}."
        )

    if not math.isfinite(np.vdot(state, state)) and not np.isfinite(state).all():
        stream = np.flatnonzero(~np.isfinite(state).all(axis=1))[0]
        raise ValueError(
            "state must be finite, as step returned it, got NaN or infinity in stream "
            f"{stream}."
        )


def _shown(state):
    if isinstance(state, np.ndarray):
        return f"one of shape {state.shape} and type {state.dtype}"
    return type(state).__name__
