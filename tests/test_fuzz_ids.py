"""The fuzz of estimators that read ids of tokens; see `test_fuzz.py`."""

import functools
from dataclasses import dataclass

import adversary
import numpy as np
import pytest
from fuzz_calls import (
    KINDS,
    Fit,
    Step,
    call,
    check_fit_and_score,
    check_harmed_fit,
    check_question,
    check_step,
    harmed_fits,
    methods_of,
    networks,
    plain_fit,
    steps_of,
    unfitted,
    with_validation,
)
from fuzzing import (
    LAYOUTS,
    TARGETS,
    check_same,
    draw_targets,
    few_and_many,
    run,
)
from hypothesis import strategies as st

from skrnn.sequences import split_steps

pytestmark = pytest.mark.heavy  # plain Python is slow, and warns of each overflow
each_kind = pytest.mark.parametrize("kind", KINDS)
cases = few_and_many(15, 1000)
LARGEST = 2**31 - 1
TYPES = {  # that hold all ids up to a largest one
    1: adversary.TYPES,
    100: [t for t in adversary.TYPES if t != "?"],
    LARGEST: ["i4", "i8", "u4", "u8", "f8", "g"],
}


# Ids, and what is done to them


def _pad(arrays):
    return adversary.pad(arrays, 0)


def _whole(make):
    return lambda arrays, layouts: adversary.LAYOUTS[layouts[0]](make(arrays))


FORMS = {
    **adversary.RAGGED_FORMS,
    **adversary.FLAT_FORMS,
    "padded 2-D": _whole(lambda arrays: _pad(arrays)[:, :, 0]),
    "padded 3-D": _whole(_pad),
}


def _at_step(value, dtype=np.float64):
    def harm(arrays, rng):
        arrays = [array.astype(dtype) for array in arrays]
        i = int(rng.integers(len(arrays)))
        step = int(rng.integers(len(arrays[i])))
        arrays[i][step] = value
        return arrays, rf"X\[{i}\] has .* at step {step}; with embedding_dim"

    return harm


def _padding_inside(arrays, rng):
    i = int(rng.integers(len(arrays)))
    step, arrays = int(rng.integers(len(arrays[i]))), list(arrays)
    arrays[i] = np.insert(arrays[i], step, 0, axis=0)
    return arrays, rf"X\[{i}\] has the id 0 at step {step}, before other ids"


def _only_padding(arrays, rng):
    i, arrays = int(rng.integers(len(arrays))), list(arrays)
    arrays[i] = 0 * arrays[i]
    return arrays, rf"X\[{i}\] must have at least one token"


def _two_features(arrays, rng):
    return [np.hstack([x, x]) for x in arrays], "X must have (one|1) feature"


ID_HARMS = {
    "negative": _at_step(-1, np.int64),
    "a fraction": _at_step(2.5),
    "a small fraction": _at_step(1e-310),
    "nearly an id": _at_step(np.nextafter(3.0, 4.0)),
    "too large": _at_step(2**31, np.int64),
    "the largest number": _at_step(2**64 - 1, np.uint64),
    "the smallest number": _at_step(-(2**63), np.int64),
    "a huge float": _at_step(1e300),
    "padding inside": _padding_inside,
    "only padding": _only_padding,
    "two features": _two_features,
}


@dataclass
class Ids:
    """Sequences of ids, and how they are handed over."""

    seed: int
    lengths: list
    largest: int
    form: str
    layouts: list
    types: list
    harms = {**adversary.X_HARMS, **ID_HARMS}
    n_features = 1

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        self.plain = [
            self.rng.integers(1, self.largest, (length, 1), endpoint=True)
            for length in self.lengths
        ]

    def disguised(self):
        """Of other types, with padding of any length in a list."""
        arrays = [
            np.pad(x, [(0, i % 3), (0, 0)]).astype(self.types[i % len(self.types)])
            for i, x in enumerate(self.plain, self.seed)
        ]
        return FORMS[self.form](arrays, self.layouts)

    def harmed(self, harm):
        """A bad X, and what its refusal says."""
        small = [np.minimum(x, 100) for x in self.plain]  # for half precision, too
        return self.harms[harm](small, self.rng)


@st.composite
def ids(draw, largest=tuple(TYPES)):
    largest, form = draw(st.sampled_from(largest)), draw(st.sampled_from([*FORMS]))
    n_types = 1 if form.startswith("padded") else 2
    types = st.lists(st.sampled_from(TYPES[largest]), min_size=1, max_size=n_types)
    return Ids(
        draw(st.integers(0, 2**32 - 1)),
        draw(st.lists(st.integers(1, 4), min_size=2, max_size=5)),
        largest,
        form,
        draw(st.lists(st.sampled_from(LAYOUTS), min_size=1, max_size=2)),
        draw(types),
    )


# fit, partial_fit and score


@st.composite
def fits(draw, kind):
    target = draw(st.sampled_from(TARGETS[kind]))
    dims = st.sampled_from([1, 3])
    estimator = draw(networks(kind, target, embedding_dim=dims))
    method, X = "fit", draw(ids(largest=(1, 100, 100)))
    y = draw_targets(kind, target, X.lengths, X.rng)
    plain, given = {"X": X.plain, "y": y}, {"X": X.disguised(), "y": y}
    if draw(st.booleans()):
        method = "partial_fit"
    elif draw(st.booleans()):
        plain, given = with_validation(plain), with_validation(given)
        estimator.early_stopping = draw(st.booleans())
    return Fit(estimator, method, X, target, plain, given, "")


@st.composite
def fits_with_bad_ids(draw, kind):
    arguments = ["X", "X_val"]
    return draw(harmed_fits(kind, fits(kind)).filter(lambda case: case[1] in arguments))


@each_kind
@cases
def test_fits_and_scores_are_right_or_refused(kind, n_cases):
    run(check_fit_and_score, fits(kind) | fits_with_bad_ids(kind), n_cases)


# Methods that answer


KNOWN = np.array([2, 3, 5, 40, 100])


@functools.cache
def model(kind, target, number):
    """Fitted to the known ids; tests may not change it."""
    rng, lengths = np.random.default_rng(number), [3, 1, 2, 4, 2, 3]
    X = split_steps(np.resize(KNOWN, (sum(lengths), 1)), lengths)
    estimator = unfitted(kind, target, number).set_params(embedding_dim=2)
    return estimator.fit(X, draw_targets(kind, target, lengths, rng))


@st.composite
def models(draw, kind, streams=False):
    targets = [t for t in TARGETS[kind] if not (streams and "chain" in t)]
    number = draw(st.integers(0, 3 - streams))
    return model(kind, draw(st.sampled_from(targets)), number)


@st.composite
def questions(draw, kind):
    """A model, a method, ids, and what is done to them."""
    estimator, X = draw(models(kind)), draw(ids())
    method = draw(st.sampled_from(methods_of(estimator)))
    return estimator, method, X, draw(st.none() | st.sampled_from(sorted(X.harms)))


def check_ids(case):
    """Ids that the fit has not seen are answered as the unknown one."""
    estimator, method, X, harm = case
    outcome = check_question(case)
    if harm is None:
        replaced = [np.where(np.isin(x, KNOWN), x, 1) for x in X.plain]
        answers = (call(estimator, method, x) for x in (X.plain, replaced))
        check_same(*answers)
    return outcome


@each_kind
@cases
def test_answers_are_right_or_refused(kind, n_cases):
    run(check_ids, questions(kind), n_cases)


# step


def _no_id(value):
    def harm(x, rng):
        x[rng.integers(len(x))] = value
        return x

    return harm


class StepOfIds(Step):
    """A step of some streams of ids."""

    NO_IDS = [0, -1, 2.5, 1e-40, 1 + 1e-9, 2.0**31, 1e300]
    harms = {
        **Step.harms,
        "x_t": {**adversary.STEP_HARMS, **{str(v): _no_id(v) for v in NO_IDS}},
    }

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        most = self.rng.choice([n for n, types in TYPES.items() if self.dtype in types])
        shape = self.n_streams, 1
        self.typed = self.rng.integers(1, most, shape, endpoint=True).astype(self.dtype)
        self.plain = self.typed.astype(np.float64)


@each_kind
@cases
def test_steps_are_right_or_refused(kind, n_cases):
    run(check_step, steps_of(StepOfIds, models(kind, streams=True)), n_cases)


# Each harm and each disguise by itself, where chance may miss one


def plain_ids(largest=100, form="list", layout="plain", dtype="i8"):
    return Ids(0, [3, 1, 2, 4], largest, form, [layout], [dtype])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_disguise_of_ids(layout):
    estimator = model("classifier", "labels", 0)
    disguises = [plain_ids(100, form, layout) for form in FORMS]
    disguises += [plain_ids(100, "list", layout, dtype) for dtype in TYPES[100]]
    disguises += [plain_ids(1, "list", layout, "?")]
    disguises += [plain_ids(LARGEST, "list", layout, "u4")]
    for X in disguises:
        check_ids((estimator, "predict_proba", X, None))


@each_kind
@pytest.mark.parametrize("harm", ID_HARMS)
def test_every_harm_to_ids(kind, harm):
    check_ids((model(kind, TARGETS[kind][0], 0), "predict", plain_ids(), harm))
    for method, argument in [("fit", "X"), ("fit", "X_val"), ("partial_fit", "X")]:
        fit = plain_fit(kind, method, argument, harm, plain_ids(), embedding_dim=2)
        check_harmed_fit(*fit)


@pytest.mark.parametrize("harm", adversary.X_HARMS)
def test_every_harm_to_sequences(harm):
    check_ids((model("classifier", "labels", 0), "predict", plain_ids(), harm))


@each_kind
def test_every_harm_to_a_step(kind):
    estimator = model(kind, TARGETS[kind][0], 0)
    for name, harms in StepOfIds.harms.items():
        for harm in harms:
            case = (0, 3, "f8", "plain", "plain", (name, harm))
            check_step(StepOfIds(estimator, *case))
