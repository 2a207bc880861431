"""What a table was measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

import skrnn

PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "numba", "joblib"),
    *("torch", "jax", "jaxlib", "skorch", "onnx", "onnxruntime"),
)


def describe():
    """Versions, processor, threads and the load before the run, by name."""
    return {
        "skrnn": skrnn.__version__,
        **{name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "system": platform.system(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": "1 and 2 for each library, all cores for jax; BLAS in skrnn: 1",
        "load": round(os.getloadavg()[0], 2),
    }


def _cpu():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor()
