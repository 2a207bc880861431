"""The libraries that skrnn is compared with; all must be installed."""

from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("torch", "jax", "skorch", "onnx", "onnxruntime", "psutil")

for _name in PACKAGES:
    if find_spec(_name) is None:
        _file = Path(__file__).parents[1] / "requirements.txt"
        raise ModuleNotFoundError(f"{_name} is missing: pip install -r {_file}")
