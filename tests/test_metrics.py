"""Scores of steps and entities on ragged targets, and what searches over them."""

import inspect
import math
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from adversary import Wrapper
from entities_oracle import all_scores, count
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    mean_absolute_error,
    mean_pinball_loss,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    ShuffleSplit,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skrnn.metrics
from skrnn.metrics import (
    cross_val_predict,
    entity_f1_score,
    entity_precision_score,
    entity_recall_score,
    entity_report,
    get_scorer,
    sequence_accuracy_score,
    step_accuracy_score,
    step_f1_score,
    step_log_loss,
    step_mean_absolute_error,
    step_mean_pinball_loss,
    step_mean_squared_error,
    step_r2_score,
    step_root_mean_squared_error,
)
from skrnn.metrics.scorers import SCORERS
from skrnn.preprocessing import TokenEncoder

LENGTHS = (4, 1, 7, 2, 5)
STEP_SCORES = [step_accuracy_score, step_f1_score, sequence_accuracy_score]
ENTITY_SCORES = [entity_precision_score, entity_recall_score, entity_f1_score]


def draw(n_labels=3, seed=0, lengths=LENGTHS):
    rng = np.random.default_rng(seed)
    return [rng.integers(n_labels, size=n) for n in lengths]


def draw_rolls(seed=0, n_keys=4):
    rng = np.random.default_rng(seed)
    return [rng.integers(2, size=(n, n_keys)) for n in LENGTHS]


def draw_proba(shape, seed=2):
    rng = np.random.default_rng(seed)
    return [rng.dirichlet(np.ones(shape), size=n) for n in LENGTHS]


def joined(y):
    return np.concatenate(y)


def padded(y, filler, dtype=None):
    """The sequences as one array, with `filler` behind their ends."""
    shape = (len(y), max(map(len, y)), *y[0].shape[1:])
    array = np.full(shape, filler, dtype=dtype)
    for row, part in zip(array, y, strict=True):
        row[: len(part)] = part
    return array


def in_objects(y):
    array = np.empty(len(y), dtype=object)
    array[:] = y
    return array


# Steps


def test_step_scores_are_those_of_the_joined_steps():
    """Every real step counts once, whatever the lengths."""
    true, pred, proba = draw(), draw(seed=1), draw_proba(3)
    t, p = joined(true), joined(pred)
    assert step_accuracy_score(true, pred) == accuracy_score(t, p)
    for average in ("micro", "macro", "weighted"):
        expected = f1_score(t, p, average=average)
        assert step_f1_score(true, pred, average=average) == expected
    each = f1_score(t, p, average=None, labels=[2, 0])
    assert step_f1_score(true, pred, average=None, labels=[2, 0]).tolist() == [*each]
    assert step_log_loss(true, proba) == pytest.approx(log_loss(t, joined(proba)))


def test_step_scores_are_plain_floats():
    """What searches write to tables and logs."""
    true, pred = draw(), draw(seed=1)
    for score in STEP_SCORES:
        assert type(score(true, pred)) is float
    assert type(step_log_loss(true, draw_proba(3))) is float
    assert type(step_log_loss(draw_rolls(), draw_proba(4))) is float


def test_f1_is_macro_by_default():
    """As the name of the scorer without an average would suggest."""
    true, pred = draw(), draw(seed=1)
    assert step_f1_score(true, pred) == step_f1_score(true, pred, average="macro")
    assert step_f1_score(true, pred) != step_f1_score(true, pred, average="micro")


def test_zero_division_and_its_warning_are_those_of_scikit_learn():
    with pytest.warns(UndefinedMetricWarning):
        assert step_f1_score([[0, 0]], [[0, 0]], labels=[0, 1]) == 0.5
    options = {"labels": [0, 1], "zero_division": 1.0}
    assert step_f1_score([[0, 0]], [[0, 0]], **options) == 1.0


def test_sequence_accuracy_counts_sequences_without_a_wrong_step():
    true = [[0, 1, 2], [1], [2, 2]]
    assert sequence_accuracy_score(true, true) == 1.0
    assert sequence_accuracy_score(true, [[0, 1, 1], [1], [0, 0]]) == 1 / 3
    assert sequence_accuracy_score(true, [[0, 0, 2], [0], [2, 0]]) == 0.0


FORMS = {
    "lists": lambda y: [part.tolist() for part in y],
    "tuple": tuple,
    "object array": in_objects,
    "series": lambda y: pd.Series([part.tolist() for part in y]),
    "padded with nan": lambda y: padded(y, np.nan, np.float64),
    "padded with none": lambda y: padded(y, None, object),
    "frame": lambda y: pd.DataFrame(padded(y, np.nan, np.float64)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_targets_gives_the_same_scores(form):
    """Padding is found by itself; targets and predictions may differ in form."""
    true, pred = draw(), draw(seed=1)
    for score in STEP_SCORES:
        expected = score(true, pred)
        assert score(FORMS[form](true), pred) == expected
        assert score(FORMS[form](true), FORMS[form](pred)) == expected


def test_padding_with_a_label_is_named_by_ignored():
    """An array of integers or strings has no NaN."""
    true, pred = draw(), draw(seed=1)
    names = np.array(["O", "B-X", "I-X"])
    words, guesses = [names[y] for y in true], [names[y] for y in pred]
    for score in STEP_SCORES:
        expected = score(true, pred)
        assert score(padded(true, -1, np.int64), pred, ignored=-1) == expected
        assert score(padded(words, "", "<U5"), guesses, ignored="") == expected


def test_steps_with_an_ignored_or_missing_label_do_not_count():
    """Wherever they are, and with all that belongs to them."""
    true, pred = [[0, 9, 1], [9], [1, 0]], [[0, 1, 1], [0], [0, 0]]
    assert step_accuracy_score(true, pred, ignored=9) == 3 / 4
    missing = [[0, None, 1], [None], [1, 0]]
    assert step_accuracy_score(missing, pred) == 3 / 4
    assert sequence_accuracy_score(true, pred, ignored=9) == 1 / 2
    weights = [[1, 5, 1], [7], [2, 1]]
    weighted = step_accuracy_score(true, pred, ignored=9, sample_weight=weights)
    assert weighted == 3 / 5
    proba = [[[0.5, 0.5], [0.0, 1.0], [0.5, 0.5]], [[0.0, 1.0]], [[0.5, 0.5]] * 2]
    assert step_log_loss(true, proba, ignored=9) == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    "true",
    [
        [["a", np.nan], ["b"]],
        [["a"], [np.nan, "b"]],
        [["a", "b"], [np.nan]],
        [np.array(["a", "b"]), [np.nan]],
    ],
)
def test_nan_among_strings_is_no_label(true):
    """NumPy would make it the string "nan"."""
    pred = [["a" if label == "a" else "b" for label in part] for part in true]
    for score in STEP_SCORES:
        assert score(true, pred) == 1.0
    assert entity_f1_score([["B-X", np.nan]], [["B-X", "B-X"]]) == 1.0


@pytest.mark.parametrize(
    "pred", [[["b"], ["a", np.nan]], [np.array(["b"]), [np.nan] * 2]]
)
def test_a_labelled_step_needs_a_prediction(pred):
    message = r"y_pred\[1\] must have a prediction for each labelled step, got NaN"
    for score in STEP_SCORES:
        with pytest.raises(ValueError, match=message):
            score([["b"], ["a", "a"]], pred)


def test_ignored_of_another_type_than_the_labels_changes_nothing():
    """Old NumPy versions compare strings with numbers in their own way."""
    true, pred = [["a", "b"], ["a"]], [["a", "a"], ["a"]]
    assert step_accuracy_score(true, pred, ignored=-1) == 2 / 3


def test_weight_of_a_sequence_is_that_of_each_of_its_steps():
    true, pred, proba = draw(), draw(seed=1), draw_proba(3)
    each = np.arange(1.0, 6.0)
    steps = [np.full(n, w) for n, w in zip(LENGTHS, each, strict=True)]
    expected = accuracy_score(joined(true), joined(pred), sample_weight=joined(steps))
    for weights in (each, each.tolist(), steps, in_objects(steps), padded(steps, 0.0)):
        score = step_accuracy_score(true, pred, sample_weight=weights)
        assert score == pytest.approx(expected)
    assert expected != step_accuracy_score(true, pred)
    flat = f1_score(
        joined(true), joined(pred), sample_weight=joined(steps), average="macro"
    )
    assert step_f1_score(true, pred, sample_weight=each) == pytest.approx(flat)
    flat = log_loss(joined(true), joined(proba), sample_weight=joined(steps))
    assert step_log_loss(true, proba, sample_weight=each) == pytest.approx(flat)


def test_sequence_accuracy_weighs_sequences():
    score = sequence_accuracy_score([[0, 1], [1]], [[0, 1], [0]], sample_weight=[3, 1])
    assert score == 0.75


def test_a_single_column_is_no_column():
    """Neither for steps nor for whole sequences."""
    true, pred = [[0, 1], [1]], [[[0], [1]], [[0]]]
    for score, expected in (
        (step_accuracy_score, 2 / 3),
        (sequence_accuracy_score, 0.5),
    ):
        assert score(true, pred) == score(pred, true) == expected
        assert score(pred, pred) == 1.0


@pytest.mark.parametrize("true", [[[0, 1]], [[[0], [1]]]])
def test_sequence_accuracy_wants_steps_of_one_shape(true):
    message = r"steps of y_true and y_pred .* same shape, got \(\) and \(3,\)"
    with pytest.raises(ValueError, match=message):
        sequence_accuracy_score(true, [[[0, 0, 0], [1, 1, 1]]])


def test_several_labels_are_scored_by_frame():
    """Micro F1 over all keys and steps; accuracy asks for all keys of a step."""
    true, pred = draw_rolls(), draw_rolls(seed=1)
    t, p = joined(true), joined(pred)
    hits = (t & p).sum()
    frame = 2 * hits / (t.sum() + p.sum())
    assert step_f1_score(true, pred, average="micro") == pytest.approx(frame)
    assert step_accuracy_score(true, pred) == (t == p).all(axis=1).mean()
    assert sequence_accuracy_score(true, true) == 1.0
    assert sequence_accuracy_score(true, pred) == 0.0


def test_log_loss_of_several_labels_is_their_sum_per_step():
    """Written out term by term, and as a mean over sequences by weights."""
    true, proba = draw_rolls(), draw_proba(4)
    losses = [
        -sum(math.log(q if key else 1 - q) for key, q in zip(t, p, strict=True))
        for t, p in zip(joined(true).tolist(), joined(proba).tolist(), strict=True)
    ]
    assert step_log_loss(true, proba) == pytest.approx(np.mean(losses))
    means = [np.mean(part) for part in np.split(losses, np.cumsum(LENGTHS)[:-1])]
    weights = [1 / n for n in LENGTHS]
    score = step_log_loss(true, proba, sample_weight=weights)
    assert score == pytest.approx(np.mean(means))


def test_padded_rolls_are_those_without_padding():
    true, proba = draw_rolls(), draw_proba(4)
    array = padded(true, np.nan, np.float64)
    assert step_log_loss(array, proba) == pytest.approx(step_log_loss(true, proba))


def test_certain_and_wrong_probabilities_cost_much_but_not_infinitely():
    for true in ([[1]], [[[1, 0]]]):
        loss = step_log_loss(true, [[[1.0, 0.0]]], labels=[0, 1])
        assert 0 <= loss < 40
    assert 30 < step_log_loss([[[0, 0]]], [[[1.0, 0.0]]]) < 40


def test_log_loss_knows_classes_that_do_not_occur():
    """A fold without a rare label is scored all the same."""
    proba = [[[0.2, 0.3, 0.5]]]
    assert step_log_loss([[1]], proba, labels=[0, 1, 2]) == pytest.approx(
        -math.log(0.3)
    )


@pytest.mark.parametrize(
    ("true", "pred", "message"),
    [
        ([[0, 1], [1]], [[0, 1]], r"same number of sequences, got 2 and 1\."),
        ([[0], [1, 0]], [[0], [1]], r"y_true\[1\] and y_pred\[1\] .* got 2 and 1\."),
        ([[0], [1, 0]], [[0], [1, 0, 1]], r"y_true\[1\] and .* got 2 and 3\."),
        ([0, 1], [[0], [1]], r"y_true\[0\] must have one label or one row for each"),
        ([[0]], [np.zeros((1, 2, 2))], r"y_pred\[0\] must .* shape \(1, 2, 2\)"),
        ([[0], [[1]]], [[0], [1]], r"steps of y_true\[1\] .*, \(\), got \(1,\)"),
        ("BIO", [["B"]], r"y_true must be a list with an array .*, got 'BIO'"),
        ([], [], r"y_true must be a list .*, got \[\]"),
        (None, [[0]], r"y_true must be a list .*, got None"),
        ([[None]], [[0]], r"at least one labelled step, got none"),
    ],
)
def test_targets_that_do_not_fit_are_refused(true, pred, message):
    """By all scores in the same words, with the sequence."""
    for score in (*STEP_SCORES, step_log_loss, entity_f1_score):
        with pytest.raises(ValueError, match=message):
            score(true, pred)


def test_only_padding_may_be_longer():
    """A longer row of a padded array is cut; one with a label there is refused."""
    true = padded(draw(), -1, np.int64)
    true[1, 3] = 2
    with pytest.raises(ValueError, match=r"y_true\[1\] and y_pred\[1\] .* 7 and 1"):
        step_accuracy_score(true, draw(), ignored=-1)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], r"an entry for each sequence, got 1 for 2 sequences"),
        ([[1.0, 1.0], [1.0, 1.0]], r"sample_weight\[1\] .* each step, 1, got 2"),
        ([[1.0], [1.0]], r"sample_weight\[0\] .* each step, 2, got 1"),
        ([1.0, -2.0], r"sample_weight\[1\] must be non-negative and finite, got -2"),
        ([[1.0, np.nan], [1.0]], r"sample_weight\[0\] must be non-neg.*, got nan"),
        ([np.inf, 1.0], r"sample_weight\[0\] must be non-negative .*, got inf"),
        ([0.0, 0.0], r"sample_weight must be positive for a labelled step"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, message):
    for score in (step_accuracy_score, step_f1_score, step_log_loss):
        with pytest.raises(ValueError, match=message):
            score([[0, 1], [1]], [[0, 1], [1]], sample_weight=weights)


def test_sequence_accuracy_wants_one_weight_for_each_sequence():
    with pytest.raises(ValueError, match=r"must have shape \(2,\), got \(3,\)"):
        sequence_accuracy_score([[0], [1]], [[0], [1]], sample_weight=[1, 1, 1])
    with pytest.raises(
        ValueError, match=r"sample_weight\[2\] must be non-neg.* got -1"
    ):
        sequence_accuracy_score([[0]] * 3, [[1]] * 3, sample_weight=[1, 1, -1])


@pytest.mark.parametrize("proba", [[[[0.5]]], [[[-0.1, 0.5]]], [[[0.5, 1.5]]]])
def test_probabilities_of_several_labels_are_checked(proba):
    with pytest.raises(ValueError, match="a probability for each label of each step"):
        step_log_loss([[[0, 1]]], proba)


@pytest.mark.parametrize(
    ("keys", "found"),
    [([2, 0], "2"), ([0, -1], "-1"), ([0.5, 1], "0.5"), ([1, np.nan], "nan")],
)
def test_several_labels_are_zeros_and_ones(keys, found):
    """A step of which only some keys are missing is neither labelled nor not."""
    message = rf"must be 0 or 1, got {found} in y_true\[1\]\."
    with pytest.raises(ValueError, match=message):
        step_log_loss(
            [[[0, 1]], [[1, 1], keys]], [np.full((n, 2), 0.5) for n in (1, 2)]
        )


def test_nan_is_no_probability():
    proba = [[[0.5, 0.5]], [[0.5, np.nan]]]
    with pytest.raises(ValueError, match=r"y_proba\[1\] must have numbers, got nan"):
        step_log_loss([[[0, 1]], [[0, 1]]], proba)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_label_the_columns_lack_counts_as_one_of_probability_zero(dtype):
    """A rare class that no fold for training has; wherever it is in the order."""
    proba = [np.array([[0.2, 0.8], [0.5, 0.5]], dtype)]
    for label in ("a", "c", "e"):
        loss = step_log_loss([["d", label]], proba, labels=["b", "d"])
        expected = -(math.log(0.8) + math.log(np.finfo(dtype).eps)) / 2
        assert loss == pytest.approx(expected, rel=1e-6)


def test_log_loss_reads_a_column_of_labels_as_labels():
    """But a roll of one key, whose probabilities are one column too, as a roll."""
    proba = [[[0.2, 0.8], [0.5, 0.5]]]
    column = step_log_loss([[[1], [0]]], proba)
    assert column == step_log_loss([[1, 0]], proba)
    roll = step_log_loss([[[1], [0]]], [[[0.8], [0.5]]])
    assert roll == pytest.approx(column)


# Numbers


NUMBER_SCORES = {
    step_r2_score: r2_score,
    step_mean_absolute_error: mean_absolute_error,
    step_mean_squared_error: mean_squared_error,
    step_root_mean_squared_error: root_mean_squared_error,
    step_mean_pinball_loss: mean_pinball_loss,
}


def draw_numbers(seed=0, width=()):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, *width)) for n in LENGTHS]


@pytest.mark.parametrize("score", NUMBER_SCORES)
@pytest.mark.parametrize("width", [(), (2,)])
def test_scores_of_numbers_are_those_of_the_joined_labelled_steps(score, width):
    """Steps without a target count nowhere, neither do their weights."""
    true, pred = draw_numbers(width=width), draw_numbers(1, width)
    true[0][1], true[1][0] = np.nan, np.nan
    kept = ~np.isnan(joined(true).reshape(sum(LENGTHS), -1)).any(axis=1)
    t, p, plain = joined(true)[kept], joined(pred)[kept], NUMBER_SCORES[score]
    assert score(true, pred) == pytest.approx(plain(t, p))
    assert type(score(true, pred)) is float
    assert score(padded(true, np.nan), pred) == score(true, pred)
    flagged = [np.nan_to_num(part, nan=-9.0) for part in true]
    assert score(flagged, pred, ignored=-9.0) == score(true, pred)
    each = np.arange(1.0, 6.0)
    weights = np.repeat(each, LENGTHS)[kept]
    expected = plain(t, p, sample_weight=weights)
    assert score(true, pred, sample_weight=each) == pytest.approx(expected)


def test_errors_of_numbers_by_hand():
    true, pred = [[1.0, 2.0, np.nan], [4.0]], [[1.0, 3.0, 7.0], [0.0]]
    assert step_mean_absolute_error(true, pred) == pytest.approx(5 / 3)
    assert step_mean_squared_error(true, pred) == pytest.approx(17 / 3)
    assert step_root_mean_squared_error(true, pred) == pytest.approx((17 / 3) ** 0.5)
    assert step_r2_score(true, pred) == pytest.approx(1 - 17 / (14 / 3))


def test_the_pinball_loss_is_that_of_its_quantile():
    true, pred = draw_numbers(), draw_numbers(1)
    expected = mean_pinball_loss(joined(true), joined(pred), alpha=0.9)
    assert step_mean_pinball_loss(true, pred, alpha=0.9) == expected


# Entities


def encode(entities, n_steps):
    """Tags of given entities, (type, first, last), without anything ambiguous."""
    tags = ["O"] * n_steps
    for kind, first, last in entities:
        end = f"-{kind}" if kind else ""
        tags[first : last + 1] = [f"B{end}"] + [f"I{end}"] * (last - first)
    return tags


EDGES = {
    "I after O begins": ("O I-X I-X O", [("X", 1, 2)]),
    "I begins a sequence": ("I-X O", [("X", 0, 0)]),
    "B begins anew": ("B-X B-X I-X", [("X", 0, 0), ("X", 1, 2)]),
    "IOB1": ("I-X I-X B-X I-X", [("X", 0, 1), ("X", 2, 3)]),
    "I of another type begins": ("B-X I-Y I-Y", [("X", 0, 0), ("Y", 1, 2)]),
    "I-I of two types": ("I-X I-Y", [("X", 0, 0), ("Y", 1, 1)]),
    "BIOES": ("B-X I-X E-X S-X O S-Y", [("X", 0, 2), ("X", 3, 3), ("Y", 5, 5)]),
    "E after E": ("E-X E-X", [("X", 0, 0), ("X", 1, 1)]),
    "I after E": ("B-X E-X I-X", [("X", 0, 1), ("X", 2, 2)]),
    "B after E": ("B-X E-X B-X E-X", [("X", 0, 1), ("X", 2, 3)]),
    "E after O": ("O E-X", [("X", 1, 1)]),
    "E of another type": ("B-X E-Y", [("X", 0, 0), ("Y", 1, 1)]),
    "I and E after S": ("S-X I-X S-X E-X", [("X", k, k) for k in range(4)]),
    "S after B": ("B-X S-X", [("X", 0, 0), ("X", 1, 1)]),
    "no types": ("B I O I B", [("", 0, 1), ("", 3, 3), ("", 4, 4)]),
    "a type and none": ("B-X I", [("X", 0, 0), ("", 1, 1)]),
    "hyphens in types": ("B-X-Y I-X-Y I-X-Z", [("X-Y", 0, 1), ("X-Z", 2, 2)]),
    "O with a type": ("B-X O-X I-X", [("X", 0, 0), ("X", 2, 2)]),
    "a point is outside": ("B-X . I-X", [("X", 0, 0), ("X", 2, 2)]),
}


@pytest.mark.parametrize("case", EDGES)
def test_edges_of_entities_are_those_of_conlleval(case):
    """Worked out by hand from its tables."""
    tags, expected = EDGES[case]
    tags = tags.split()
    assert entity_f1_score([encode(expected, len(tags))], [tags]) == 1.0
    assert sum(count([tags], [tags]).true.values()) == len(expected)


def test_sequences_end_entities():
    """An I at the beginning of a sequence does not go on with the one before."""
    split = [["B-X"], ["I-X"]], [["B-X"], ["O"]]
    assert entity_recall_score(*split) == 0.5
    assert entity_recall_score([["B-X", "I-X"]], [["B-X", "O"]]) == 0.0


TAGS = st.sampled_from(
    ["O", "O", ".", "B", "I", "E-", "O-X"]
    + [f"{p}-{kind}" for p in "BIES" for kind in ("X", "Y", "X-Y")]
)
PAIRS = st.lists(
    st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=12), min_size=1, max_size=4
)
# Tags that are often alike on both sides, so that many entities are right.
ALIKE = st.lists(
    st.lists(
        st.one_of(TAGS.map(lambda t: (t, t)), st.tuples(TAGS, TAGS)),
        min_size=1,
        max_size=12,
    ),
    min_size=1,
    max_size=4,
)


def unzipped(pairs):
    true = [[t for t, _ in sequence] for sequence in pairs]
    return true, [[p for _, p in sequence] for sequence in pairs]


@settings(max_examples=100, deadline=None)
@given(st.one_of(PAIRS, ALIKE))
def test_entity_scores_are_those_of_the_tables(pairs):
    """Any tags at all, against a count tag by tag: by type, and in all."""
    true, pred = unzipped(pairs)
    report = entity_report(true, pred, output_dict=True, zero_division=0.0)
    expected, counts = all_scores(true, pred), count(true, pred)
    assert set(report) == (set(counts.types()) or {""}) | {
        "micro avg",
        "macro avg",
        "weighted avg",
    }
    for kind, values in expected.items():
        row = report["micro avg" if kind is None else kind]
        found = [row["precision"], row["recall"], row["f1-score"]]
        assert found == pytest.approx(values)
        in_all = sum(counts.true.values())
        assert row["support"] == (in_all if kind is None else counts.true.get(kind, 0))


def test_each_score_is_its_column_of_the_report():
    rng = np.random.default_rng(0)
    tags = ["O", "B-X", "I-X", "B-Y", "E-Y", "S-Z", "I"]
    true, pred = rng.choice(tags, size=(2, 30, 8))
    pred[:15] = true[:15]
    report = entity_report(true, pred, output_dict=True)
    for column, score in zip(
        ("precision", "recall", "f1-score"), ENTITY_SCORES, strict=True
    ):
        for average in ("micro", "macro", "weighted"):
            value = score(true, pred, average=average)
            assert type(value) is float
            assert value == report[f"{average} avg"][column]
        each = score(true, pred, average=None)
        kinds = ["", "X", "Y", "Z"]
        assert each.tolist() == [report[kind][column] for kind in kinds]


def test_a_report_without_an_error_has_no_accuracy():
    """Its lines are the same whatever is predicted."""
    true = [["B-X", "I-X"], ["B-Y", "S-Y"]]
    assert set(entity_report(true, true, output_dict=True)) == {
        *("X", "Y", "micro avg", "macro avg", "weighted avg")
    }


def test_averages_of_entities_are_over_types():
    true = [["B-X", "B-X", "B-X", "B-Y"]]
    pred = [["B-X", "B-X", "O", "B-Z"]]
    scores = {
        average: entity_f1_score(true, pred, average=average)
        for average in ("micro", "macro", "weighted")
    }
    expected = {"micro": 4 / 7, "macro": 0.8 / 3, "weighted": 0.6}
    assert scores == pytest.approx(expected)
    by_type = entity_f1_score(true, pred, average=None)
    assert by_type.tolist() == pytest.approx([0.8, 0.0, 0.0])


def test_zero_division_of_entities_is_as_in_scikit_learn():
    nothing, something = [["O", "O"]], [["B-X", "O"]]
    for score in ENTITY_SCORES:
        with pytest.warns(UndefinedMetricWarning):
            assert score(nothing, nothing) == 0.0
        assert score(nothing, nothing, zero_division=1.0) == 1.0
    assert entity_precision_score(something, nothing, zero_division=1.0) == 1.0
    assert entity_recall_score(something, nothing) == 0.0
    assert entity_f1_score(something, nothing) == 0.0


def test_report_is_a_text_with_a_line_for_each_type():
    true = [["B-PER", "O", "B-LOC"]]
    lines = entity_report(true, true, digits=3).splitlines()
    assert [line.split() for line in lines if "1.000" in line] == [
        ["LOC", "1.000", "1.000", "1.000", "1"],
        ["PER", "1.000", "1.000", "1.000", "1"],
        ["micro", "avg", "1.000", "1.000", "1.000", "2"],
        ["macro", "avg", "1.000", "1.000", "1.000", "2"],
        ["weighted", "avg", "1.000", "1.000", "1.000", "2"],
    ]


def test_padded_tags_are_those_without_padding():
    true = [np.array(["B-X", "I-X", "O"]), np.array(["B-Y"])]
    pred = [np.array(["B-X", "I-X", "B-Y"]), np.array(["B-Y"])]
    expected = entity_f1_score(true, pred)
    assert expected == 0.8
    assert entity_f1_score(padded(true, None, object), pred) == expected
    assert entity_f1_score(in_objects(true), in_objects(pred)) == expected


@pytest.mark.parametrize("tag", ["PER", "b-PER", "", "X-PER", "OO", "BI-X"])
def test_tags_of_no_scheme_are_refused(tag):
    """Plain labels would otherwise be no entities at all, and the score 0."""
    with pytest.raises(ValueError, match=rf"tags of y_pred\[1\] .*, got '{tag}'"):
        entity_f1_score([["O"], ["O"]], [["B-X"], [tag]])


def test_tags_that_are_numbers_are_refused():
    with pytest.raises(ValueError, match=r"The tags of y_true\[0\] .*, got 0\."):
        entity_f1_score([[0, 1]], [["O", "O"]])


def test_the_first_tag_of_no_scheme_is_named():
    with pytest.raises(ValueError, match=r"tags of y_true\[0\] .*, got 5\."):
        entity_f1_score([[5, 1], [0]], [["O", "O"], ["O"]])


def test_rows_of_tags_are_refused():
    tags, rows = [["B-X", "O"]], [[["B-X"], ["O"]]]
    for score in (*ENTITY_SCORES, entity_report):
        with pytest.raises(
            ValueError, match=r"y_true must .* got rows of shape \(1,\)"
        ):
            score(rows, tags)
        with pytest.raises(ValueError, match=r"y_pred must have one tag for each step"):
            score(tags, rows)


def test_entities_are_read_without_ignored_steps():
    true = [["B-X", "I-X", "-PAD-"], ["-PAD-", "B-Y"]]
    pred = [["B-X", "I-X", "B-Z"], ["B-Z", "B-Y"]]
    for score in ENTITY_SCORES:
        assert score(true, pred, ignored="-PAD-") == 1.0
    report = entity_report(true, pred, output_dict=True, ignored="-PAD-")
    assert sorted(set(report) & set("XYZ")) == ["X", "Y"]


# Scorers


CLASS_SCORERS = [name for name in SCORERS if name[-6:] not in ("_error", "tep_r2")]


class MajorityTagger(BaseEstimator):
    """The most frequent label of each token id; `smoothing` blurs its probabilities."""

    def __init__(self, smoothing=1.0):
        self.smoothing = smoothing

    def fit(self, X, y, sample_weight=None):
        weight = np.ones(len(X)) if sample_weight is None else sample_weight
        labels = np.concatenate([np.asarray(part) for part in y])
        self.classes_, labels = np.unique(labels, return_inverse=True)
        self.counts_ = np.zeros((100, len(self.classes_)))
        weights = np.repeat(weight, [len(x) for x in X])
        np.add.at(self.counts_, (np.concatenate(X), labels.ravel()), weights)
        return self

    def predict_proba(self, X):
        counts = self.counts_ + self.smoothing
        proba = counts / counts.sum(axis=1, keepdims=True)
        return [proba[np.asarray(x)] for x in X]

    def predict(self, X):
        return [self.classes_[p.argmax(axis=1)] for p in self.predict_proba(X)]


def draw_tagging(n=40):
    """Ids whose tag is that of their remainder, but for some noise."""
    rng = np.random.default_rng(0)
    X = [rng.integers(2, 12, size=k) for k in rng.integers(1, 9, size=n)]
    tags = np.array(["O", "B-X", "I-X"])
    return X, [tags[np.where(rng.random(len(x)) < 0.1, 0, x % 3)].tolist() for x in X]


@pytest.mark.parametrize("name", CLASS_SCORERS)
def test_scorers_work_in_cross_validation_and_in_searches(name):
    """With an integer cv, on ragged labels of strings, without a failed fit."""
    X, y = draw_tagging()
    scorer = get_scorer(name)
    scores = cross_val_score(
        MajorityTagger(), X, y, cv=3, scoring=scorer, error_score="raise"
    )
    assert scores.shape == (3,) and np.isfinite(scores).all()
    grid = {"smoothing": [1.0, 1e6]}
    search = GridSearchCV(
        MajorityTagger(), grid, scoring=scorer, cv=3, error_score="raise"
    )
    search.fit(X, y)
    assert search.best_score_ == pytest.approx(scores.mean())


@pytest.mark.parametrize("name", CLASS_SCORERS)
def test_scorers_are_what_they_are_called(name):
    """Each is the score of that name; what is a loss comes with a minus."""
    X, y = draw_tagging()
    tagger = MajorityTagger().fit(X, y)
    pred = tagger.predict(X)
    expected = {
        "step_accuracy": lambda: step_accuracy_score(y, pred),
        "step_f1_macro": lambda: step_f1_score(y, pred, average="macro"),
        "step_f1_micro": lambda: step_f1_score(y, pred, average="micro"),
        "step_neg_log_loss": lambda: -step_log_loss(y, tagger.predict_proba(X)),
        "sequence_accuracy": lambda: sequence_accuracy_score(y, pred),
        "entity_f1": lambda: entity_f1_score(y, pred),
    }
    scorer = get_scorer(name)
    assert scorer(tagger, X, y) == expected[name]()
    assert pickle.loads(pickle.dumps(scorer))(tagger, X, y) == expected[name]()


def draw_numbering():
    X, _ = draw_tagging()
    y = [np.sin(x + 0.5 * (np.arange(len(x)) % 2)) for x in X]
    y[0][0], y[5][:] = np.nan, np.nan
    return X, y


class Sines(BaseEstimator):
    """Predicts the sine of each id."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return [np.sin(x) for x in X]


@pytest.mark.parametrize(
    ("name", "sign", "score"),
    [
        ("step_r2", 1, step_r2_score),
        ("step_neg_mean_absolute_error", -1, step_mean_absolute_error),
        ("step_neg_mean_squared_error", -1, step_mean_squared_error),
        ("step_neg_root_mean_squared_error", -1, step_root_mean_squared_error),
    ],
)
def test_scorers_of_numbers_leave_out_steps_without_a_target(name, sign, score):
    X, y = draw_numbering()
    scorer = get_scorer(name)
    expected = sign * score(y, Sines().predict(X))
    assert scorer(Sines(), X, y) == expected
    assert pickle.loads(pickle.dumps(scorer))(Sines(), X, y) == expected
    scores = cross_val_score(Sines(), X, y, cv=3, scoring=scorer, error_score="raise")
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("dtype", ["f2", "f4", "i1"])
def test_numbers_are_added_up_in_double_precision(dtype):
    """In half precision the squares of these would be infinite."""
    y = [np.resize(np.arange(-99, 100), n).astype(dtype) for n in (9000, 5)]
    pred = [part[::-1].copy() for part in y]
    for score in (step_mean_squared_error, step_r2_score):
        expected = score([p.astype(float) for p in y], [p.astype(float) for p in pred])
        assert score(y, pred) == expected


class Ignorer(MajorityTagger):
    """Knows a label that stands for none."""

    ignored_label = "-PAD-"

    def fit(self, X, y):
        kept = [np.asarray(part) != self.ignored_label for part in y]
        X = [np.asarray(x)[k] for x, k in zip(X, kept, strict=True)]
        return super().fit(X, [np.array(p)[k] for p, k in zip(y, kept, strict=True)])


def with_gaps(X, y, missing):
    """The first step of each sequence with another label, and without that step."""
    gaps = [[missing, *part[1:]] for part in y]
    kept = [i for i, part in enumerate(y) if len(part) > 1]
    return gaps, [X[i][1:] for i in kept], [y[i][1:] for i in kept]


@pytest.mark.parametrize("name", CLASS_SCORERS)
@pytest.mark.parametrize("missing", ["-PAD-", None, np.nan, pd.NA])
def test_scorers_leave_out_what_the_estimator_ignores(name, missing):
    X, y = draw_tagging()
    model, scorer = Ignorer().fit(X, y), get_scorer(name)
    gaps, short, rest = with_gaps(X, y, missing)
    assert scorer(model, X, gaps) == pytest.approx(scorer(model, short, rest))


def wrapped(values):
    """Nothing but something that makes an array."""
    return Wrapper(np.array(values))


@pytest.mark.parametrize("name", CLASS_SCORERS)
@pytest.mark.parametrize("frame", [np.array, pd.DataFrame, wrapped])
def test_scorers_read_nothing_behind_the_end_of_a_sequence(name, frame):
    """Of padded labels and weights, as the estimators."""
    X, y = draw_tagging()
    model, scorer = MajorityTagger().fit(X, y), get_scorer(name)
    longest = max(map(len, y))
    filled = [[*part, *[y[0][0]] * (longest - len(part))] for part in y]
    weight = [np.linspace(1.0, 2.0, len(part)) for part in y]
    full = [np.pad(w, (0, longest - len(w)), constant_values=np.inf) for w in weight]
    assert scorer(model, X, frame(filled)) == scorer(model, X, y)
    if name.startswith("step_"):
        found = scorer(model, X, frame(filled), sample_weight=frame(full))
        assert found == scorer(model, X, y, sample_weight=weight)
    with pytest.raises(ValueError, match="must have the same number of sequences"):
        scorer(model, X, frame(filled[:-1]))


@pytest.mark.parametrize("form", [wrapped, pd.Series, list])
def test_scorers_and_scores_take_weights_in_any_form(form):
    X, y = draw_tagging()
    model, weight = MajorityTagger().fit(X, y), np.arange(1.0, 1 + len(X))
    expected = step_accuracy_score(y, model.predict(X), sample_weight=weight)
    found = step_accuracy_score(y, model.predict(X), sample_weight=form(weight))
    scorer = get_scorer("step_accuracy")
    assert found == scorer(model, X, y, sample_weight=form(weight)) == expected


def test_scorers_find_the_ignored_label_in_pipelines_and_searches():
    """Of the last step and of the best estimator, one in the other."""
    X, y = draw_tagging()
    gaps, short, rest = with_gaps(X, y, "-PAD-")
    scorer = get_scorer("step_accuracy")
    piped = make_pipeline(FunctionTransformer(), Ignorer())
    grid = {"ignorer__smoothing": [1.0]}
    search = GridSearchCV(piped, grid, scoring=scorer, cv=2, error_score="raise")
    for model in (piped, search, make_pipeline(FunctionTransformer(), search)):
        model.fit(X, y)
        assert scorer(model, X, gaps) == scorer(model, short, rest)


def test_scorers_ask_for_weights_by_routing():
    """As those of scikit-learn do; a copy of a scorer asks as well."""
    X, y = draw_tagging()
    weights = np.arange(len(X)) + 1.0
    for name in ("step_accuracy", "step_neg_log_loss"):
        with config_context(enable_metadata_routing=True):
            scorer = clone(get_scorer(name).set_score_request(sample_weight=True))
            requests = scorer.get_metadata_routing().score.requests
            assert requests == {"sample_weight": True}
            tagger = MajorityTagger().set_fit_request(sample_weight=False)
            (found,) = cross_val_score(
                tagger,
                X,
                y,
                scoring=scorer,
                cv=[(range(40), range(40))],
                params={"sample_weight": weights},
            )
        tagger = MajorityTagger().fit(X, y)
        assert found == get_scorer(name)(tagger, X, y, sample_weight=weights)


def test_scorers_take_weights():
    X, y = draw_tagging()
    tagger, weights = MajorityTagger().fit(X, y), np.arange(len(X)) + 1.0
    for name in ("step_accuracy", "step_neg_log_loss", "sequence_accuracy"):
        scorer = get_scorer(name)
        weighted = scorer(tagger, X, y, sample_weight=weights)
        assert weighted != scorer(tagger, X, y)


def test_several_scorers_and_a_learning_curve():
    """The log-loss too where a fold has not all labels."""
    X, y = draw_tagging()
    y[0] = ["I-RARE"] * len(y[0])
    scoring = {name: get_scorer(name) for name in CLASS_SCORERS}
    result = cross_validate(
        MajorityTagger(),
        X,
        y,
        cv=KFold(4, shuffle=True, random_state=0),
        scoring=scoring,
        error_score="raise",
    )
    assert len(result["test_entity_f1"]) == 4
    tagger = MajorityTagger().fit(X, y)
    assert np.isfinite(get_scorer("step_neg_log_loss")(tagger, X[1:], y[1:]))
    options = {"cv": 3, "train_sizes": [0.5, 1.0], "scoring": scoring["entity_f1"]}
    _, train, _ = learning_curve(MajorityTagger(), X, y, **options)
    assert np.isfinite(train).all()


def test_scorers_reach_through_a_pipeline_of_tokens():
    """From lists of tokens to a log-loss, with the encoder's parameters searched."""
    X = [["a", "b", "b"], ["b", "c"], ["a", "b"], ["c", "a", "b"]] * 3
    y = [[token == "c" for token in x] for x in X]
    pipe = make_pipeline(TokenEncoder(), MajorityTagger())
    search = GridSearchCV(
        pipe,
        {"tokenencoder__min_df": [1, 6]},
        scoring=get_scorer("step_neg_log_loss"),
        cv=2,
        error_score="raise",
    )
    assert search.fit(X, y).best_params_ == {"tokenencoder__min_df": 1}


def test_a_class_that_a_fold_lacks_leaves_the_log_loss_finite():
    """All but the rare steps are scored as without it."""
    X, y = draw_tagging()
    y[0] = ["I-RARE"] * len(y[0])
    tagger, scorer = MajorityTagger().fit(X[1:], y[1:]), get_scorer("step_neg_log_loss")
    n, n_rest = sum(map(len, y)), sum(map(len, y[1:]))
    rest = scorer(tagger, X[1:], y[1:]) * n_rest
    expected = (rest + len(y[0]) * math.log(np.finfo(np.float64).eps)) / n
    assert scorer(tagger, X, y) == pytest.approx(expected)


def test_a_scorer_can_be_changed_without_changing_others():
    """Each call hands out an object of its own."""
    first, second = get_scorer("step_accuracy"), get_scorer("step_accuracy")
    assert first is not second


def test_unknown_scorer_names_those_that_are_known():
    with pytest.raises(
        ValueError, match=r"one of \['step_accuracy', .* got 'accuracy'"
    ):
        get_scorer("accuracy")


# Predictions across folds


class Recorder(BaseEstimator):
    """Predicts for each step the first value of the sequence and how many it learnt."""

    def fit(self, X, y=None, sample_weight=None):
        self.seen_ = {int(x[0]) for x in X}
        self.n_labels_ = None if y is None else len(y)
        self.weight_ = sample_weight
        return self

    def predict(self, X):
        assert not self.seen_ & {int(x[0]) for x in X}
        return [np.full(len(x), x[0]) for x in X]

    def weights(self, X):
        return [self.weight_] * len(X)

    def nothing(self, X):
        return []


def numbered(n=11):
    """Sequence k has k % 4 + 1 steps, all k."""
    return [np.full(k % 4 + 1, k) for k in range(n)]


@pytest.mark.parametrize(
    "cv", [None, 3, KFold(4, shuffle=True, random_state=0), [([0, 1], [*range(2, 11)])]]
)
def test_predictions_come_in_the_order_of_X(cv):
    """Each by an estimator that has not seen the sequence, whatever the folds."""
    X = numbered()
    if isinstance(cv, list):
        cv = [*cv, ([*range(2, 11)], [1, 0])]
    predictions = cross_val_predict(Recorder(), X, X, cv=cv)
    assert type(predictions) is list and len(predictions) == len(X)
    for x, prediction in zip(X, predictions, strict=True):
        np.testing.assert_array_equal(prediction, x)


@pytest.mark.parametrize("y", [[["B", "I"], ["O"]] * 3, in_objects(numbered(6)), None])
def test_labels_of_any_kind_need_no_stratification(y):
    """An integer cv is that of KFold, for classifiers too."""

    class Classifier(Recorder, DummyClassifier):
        def __init__(self):
            pass

    assert len(cross_val_predict(Classifier(), numbered(6), y, cv=2)) == 6


def test_groups_stay_together():
    X = numbered(9)
    groups = np.arange(9) % 3

    class Grouped(Recorder):
        def predict(self, X):
            assert not {k % 3 for k in self.seen_} & {int(x[0]) % 3 for x in X}
            return super().predict(X)

    assert len(cross_val_predict(Grouped(), X, X, groups=groups, cv=GroupKFold(3))) == 9


def test_arguments_of_fit_are_cut_like_X():
    """Those with an entry for each sequence; another method may predict."""
    X, weights = numbered(6), np.arange(6.0)
    found = cross_val_predict(
        Recorder(), X, X, cv=2, method="weights", params={"sample_weight": weights}
    )
    assert [w.tolist() for w in found] == [[3.0, 4.0, 5.0]] * 3 + [[0.0, 1.0, 2.0]] * 3
    found = cross_val_predict(
        Recorder(), X, X, cv=2, method="weights", params={"sample_weight": None}
    )
    assert found == [None] * 6


def test_folds_in_threads_give_the_same_and_leave_the_estimator_alone():
    X, recorder = numbered(), Recorder()
    with joblib.parallel_backend("threading"):
        predictions = cross_val_predict(recorder, X, X, cv=3, n_jobs=2)
    assert [p.tolist() for p in predictions] == [x.tolist() for x in X]
    assert not hasattr(recorder, "seen_")


def test_arrays_of_equal_lengths_are_predicted_too():
    X = np.arange(6)[:, np.newaxis] * np.ones((6, 3), dtype=np.int64)
    predictions = cross_val_predict(Recorder(), X, X, cv=3)
    np.testing.assert_array_equal(predictions, X)


def test_predictions_can_be_scored():
    X, y = draw_tagging()
    pred = cross_val_predict(MajorityTagger(), X, y, cv=4)
    assert step_accuracy_score(y, pred) > 0.8


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (ShuffleSplit(1, test_size=5, random_state=0), r"got sequence \d+ in 0\."),
        ([([2], [0, 1]), ([0], [1, 2])], r"got sequence 1 in 2\."),
    ],
)
def test_each_sequence_must_be_predicted_once(cv, message):
    X = numbered(11 if isinstance(cv, ShuffleSplit) else 3)
    with pytest.raises(ValueError, match=message):
        cross_val_predict(Recorder(), X, X, cv=cv)


def test_a_method_that_loses_sequences_is_refused():
    with pytest.raises(ValueError, match=r"nothing must return .* sequence, 2, got 0"):
        cross_val_predict(Recorder(), numbered(4), numbered(4), cv=2, method="nothing")


class Shares(BaseEstimator):
    """The share of each label, for each step or, with `whole`, for each sequence."""

    def __init__(self, whole=False, several=False):
        self.whole = whole
        self.several = several

    def fit(self, X, y):
        labels = np.concatenate([np.asarray(part) for part in y])
        self.classes_, counts = np.unique(labels, return_counts=True)
        self.share_ = (counts / counts.sum()).astype(np.float32)
        if self.several:
            self.classes_ = [self.classes_] * 2
        return self

    def predict_proba(self, X):
        return [self.share_ if self.whole else [self.share_] * len(x) for x in X]

    def predict_log_proba(self, X):
        return [np.log(part) for part in self.predict_proba(X)]

    decision_function = predict_log_proba


TWO_FOLDS = [["b", "d"], ["c", "d", "b", "d"], ["a", "c"], ["c", "d", "e", "a"]]


@pytest.mark.parametrize("whole", [False, True])
def test_folds_with_different_classes_share_their_columns(whole):
    """Sorted; a class that a fold did not see has no probability there."""
    y = TWO_FOLDS
    early, late = [0, 2, 1, 3, 0], [2, 0, 2, 1, 1]
    expected = [np.divide(late, 6)] * 2 + [np.divide(early, 6)] * 2
    found = cross_val_predict(Shares(whole), y, y, cv=2, method="predict_proba")
    for method in ("predict_log_proba", "decision_function"):
        logs = cross_val_predict(Shares(whole), y, y, cv=2, method=method)
        for proba, log in zip(found, logs, strict=True):
            np.testing.assert_allclose(np.exp(log), proba, rtol=1e-6)
    for part, proba, row in zip(y, found, expected, strict=True):
        assert proba.dtype == np.float32
        rows = row if whole else [row] * len(part)
        np.testing.assert_allclose(proba, rows, rtol=1e-6)
    if not whole:
        assert step_log_loss(y, found, labels=list("abcde")) > 1


def test_folds_that_know_the_same_classes_are_left_alone():
    """Those of several targets too, and of estimators without classes."""
    y = [[0, 1], [1, 0, 0]]
    found = cross_val_predict(Shares(), y, y, cv=2, method="predict_proba")
    assert [type(part) for part in found] == [list, list]
    several = Shares(several=True)
    found = cross_val_predict(
        several, TWO_FOLDS, TWO_FOLDS, cv=2, method="predict_proba"
    )
    assert [np.shape(part) for part in found] == [(2, 4), (4, 4), (2, 3), (4, 3)]

    class Nameless(Shares):
        def fit(self, X, y):
            super().fit(X, y)
            del self.classes_
            return self

    found = cross_val_predict(
        Nameless(), TWO_FOLDS, TWO_FOLDS, cv=2, method="predict_proba"
    )
    assert [np.shape(part) for part in found] == [(2, 4), (4, 4), (2, 3), (4, 3)]


@pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
def test_different_classes_need_a_column_each(method):
    """Decision values of two classes are one column, which says nothing of a third."""

    class Narrow(Shares):
        def predict_proba(self, X):
            return [np.zeros((len(x), 1)) for x in X]

        def decision_function(self, X):
            return [np.zeros(len(x)) for x in X]

    y = [[0, 1], [1, 2]]
    message = rf"know different classes, so {method} must return a column for each, 2"
    with pytest.raises(ValueError, match=message):
        cross_val_predict(Narrow(), y, y, cv=2, method=method)


def test_unequal_numbers_of_sequences_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cross_val_predict(Recorder(), numbered(4), numbered(3), cv=2)


def test_everything_public_is_tested_here():
    """A score that is added without a test shows up."""
    source = inspect.getsource(inspect.getmodule(draw))
    assert [name for name in skrnn.metrics.__all__ if f"{name}(" not in source] == []
