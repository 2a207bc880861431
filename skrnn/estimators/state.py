"""What a saved estimator holds, and the checks before it is used again.

Kernels check no bounds: a network of other sizes than its weights would read memory
that is not its own. So whatever comes from outside, a file or an assignment, passes
through here before a kernel sees it.
"""

import reprlib
import warnings
from numbers import Real

import numpy as np

import skrnn
from skrnn.cells import Cell
from skrnn.cells.check import check_parts
from skrnn.estimators.parameters import (
    BOOL,
    DTYPES,
    MAX_LEVELS,
    NONE,
    POSITIVE_INT,
    REGRESSOR,
    Rule,
    either,
    instance,
    one_of,
)
from skrnn.network.pooling import READOUTS
from skrnn.optimizers import OPTIMIZERS, Optimizer, StochasticOptimizer
from skrnn.training import user_level

FORMAT = 1  # of the state; another one as soon as this code cannot read it


class VersionWarning(UserWarning):
    """A model is loaded by another version of skrnn than saved it."""


def _integer(low):
    """Exactly an int: NumPy's overflow when they are multiplied."""
    return Rule(lambda v: type(v) is int and v >= low, f"an int >= {low}")


def _are_levels(v):
    return type(v) is tuple and 0 < len(v) <= MAX_LEVELS and all(map(SIZE.holds, v))


def _are_classes(v):
    if not isinstance(v, np.ndarray) or v.ndim != 1 or v.size == 0:
        return False
    try:
        return bool(np.all(v[:-1] < v[1:]))
    except TypeError:  # labels that cannot be compared
        return False


def _are_names(v):
    is_row = isinstance(v, np.ndarray) and v.ndim == 1
    return is_row and all(isinstance(name, str) for name in v)


def _are_flags(v):
    return isinstance(v, np.ndarray) and v.ndim == 1 and v.dtype == bool


def _are_loss_parameters(v):
    if not isinstance(v, dict) or not REGRESSOR["loss"].holds(v.get("loss")):
        return False
    own = LOSS_PARAMETERS.get(v["loss"], ())
    return v.keys() == {"loss", *own} and all(REGRESSOR[n].holds(v[n]) for n in own)


def _is_row(v):
    return isinstance(v, np.ndarray) and v.ndim == 1 and v.dtype == np.float64


def _is_embedding(v):
    if not isinstance(v, dict) or v.keys() != EMBEDDING.keys():
        return False
    return all(rule.holds(v[name]) for name, rule in EMBEDDING.items())


def list_of(holds, text):
    return Rule(lambda v: isinstance(v, list) and all(map(holds, v)), text)


SIZE, COUNT = _integer(1), _integer(0)
STR = instance(str, "a str")
NUMBER = instance(Real, "a number")
CURVE = list_of(NUMBER.holds, "a list of numbers")
LOSS_PARAMETERS = {"huber": ("huber_delta",), "quantile": ("quantiles",)}

EMBEDDING = {"n_ids": _integer(2), "dim": SIZE, "trainable": BOOL}
ARCHITECTURE = {
    "n_inputs": SIZE,
    "hidden_layer_sizes": Rule(
        _are_levels, f"a tuple of 1 to {MAX_LEVELS} ints, all of them >= 1"
    ),
    "bidirectional": BOOL,
    "pooling": one_of(READOUTS),
    "n_raw": SIZE,
    "dtype": one_of(tuple(DTYPES)),
    "bptt_steps": either(POSITIVE_INT, NONE),
    "n_own_rows": COUNT,
    "embedding": either(NONE, Rule(_is_embedding, "a dict of n_ids, dim, trainable")),
}
# What has come since the first states of this format, to `_architecture_` and else.
ADDED_PARTS = {"n_own_rows": 0, "embedding": None}
ADDED = {"embedding_dim": None, "embedding_weights": None, "embedding_trainable": True}
NETWORK = {
    "_architecture_": Rule(
        lambda v: isinstance(v, dict) and v.keys() == ARCHITECTURE.keys(),
        f"a dict of {', '.join(ARCHITECTURE)}",
    ),
    "cell_": instance(Cell, "a Cell object"),
    "theta_": instance(np.ndarray, "an array"),
}
RECORD = {
    "n_step_features_in_": SIZE,
    "out_activation_": STR,
    "t_": COUNT,
    "_seed_": COUNT,
    "_optimizer_state_": either(instance(dict, "a dict"), NONE),
    "_solver_name_": STR,
    "n_iter_": COUNT,
    "loss_curve_": CURVE,
    "validation_loss_curve_": either(CURVE, NONE),
    "validation_scores_": either(CURVE, NONE),
    "loss_": NUMBER,
    "best_loss_": NUMBER,
    "best_iter_": either(COUNT, NONE),
    "best_validation_score_": either(NUMBER, NONE),
    "n_layers_": SIZE,
    "n_outputs_": SIZE,
    "n_parameters_": SIZE,
}
OPTIONAL = {
    "n_features_in_": SIZE,
    "feature_names_in_": Rule(_are_names, "names"),
    "_known_ids_": Rule(_are_flags, "an array of bools"),
}
CLASSIFIER_STATE = {
    "_multilabel_": BOOL,
    "classes_": Rule(_are_classes, "an array of different labels in ascending order"),
    "_class_weights_": either(list_of(_is_row, "a list of float64 arrays"), NONE),
    "_loss_parameters_": Rule(lambda v: isinstance(v, dict) and not v, "an empty dict"),
}
TAGGER_STATE = {
    **CLASSIFIER_STATE,
    "_loss_parameters_": Rule(
        lambda v: isinstance(v, dict) and v.keys() == {"crf"} and BOOL.holds(v["crf"]),
        "a dict of crf",
    ),
}
REGRESSOR_STATE = {
    "_flat_y_": BOOL,
    "_n_targets_": SIZE,
    "_loss_parameters_": Rule(
        _are_loss_parameters, "a dict of a loss and its parameters"
    ),
}


class StateMixin:
    """Pickles say who wrote them, and are checked when they are read."""

    def __copy__(self):
        """A shallow copy, also of an estimator that is just being fitted."""
        twin = type(self).__new__(type(self))
        vars(twin).update(vars(self))
        return twin

    def __getstate__(self):
        check_state(self)
        return {**super().__getstate__(), **signature()}

    def __setstate__(self, state):
        super().__setstate__(completed(unsigned(state, type(self).__name__)))
        try:
            check_state(self)
        except ValueError:
            vars(self).clear()
            raise


def signature():
    """What a state says of who wrote it."""
    return {"_skrnn_format": FORMAT, "_skrnn_version": skrnn.__version__}


def unsigned(state, kind):
    """A state without its signature.

    Raises
    ------
    ValueError
        When this version of skrnn cannot read it.
    """
    state = dict(state) if isinstance(state, dict) else {}
    number = state.pop("_skrnn_format", None)
    version = state.pop("_skrnn_version", None)
    if type(number) is not int or not isinstance(version, str):
        raise ValueError(
            f"The saved {kind} does not say which version of skrnn wrote it, so it is "
            "damaged, or older than any release. Fit it again."
        )
    if number != FORMAT:
        raise ValueError(
            f"The saved {kind} has format {number}, written by skrnn {version}; skrnn "
            f"{skrnn.__version__} reads format {FORMAT}. Load it with skrnn {version}."
        )
    if version != skrnn.__version__:
        warnings.warn(
            f"This {kind} was saved by skrnn {version} and is loaded by skrnn "
            f"{skrnn.__version__}. Compare some predictions with known ones.",
            VersionWarning,
            stacklevel=user_level(),
        )
    return state


def completed(state):
    """A state with what older ones of the same format do without."""
    complete = {**state, **ADDED, **state}  # in this order, and what it has counts
    architecture = state.get("_architecture_")
    if isinstance(architecture, dict):
        complete["_architecture_"] = {
            **architecture,
            **ADDED_PARTS,
            **architecture,
        }
    return complete


def known_attributes(kind):
    """Names of all that an estimator of that class may hold."""
    parameters = kind().get_params(deep=False)
    return {*parameters, *NETWORK, *RECORD, *OPTIONAL, *kind._state_rules}


def check_state(estimator):
    """Check all that an estimator holds, if it is fitted.

    Raises
    ------
    ValueError
        That names the attribute.
    """
    try:
        estimator.get_params(deep=False)
    except AttributeError as error:
        raise ValueError(f"A constructor parameter is missing: {error}.") from error
    if not hasattr(estimator, "theta_"):
        return
    sound_network(estimator)
    loss = sound_loss(estimator)
    fitted = vars(estimator)
    _check(estimator, fitted, RECORD)
    _check(estimator, fitted, {n: r for n, r in OPTIONAL.items() if n in fitted})
    _check_agreement(fitted, loss)
    _check_optimizer_state(estimator)


def sound_network(estimator):
    """The network of a fitted estimator, which fits its weights.

    Raises
    ------
    ValueError
        That names the attribute.
    """
    fitted = vars(estimator)
    _check(estimator, fitted, NETWORK)
    _check(estimator, fitted["_architecture_"], ARCHITECTURE, "_architecture_ {!r}")
    try:
        check_parts(estimator.cell_)
    except Exception as error:  # a cell is the user's code, or damaged
        raise ValueError(
            f"cell_ must be a sound cell, got an error: {error}"
        ) from error
    pooling = estimator._architecture_["pooling"]
    if pooling not in estimator._readouts:
        raise ValueError(
            f"_architecture_ 'pooling' must be one of {', '.join(estimator._readouts)} "
            f"in this {type(estimator).__name__}, got {pooling!r}."
        )
    network, theta = estimator._network(), estimator.theta_
    shape, dtype = (network.layout.size,), network.dtype
    if not _is_like(theta, shape, dtype):
        raise ValueError(
            f"theta_ must be a contiguous array of shape {shape} and type {dtype}, as "
            f"the network needs it, got shape {theta.shape} and type {theta.dtype}."
        )
    if not np.isfinite(theta).all():
        raise ValueError("theta_ must be finite, got NaN or infinity.")
    _check_known_ids(fitted.get("_known_ids_"), network)
    return network


def _check_known_ids(known, network):
    shape = None if network.embedding is None else (network.embedding.n_ids,)
    got = None if known is None else np.shape(known)
    if got != shape:
        raise ValueError(
            f"_known_ids_ must be of shape {shape}, as the embedding has vectors, got "
            f"{got}."
        )


def sound_loss(estimator):
    """The loss of a fitted estimator, which fits its network.

    Raises
    ------
    ValueError
        That names the attribute.
    """
    _check(estimator, vars(estimator), estimator._state_rules)
    loss = estimator._fitted_loss()
    needed, n_raw = loss.n_raw(estimator._n_targets_), estimator._architecture_["n_raw"]
    n_own_rows = estimator._architecture_["n_own_rows"]
    if n_own_rows != loss.n_own_rows(needed):
        raise ValueError(
            f"_architecture_ 'n_own_rows' must be {loss.n_own_rows(needed)}, as the "
            f"loss needs it, got {n_own_rows}."
        )
    if n_raw != needed:
        names = [name for name in estimator._state_rules if name in vars(estimator)]
        raise ValueError(
            f"_architecture_ 'n_raw' must be {needed}, as {', '.join(names)} need it, "
            f"got {n_raw}."
        )
    return loss


def _check(estimator, values, rules, name_as="{}"):
    for name, rule in rules.items():
        shown = name_as.format(name)
        if name not in values:
            raise ValueError(f"{shown} is missing in this {type(estimator).__name__}.")
        if not rule.holds(values[name]):
            raise ValueError(
                f"{shown} must be {rule.text}, got {reprlib.repr(values[name])} in "
                f"this {type(estimator).__name__}."
            )


def _check_agreement(fitted, loss):
    """Check the attributes that follow from others."""
    architecture = fitted["_architecture_"]
    expected = {
        "n_step_features_in_": architecture["n_inputs"],
        "n_layers_": len(architecture["hidden_layer_sizes"]) + 2,
        "n_outputs_": architecture["n_raw"],
        "n_parameters_": fitted["theta_"].size,
        "n_iter_": len(fitted["loss_curve_"]),
        "out_activation_": loss.out_activation,
    }
    for name, value in expected.items():
        if fitted[name] != value:
            raise ValueError(
                f"{name} must be {value!r}, as the other attributes say, got "
                f"{fitted[name]!r}."
            )
    n_columns = fitted.get("n_features_in_", fitted["n_step_features_in_"])
    names = fitted.get("feature_names_in_")
    if names is not None and names.size != n_columns:
        raise ValueError(
            f"feature_names_in_ must have {n_columns} names, as the other attributes "
            f"say, got {names.size}."
        )


def _check_optimizer_state(estimator):
    """Check that it can go on with `theta_`, as far as its optimiser is known."""
    state, theta = estimator._optimizer_state_, estimator.theta_
    kinds = {kind.__name__: kind for kind in OPTIMIZERS.values()}
    if isinstance(estimator.solver, Optimizer):
        kinds[type(estimator.solver).__name__] = type(estimator.solver)
    kind = kinds.get(estimator._solver_name_)
    if state is None or getattr(kind, "init", None) is not StochasticOptimizer.init:
        return
    if state.keys() != {"t", *kind.buffers} or not COUNT.holds(state["t"]):
        raise ValueError(
            f"_optimizer_state_ must hold a count 't' and {kind.buffers} of "
            f"{kind.__name__}, got {reprlib.repr(state)}."
        )
    for name in kind.buffers:
        array = state[name]
        if not _is_like(array, theta.shape, theta.dtype):
            raise ValueError(
                f"_optimizer_state_ {name!r} must be of shape {theta.shape} and type "
                f"{theta.dtype}, as theta_ is, got {reprlib.repr(array)}."
            )


def _is_like(array, shape, dtype):
    is_array = isinstance(array, np.ndarray) and array.flags.c_contiguous
    return is_array and array.shape == shape and array.dtype == dtype
