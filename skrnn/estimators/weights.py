"""Class weights, spelt out for each class and each column of labels."""

import numpy as np
from sklearn.utils import compute_class_weight

from skrnn.sequences import naming


def counts_labels(class_weight):
    """Whether the weights depend on how often each label occurs."""
    given = class_weight if isinstance(class_weight, list) else [class_weight]
    return any(isinstance(weight, str) for weight in given)


def weigh_classes(class_weight, classes, y):
    """Weight of each class, for each column of labels.

    Parameters
    ----------
    class_weight : dict, "balanced", list of them or None
        A list has one entry for each column of y.
    classes : array-like of shape (n_classes,)
    y : ndarray of shape (n_sequences,) or (n_sequences, n_columns)
        Labels; "balanced" counts them.

    Returns
    -------
    list of ndarray of shape (n_classes,), or None

    Raises
    ------
    ValueError
        For a list of the wrong length, or a class that is not there.
    """
    if class_weight is None:
        return None
    columns = y.reshape(len(y), -1).T
    given = class_weight
    if not isinstance(given, list):
        given = [given] * len(columns)
    if len(given) != len(columns):
        raise ValueError(
            f"class_weight must be a list of {len(columns)} dicts, one for each "
            f"column of y, got {len(given)}."
        )
    classes = np.asarray(classes)
    with naming("class_weight"):
        return [_weigh(*pair, classes) for pair in zip(given, columns, strict=True)]


def _weigh(class_weight, labels, classes):
    """Weight of each class; 1 for one that "balanced" finds no label of."""
    weights, known = np.ones(len(classes)), slice(None)
    if isinstance(class_weight, str):
        known = np.isin(classes, labels)
    classes = classes[known]
    weights[known] = compute_class_weight(class_weight, classes=classes, y=labels)
    return weights
