"""Scores of single steps, and of whole sequences of them."""

import numpy as np
from scipy.special import xlog1py, xlogy
from sklearn.metrics import accuracy_score, f1_score, log_loss

from skrnn.metrics.flattening import check_weights, flatten


def step_accuracy_score(y_true, y_pred, *, sample_weight=None, ignored=None):
    """Share of the steps whose label is right.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,), or array
        Labels of the steps. An array of shape (n_sequences, n_timesteps) may be padded
        at the end of a sequence. Several labels at once are 0 or 1 in arrays of shape
        (n_timesteps_i, n_labels).

    y_pred : list of n_sequences array-likes of shape (n_timesteps_i,), or array
        Predicted labels, in the same form.

    sample_weight : array-like of shape (n_sequences,) or list of arrays, default=None
        Weight of each sequence, which each of its steps gets, or of each step.

    ignored : object, default=None
        A true label whose steps do not count. Those whose true label is missing never
        do.

    Returns
    -------
    float
        From 0 to 1. With several labels a step is right if all of its labels are.

    Raises
    ------
    ValueError
        If a sequence has another length in `y_pred` than in `y_true`, padding aside, or
        no step counts.

    Examples
    --------
    >>> from skrnn.metrics import step_accuracy_score
    >>> step_accuracy_score([[0, 1, 2], [1]], [[0, 1, 1], [1]])
    0.75
    >>> step_accuracy_score([[0, 1, 2], [1]], [[0, 1, 1], [1]], ignored=2)
    1.0
    """
    steps = flatten(y_true, y_pred, sample_weight, ignored)
    return float(accuracy_score(steps.true, steps.pred, sample_weight=steps.weight))


def step_f1_score(
    y_true,
    y_pred,
    *,
    labels=None,
    average="macro",
    sample_weight=None,
    ignored=None,
    zero_division="warn",
):
    """F1 score of the labels of all steps.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,), or array
        Labels of the steps. An array of shape (n_sequences, n_timesteps) may be padded
        at the end of a sequence. Several labels at once, as in a piano roll, are 0 or
        1 in arrays of shape (n_timesteps_i, n_labels).

    y_pred : list of n_sequences array-likes of shape (n_timesteps_i,), or array
        Predicted labels, in the same form.

    labels : array-like, default=None
        The labels to average over; by default all that occur.

    average : str or None, default="macro"
        As in `sklearn.metrics.f1_score`. For piano rolls ``"micro"`` is the frame-level
        F1 score of the music literature. None gives the score of each label.

    sample_weight : array-like of shape (n_sequences,) or list of arrays, default=None
        Weight of each sequence, which each of its steps gets, or of each step.

    ignored : object, default=None
        A true label whose steps do not count. Those whose true label is missing never
        do.

    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        What the score of a label is that is neither true nor predicted anywhere.

    Returns
    -------
    float, or ndarray of shape (n_labels,)

    Raises
    ------
    ValueError
        If a sequence has another length in `y_pred` than in `y_true`, padding aside, or
        no step counts.

    Examples
    --------
    >>> from skrnn.metrics import step_f1_score
    >>> step_f1_score([[0, 1, 1], [1]], [[0, 1, 0], [1]])
    0.733...
    >>> rolls = [[[1, 0, 1], [0, 0, 1]], [[0, 1, 0]]]
    >>> step_f1_score(rolls, [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0]]], average="micro")
    0.857...
    """
    steps = flatten(y_true, y_pred, sample_weight, ignored)
    score = f1_score(
        steps.true,
        steps.pred,
        labels=labels,
        average=average,
        sample_weight=steps.weight,
        zero_division=zero_division,
    )
    return score if average is None else float(score)


def step_log_loss(y_true, y_proba, *, labels=None, sample_weight=None, ignored=None):
    """Mean negative log-likelihood of a step, in nats.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,), or array
        Labels of the steps. An array of shape (n_sequences, n_timesteps) may be padded
        at the end of a sequence. Several labels at once, as in a piano roll, are 0 or
        1 in arrays of shape (n_timesteps_i, n_labels).

    y_proba : list of n_sequences arrays of shape (n_timesteps_i, n_classes)
        Probabilities of the classes, or that each label is 1.

    labels : array-like of shape (n_classes,), default=None
        The classes in the order of the columns of `y_proba`, sorted, such as
        `classes_`. Needed where `y_true` does not have them all, and of no use for
        several labels. A true label that is not among them counts as one of the
        probability 0, which costs -log(eps) of the dtype of `y_proba` and not infinity.

    sample_weight : array-like of shape (n_sequences,) or list of arrays, default=None
        Weight of each sequence, which each of its steps gets, or of each step.

    ignored : object, default=None
        A true label whose steps do not count. Those whose true label is missing never
        do.

    Returns
    -------
    float
        0 or more; lower is better.

    Raises
    ------
    ValueError
        If a sequence has another length in `y_proba` than in `y_true`, padding aside,
        `y_proba` has no probabilities of the right shape, one of several labels is not
        0 or 1, or no step counts.

    Notes
    -----
    With several labels the loss of a step is the sum over its labels, and the score is
    the mean over the steps of all sequences together. This is what work on polyphonic
    music reports as negative log-likelihood, such as [1]_. For the mean over sequences
    of the mean of each, let ``sample_weight`` be 1 / n_timesteps_i.

    References
    ----------
    .. [1] N. Boulanger-Lewandowski, Y. Bengio and P. Vincent, "Modeling temporal
       dependencies in high-dimensional sequences: application to polyphonic music
       generation and transcription", ICML 2012.

    Examples
    --------
    >>> from skrnn.metrics import step_log_loss
    >>> step_log_loss([[0, 1], [1]], [[[0.5, 0.5], [0.5, 0.5]], [[0.0, 1.0]]])
    0.462...
    >>> step_log_loss([[[0, 1, 0]]], [[[0.5, 0.5, 0.5]]])  # a roll with three keys
    2.079...
    """
    steps = flatten(y_true, y_proba, sample_weight, ignored)
    if steps.true.shape != steps.pred.shape:
        steps = steps._replace(true=_drop_single_column(steps.true))
    if steps.true.ndim == 2:
        loss = _binary_log_loss(steps)
        return float(np.average(loss, weights=steps.weight))
    proba = steps.pred
    if labels is not None:
        labels, proba = _with_unknown(labels, proba, steps.true)
    return float(log_loss(steps.true, proba, labels=labels, sample_weight=steps.weight))


def sequence_accuracy_score(y_true, y_pred, *, sample_weight=None, ignored=None):
    """Share of the sequences of which every step is right.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,), or array
        Labels of the steps. An array of shape (n_sequences, n_timesteps) may be padded
        at the end of a sequence. Several labels at once are 0 or 1 in arrays of shape
        (n_timesteps_i, n_labels).

    y_pred : list of n_sequences array-likes of shape (n_timesteps_i,), or array
        Predicted labels, in the same form.

    sample_weight : array-like of shape (n_sequences,), default=None
        Weight of each sequence.

    ignored : object, default=None
        A true label whose steps do not count. Those whose true label is missing never
        do. A sequence of which no step counts does not count either.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If a sequence has another length in `y_pred` than in `y_true`, padding aside,
        its steps have another shape, `sample_weight` has not one weight for each
        sequence, or no step counts.

    Examples
    --------
    >>> from skrnn.metrics import sequence_accuracy_score
    >>> sequence_accuracy_score([[0, 1, 2], [1]], [[0, 1, 1], [1]])
    0.5
    """
    steps = flatten(y_true, y_pred, None, ignored)
    true, pred = _drop_single_column(steps.true), _drop_single_column(steps.pred)
    if true.shape != pred.shape:
        raise ValueError(
            "The steps of y_true and y_pred must have the same shape, got "
            f"{true.shape[1:]} and {pred.shape[1:]}."
        )
    wrong = true != pred
    n_wrong = np.bincount(steps.sequence, wrong.reshape(len(wrong), -1).any(axis=1))
    counted = np.unique(steps.sequence)
    weights = None
    if sample_weight is not None:
        weights = _read_weights(sample_weight, len(y_true))[counted]
        check_weights(weights, counted)
    return float(np.average(n_wrong[counted] == 0, weights=weights))


def _drop_single_column(labels):
    return labels[:, 0] if labels.shape[1:] == (1,) else labels


def _with_unknown(labels, proba, true):
    """Add the labels that only `true` has, whose probability is 0; sorted."""
    unknown = np.setdiff1d(true, labels)
    if not unknown.size or proba.shape[1:] != (len(labels),):
        return labels, proba
    labels = np.concatenate([labels, unknown])
    proba = np.hstack([proba, np.zeros_like(proba, shape=(len(proba), unknown.size))])
    order = np.argsort(labels)
    return labels[order], proba[:, order]


def _binary_log_loss(steps):
    """Return the loss of each step, the sum over its labels."""
    true, proba = steps.true, steps.pred
    if true.shape != proba.shape or proba.min() < 0 or proba.max() > 1:
        raise ValueError(
            "y_proba must have a probability for each label of each step, got "
            f"{proba.shape[1:]} values for {true.shape[1:]} labels, from {proba.min()} "
            f"to {proba.max()}."
        )
    _refuse(np.isnan(proba), "y_proba[{}] must have numbers, got {}.", proba, steps)
    bad = ~np.isin(true, (0, 1))
    _refuse(bad, "Several labels must be 0 or 1, got {1} in y_true[{0}].", true, steps)
    eps = np.finfo(proba.dtype).eps
    proba = np.clip(proba, eps, 1 - eps)
    return -(xlogy(true, proba) + xlog1py(1 - true, -proba)).sum(axis=1)


def _refuse(bad, message, values, steps):
    """Raise an error with the sequence and the value of the first bad entry."""
    for step, column in np.argwhere(bad)[:1]:
        sequence, value = steps.sequence[step], values[step, column]
        raise ValueError(message.format(sequence, value))


def _read_weights(sample_weight, n_sequences):
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != (n_sequences,):
        raise ValueError(
            f"sample_weight must have shape ({n_sequences},), got {weights.shape}."
        )
    return weights
