"""Losses: value, gradient and output transform of raw scores, in one object.

A loss knows nothing of networks. It is handed the raw scores of a batch of rows; a row
is a sequence, or one step of a sequence where the targets are per step.

Conventions
-----------
B rows, K raw columns, Q quantiles, n = number of target columns (1 for class indices).

- ``raw`` : (B, K), C-contiguous, float32 or float64, never written to.
- ``w`` : (B,), float, non-negative with a positive sum. The caller normalises it:
  with ``w = 1/B`` a value is a mean over rows.
- ``y`` and what ``predict`` returns:

  ========================== ==================== ============== ====================
  loss                       ``y``                K              ``predict(raw)``
  ========================== ==================== ============== ====================
  CategoricalCrossEntropy    (B,) class indices   n_classes      (B, n_classes)
  BinaryCrossEntropy         (B,) 0 or 1          1              (B, 2)
  MultilabelCrossEntropy     (B, n) 0 or 1        n              (B, n)
  the regression losses      (B, n)               n              (B, n)
  Quantile, several at once  (B, n)               n * Q          (B, n, Q)
  ========================== ==================== ============== ====================

  (B,) stands for (B, 1) wherever n is 1. The Q raw columns of a target are adjacent.
- ``value`` : float, ``sum_i w_i l_i``, added up in float64. The loss ``l_i`` of a row
  is the MEAN over its raw columns, so it does not grow with the number of targets; the
  K scores of CategoricalCrossEntropy make one term.
- ``d_raw`` : the gradient of ``value``, shape and dtype of ``raw``, C-contiguous.
- ``initial_raw(y, w)`` : (K,) float64, always finite.

Targets are not checked on every batch: call ``check_targets(y)`` once before training.
Identity transforms return ``raw`` itself, not a copy.
"""

from skrnn.losses.base import Loss
from skrnn.losses.classification import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    MultilabelCrossEntropy,
)
from skrnn.losses.regression import (
    REGRESSION_LOSSES,
    AbsoluteError,
    Huber,
    Poisson,
    Quantile,
    SquaredError,
)

__all__ = [
    "REGRESSION_LOSSES",
    "AbsoluteError",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "Huber",
    "Loss",
    "MultilabelCrossEntropy",
    "Poisson",
    "Quantile",
    "SquaredError",
]
