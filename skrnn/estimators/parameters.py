"""What each constructor parameter may be; read by `fit`, never by `__init__`."""

import sys
from itertools import pairwise
from numbers import Integral, Real
from reprlib import Repr

import numpy as np
from sklearn.base import clone

from skrnn.cells import CELLS, Cell
from skrnn.cells.check import check_parts
from skrnn.estimators.vocabulary import as_vectors
from skrnn.losses import REGRESSION_LOSSES
from skrnn.network.pooling import POOLINGS
from skrnn.optimizers import OPTIMIZERS, SCHEDULES, Optimizer

MAX_LEVELS = 1000
LARGEST = {Integral: sys.maxsize, Real: sys.float_info.max}
BRIEF = Repr()  # messages show a large value in part
BRIEF.maxstring = BRIEF.maxother = BRIEF.maxlong = 500
BRIEF.maxdict = BRIEF.maxlist = BRIEF.maxtuple = BRIEF.maxset = 5


class Rule:
    """A condition on a value, and how an error message states it."""

    def __init__(self, holds, text):
        self.holds = holds
        self.text = text


def one_of(names):
    listed = ", ".join(map(repr, names))
    return Rule(lambda v: isinstance(v, str) and v in names, f"one of {listed}")


def number(kind, low, high=None, *, open_low=False, open_high=False):
    """A number of `kind` from `low` to `high`; bools, NaN and infinity are none."""
    largest = LARGEST[kind] if high is None else high

    def holds(v):
        if not isinstance(v, kind) or isinstance(v, (bool, np.bool_)):
            return False
        try:
            v = int(v) if kind is Integral else float(v)
        except OverflowError:
            return False
        above = v > low if open_low else v >= low
        return above and (v < largest if open_high else v <= largest)

    what = "an integer" if kind is Integral else "a number"
    left, right = "(" if open_low else "[", ")" if open_high else "]"
    bounds = f"{what} in {left}{low}, {high}{right}"
    if high is None:
        bounds = f"{what} {'>' if open_low else '>='} {low}"
    return Rule(holds, bounds)


def instance(cls, text):
    return Rule(lambda v: isinstance(v, cls), text)


def either(*rules):
    return Rule(
        lambda v: any(rule.holds(v) for rule in rules),
        " or ".join(rule.text for rule in rules),
    )


def _is_row(v):
    """Whether `v` is a list of something."""
    if isinstance(v, np.ndarray):
        return v.ndim == 1 and v.size > 0
    return isinstance(v, (list, tuple)) and len(v) > 0


def _are_sizes(v):
    return _is_row(v) and len(v) <= MAX_LEVELS and all(map(POSITIVE_INT.holds, v))


def _are_quantiles(v):
    if not _is_row(v) or not all(map(FRACTION.holds, v)):
        return False
    return all(a < b for a, b in pairwise(v))


def _is_table(v):
    try:
        v = as_vectors(v)
    except (TypeError, ValueError):
        return False
    if v.ndim != 2 or v.dtype.kind not in "fiu":
        return False
    return len(v) > 1 and bool(np.all(np.abs(v) <= np.finfo(np.float32).max))


def _are_class_weights(v):
    return isinstance(v, dict) and all(map(NON_NEGATIVE.holds, v.values()))


NONE = Rule(lambda v: v is None, "None")
BOOL = Rule(lambda v: isinstance(v, (bool, np.bool_)), "True or False")
POSITIVE_INT = number(Integral, 1)
POSITIVE = number(Real, 0, open_low=True)
NON_NEGATIVE = number(Real, 0)
FRACTION = number(Real, 0, 1, open_low=True, open_high=True)
RATE = number(Real, 0, 1, open_high=True)
INTEGER = number(Integral, -sys.maxsize)
CLASS_WEIGHTS = either(
    NONE, one_of(("balanced",)), Rule(_are_class_weights, "a dict of numbers >= 0")
)
DTYPES = {"float32": np.float32, "float64": np.float64}
DTYPE = Rule(
    lambda v: isinstance(v, (str, type, np.dtype)) and v in (*DTYPES, *DTYPES.values()),
    "'float32' or 'float64'",
)

SHARED = {
    "hidden_layer_sizes": either(
        POSITIVE_INT, Rule(_are_sizes, f"a tuple of 1 to {MAX_LEVELS} integers >= 1")
    ),
    "cell": either(one_of(CELLS), instance(Cell, "a Cell object such as LSTM()")),
    "embedding_dim": either(POSITIVE_INT, NONE),
    "embedding_weights": either(
        Rule(_is_table, "a finite array of shape (n_ids, embedding_dim), n_ids > 1"),
        NONE,
    ),
    "embedding_trainable": BOOL,
    "bidirectional": BOOL,
    "activation": one_of(("tanh", "relu")),
    "dropout": RATE,
    "recurrent_dropout": RATE,
    "alpha": NON_NEGATIVE,
    "max_grad_norm": either(POSITIVE, NONE),
    "solver": either(
        one_of(OPTIMIZERS), instance(Optimizer, "an Optimizer object such as Adam()")
    ),
    "batch_size": either(one_of(("auto",)), POSITIVE_INT),
    "learning_rate": one_of(SCHEDULES),
    "learning_rate_init": POSITIVE,
    "max_iter": POSITIVE_INT,
    "bptt_steps": either(POSITIVE_INT, NONE),
    "shuffle": BOOL,
    "random_state": either(
        NONE,
        number(Integral, 0, 2**32 - 1),
        Rule(
            lambda v: v is np.random or isinstance(v, np.random.RandomState),
            "a RandomState instance",
        ),
    ),
    "tol": NON_NEGATIVE,
    "verbose": either(BOOL, number(Integral, 0)),
    "warm_start": BOOL,
    "early_stopping": BOOL,
    "validation_fraction": FRACTION,
    "n_iter_no_change": POSITIVE_INT,
    "scoring": either(
        NONE, Rule(lambda v: isinstance(v, str) or callable(v), "a str or a callable")
    ),
    "dtype": either(NONE, DTYPE),
    "n_jobs": either(
        NONE, Rule(lambda v: INTEGER.holds(v) and v != 0, "a non-zero integer")
    ),
}

POOLED = {"pooling": one_of(POOLINGS)}

CLASSIFIER = {
    "class_weight": either(
        CLASS_WEIGHTS,
        Rule(
            lambda v: isinstance(v, list) and all(map(CLASS_WEIGHTS.holds, v)),
            "a list of these",
        ),
    )
}

TAGGER = {
    "crf": BOOL,
    "ignored_label": either(
        NONE, Rule(lambda v: isinstance(v, (str, Real)), "a str or a number")
    ),
}

REGRESSOR = {
    "loss": one_of(REGRESSION_LOSSES),
    "huber_delta": POSITIVE,
    "quantiles": either(
        FRACTION, Rule(_are_quantiles, "an ascending sequence of them")
    ),
}


def check_parameters(estimator, rules):
    """Raise ValueError for the first parameter that breaks its rule.

    Parameters
    ----------
    estimator : estimator
    rules : dict of str to Rule
    """
    for name, rule in rules.items():
        value = getattr(estimator, name)
        if not rule.holds(value):
            raise ValueError(
                f"{name} must be {rule.text}, got {BRIEF.repr(value)} in "
                f"{type(estimator).__name__}."
            )


def make_cell(cell, activation):
    """The cell that the parameters `cell` and `activation` stand for.

    Raises
    ------
    ValueError
        When a named cell does not know the activation, or the parts of a cell object
        do not fit together.
    """
    if not isinstance(cell, str):
        check_parts(cell)
        return clone(cell)
    kind = CELLS[cell]
    if activation not in kind.activations:
        able = [repr(name) for name, c in CELLS.items() if activation in c.activations]
        raise ValueError(
            f"activation must be 'tanh' with cell={cell!r}, got {activation!r}; the "
            f"cells that know it are {', '.join(able)}."
        )
    return kind(activation) if len(kind.activations) > 1 else kind()
