"""Made-up sequence problems whose difficulty is known.

Each function returns ``X``, a list of ``(n_timesteps_i, n_features)`` float64 arrays,
and ``y``, an array with one entry (or row) per sequence. The docstrings say what a
model without memory can reach, so that a score can be judged.
"""

from skrnn.datasets.adding import make_adding_problem
from skrnn.datasets.copy_memory import make_copy_memory
from skrnn.datasets.reber import make_reber
from skrnn.datasets.switching_sines import make_switching_sines

__all__ = [
    "make_adding_problem",
    "make_copy_memory",
    "make_reber",
    "make_switching_sines",
]
