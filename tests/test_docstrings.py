"""The docstrings say what the signatures, the registries and a fit say."""

import ast
import importlib
import inspect
import re

import numpy as np
import pandas as pd
import pytest

from skrnn import RNNClassifier, RNNRegressor, RNNSequenceRegressor, RNNTagger
from skrnn.cells import CELLS
from skrnn.losses import REGRESSION_LOSSES
from skrnn.network.pooling import POOLINGS
from skrnn.optimizers import OPTIMIZERS, SCHEDULES

ESTIMATORS = (RNNClassifier, RNNRegressor, RNNTagger, RNNSequenceRegressor)
CLASSIFIERS = (RNNClassifier, RNNTagger)
OF_STEPS = (RNNTagger, RNNSequenceRegressor)
MODULES = (
    "",
    ".cells",
    ".datasets",
    ".inspection",
    ".losses",
    ".metrics",
    ".optimizers",
    ".preprocessing",
)
REGISTRIES = {
    "cell": CELLS,
    "pooling": POOLINGS,
    "solver": OPTIMIZERS,
    "learning_rate": SCHEDULES,
}
# Functions of one number, whose summary says all of it.
ELEMENT_WISE = ("relu", "sigmoid", "tanh")


def sections(documented):
    """Lines of each section of a numpydoc docstring, by its title."""
    lines = inspect.getdoc(documented).splitlines()
    found, title = {}, None
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line and below == "-" * len(line):
            title = line
            found[title] = []
        elif title is not None and set(line) != {"-"}:
            found[title].append(line)
    return found


def entries(documented, section):
    """The entries of a section in order: name and what stands behind the colon."""
    found = []
    for line in sections(documented).get(section, []):
        if line and not line.startswith(" "):
            names, _, kind = line.partition(" : ")
            found += [(name.lstrip("*"), kind) for name in names.split(", ")]
    return found


def documented_default(kind):
    """The default that the text names; `empty`, as in a signature, if none."""
    if kind.endswith("optional"):
        return None
    stated = re.search(r"default=(.+)$", kind)
    if stated and stated[1] == "NaN":
        return np.nan
    return ast.literal_eval(stated[1]) if stated else inspect.Parameter.empty


def parameters(documented):
    """Parameters by name, without self."""
    found = dict(inspect.signature(documented).parameters)
    found.pop("self", None)
    return found


def check_parameters(documented):
    stated, actual = entries(documented, "Parameters"), parameters(documented)
    assert [name for name, _ in stated] == list(actual)
    for name, kind in stated:
        if kind:
            default, expected = documented_default(kind), actual[name].default
            assert (name, repr(default)) == (name, repr(expected))


def public_objects():
    for module in MODULES:
        module = importlib.import_module(f"skrnn{module}")
        for name in module.__all__:
            if callable(getattr(module, name)):
                yield getattr(module, name)


def own_methods(cls):
    """Public methods that the library defines."""
    for name in dir(cls):
        method = getattr(cls, name)
        module = getattr(method, "__module__", None) or ""
        if callable(method) and not name.startswith("_") and "skrnn" in module:
            yield pytest.param(method, id=f"{cls.__name__}.{name}")


OBJECTS = sorted(set(public_objects()), key=lambda o: o.__qualname__)
CLASSES = [o for o in OBJECTS if inspect.isclass(o)]
METHODS = [param for cls in CLASSES for param in own_methods(cls)]
ESTIMATOR_METHODS = [param for cls in ESTIMATORS for param in own_methods(cls)]


@pytest.mark.parametrize("documented", OBJECTS, ids=lambda o: o.__qualname__)
def test_every_parameter_is_documented_with_its_default(documented):
    """In the order of the signature; a changed default must reach the docstring."""
    if documented.__name__ not in ELEMENT_WISE:
        check_parameters(documented)


@pytest.mark.parametrize("method", METHODS)
def test_documented_parameters_of_methods_are_those_of_the_signature(method):
    """A method may do without the section; with it, it must be right."""
    if "Parameters" in sections(method):
        check_parameters(method)


@pytest.mark.parametrize("method", ESTIMATOR_METHODS)
def test_methods_of_estimators_have_their_sections(method):
    """What a user calls says what goes in and what comes out."""
    found = sections(method)
    assert "Parameters" in found
    assert "Returns" in found


def test_the_checks_above_see_the_methods():
    """A listing that went empty would make every check pass."""
    names = {param.id for param in ESTIMATOR_METHODS}
    both = {"fit", "partial_fit", "predict", "hidden_states", "attention_weights"}
    assert {f"{c.__name__}.{name}" for c in ESTIMATORS for name in both} <= names
    assert "RNNClassifier.predict_proba" in names


@pytest.fixture(scope="module", params=ESTIMATORS)
def fitted(request):
    """An estimator fitted so that it has every attribute it can have."""
    X = pd.DataFrame(
        np.random.default_rng(0).normal(size=(30, 4)), columns=list("abcd")
    )
    kind, y = request.param, np.arange(30) % 3
    scoring = "accuracy" if kind in CLASSIFIERS else "r2"
    if kind in OF_STEPS:
        y, scoring = np.repeat(y[:, np.newaxis], 4, axis=1), score_own
    params = {"max_iter": 2, "early_stopping": True, "random_state": 0}
    return kind(4, scoring=scoring, **params).fit(X, y)


def score_own(estimator, X, y):
    return estimator.score(X, y)


def test_fitted_attributes_are_documented(fitted):
    """All that a fit sets, and nothing that it does not."""
    cls = type(fitted)
    properties = {n for n in dir(cls) if isinstance(getattr(cls, n), property)}
    names = vars(fitted).keys() | properties
    public = {n for n in names if n.endswith("_") and not n.startswith("_")}
    assert {name for name, _ in entries(cls, "Attributes")} == public


def test_documented_lengths_of_attributes_are_right(fitted):
    """A shape named after another attribute has that attribute's value."""
    checked = 0
    for name, kind in entries(type(fitted), "Attributes"):
        shape = re.fullmatch(r"(?:ndarray|list) of shape \((\w+_),\)", kind)
        if shape:
            assert len(getattr(fitted, name)) == getattr(fitted, shape[1]), name
            checked += 1
    assert checked >= 2


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_documented_choices_are_the_registries(cls):
    """A cell, solver, ... that is added or renamed shows up in the docstring."""
    registries = dict(REGISTRIES)
    if cls not in CLASSIFIERS:
        registries["loss"] = REGRESSION_LOSSES
    if cls in OF_STEPS:
        del registries["pooling"]
    kinds = dict(entries(cls, "Parameters"))
    for name, registry in registries.items():
        stated = re.search(r"\{.+?\}", kinds[name])[0]
        assert ast.literal_eval(stated) == set(registry), name


@pytest.mark.parametrize("cls", ESTIMATORS[1:])
def test_shared_parameters_read_alike_in_all_estimators(cls):
    """Type and default of a parameter that two have are stated in the same words."""
    one, other = (dict(entries(c, "Parameters")) for c in (RNNClassifier, cls))
    shared = one.keys() & other.keys()
    assert one.keys() - shared <= {"class_weight", "pooling"}
    assert {name: one[name] for name in shared} == {n: other[n] for n in shared}


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_references_are_cited_and_links_lead_somewhere(cls):
    """Each reference is used in the text, and See Also names what exists."""
    doc = inspect.getdoc(cls)
    assert set(re.findall(r"\.\. \[(\d+)\]", doc)) == set(
        re.findall(r"\[(\d+)\]_", doc)
    )
    for name, _ in entries(cls, "See Also"):
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module or "skrnn"), attribute)
