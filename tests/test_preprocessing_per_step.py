"""PerStep is the transformer on the rows of all steps, and nothing else."""

import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from markers import needs_polars_columns
from numpy.testing import assert_allclose, assert_array_equal
from ragged_checks import run_checks
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils import estimator_html_repr, get_tags

from skrnn import RNNClassifier
from skrnn.preprocessing import PerStep

NAN = np.nan
LENGTHS = (3, 1, 4, 2, 5)


def make_ragged(n_features=3, dtype=np.float64, lengths=LENGTHS):
    rng = np.random.default_rng(0)
    return [rng.normal(2, 3, size=(n, n_features)).astype(dtype) for n in lengths]


def pad(arrays):
    shape = (len(arrays), max(map(len, arrays)), arrays[0].shape[1])
    padded = np.full(shape, NAN, dtype=arrays[0].dtype)
    for entry, array in zip(padded, arrays, strict=True):
        entry[: len(array)] = array
    return padded


def assert_same(got, expected):
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert_array_equal(one, other)


def slowly(transformer, X, y=None):
    """Fit on the rows of all steps, transform each sequence by itself."""
    fitted = clone(transformer).fit(np.concatenate(X), y)
    results = [fitted.transform(x) for x in X]
    return [r.toarray() if hasattr(r, "toarray") else r for r in results]


TRANSFORMERS = [
    StandardScaler(),
    MinMaxScaler(),
    RobustScaler(),
    QuantileTransformer(n_quantiles=5),
    PCA(2),
    IncrementalPCA(2),
    PolynomialFeatures(2),
    KBinsDiscretizer(2, encode="onehot", strategy="uniform"),
    Normalizer(),
    FunctionTransformer(np.abs),
    make_pipeline(StandardScaler(), PCA(1)),
    ColumnTransformer([("scale", StandardScaler(), [0]), ("keep", "passthrough", [2])]),
]
by_name = pytest.mark.parametrize(
    "transformer", TRANSFORMERS, ids=lambda t: type(t).__name__
)


@by_name
def test_it_is_the_transformer_on_all_steps(transformer):
    X = make_ragged()
    expected = slowly(transformer, X)
    fitted = PerStep(transformer).fit(X)
    for got in (fitted.transform(X), PerStep(transformer).fit_transform(X)):
        for one, other in zip(got, expected, strict=True):
            assert type(one) is np.ndarray
            assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    assert fitted.n_step_features_in_ == 3 and not hasattr(fitted, "n_features_in_")


@by_name
def test_padding_is_not_seen_and_put_back(transformer):
    """A padded array becomes the padded array of what the list becomes."""
    X = make_ragged()
    expected = PerStep(transformer).fit_transform(X)
    got = PerStep(transformer).fit_transform(pad(X))
    assert_array_equal(got, pad(expected))


def test_the_parameter_is_left_as_it_was():
    scaler = StandardScaler()
    PerStep(scaler).fit(make_ragged())
    assert not hasattr(scaler, "mean_")


# Forms


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float32_stays_float32(dtype):
    X = make_ragged(dtype=dtype)
    whole = np.stack([x[:1] for x in X])
    for data in (X, pad(X), whole, whole[:, :, 0]):
        got = PerStep(StandardScaler()).fit_transform(data)
        assert {x.dtype for x in got} == {np.dtype(dtype)}


def test_equal_lengths_give_an_array_of_that_shape():
    X = np.random.default_rng(0).normal(size=(4, 6, 3))
    got = PerStep(PCA(2)).fit_transform(X)
    assert got.shape == (4, 6, 2)
    rows = PCA(2).fit_transform(X.reshape(24, 3))
    assert_allclose(got.reshape(24, 2), rows, rtol=1e-12, atol=1e-12)


def test_integers_stay_integers_where_nothing_is_padded():
    X = np.ones((2, 3, 2))
    to_integers = PerStep(FunctionTransformer(lambda rows: rows.astype(int)))
    assert to_integers.fit_transform(X).dtype == int
    X[1, 2] = NAN
    assert to_integers.fit_transform(X).dtype == np.float64


def test_steps_that_are_padding_of_all_sequences_are_kept():
    """The width of the array is the user's."""
    X = np.full((2, 5, 1), NAN)
    X[0, :3], X[1, :2] = 1, 2
    got = PerStep(StandardScaler()).fit_transform(X)
    assert_array_equal(np.isnan(got), np.isnan(X))


def test_a_table_stays_one_if_one_feature_comes_out():
    X = np.random.default_rng(0).normal(size=(4, 6))
    scaled = PerStep(StandardScaler()).fit_transform(X)
    assert_allclose(scaled, (X - X.mean()) / X.std(), rtol=1e-12)
    assert PerStep(PolynomialFeatures(2)).fit_transform(X).shape == (4, 6, 3)
    assert_array_equal(PerStep(StandardScaler()).fit_transform(X.tolist()), scaled)


def test_columns_of_a_table_are_pinned():
    frame = pd.DataFrame(np.ones((3, 2)), columns=["t0", "t1"])
    scaler = PerStep(StandardScaler()).fit(frame)
    assert scaler.n_features_in_ == 2
    assert scaler.feature_names_in_.tolist() == ["t0", "t1"]
    scaler.fit(frame.to_numpy())
    with pytest.raises(ValueError, match="X has 3 features, but PerStep is expecting"):
        scaler.transform(np.ones((2, 3)))


def test_univariate_lists_come_out_as_columns():
    X = [np.arange(3.0), np.arange(2.0)]
    got = PerStep(StandardScaler(with_std=False)).fit_transform(X)
    assert_same(got, [x[:, np.newaxis] - 0.8 for x in X])


def test_other_numbers_of_features_are_refused():
    scaler = PerStep(StandardScaler()).fit(make_ragged())
    with pytest.raises(ValueError, match=r"must have 3 feature\(s\) per step, as PerS"):
        scaler.transform(make_ragged(2))


def test_whoever_drops_rows_is_refused():
    keep_first = PerStep(FunctionTransformer(lambda rows: rows[:1]))
    with pytest.raises(ValueError, match=r"one row of each of the 15 steps, .*1, 3"):
        keep_first.fit_transform(make_ragged())
    flat = PerStep(FunctionTransformer(lambda rows: rows[:, 0]))
    with pytest.raises(ValueError, match=r"one row of each of the 15 steps, .*15,"):
        flat.fit_transform(make_ragged())


# Missing values


def with_gaps():
    X = make_ragged()
    X[0][1, 0] = X[2][0, 2] = NAN
    X[4][-1] = NAN
    return X


def test_missing_values_reach_the_transformer():
    """In a list a step that is all NaN is data, at the end too."""
    X = with_gaps()
    imputer = SimpleImputer(add_indicator=True)
    got = PerStep(imputer).fit_transform(X)
    assert_same(got, slowly(imputer, X))
    assert got[4].shape == (5, 6) and got[4][-1, 3:].all()
    assert not np.isnan(np.concatenate(got)).any()


def test_in_an_array_a_step_at_the_end_that_is_all_nan_is_padding():
    X = with_gaps()
    without = [*X[:4], X[4][:-1]]
    imputer = PerStep(SimpleImputer(add_indicator=True))
    expected = np.full((5, 5, 5), NAN)
    expected[:, :4] = pad(imputer.fit_transform(without))
    assert_array_equal(imputer.fit_transform(pad(X)), expected)


def test_missing_values_of_a_table_are_data():
    X = np.array([[1.0, NAN], [NAN, NAN]])
    assert_array_equal(PerStep(SimpleImputer()).fit_transform(X), np.ones((2, 2)))


def test_a_transformer_that_takes_no_nan_says_so():
    with pytest.raises(ValueError, match="PCA does not accept missing values"):
        PerStep(PCA(1)).fit(with_gaps())


@pytest.mark.parametrize("form", [list, pad, lambda X: np.stack([x[:1, 0] for x in X])])
def test_infinity_is_refused(form):
    X = with_gaps()
    X[3][0, 0] = np.inf
    with pytest.raises(ValueError, match=r"X\[3\] has inf at step 0"):
        PerStep(StandardScaler()).fit(form(X))


# DataFrames


def to_frames(library, **others):
    frames = []
    for i, x in enumerate(make_ragged(2)):
        kinds = ["red" if value > 2 else "blue" for value in x[:, 0]]
        columns = {"size": x[:, 0], "kind": kinds, "number": np.arange(len(x)) + i}
        frames.append(library.DataFrame(columns | others))
    return frames


def encoder():
    return ColumnTransformer(
        [
            ("size", StandardScaler(), ["size"]),
            ("kind", OneHotEncoder(sparse_output=True), ["kind"]),
            ("number", "passthrough", ["number"]),
        ],
        verbose_feature_names_out=False,
    )


@pytest.mark.parametrize(
    "library",
    [
        pytest.param(pd, id="pandas"),
        pytest.param(pl, id="polars", marks=needs_polars_columns),
    ],
)
def test_frames_are_one_frame_for_the_transformer(library):
    """Columns are found by name; strings are encoded; sparse becomes dense."""
    X = to_frames(library)
    per_step = PerStep(encoder())
    got = per_step.fit_transform(X)
    rows = pd.concat([pd.DataFrame(x.to_dict(**as_lists(library))) for x in X])
    expected = np.asarray(encoder().fit_transform(rows))
    assert_allclose(np.concatenate(got), expected, rtol=1e-12)
    assert [len(x) for x in got] == list(LENGTHS)
    assert per_step.feature_names_in_.tolist() == ["size", "kind", "number"]
    assert per_step.n_step_features_in_ == 3
    names = ["size", "kind_blue", "kind_red", "number"]
    assert per_step.get_feature_names_out().tolist() == names


def as_lists(library):
    return {"orient": "list"} if library is pd else {"as_series": False}


def test_categories_stay_categories():
    """Parts of one frame keep the type of their columns."""
    whole = pd.concat(to_frames(pd)).astype({"kind": "category"})
    seen = []
    spy = FunctionTransformer(lambda rows: seen.append(rows.dtypes) or rows[["size"]])
    PerStep(spy).fit_transform([whole[:4], whole[4:]])
    assert seen[0]["kind"] == "category"


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_frames_whose_columns_differ_are_named(library):
    X = to_frames(library)
    X[2] = X[2][["kind", "size", "number"]]
    with pytest.raises(ValueError, match=r"X\[2\] must have the columns of X\[0\]"):
        PerStep(encoder()).fit(X)


def test_columns_of_polars_are_found_by_name():
    X = to_frames(pl)
    take = FunctionTransformer(lambda rows: rows.select("number", "size").to_numpy())
    per_step = PerStep(take)
    assert_same(
        per_step.fit_transform(X), [x.select("number", "size").to_numpy() for x in X]
    )
    assert per_step.feature_names_in_.tolist() == ["size", "kind", "number"]


def test_whole_numbers_and_fractions_join_in_one_column():
    """A sequence of whole numbers only has another type in polars."""
    X = [pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [0.5]})]
    got = PerStep(StandardScaler(with_std=False)).fit_transform(X)
    assert_allclose(np.concatenate(got).ravel(), np.array([1, 2, 0.5]) - 3.5 / 3)


def test_columns_without_names_leave_none():
    per_step = PerStep(StandardScaler()).fit([pd.DataFrame(x) for x in make_ragged()])
    assert not hasattr(per_step, "feature_names_in_")


def test_frames_and_arrays_do_not_mix():
    X = to_frames(pd)
    X[3] = X[3].to_numpy()
    with pytest.raises(ValueError, match=r"X\[3\] must be a DataFrame .*, got ndarray"):
        PerStep(encoder()).fit(X)


def test_empty_frames_are_named():
    X = to_frames(pd)
    X[1] = X[1][:0]
    with pytest.raises(ValueError, match=r"X\[1\] must have at least one step, got no"):
        PerStep(encoder()).fit(X)


def test_other_columns_than_those_of_fit_are_refused():
    per_step = PerStep(StandardScaler()).fit(
        [pd.DataFrame(x, columns=["a", "b", "c"]) for x in make_ragged()]
    )
    with pytest.raises(ValueError, match="columns that PerStep was fitted with"):
        per_step.transform([pd.DataFrame(np.ones((2, 3)), columns=["a", "c", "b"])])
    with pytest.raises(ValueError, match=r"must have 3 feature\(s\) per step"):
        per_step.transform([pd.DataFrame(np.ones((2, 2)), columns=["a", "b"])])


def test_names_of_another_fit_are_forgotten():
    X = make_ragged()
    per_step = PerStep(StandardScaler())
    per_step.fit([pd.DataFrame(x, columns=["a", "b", "c"]) for x in X])
    assert not hasattr(per_step.fit(X), "feature_names_in_")


@pytest.mark.parametrize(
    ("name", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
)
@pytest.mark.parametrize("form", [list, pad, lambda X: np.stack([x[:1, 0] for x in X])])
def test_set_output_makes_a_list_of_frames(name, frame, form):
    X = form(make_ragged())
    expected = PerStep(StandardScaler()).fit(X).transform(X)
    per_step = PerStep(StandardScaler()).set_output(transform=name)
    for got in (per_step.fit_transform(X), per_step.transform(X)):
        assert all(isinstance(x, frame) for x in got)
        names = [f"x{i}" for i in range(per_step.n_step_features_in_)]
        assert list(got[0].columns) == names
        for one, other in zip(got, expected, strict=True):
            other = other[~np.isnan(other)].reshape(len(one), -1)
            assert_allclose(one, other, rtol=1e-12)


def test_set_output_after_fit():
    X = make_ragged()
    per_step = PerStep(StandardScaler()).fit(X).set_output(transform="pandas")
    assert isinstance(per_step.transform(X)[0], pd.DataFrame)
    back = per_step.set_output(transform="default").transform(X)
    assert isinstance(back[0], np.ndarray)
    frames = [pd.DataFrame(x, index=[7] * len(x)) for x in X]
    out = PerStep(StandardScaler()).set_output(transform="pandas").fit_transform(frames)
    assert [len(x) for x in out] == list(LENGTHS) and set(out[0].index) == {7}


# What the transformer can do


def test_inverse_transform():
    X = make_ragged()
    scaler = PerStep(StandardScaler()).fit(X)
    for data in (X, pad(X)):
        back = scaler.inverse_transform(scaler.transform(data))
        for one, other in zip(back, data, strict=True):
            assert_allclose(one, other, rtol=1e-12)
    pca = PerStep(PCA(2)).fit(X)
    expected = pca.transformer_.inverse_transform(pca.transform(X)[2])
    assert_allclose(pca.inverse_transform(pca.transform(X))[2], expected, rtol=1e-12)


def test_partial_fit_goes_on():
    X = make_ragged()
    scaler = PerStep(StandardScaler()).partial_fit(X[:2]).partial_fit(X[2:])
    whole = StandardScaler().partial_fit(np.concatenate(X[:2]))
    whole.partial_fit(np.concatenate(X[2:]))
    assert_array_equal(scaler.transformer_.mean_, whole.mean_)
    assert_array_equal(scaler.transformer_.n_samples_seen_, 15)
    with pytest.raises(ValueError, match=r"must have 3 feature\(s\) per step"):
        scaler.partial_fit(make_ragged(2))


@pytest.mark.parametrize("method", ["inverse_transform", "partial_fit"])
def test_methods_are_there_if_the_transformer_has_them(method):
    assert hasattr(PerStep(StandardScaler()), method)
    assert not hasattr(PerStep(Normalizer()), method)


def test_names_and_output_are_there_if_the_transformer_has_them():
    class Plain(BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X + 1

    per_step = PerStep(Plain())
    assert not hasattr(per_step, "get_feature_names_out")
    assert not hasattr(per_step, "set_output")
    X = make_ragged()
    assert_same(per_step.fit_transform(X), [x + 1 for x in X])


def test_nested_parameters_reach_the_transformer():
    pipe = make_pipeline(PerStep(StandardScaler()), RNNClassifier())
    pipe.set_params(perstep__transformer__with_mean=False)
    assert pipe[0].transformer.with_mean is False
    assert clone(pipe)[0].get_params()["transformer__with_mean"] is False


def test_before_fit_it_says_so():
    for call in (
        PerStep(StandardScaler()).transform,
        PerStep(StandardScaler()).inverse_transform,
        PerStep(StandardScaler(), per_sequence=True).transform,
    ):
        with pytest.raises(NotFittedError, match="PerStep instance is not fitted yet"):
            call(make_ragged())
    with pytest.raises(NotFittedError, match="PerStep instance is not fitted yet"):
        PerStep(StandardScaler()).get_feature_names_out()


# Targets and weights


def spy_on(seen):
    class Spy(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            seen.append(y)
            return self

        def transform(self, X):
            return X

    return PerStep(Spy())


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (None, None),
        ([1, 2, 3, 4, 5], np.repeat([1, 2, 3, 4, 5], LENGTHS)),
        (list("abcde"), np.repeat(list("abcde"), LENGTHS)),
        (pd.Series(list("abcde")), np.repeat(np.array(list("abcde"), "O"), LENGTHS)),
        (np.eye(5), np.repeat(np.eye(5), LENGTHS, axis=0)),
        ([np.arange(n) for n in LENGTHS], np.concatenate([*map(np.arange, LENGTHS)])),
        ([["x"] * n for n in LENGTHS], np.array(["x"] * 15)),
        ([np.ones((n, 2)) for n in LENGTHS], np.ones((15, 2))),
        ([np.ones(2) for n in LENGTHS], None),
        ([["c", "a", "t"] for n in LENGTHS], None),
    ],
)
def test_each_step_gets_its_target(y, expected):
    """The sequence's own, or its entry of the sequence's list."""
    seen = []
    X = make_ragged()
    spy_on(seen).fit(X, y)
    spy_on(seen).fit_transform(X, y)
    for got in seen:
        if expected is None:
            assert got is None
        else:
            assert_array_equal(got, expected)


def test_object_arrays_of_targets_are_lists():
    y = np.empty(5, dtype=object)
    y[:] = [np.arange(n) for n in LENGTHS]
    seen = []
    spy_on(seen).fit(make_ragged(), y)
    assert_array_equal(seen[0], np.concatenate(list(y)))


def test_the_number_of_targets_must_be_that_of_the_sequences():
    with pytest.raises(ValueError, match=r"numbers of samples: X holds 5 .* y 4 "):
        PerStep(StandardScaler()).fit(make_ragged(), [1, 2, 3, 4])


def test_transformers_that_need_targets_get_them():
    X, y = make_ragged(), np.array([0, 1, 0, 1, 1])
    repeated = np.repeat(y, LENGTHS)
    got = PerStep(SelectKBest(k=1)).fit_transform(X, y)
    assert_same(got, slowly(SelectKBest(k=1), X, repeated))
    assert get_tags(PerStep(TargetEncoder())).target_tags.required


def test_fit_transform_is_that_of_the_transformer():
    """It may differ from `fit` and `transform`, as where a target is encoded."""

    class Encoder(TransformerMixin, BaseEstimator):
        def fit(self, X, y):
            return self

        def transform(self, X):
            return X

        def fit_transform(self, X, y):
            return X + y[:, np.newaxis]

    X, y = make_ragged(), np.arange(5)
    got = PerStep(Encoder()).fit_transform(X, y)
    assert_same(got, [x + target for x, target in zip(X, y, strict=True)])
    assert_same(PerStep(Encoder()).fit(X, y).transform(X), X)


def test_a_target_encoder_sees_a_target_for_each_step():
    X = [pd.DataFrame({"color": ["red", "blue"] * 9}) for _ in range(12)]
    y = np.arange(12) % 2
    got = PerStep(TargetEncoder()).fit_transform(X, y)
    assert {x.shape for x in got} == {(18, 1)}


def test_weights_of_sequences_are_those_of_their_steps():
    X, weights = make_ragged(), [1, 0, 2, 0.5, 1]
    for method in ("fit", "fit_transform", "partial_fit"):
        scaler = PerStep(StandardScaler())
        getattr(scaler, method)(X, sample_weight=weights)
        mean = np.average(
            np.concatenate(X), axis=0, weights=np.repeat(weights, LENGTHS)
        )
        assert_allclose(scaler.transformer_.mean_, mean, rtol=1e-12)


def test_weights_that_cannot_be_used_are_refused():
    X = make_ragged()
    with pytest.raises(ValueError, match=r"must be None, as PCA\.fit takes none"):
        PerStep(PCA()).fit(X, sample_weight=np.ones(5))
    with pytest.raises(
        ValueError, match=r"sample_weight\.shape == \(4,\), expected \(5,"
    ):
        PerStep(StandardScaler()).fit(X, sample_weight=np.ones(4))


# Each sequence by itself


def test_each_sequence_alone():
    X = make_ragged(lengths=(3, 6, 4))
    per_step = PerStep(StandardScaler(), per_sequence=True).fit(X)
    assert_same(per_step.transform(X), [StandardScaler().fit_transform(x) for x in X])
    assert_same(per_step.transform(X[1:2]), [StandardScaler().fit_transform(X[1])])
    assert_array_equal(per_step.transform(pad(X)), pad(per_step.fit_transform(X)))
    assert vars(per_step).keys() == {
        "transformer",
        "per_sequence",
        "n_step_features_in_",
    }


def test_a_sequence_alone_forgets_what_was_fitted_before():
    X = make_ragged()
    per_step = PerStep(StandardScaler()).fit(X)
    per_step.set_params(per_sequence=True).fit(X)
    assert not hasattr(per_step, "transformer_")


@pytest.mark.parametrize(
    "method", ["inverse_transform", "partial_fit", "get_feature_names_out"]
)
def test_what_needs_one_transformer_says_so(method):
    per_step = PerStep(StandardScaler(), per_sequence=True).fit(make_ragged())
    with pytest.raises(AttributeError, match=method) as error:
        getattr(per_step, method)
    assert f"{method} needs per_sequence=False" in str(error.value.__cause__)


def test_frames_alone():
    X = to_frames(pd)
    scaler = ColumnTransformer([("scale", StandardScaler(), ["size", "number"])])
    got = PerStep(scaler, per_sequence=True).fit_transform(X)
    assert_same(got, [scaler.fit_transform(x) for x in X])
    scaler.set_output(transform="pandas")
    got = PerStep(scaler, per_sequence=True).fit_transform(X)
    assert_same(got, [scaler.fit_transform(x) for x in X])
    assert isinstance(got[0], pd.DataFrame)


def test_sequences_that_become_other_features_are_named():
    X = [np.array([[1.0], [2.0]]), np.array([[1.0], [2.0]]), np.array([[1.0]])]
    with pytest.raises(ValueError, match=r"got 2 of X\[0\] and 1 of X\[2\]"):
        PerStep(OneHotEncoder(), per_sequence=True).fit_transform(X)


# scikit-learn


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("per_sequence", [False, True])
def test_all_checks_of_sklearn_pass(per_sequence):
    estimator = PerStep(StandardScaler(), per_sequence=per_sequence)
    assert run_checks(estimator, {}) > 40


@pytest.mark.parametrize("transformer", [StandardScaler(), PCA(), TargetEncoder()])
def test_tags_are_those_of_the_transformer(transformer):
    tags, inner = get_tags(PerStep(transformer)), get_tags(transformer)
    assert tags.input_tags.two_d_array and tags.input_tags.three_d_array
    assert tags.input_tags.allow_nan == inner.input_tags.allow_nan
    assert tags.target_tags.required == inner.target_tags.required
    assert tags.transformer_tags == inner.transformer_tags


def test_output_chosen_for_all_of_sklearn():
    """The transformer obeys it, alone and in a pipeline."""
    X = make_ragged()
    pipe = make_pipeline(PerStep(StandardScaler()), PerStep(PCA(2)))
    expected = pipe.fit_transform(X)
    with sklearn.config_context(transform_output="pandas"):
        got = pipe.fit_transform(X)
    for one in (got, pipe.set_output(transform="pandas").fit_transform(X)):
        assert isinstance(one[0], pd.DataFrame)
        assert_same([x.to_numpy() for x in one], expected)


def test_weights_are_routed():
    X, weights = make_ragged(), [1, 0, 2, 0.5, 1]
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = PerStep(StandardScaler()).set_fit_request(sample_weight=True)
        pipe = make_pipeline(scaler).fit(X, sample_weight=weights)
    expected = PerStep(StandardScaler()).fit(X, sample_weight=weights)
    assert_same(pipe.transform(X), expected.transform(X))


@pytest.mark.heavy
def test_in_a_pipeline_in_a_search_on_two_processes():
    rng = np.random.default_rng(0)
    X = [rng.normal(50 + 10 * (i % 2), 1, (3 + i % 4, 2)) for i in range(24)]
    y = np.arange(24) % 2
    pipe = make_pipeline(
        PerStep(StandardScaler()),
        RNNClassifier((4,), max_iter=20, learning_rate_init=0.05, random_state=0),
    )
    grid = {"perstep__transformer": [StandardScaler(), MinMaxScaler()]}
    search = GridSearchCV(pipe, grid, cv=2, n_jobs=2).fit(X, y)
    assert search.best_score_ == 1


def test_it_pickles_and_shows_itself(tmp_path):
    X = make_ragged()
    per_step = PerStep(StandardScaler()).fit(X)
    assert_same(
        pickle.loads(pickle.dumps(per_step)).transform(X), per_step.transform(X)
    )
    joblib.dump(per_step, tmp_path / "scaler.joblib")
    loaded = joblib.load(tmp_path / "scaler.joblib", mmap_mode="r")
    assert_same(loaded.transform(X), per_step.transform(X))
    assert repr(per_step) == "PerStep(transformer=StandardScaler())"
    html = estimator_html_repr(make_pipeline(per_step, RNNClassifier()))
    assert "PerStep" in html and "StandardScaler" in html


def test_nothing_is_done_for_each_sequence():
    """One concatenate, one transform, one split: calls do not grow with sequences."""
    calls = []
    spy = FunctionTransformer(lambda rows: calls.append(rows.shape) or rows)
    PerStep(spy).fit_transform([np.ones((2, 1))] * 1000)
    assert calls == [(2000, 1)]
