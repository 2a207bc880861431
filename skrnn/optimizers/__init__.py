"""Optimisers, learning-rate schedules and clipping, all on one flat vector.

They know nothing of networks. An optimiser is one file and one line of `OPTIMIZERS`; a
schedule is one class and one line of `SCHEDULES`.
"""

from skrnn.optimizers.adam import Adam
from skrnn.optimizers.base import Optimizer, StochasticOptimizer
from skrnn.optimizers.clipping import clip_norm
from skrnn.optimizers.lbfgs import LBFGS
from skrnn.optimizers.rmsprop import RMSprop
from skrnn.optimizers.schedules import SCHEDULES, Schedule, make_schedule
from skrnn.optimizers.sgd import SGD

OPTIMIZERS = {"adam": Adam, "rmsprop": RMSprop, "sgd": SGD, "lbfgs": LBFGS}


def make_optimizer(solver):
    """The optimiser that `solver` stands for, with its hyper-parameters checked.

    Parameters
    ----------
    solver : str or Optimizer
        A name in `OPTIMIZERS`, for the default hyper-parameters, or an optimiser,
        which is returned as it is: `init` and `update` never change it.

    Returns
    -------
    Optimizer
    """
    if isinstance(solver, str) and solver in OPTIMIZERS:
        return OPTIMIZERS[solver]()
    if not isinstance(solver, Optimizer):
        choices = ", ".join(map(repr, OPTIMIZERS))
        raise ValueError(
            f"solver must be one of {choices} or an optimizer object such as "
            f"Adam(beta_1=0.8), got {solver!r}."
        )
    solver.check()
    return solver


__all__ = [
    "Adam",
    "LBFGS",
    "OPTIMIZERS",
    "Optimizer",
    "RMSprop",
    "SCHEDULES",
    "SGD",
    "Schedule",
    "StochasticOptimizer",
    "clip_norm",
    "make_optimizer",
    "make_schedule",
]
