"""Recurrent neural networks for scikit-learn users."""

from skrnn.cells import Cell
from skrnn.estimators.classifier import RNNClassifier
from skrnn.estimators.regressor import RNNRegressor
from skrnn.estimators.sequence_regressor import RNNSequenceRegressor
from skrnn.estimators.tagger import RNNTagger
from skrnn.estimators.warming import warmup
from skrnn.persistence import load, save

__version__ = "0.1.0.dev0"

__all__ = [
    "Cell",
    "RNNClassifier",
    "RNNRegressor",
    "RNNSequenceRegressor",
    "RNNTagger",
    "__version__",
    "load",
    "save",
    "warmup",
]
