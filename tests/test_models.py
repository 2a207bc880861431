"""Models that were saved by each version so far are loaded, and answer as they did."""

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest

import skrnn
from skrnn.persistence import VersionWarning
from skrnn.persistence.files import KINDS

MODELS = Path(__file__).parent / "data" / "models"
FILES = sorted(MODELS.glob("*/*.skrnn"))
# Fused operations and sums in another order, from processor to processor, change the
# last digits: measured, 7e-8 and 6e-16 between compiled kernels and plain Python.
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}

each_file = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: "-".join(path.parts[-2:])
)


def load(path):
    """The model, with a warning if another version wrote it."""
    is_ours = path.parent.name == skrnn.__version__
    expected = contextlib.nullcontext() if is_ours else pytest.warns(VersionWarning)
    with expected:
        return skrnn.load(path)


def answers_of(path):
    """X, a method and what it answered."""
    with np.load(path.parent / "answers.npz") as saved:
        X = np.split(saved["X"], saved["lengths"].cumsum()[:-1])
        [(name, expected)] = [
            (name, saved[name]) for name in saved if name.split(".")[0] == path.stem
        ]
    return X, name.split(".")[1], expected


def test_this_version_keeps_models_of_each_kind():
    """`tests/data/make_models.py` writes them."""
    folder = MODELS / skrnn.__version__
    kinds = {type(skrnn.load(path)).__name__ for path in folder.glob("*.skrnn")}
    assert kinds == KINDS.keys()


@each_file
def test_a_kept_model_answers_as_it_did(path):
    X, method, expected = answers_of(path)
    est = load(path)
    found = getattr(est, method)(X)
    if isinstance(found, list):
        found = np.concatenate(found)
    assert found.dtype == expected.dtype and found.shape == expected.shape
    tolerance = TOLERANCE[est.theta_.dtype.name]
    np.testing.assert_allclose(
        found, expected, rtol=0, atol=tolerance * np.abs(expected).max()
    )


@each_file
def test_a_kept_model_can_be_trained_on(path):
    X, _, _ = answers_of(path)
    est = load(path)
    y = np.resize(est.classes_, len(X)) if hasattr(est, "classes_") else np.ones(len(X))
    if est.pooling == "steps":
        y = [np.repeat(target, len(x)) for target, x in zip(y, X, strict=True)]
    before, n_iter = est.theta_.copy(), est.n_iter_
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        est.partial_fit(X, y)
    assert est.n_iter_ == n_iter + 1 and not np.array_equal(est.theta_, before)
