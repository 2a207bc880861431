"""`warmup`: what it compiles, what it refuses, what it leaves alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from markers import needs_compiler
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skrnn
from skrnn import (
    RNNClassifier,
    RNNRegressor,
    RNNSequenceRegressor,
    RNNTagger,
    warmup,
)
from skrnn.cells import CELLS
from skrnn.estimators import warming

# A cell of the user's, and three estimators that together use most of what there is.
MODELS = """
from skrnn import Cell, RNNClassifier, RNNRegressor, RNNTagger
from skrnn.cells import tanh

class Leaky(Cell):
    x_gates = h_gates = ("h",)
    taped = ("h",)

    @staticmethod
    def forward(ax, ah, carry, unit):
        h = tanh(ax[0] + ah[0])
        return (0.5 * carry[0] + 0.5 * h,), (h,)

    @staticmethod
    def backward(d_carry, tape, carry_prev, unit):
        d = 0.5 * d_carry[0] * (1.0 - tape[0] * tape[0])
        return (d,), (d,), (0.5 * d_carry[0],), ()

models = [
    RNNClassifier(
        cell=Leaky(), bidirectional=True, pooling="attention", dropout=0.2,
        class_weight={"a": 1, "b": 2}, early_stopping=True, scoring="accuracy",
    ),
    RNNRegressor(
        cell=Leaky(), pooling="max", bptt_steps=7, solver="sgd", loss="poisson",
        recurrent_dropout=0.2, max_grad_norm=None, dtype="float32",
    ),
    RNNTagger(cell=Leaky(), crf=True, ignored_label=0, dtype="float32"),
]
"""

WARM = """
from models import models
from skrnn import warmup
warmup(*models, dtypes=["float32", "float64"])
"""

# Prints how many functions were compiled by fits and predictions.
USE = """
import numpy as np
from models import models
from numba.core import event

rng = np.random.default_rng(0)
with event.install_recorder("numba:compile") as recorder:
    for dtype in ("float32", "float64"):
        X = rng.standard_normal((50, 20, 4)).astype(dtype)
        y = ["a", "b", "c", "d", "e"] * 10, np.arange(50.0), [np.arange(20) % 4] * 50
        for model, y in zip([models[0], *models], [["a", "b"] * 25, *y]):
            if model.dtype in (None, dtype):
                model.set_params(hidden_layer_sizes=(30, 20), max_iter=2)
                model.fit(X, y).predict([X[0], X[1, :5]])
                model.hidden_states(X[:3])
print(len(recorder.buffer))
"""


def python(source, folder):
    """What `source` prints in a new process whose modules and cache are in a folder."""
    path = os.pathsep.join([str(Path(skrnn.__file__).parents[1]), str(folder)])
    variables = {"PYTHONPATH": path, "NUMBA_CACHE_DIR": str(folder / "cache")}
    result = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", source],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout or "null")


@needs_compiler
def test_nothing_is_left_to_compile(tmp_path):
    """With other sizes and data, in both dtypes, for a cell of the user's."""
    (tmp_path / "models.py").write_text(MODELS)
    python(WARM, tmp_path)
    assert python(USE, tmp_path) == 0


@pytest.fixture
def warmed(monkeypatch):
    """Pairs of estimator and dtype that `warmup` would compile."""
    pairs = []
    monkeypatch.setattr(warming, "_warm", lambda *pair: pairs.append(pair))
    return pairs


def test_without_estimators_all_cells_are_compiled(warmed):
    warmup()
    assert [(e.cell, dtype) for e, dtype in warmed] == [(c, "float32") for c in CELLS]
    assert all(repr(e) == repr(RNNClassifier(cell=e.cell)) for e, _ in warmed)


def test_the_dtype_of_an_estimator_goes_first(warmed):
    """Nothing is compiled that the estimator would never run."""
    double, either = RNNClassifier(dtype="float64"), RNNRegressor()
    warmup(double, either, dtypes=("float32", np.float64))
    expected = [(double, "float64"), (either, "float32"), (either, np.float64)]
    assert warmed == expected
    warmed.clear()
    warmup(either, dtypes="float64")
    assert warmed == [(either, "float64")]


@pytest.mark.parametrize(
    "kind", [RNNClassifier, RNNRegressor, RNNTagger, RNNSequenceRegressor]
)
def test_estimators_are_left_alone(kind):
    """Fitted or not, and whatever their data was."""
    X, y = np.random.default_rng(0).standard_normal((6, 4, 3)), np.arange(6) % 2
    if kind in (RNNTagger, RNNSequenceRegressor):
        y = np.repeat(y[:, np.newaxis], 4, axis=1)
    estimator = kind(2, max_iter=1, warm_start=True).fit(X, y)
    before, theta = vars(estimator).copy(), estimator.theta_.copy()
    warmup(estimator, clone(estimator), dtypes=["float64"])
    assert vars(estimator) == before
    assert (estimator.theta_ == theta).all()


@pytest.mark.parametrize(
    ("estimator", "shown"),
    [
        (RNNClassifier, "got <class"),
        (make_pipeline(RNNClassifier()), r"got Pipeline\(.*pass the last step"),
    ],
)
def test_other_objects_are_refused(warmed, estimator, shown):
    with pytest.raises(TypeError, match=rf"(?s)of skrnn's own classes, {shown}"):
        warmup(RNNRegressor(), estimator)
    assert warmed == []


def test_other_dtypes_are_refused(warmed):
    with pytest.raises(ValueError, match="'float32' or 'float64', got 'float16'"):
        warmup(dtypes=("float32", "float16"))
    assert warmed == []


def test_unusable_parameters_are_refused():
    with pytest.raises(ValueError, match="pooling must be one of"):
        warmup(RNNClassifier(pooling="first"))
