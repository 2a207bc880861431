"""The fuzz of estimators that answer each step; see `test_fuzz.py`.

Targets and weights come in disguise for each sequence: in any container, with missing
ones marked in any way, in one array whose ends are full of what nobody may read.
"""

import functools

import adversary
import adversary_of_steps
import numpy as np
import pytest
from fuzz_calls import (
    SCORED,
    Fit,
    check_fit_and_score,
    check_harmed_fit,
    check_question,
    check_step,
    harmed_fits,
    harms_of,
    model,
    models,
    networks,
    plain_data,
    plain_fit,
    questions,
    results,
    spoil,
    steps,
    with_validation,
)
from fuzzing import (
    CLASSES,
    FRAMES,
    LAYOUTS,
    OF_STEPS,
    TARGETS,
    UNTYPED,
    check_refused,
    check_same,
    data,
    draw_target,
    few_and_many,
    run,
    unchanged,
    weights,
)
from hypothesis import strategies as st

from skrnn.sequences import split_steps

pytestmark = pytest.mark.heavy  # plain Python is slow, and warns of each overflow
each_kind = pytest.mark.parametrize("kind", OF_STEPS)
cases = few_and_many(25, 1500)
IGNORED = {"U": "-PAD-", "i": -100, "u": 200, "f": -100.0, "b": "none"}


# Disguises


def layouts_for(parts):
    """Names of the layouts that keep the values of all parts."""
    kinds = {part.dtype.kind for part in parts}
    names = adversary_of_steps.FOR_OBJECTS if "O" in kinds else set(LAYOUTS)
    return sorted(names - UNTYPED - FRAMES if "M" in kinds else names)


@st.composite
def targets_in_disguise(draw, parts):
    """At times each as a single column."""
    if parts[0].ndim == 1 and draw(st.integers(0, 3)) == 0:
        parts = [part[:, np.newaxis] for part in parts]
    return draw(in_disguise(parts))


@st.composite
def in_disguise(draw, parts):
    """The parts in a form that can hold them."""
    forms = list(adversary.RAGGED_FORMS)
    if len({part.dtype for part in parts}) == 1:
        forms += ["padded"] * 2
    form, layouts = draw(st.sampled_from(forms)), layouts_for(parts)
    if form == "padded" and len({len(part) for part in parts}) > 1:
        layouts = sorted({*layouts} - {"nested lists"})  # a list has no padding
    layouts = draw(st.lists(st.sampled_from(layouts), min_size=1, max_size=2))
    return adversary_of_steps.FORMS[form](parts, layouts)


@st.composite
def typed_targets(draw, kind, target, lengths, rng):
    """Targets of each sequence, plain and typed; those of a tagger with other names."""
    if kind == "tagger":
        codes = draw_target(target, sum(lengths), rng)
        names = [k for k, v in adversary.ALPHABETS.items() if len(v) > codes.max()]
        if target == "labels":
            typed = codes.astype(draw(st.sampled_from(["?", "i1", "u8", "f4", "f8"])))
        else:
            typed = np.array(adversary.ALPHABETS[draw(st.sampled_from(names))])[codes]
        plain = codes.astype(np.float64)
        return split_steps(plain, lengths), split_steps(typed, lengths)
    types = draw(st.lists(st.sampled_from(adversary.TYPES), min_size=1, max_size=2))
    typed = [
        draw_target(target, length, rng, types[i % len(types)])
        for i, length in enumerate(lengths)
    ]
    return [part.astype(np.float64) for part in typed], typed


@st.composite
def marks(draw, kind, typed):
    """What stands for a missing target, and whether it is an ignored label."""
    dtype = typed[0].dtype
    if dtype.kind == "M":
        return np.datetime64("NaT"), False
    if kind == "tagger" and draw(st.booleans()):
        return IGNORED[dtype.kind], True
    names = ["None", "NA"]
    if dtype.kind == "f" or dtype.itemsize < 8:  # NaN makes floats of integers in lists
        names += ["NaN"]
    return adversary_of_steps.MARKS[draw(st.sampled_from(names))], False


def with_holes(parts, holes, mark):
    return list(map(adversary_of_steps.with_holes, parts, holes, [mark] * len(parts)))


@st.composite
def weights_of_steps(draw, lengths, rng):
    """Plain weights of each step, and the same in disguise."""
    types = draw(st.lists(st.sampled_from(adversary.TYPES), min_size=1, max_size=2))
    typed = [
        np.abs(adversary.draw_values(rng, length, types[i % len(types)]))
        for i, length in enumerate(lengths)
    ]
    typed[0][0] = typed[1][0] = 1
    return [part.astype(np.float64) for part in typed], draw(in_disguise(typed))


# fit, partial_fit and score


@st.composite
def fits(draw, kind):
    target = draw(st.sampled_from(TARGETS[kind]))
    estimator, method, X = draw(networks(kind, target)), "fit", draw(data())
    y, typed = draw(typed_targets(kind, target, X.lengths, X.rng))
    classes = np.unique(np.concatenate(y)), np.unique(np.concatenate(typed))
    if draw(st.booleans()):
        holes = [X.rng.random(length) < 0.3 for length in X.lengths]
        holes[0][0] = holes[1][0] = False
        mark, is_label = draw(marks(kind, typed))
        y, typed = with_holes(y, holes, np.nan), with_holes(typed, holes, mark)
        if is_label:
            estimator.ignored_label = mark
    plain = {"X": X.plain, "y": y}
    given = {"X": X.disguised(), "y": draw(targets_in_disguise(typed))}
    if draw(st.booleans()):
        weight = weights(len(y), X.rng)
        if "chain" not in target:
            weight |= weights_of_steps(X.lengths, X.rng)
        plain["sample_weight"], given["sample_weight"] = draw(weight)
    if draw(st.booleans()):
        method = "partial_fit"
        if target in CLASSES[:3] and draw(st.booleans()):
            plain["classes"], given["classes"] = classes[0], classes[1][::-1]
        return Fit(estimator, method, X, target, plain, given, "")
    if target in CLASSES:
        estimator.class_weight = draw(st.sampled_from([None, "balanced"]))
    if draw(st.booleans()):
        plain, given = with_validation(plain), with_validation(given)
    estimator.early_stopping = draw(st.booleans())
    estimator.scoring = draw(st.sampled_from([None, scoring_of(target)]))
    estimator.validation_fraction = 0.5
    return Fit(estimator, method, X, target, plain, given, "")


def scoring_of(target):
    if target == "quantiles":
        return None
    is_label = target in TARGETS["tagger"]
    return "step_accuracy" if is_label else "step_neg_mean_absolute_error"


@each_kind
@cases
def test_fits_and_scores_are_right_or_refused(kind, n_cases):
    run(check_fit_and_score, fits(kind) | harmed_fits(kind, fits(kind)), n_cases)


# Methods that answer


@each_kind
@cases
def test_answers_are_right_or_refused(kind, n_cases):
    run(check_question, questions(kind), n_cases)


@each_kind
@cases
def test_steps_are_right_or_refused(kind, n_cases):
    run(check_step, steps(kind), n_cases)


# Harm to a score


def good_score(kind, estimator, X):
    y = estimator.predict(X.plain)
    if getattr(estimator, "loss", "") == "quantile":
        y = [part[..., 0] for part in y]
    weight = [np.linspace(1.0, 2.0, len(part)) for part in y]
    return {"X": X.plain, "y": y, "sample_weight": weight}


@st.composite
def harmed_scores(draw, kind):
    estimator = draw(models(kind))
    X = draw(data(estimator.n_step_features_in_))
    argument = draw(st.sampled_from(SCORED))
    harm = draw(st.sampled_from(sorted(harms_of(argument, kind, X))))
    return kind, estimator, X, argument, harm


def check_harmed_score(case):
    kind, estimator, X, argument, harm = case
    good = good_score(kind, estimator, X)
    bad, says = spoil(X, good, kind, argument, harm)
    given = {**good, argument: bad}
    with unchanged(estimator, None):
        return check_refused(lambda: estimator.score(**given), argument, says)


@each_kind
@cases
def test_bad_scores_are_refused(kind, n_cases):
    run(check_harmed_score, harmed_scores(kind), n_cases, least=0)


# Each harm and each disguise by itself, where chance may miss one


@each_kind
@pytest.mark.parametrize("argument", [*SCORED, "X_val", "y_val", "sample_weight_val"])
def test_every_harm(kind, argument):
    estimator = model(kind, TARGETS[kind][0], 2, 0)
    for harm in harms_of(argument, kind, plain_data()):
        check_harmed_fit(*plain_fit(kind, "fit", argument, harm))
        if argument in SCORED:
            check_harmed_fit(*plain_fit(kind, "partial_fit", argument, harm))
            check_harmed_score((kind, estimator, plain_data(), argument, harm))


@pytest.mark.parametrize("harm", adversary.CLASSES_HARMS)
def test_every_harm_to_classes(harm):
    check_harmed_fit(*plain_fit("tagger", "partial_fit", "classes", harm))


CODES = [np.array(part) for part in ([0, 1, 2], [1], [0, 2], [2, 0, 1, 0])]
HOLES = [np.arange(len(part)) == 1 for part in CODES]


@functools.cache
def fitted(kind, is_whole):
    """Fitted to the codes, all of them or those without the holes."""
    y = [codes.astype(np.float64) for codes in CODES]
    y = y if is_whole else with_holes(y, HOLES, np.nan)
    return small(kind).fit(plain_data().plain, y)


def small(kind):
    return OF_STEPS[kind](2, max_iter=1, random_state=0)


def check_targets(kind, given, is_whole=True):
    X = plain_data().plain
    found, expected = small(kind).fit(X, given), fitted(kind, is_whole)
    check_same(results(found, X), results(expected, X))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_disguise_of_targets(layout):
    """Of all forms and, in a list, of all types and alphabets."""
    for kind in OF_STEPS:
        for form in set(adversary_of_steps.FORMS) - {"padded"}:
            check_targets(kind, adversary_of_steps.FORMS[form](CODES, [layout]))
        if layout != "nested lists":  # a list has no padding
            check_targets(kind, adversary_of_steps.FORMS["padded"](CODES, [layout]))
    for dtype in set(adversary.TYPES) - {"?"}:
        y = [adversary.LAYOUTS[layout](codes.astype(dtype)) for codes in CODES]
        check_targets("sequence regressor", y)
    for alphabet in map(np.array, adversary.ALPHABETS.values()):
        y = [alphabet[codes] for codes in CODES if len(alphabet) == 3]
        if y and layout in layouts_for(y):
            check_targets("tagger", list(map(adversary.LAYOUTS[layout], y)))


@pytest.mark.parametrize("layout", sorted(adversary_of_steps.FOR_OBJECTS))
@pytest.mark.parametrize("mark", adversary_of_steps.MARKS)
def test_every_mark_of_missing_targets(mark, layout):
    mark, layout = adversary_of_steps.MARKS[mark], adversary.LAYOUTS[layout]
    for dtype in ("i8", "f8", "U1"):
        y = with_holes([codes.astype(dtype) for codes in CODES], HOLES, mark)
        y = list(map(layout, y))
        check_targets("tagger", y, is_whole=False)
        if dtype != "U1":
            check_targets("sequence regressor", y, is_whole=False)
