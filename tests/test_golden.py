"""Models trained once still predict, and are still learnt, as they were.

The reference was written by ``data/make_golden.py``, for which it takes the parameters
and data. Other processors, and other versions of BLAS, add up in another order and have
other vector instructions, so the last bits differ. Measured, with BLAS and code made
for Nehalem, for Haswell and for Zen 5, and with kernels that run as plain Python, with
the tanh of NumPy, eps being the distance from 1 to the next float: 1.5 eps in
predictions, 6.5 in losses of training.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import skrnn
from skrnn.cells import CELLS

with np.load(Path(__file__).parent / "data" / "golden.npz") as file:
    GOLDEN = dict(file)

NAMES = [key.removesuffix("/model") for key in GOLDEN if key.endswith("/model")]
X = np.split(GOLDEN["X"], np.cumsum(GOLDEN["lengths"])[:-1])

# Of predictions from stored weights, relative to the largest. At worst each of 12 steps
# would add the rounding of 8 terms and 6 units in the last place of a tanh: 168 eps.
PREDICTION_EPS = 32
# Of the losses of training from the seed. Errors grow from update to update, of which
# there are 12; Adam divides by small numbers.
CURVE_EPS = 256

each_model = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def trained():
    """Each model, trained anew when it is first asked for."""
    models = {}

    def train(name):
        if name not in models:
            kind, params = json.loads(GOLDEN[f"{name}/model"].item())
            est = getattr(skrnn, kind)(**params)
            models[name] = est.fit(X, GOLDEN[f"{name}/y"])
        return models[name]

    return train


def test_the_reference_has_every_registered_cell():
    of_cells = {name.rpartition("_")[0] for name in NAMES if "_float" in name}
    assert set(CELLS) <= of_cells


@each_model
def test_training_from_the_seed_gives_the_stored_losses(name, trained):
    """Initial weights, order, dropout, gradients and updates, all of them."""
    est, expected = trained(name), GOLDEN[f"{name}/loss_curve"]
    error = np.abs(np.divide(est.loss_curve_, expected) - 1).max()
    assert error <= CURVE_EPS * np.finfo(est.theta_.dtype).eps


@each_model
def test_stored_weights_give_the_stored_predictions(name, trained):
    est, expected = trained(name), GOLDEN[f"{name}/predictions"]
    learnt = est.theta_.copy()
    est.theta_[:] = GOLDEN[f"{name}/theta"]
    answer = "predict_proba" if hasattr(est, "predict_proba") else "predict"
    found = getattr(est, answer)(X)
    est.theta_[:] = learnt
    assert found.dtype == expected.dtype and found.shape == expected.shape
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert error <= PREDICTION_EPS * np.finfo(expected.dtype).eps


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="names of x86 processors")
@pytest.mark.parametrize(
    "processor, features", [("Nehalem", ""), ("Haswell", "+avx,+avx2,+fma")]
)
def test_other_processors_stay_within_the_tolerance(processor, features, tmp_path):
    """All of the above, with BLAS and compiled code for another processor."""
    env = {"OPENBLAS_CORETYPE": processor, "NUMBA_CPU_NAME": processor.lower()}
    env |= {"NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    result = subprocess.run(
        command,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout[-3000:]
