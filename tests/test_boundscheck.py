"""No kernel reads or writes outside its arrays."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
KERNELS = ["cells", "fuzz", "gradients", "losses", "network", "optimizers", "products"]
KERNELS += ["chain", "embedding", "promises", "steps", "streaming"]


@pytest.mark.slow
@pytest.mark.parametrize("name", KERNELS)
def test_kernels_stay_inside_their_arrays(name, tmp_path):
    """The tests of the kernels, compiled anew with a check of each index."""
    checked = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    pytest_run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", HERE / f"test_{name}.py"],
        env={**os.environ, **checked},
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert pytest_run.returncode == 0, pytest_run.stdout[-5000:]


@pytest.mark.heavy
def test_an_index_outside_is_found_when_bounds_are_checked(tmp_path):
    """What the test above relies on: `jit` compiles with the checks asked for."""
    script = (
        "import numpy as np\n"
        "from skrnn.jit import specialise\n"
        "def last(x): return x[x.size]\n"
        "specialise(last, 'float64')(np.ones(3))\n"
    )
    (tmp_path / "script.py").write_text(script)
    checked = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    run = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        env={**os.environ, **checked, "NUMBA_DISABLE_JIT": "0"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "IndexError" in run.stderr
