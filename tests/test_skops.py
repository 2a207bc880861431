"""skops loads estimators with exactly the types that the user guide names."""

import re
from pathlib import Path

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from test_state import CASES, X, assert_same, each_case, fitted, outputs

from skrnn import RNNClassifier
from skrnn.optimizers import Optimizer

skops = pytest.importorskip("skops.io")
GUIDE = Path(__file__).parents[1] / "docs" / "user_guide.md"

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def path_of(value):
    return f"{type(value).__module__}.{type(value).__qualname__}"


def types_of(est):
    """What the user guide says must be trusted."""
    solver = [est.solver] if isinstance(est.solver, Optimizer) else []
    return {path_of(value) for value in (est, est.cell_, *solver)}


@each_case
def test_exactly_the_documented_types_must_be_trusted(case):
    est = fitted(case)
    data = skops.dumps(est)
    types = skops.get_untrusted_types(data=data)
    assert set(types) == types_of(est)
    assert_same(outputs(skops.loads(data, trusted=types)), outputs(est))
    for left_out in types:
        trusted = [name for name in types if name != left_out]
        with pytest.raises(TypeError, match=re.escape(left_out)):
            skops.loads(data, trusted=trusted)


def test_pipelines_need_no_more():
    est = make_pipeline(FunctionTransformer(), fitted("gru"))
    data = skops.dumps(est)
    trusted = skops.get_untrusted_types(data=data)
    assert set(trusted) == types_of(est[-1])
    assert (skops.loads(data, trusted=trusted).predict(X) == est.predict(X)).all()


def test_the_user_guide_names_the_types():
    section = GUIDE.read_text(encoding="utf-8").split("## Saving and loading")[1]
    named = set(re.findall(r"skrnn(?:\.\w+){2,}", section.split("## Deployment")[0]))
    used = set().union(*(types_of(fitted(case)) for case in CASES))
    assert {name for name in named if name.startswith("skrnn.estimators")} <= used
    for name in named:
        module, _, kind = name.rpartition(".")
        assert hasattr(__import__(module, fromlist=[kind]), kind)


def test_a_damaged_state_is_refused(monkeypatch):
    est = fitted("gru")
    state = {**est.__getstate__(), "theta_": est.theta_[:-1]}
    monkeypatch.setattr(RNNClassifier, "__getstate__", lambda self: state)
    data = skops.dumps(est)
    trusted = skops.get_untrusted_types(data=data)
    with pytest.raises(ValueError, match="theta_ must be"):
        skops.loads(data, trusted=trusted)
