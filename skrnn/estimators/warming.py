"""Compile ahead of time what estimators need."""

import warnings

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skrnn.cells import CELLS
from skrnn.estimators.base import BaseRecurrent
from skrnn.estimators.classifier import RNNClassifier
from skrnn.estimators.parameters import DTYPE

LENGTHS = (3, 2, 3, 1)
BRIEF = {
    "max_iter": 1,
    "early_stopping": False,
    "scoring": None,
    "class_weight": None,
    "ignored_label": None,
    "verbose": False,
    "warm_start": False,
    "n_jobs": 1,
    "random_state": 0,
}


def warmup(*estimators, dtypes=("float32",)):
    """Compile what estimators need, and keep it on disk.

    The first `fit` with a cell takes some seconds longer, since the cell is compiled.
    Call this where that time does not matter, such as when an image is built or a
    service is installed: later processes then compile nothing. Each estimator is
    copied, and the copy fitted to four tiny sequences, of two classes and of three,
    and asked for predictions.

    The compiled code is kept in the folder `skrnn` is installed in, or in the user's
    cache folder, or where the environment variable NUMBA_CACHE_DIR says; it need not
    be writable afterwards. It is for this kind of processor, and for these versions of
    skrnn, Numba and Python; any others compile anew.

    Parameters
    ----------
    *estimators : RNNClassifier, RNNRegressor, RNNTagger or RNNSequenceRegressor
        Fitted or not; they are not changed. Without any, all cells of `skrnn.cells`
        with the default parameters. Of the parameters, those that name a part matter,
        such as `cell`, `pooling` and `solver`; sizes and rates do not.
    dtypes : sequence of {"float32", "float64"}, default=("float32",)
        What X will be; float32 data are computed in float32, all others in float64.
        An estimator whose own `dtype` is set is compiled for that one only.

    Raises
    ------
    TypeError
        For anything that is not an estimator of this library; pass the last step of a
        pipeline by itself.
    ValueError
        For another dtype, or a parameter that cannot be used.

    Examples
    --------
    >>> from skrnn import RNNClassifier, warmup
    >>> warmup(RNNClassifier(pooling="mean"))
    """
    dtypes = _check_dtypes(dtypes)
    for estimator in estimators:
        _check_estimator(estimator)
    for estimator in estimators or map(_default, CELLS):
        for dtype in dtypes if estimator.dtype is None else (estimator.dtype,):
            _warm(estimator, dtype)


def _check_dtypes(dtypes):
    dtypes = [dtypes] if isinstance(dtypes, (str, type)) else dtypes
    if not isinstance(dtypes, (list, tuple)) or len(dtypes) == 0:
        raise ValueError(f"dtypes must be a non-empty tuple of names, got {dtypes!r}.")
    for dtype in dtypes:
        if not DTYPE.holds(dtype):
            raise ValueError(f"dtypes must be 'float32' or 'float64', got {dtype!r}.")
    return dtypes


def _check_estimator(estimator):
    if not isinstance(estimator, BaseRecurrent):
        raise TypeError(
            f"estimators must be objects of skrnn's own classes, got {estimator!r}; "
            "pass the last step of a pipeline by itself."
        )


def _default(cell):
    return RNNClassifier(cell=cell)


def _warm(estimator, dtype):
    """Fit a copy to tiny data, and predict."""
    parameters = clone(estimator).get_params(deep=False)
    brief = {name: value for name, value in BRIEF.items() if name in parameters}
    copy = type(estimator)(**{**parameters, **brief, "dtype": dtype})
    if copy.bptt_steps is not None:
        copy.bptt_steps = 2
    default = 2 if estimator.embedding_dim is None else 1
    n_features = getattr(estimator, "n_step_features_in_", default)
    X = [np.ones((length, n_features), dtype) for length in LENGTHS]
    for n_classes in (2, 3):  # each has a loss of its own
        y = list(np.arange(len(X)) % n_classes)
        if copy.pooling == "steps":
            y = [np.full(len(x), target) for x, target in zip(X, y, strict=True)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            copy.fit(X, y)
    copy.predict(X)
    copy.predict(X[:1])
