"""Scores of entities that are written as tags of steps, by the rules of conlleval.

A tag is a prefix, and after the first hyphen a type: B-PER. B begins an entity, I goes
on with one, E ends it, S is one by itself and O is outside of all. An entity begins
where the tag is inside and the step before is outside, has another type, or ended its
entity; so any tags have entities, whether they keep to a scheme or not.
"""

import numpy as np
from sklearn.metrics import (
    classification_report,
    f1_score,
    precision_score,
    recall_score,
)

from skrnn.metrics.flattening import flatten

OUTSIDE, BEGINNING, ENDING = ("O", "."), ("B", "S"), ("E", "S")
PREFIXES = ("O", ".", "B", "I", "E", "S")


def entity_f1_score(
    y_true, y_pred, *, average="micro", ignored=None, zero_division="warn"
):
    """F1 score of the entities: those that are found in full, with their type.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,), str
        Tags such as "B-PER", in the schemes IOB1, IOB2 or BIOES. A type may be missing
        ("B"), and may have hyphens. Steps with NaN or None are left out.

    y_pred : list of n_sequences array-likes of shape (n_timesteps_i,), str
        Predicted tags. They need not keep to a scheme.

    average : {"micro", "macro", "weighted"} or None, default="micro"
        Over all entities as conlleval does, over the types that are true or predicted,
        over these by the number of their true entities, or not at all.

    ignored : object, default=None
        A true tag whose steps are left out too, such as one of padding.

    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        What the score is where it would be 0 / 0; "warn" is 0 and a warning.

    Returns
    -------
    float, or ndarray of shape (n_types,)
        The types are sorted by name.

    Raises
    ------
    ValueError
        If a tag is no string or has another prefix, or a sequence has another length in
        `y_pred` than in `y_true`.

    See Also
    --------
    entity_report : All scores of each type.

    Notes
    -----
    The rules are those of the script conlleval [1]_, extended to S, which begins and
    ends an entity. An entity begins with any tag but O that follows O, the beginning of
    the sequence, another type, E or S, and with any B or S. An I after O thus begins an
    entity, and a change of the type does inside of a run of I. The one addition is that
    a B after an E of the same type begins an entity, as BIOES demands; the script was
    made for schemes that have not both, and goes on there. Without any entity there is
    one type, the empty string.

    References
    ----------
    .. [1] E. F. Tjong Kim Sang and F. De Meulder, "Introduction to the CoNLL-2003
       shared task: language-independent named entity recognition", CoNLL 2003.

    Examples
    --------
    >>> from skrnn.metrics import entity_f1_score
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC"]]
    >>> y_pred = [["B-PER", "I-PER", "O", "O"], ["B-PER"]]
    >>> entity_f1_score(y_true, y_pred)
    0.4
    >>> entity_f1_score(y_true, y_pred, average=None)  # LOC, PER
    array([0.     , 0.667])
    """
    return _score(f1_score, y_true, y_pred, average, ignored, zero_division)


def entity_precision_score(
    y_true, y_pred, *, average="micro", ignored=None, zero_division="warn"
):
    """Share of the predicted entities that are true ones, in full and by type.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,), str
        Tags, as in `entity_f1_score`.

    y_pred : list of n_sequences array-likes of shape (n_timesteps_i,), str
        Predicted tags.

    average : {"micro", "macro", "weighted"} or None, default="micro"
        How to join the scores of the types.

    ignored : object, default=None
        A true tag whose steps are left out too, such as one of padding.

    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        What the score is where no entity is predicted.

    Returns
    -------
    float, or ndarray of shape (n_types,)

    Raises
    ------
    ValueError
        As in `entity_f1_score`.

    Examples
    --------
    >>> from skrnn.metrics import entity_precision_score
    >>> entity_precision_score([["B-PER", "O", "B-LOC"]], [["B-PER", "O", "O"]])
    1.0
    """
    return _score(precision_score, y_true, y_pred, average, ignored, zero_division)


def entity_recall_score(
    y_true, y_pred, *, average="micro", ignored=None, zero_division="warn"
):
    """Share of the true entities that are found, in full and by type.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,), str
        Tags, as in `entity_f1_score`.

    y_pred : list of n_sequences array-likes of shape (n_timesteps_i,), str
        Predicted tags.

    average : {"micro", "macro", "weighted"} or None, default="micro"
        How to join the scores of the types.

    ignored : object, default=None
        A true tag whose steps are left out too, such as one of padding.

    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        What the score is where there is no true entity.

    Returns
    -------
    float, or ndarray of shape (n_types,)

    Raises
    ------
    ValueError
        As in `entity_f1_score`.

    Examples
    --------
    >>> from skrnn.metrics import entity_recall_score
    >>> entity_recall_score([["B-PER", "O", "B-LOC"]], [["B-PER", "O", "O"]])
    0.5
    """
    return _score(recall_score, y_true, y_pred, average, ignored, zero_division)


def entity_report(
    y_true, y_pred, *, digits=2, output_dict=False, ignored=None, zero_division="warn"
):
    """Precision, recall and F1 score of the entities of each type, and averages.

    Parameters
    ----------
    y_true : list of n_sequences array-likes of shape (n_timesteps_i,), str
        Tags, as in `entity_f1_score`.

    y_pred : list of n_sequences array-likes of shape (n_timesteps_i,), str
        Predicted tags.

    digits : int, default=2
        Number of digits in the text.

    output_dict : bool, default=False
        Whether to return a dict in place of a text.

    ignored : object, default=None
        A true tag whose steps are left out too, such as one of padding.

    zero_division : {"warn", 0.0, 1.0, np.nan}, default="warn"
        What a score is where it would be 0 / 0.

    Returns
    -------
    str, or dict of str to dict of str to float
        As of `sklearn.metrics.classification_report`; support is the number of true
        entities.

    Raises
    ------
    ValueError
        As in `entity_f1_score`.

    Examples
    --------
    >>> from skrnn.metrics import entity_report
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC"]]
    >>> print(entity_report(y_true, [["B-PER", "I-PER", "O", "O"], ["B-LOC"]]))
                  precision    recall  f1-score   support
    <BLANKLINE>
             LOC       1.00      0.50      0.67         2
             PER       1.00      1.00      1.00         1
    <BLANKLINE>
       micro avg       1.00      0.67      0.80         3
       macro avg       1.00      0.75      0.83         3
    weighted avg       1.00      0.67      0.78         3
    <BLANKLINE>
    """
    types, true, pred = _match(y_true, y_pred, ignored)
    return classification_report(
        true,
        pred,
        labels=list(range(len(types))),
        target_names=types,
        digits=digits,
        output_dict=output_dict,
        zero_division=zero_division,
    )


def _score(score, y_true, y_pred, average, ignored, zero_division):
    types, true, pred = _match(y_true, y_pred, ignored)
    labels = list(range(len(types)))
    result = score(
        true, pred, labels=labels, average=average, zero_division=zero_division
    )
    return result if average is None else float(result)


def _match(y_true, y_pred, ignored):
    """Return the types, and the true and the predicted type of each entity.

    An entity that only one side has is of type `len(types)` on the other; so is one
    more entry on both, without which scikit-learn may report an accuracy.
    """
    steps = flatten(y_true, y_pred, ignored=ignored)
    for name, tags in (("y_true", steps.true), ("y_pred", steps.pred)):
        if tags.ndim != 1:
            raise ValueError(
                f"{name} must have one tag for each step, got rows of shape "
                f"{tags.shape[1:]}."
            )
    true, pred = steps.true.tolist(), steps.pred.tolist()
    tags = _check_tags(true, steps, "y_true") | _check_tags(pred, steps, "y_pred")
    types = sorted({kind_of(tag) for tag in tags if prefix_of(tag) not in OUTSIDE})
    alphabet = _Alphabet(sorted(tags), types or [""])
    true_kind, true_stop = alphabet.entities(true, steps.sequence)
    pred_kind, pred_stop = alphabet.entities(pred, steps.sequence)
    nothing = len(alphabet.types)
    same = (true_kind == pred_kind) & (true_stop == pred_stop)
    found = true_kind[same & (true_kind != nothing)]
    missed = true_kind[~same & (true_kind != nothing)]
    wrong = pred_kind[~same & (pred_kind != nothing)]
    return (
        alphabet.types,
        np.concatenate([found, missed, np.full_like(wrong, nothing), [nothing]]),
        np.concatenate([found, np.full_like(missed, nothing), wrong, [nothing]]),
    )


class _Alphabet:
    """What each tag means, in arrays with one entry for each of the tags.

    Parameters
    ----------
    tags, types : list of str
    """

    def __init__(self, tags, types):
        self.types = types
        self.codes = {tag: code for code, tag in enumerate(tags)}
        prefixes = [prefix_of(tag) for tag in tags]
        self.is_inside = ~np.isin(prefixes, OUTSIDE)
        self.begins = np.isin(prefixes, BEGINNING)
        self.ends = np.isin(prefixes, ENDING)
        numbers = {kind: number for number, kind in enumerate(types)}
        self.kind = np.array([numbers.get(kind_of(tag), -1) for tag in tags])

    def entities(self, tags, sequence):
        """Find the entities.

        Parameters
        ----------
        tags : list of n_steps str
        sequence : ndarray of shape (n_steps,)

        Returns
        -------
        kind, stop : ndarray of shape (n_steps,), int
            Type, and last step, of the entity that begins at a step; the number
            of types and -1 where none does.
        """
        codes = np.fromiter(map(self.codes.__getitem__, tags), np.intp, len(tags))
        is_inside, kind_of_step = self.is_inside[codes], self.kind[codes]
        goes_on = is_inside[1:] & is_inside[:-1]
        goes_on &= ~self.begins[codes[1:]] & ~self.ends[codes[:-1]]
        goes_on &= kind_of_step[1:] == kind_of_step[:-1]
        goes_on &= sequence[1:] == sequence[:-1]
        starts = np.flatnonzero(is_inside & ~np.append(False, goes_on))
        kind = np.full(len(tags), len(self.types))
        stop = np.full(len(tags), -1)
        kind[starts] = kind_of_step[starts]
        stop[starts] = np.flatnonzero(is_inside & ~np.append(goes_on, False))
        return kind, stop


def prefix_of(tag):
    """Return what stands before the first hyphen."""
    return tag.partition("-")[0]


def kind_of(tag):
    """Return what stands behind the first hyphen, the type of the entity."""
    return tag.partition("-")[2]


def _check_tags(tags, steps, name):
    """Return the set of the tags."""
    found = dict.fromkeys(tags)  # unlike a set, in the order of the steps
    for tag in found:
        if not isinstance(tag, str) or prefix_of(tag) not in PREFIXES:
            i = steps.sequence[tags.index(tag)]
            raise ValueError(
                f"The tags of {name}[{i}] must be 'O', or B, I, E or S and a type such "
                f"as 'B-PER', got {tag!r}."
            )
    return set(found)
