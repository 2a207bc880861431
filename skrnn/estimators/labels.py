"""Class labels, and the codes 0, 1, ... that stand for them."""

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import unique_labels

from skrnn.sequences import naming


def check_classes(classes):
    """The classes that a `partial_fit` was told of, sorted."""
    with naming("classes"), np.errstate(invalid="ignore"):
        return unique_labels(column_or_1d(classes))


def encode_labels(y, classes):
    """Code of each label of y, (n_sequences,), its position in `classes`."""
    with naming("y"), np.errstate(invalid="ignore"):
        unknown = np.setdiff1d(unique_labels(y, classes), classes)
    if unknown.size:
        raise ValueError(
            f"y must hold the classes {classes.tolist()} only, got "
            f"{unknown.tolist()}; they are fixed by fit, or by the first "
            "partial_fit, which takes classes=."
        )
    return np.searchsorted(classes, y)
