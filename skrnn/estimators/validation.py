"""Data set aside to judge the weights after each epoch."""

import copy
from numbers import Real

from sklearn.utils import _safe_indexing, indexable

from skrnn.estimators.vocabulary import read
from skrnn.sequences import naming
from skrnn.training import check_finite


class Validation:
    """Judges weights on validation data.

    Parameters
    ----------
    estimator : estimator
        Whose copies, with the weights in question, are scored.
    data : TrainingData
    X, y : array-like
        The same data as given by the user, for the scorer; unused without one.
    sample_weight : ndarray or None
    """

    def __init__(self, estimator, data, X, y, sample_weight):
        self.estimator = estimator
        self.data = data
        self.X, self.y, self.sample_weight = X, y, sample_weight
        self.scorer = None if estimator.scoring is None else make_scorer(estimator)

    def judge(self, epoch, objective, theta, attributes):
        """Write the validation loss, and score if asked for, into `epoch`.

        Raises
        ------
        NonFiniteLoss
        """
        epoch.validation_loss = objective.mean_loss(theta, self.data)
        check_finite(epoch.validation_loss, "validation loss")
        if self.scorer is not None:
            estimator = copy.copy(self.estimator)
            vars(estimator).update(attributes)
            weights = {}
            if self.sample_weight is not None:
                weights["sample_weight"] = self.sample_weight
            score = self.scorer(estimator, self.X, self.y, **weights)
            epoch.validation_score = float(score)


def make_scorer(estimator):
    """The scorer that the estimator's `scoring` stands for.

    Raises
    ------
    ValueError
        Where it is known already that it cannot score what the estimator answers.
    """
    from sklearn.metrics import check_scoring, get_scorer_names  # slow to import

    scoring = estimator.scoring
    if estimator.pooling == "steps":
        scoring = _read_step_scoring(estimator)
    elif isinstance(scoring, str) and scoring not in get_scorer_names():
        raise ValueError(
            "scoring must be None, a scorer such as sklearn.metrics.make_scorer makes, "
            f"or a name of sklearn.metrics.get_scorer_names(), got {scoring!r} in "
            f"{type(estimator).__name__}."
        )
    with naming("scoring"):
        return check_scoring(estimator, scoring)


def _read_step_scoring(estimator):
    """Look a name up; refuse scorers of scikit-learn, which join no sequences."""
    from skrnn.metrics.scorers import SCORERS, get_scorer  # slow to import

    scoring = estimator.scoring
    if isinstance(scoring, str) and scoring in SCORERS:
        return get_scorer(scoring)
    metric = getattr(scoring, "_score_func", None)  # what `make_scorer` was given
    if isinstance(scoring, str) or _is_of_sklearn(metric):
        raise ValueError(
            f"scoring of {type(estimator).__name__} must be None, a name that "
            f"skrnn.metrics.get_scorer knows, {', '.join(map(repr, SCORERS))}, or a "
            "scorer of ragged targets; those of scikit-learn are for tables. Got "
            f"{scoring!r}."
        )
    return scoring


def _is_of_sklearn(metric):
    return str(getattr(metric, "__module__", None)).startswith("sklearn.")


def given(estimator, train, X_val, y_val, sample_weight_val):
    """Validation on data given to `fit`, or None if there is none.

    Parameters
    ----------
    train : TrainingData

    Raises
    ------
    ValueError
        When only some of them are given, or X_val breaks the data contract.
    """
    if X_val is None and y_val is None and sample_weight_val is None:
        return None
    if X_val is None or y_val is None:
        missing = "X_val" if X_val is None else "y_val"
        raise ValueError(
            "X_val and y_val must be given together, and with sample_weight_val, got "
            f"no {missing}."
        )
    with naming("X_val"):
        dtype = train.sequences.dtype
        sequences = read(estimator, X_val, reset=False, dtype=dtype)
    data = estimator._join_targets(
        sequences, y_val, sample_weight_val, estimator._encode, "_val"
    )
    return Validation(estimator, data.heard(), X_val, y_val, sample_weight_val)


def set_aside(estimator, X, y, sample_weight, train, stratify, seed):
    """Split off a share of the training data.

    Returns
    -------
    train : TrainingData
        The rest.
    validation : Validation
    """
    from sklearn.model_selection import train_test_split  # slow to import

    heard = train.heard_indices()
    try:
        kept, aside = train_test_split(
            heard,
            test_size=float(estimator.validation_fraction),
            stratify=None if stratify is None else stratify[heard],
            random_state=seed,
        )
    except ValueError as error:
        raise ValueError(
            "early_stopping=True cannot set aside the share validation_fraction="
            f"{estimator.validation_fraction} of {heard.size} sequences: {error} Give "
            "X_val and y_val, more sequences, or another validation_fraction."
        ) from error
    inputs = None, None, None  # the loss does without what a scorer needs
    if estimator.scoring is not None:
        inputs = _inputs_at(aside, X, y, sample_weight)
    return train.select(kept), Validation(estimator, train.select(aside), *inputs)


def _inputs_at(indices, X, y, sample_weight):
    """Copies of the user's own data, which a scorer gets."""
    if isinstance(sample_weight, Real):
        sample_weight = None
    parts = indexable(X, y, sample_weight)
    return [None if part is None else _safe_indexing(part, indices) for part in parts]
