"""Scores of answers per step, on sequences of different lengths."""

from skrnn.metrics.entities import (
    entity_f1_score,
    entity_precision_score,
    entity_recall_score,
    entity_report,
)
from skrnn.metrics.numbers import (
    step_mean_absolute_error,
    step_mean_pinball_loss,
    step_mean_squared_error,
    step_r2_score,
    step_root_mean_squared_error,
)
from skrnn.metrics.prediction import cross_val_predict
from skrnn.metrics.scorers import get_scorer
from skrnn.metrics.steps import (
    sequence_accuracy_score,
    step_accuracy_score,
    step_f1_score,
    step_log_loss,
)

__all__ = [
    "cross_val_predict",
    "entity_f1_score",
    "entity_precision_score",
    "entity_recall_score",
    "entity_report",
    "get_scorer",
    "sequence_accuracy_score",
    "step_accuracy_score",
    "step_f1_score",
    "step_log_loss",
    "step_mean_absolute_error",
    "step_mean_pinball_loss",
    "step_mean_squared_error",
    "step_r2_score",
    "step_root_mean_squared_error",
]
