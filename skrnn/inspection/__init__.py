"""Displays for looking into a fitted network; they need matplotlib."""

from skrnn.inspection.attention import AttentionDisplay
from skrnn.inspection.loss_curve import LossCurveDisplay

__all__ = ["AttentionDisplay", "LossCurveDisplay"]
