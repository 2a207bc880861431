"""Training: the objective, the epoch loop, and those who watch it."""

from skrnn.training.data import ChainData, StepData, TrainingData
from skrnn.training.divergence import NonFiniteLoss, check_finite
from skrnn.training.inference import map_batches, raw_scores, threads_for
from skrnn.training.loop import fit_full_batch, fit_stochastic
from skrnn.training.memory import check_fit
from skrnn.training.objective import Objective
from skrnn.training.record import Epoch, Record
from skrnn.training.stopping import LossPlateau, ValidationPlateau
from skrnn.training.streaming import Streams
from skrnn.training.threads import Threads
from skrnn.training.watchers import (
    Diagnosis,
    Reporter,
    user_level,
    warn_if_badly_scaled,
    warn_if_not_converged,
)

__all__ = [
    "ChainData",
    "Diagnosis",
    "Epoch",
    "LossPlateau",
    "NonFiniteLoss",
    "Objective",
    "Record",
    "StepData",
    "Reporter",
    "Streams",
    "Threads",
    "TrainingData",
    "ValidationPlateau",
    "check_finite",
    "check_fit",
    "fit_full_batch",
    "fit_stochastic",
    "map_batches",
    "raw_scores",
    "threads_for",
    "user_level",
    "warn_if_badly_scaled",
    "warn_if_not_converged",
]
