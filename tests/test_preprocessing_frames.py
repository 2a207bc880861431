"""A long table, in any order of its rows and of either library, becomes sequences."""

import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold

from skrnn.preprocessing import sequences_from_frame

NAN = np.nan
LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
in_both = pytest.mark.parametrize("frame", LIBRARIES.values(), ids=LIBRARIES)

LOG = {
    "device": ["b", "a", "b", "b", "a", "c"],
    "hour": [2, 1, 1, 3, 2, 0],
    "load": [0.2, 0.7, NAN, 0.3, 0.8, 0.0],
    "on": [1, 0, 1, 1, 0, 1],
    "failed": [1, 0, 1, 1, 0, 1],
}


def assert_same(got, expected):
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert_array_equal(one, other)
        assert np.shape(one) == np.shape(other)


def without_load(frame, **others):
    return frame({k: v for k, v in LOG.items() if k != "load"} | others)


@in_both
def test_rows_become_sequences_in_the_order_they_first_appear(frame):
    X, y, groups = sequences_from_frame(
        frame(LOG), by="device", sort="hour", target="failed"
    )
    b, a = [[NAN, 1], [0.2, 1], [0.3, 1]], [[0.7, 0], [0.8, 0]]
    assert_same(X, [b, a, [[0, 1]]])
    assert y.tolist() == [1, 0, 1]
    assert groups.tolist() == ["b", "a", "c"]
    assert all(np.shares_memory(x, X[0].base) for x in X)


@in_both
def test_without_sort_rows_keep_their_order(frame):
    X, y, _ = sequences_from_frame(frame(LOG), by="device", columns=["hour"])
    assert_same(X, [[[2], [1], [3]], [[1], [2]], [[0]]])
    assert y is None


@settings(deadline=None, max_examples=40)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 20)), min_size=1, unique=True
    ),
    kind=st.sampled_from([int, str, float]),
    frame=st.sampled_from(list(LIBRARIES.values())),
)
def test_it_does_what_a_slow_loop_does(rows, kind, frame):
    keys, times = [kind(k) for k, _ in rows], [t for _, t in rows]
    table = frame({"key": keys, "t": times, "row": list(range(len(rows)))})
    X, _, groups = sequences_from_frame(table, by="key", sort="t", columns=["row", "t"])
    expected = {}
    for i, (key, t) in enumerate(zip(keys, times, strict=True)):
        expected.setdefault(key, []).append((i, t))
    assert groups.tolist() == list(expected)
    assert_same(X, [sorted(part, key=lambda p: p[1]) for part in expected.values()])


@in_both
def test_two_keys_make_a_sequence_and_the_first_is_its_group(frame):
    """The visits of a patient stay in one fold."""
    table = frame(
        {
            "patient": [7, 8, 7, 7, 8, 9],
            "visit": [1, 1, 2, 1, 1, 1],
            "pulse": [60, 70, 80, 61, 71, 90],
        }
    )
    X, _, groups = sequences_from_frame(table, by=["patient", "visit"])
    assert_same(X, [[[60], [61]], [[70], [71]], [[80]], [[90]]])
    assert groups.tolist() == [7, 8, 7, 9]
    for train, test in GroupKFold(3).split(X, groups=groups):
        assert not {*groups[train]} & {*groups[test]}


@in_both
def test_the_docstring_tells_how_to_get_the_keys(frame):
    table, by = frame({"p": [1, 0, 1], "v": [0, 1, 0], "x": [1, 2, 3]}), ["p", "v"]
    if frame is pd.DataFrame:
        keys = table[by].drop_duplicates()
    else:
        keys = table[by].unique(maintain_order=True)
    X, _, groups = sequences_from_frame(table, by=by)
    assert len(keys) == len(X) and keys["p"].to_list() == groups.tolist()


# Targets


@in_both
def test_targets_of_sequences(frame):
    """Of any type; several make rows."""
    table = frame(LOG | {"state": ["bad", "ok", "bad", "bad", "ok", "bad"]})
    for target, expected in {
        "state": ["bad", "ok", "bad"],
        "failed": [1, 0, 1],
    }.items():
        _, y, _ = sequences_from_frame(
            table, by="device", columns=["load"], target=target
        )
        assert y.tolist() == expected
    X, y, _ = sequences_from_frame(
        table, by="device", columns=["load"], target=["failed", "on"]
    )
    assert y.tolist() == [[1, 1], [0, 0], [1, 1]]


@in_both
def test_targets_of_steps(frame):
    table = frame(LOG)
    X, y, _ = sequences_from_frame(table, by="device", sort="hour", step_target="on")
    assert_same(y, [[1, 1, 1], [0, 0], [1]])
    assert X[0].shape == (3, 2)
    _, y, _ = sequences_from_frame(
        table, by="device", sort="hour", columns="hour", step_target=["load", "on"]
    )
    assert_same(y, [[[NAN, 1], [0.2, 1], [0.3, 1]], [[0.7, 0], [0.8, 0]], [[0, 1]]])


# Types


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["float32", "float32"], np.float32),
        (["float64", "float32"], np.float64),
        (["int64", "int64"], np.int64),
        (["int32", "float64"], np.float64),
        (["bool", "float64"], np.float64),
        (["bool", "bool"], np.float64),
    ],
)
@in_both
def test_types_of_columns_are_kept_where_they_agree(frame, types, expected):
    columns = {f"c{i}": np.ones(3, dtype) for i, dtype in enumerate(types)}
    X, _, _ = sequences_from_frame(frame({"key": [0, 0, 1]} | columns), by="key")
    assert {x.dtype for x in X} == {np.dtype(expected)}


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([1.5, None, 3], dtype="Float64"),
        pd.array([True, None, False], dtype="boolean"),
        pl.Series([1, None, 3]),
        pl.Series([1.5, None, NAN]),
        pl.Series([True, None, False]),
        pl.Series(["1.5", None, "2.25"]).cast(pl.Decimal(10, 2)),
    ],
    ids=lambda c: str(c.dtype),
)
def test_what_is_missing_becomes_nan(column):
    frame = pl.DataFrame if isinstance(column, pl.Series) else pd.DataFrame
    X, _, _ = sequences_from_frame(frame({"key": [0, 0, 0], "x": column}), by="key")
    assert X[0].dtype == np.float64 and np.isnan(X[0][1, 0])
    assert X[0][0, 0] == float(column[0])


@pytest.mark.parametrize(
    "times",
    [
        [datetime(2024, 3, day) for day in (2, 1, 3)],
        [datetime(2024, 3, day, tzinfo=UTC) for day in (2, 1, 3)],
        ["2024-03-02", "2024-03-01", "2024-03-03"],
        [0.5, -1.0, 2.0],
        [timedelta(hours=n) for n in (2, 1, 3)],
    ],
    ids=["datetime", "time zone", "string", "float", "duration"],
)
@in_both
def test_any_type_that_has_an_order_sorts(frame, times):
    table = frame({"key": ["u"] * 3, "t": times, "x": [2, 1, 3]})
    X, _, _ = sequences_from_frame(table, by="key", sort="t")
    assert_same(X, [[[1], [2], [3]]])
    twice = frame({"key": ["u"] * 3, "t": [*times[:2], times[0]], "x": [2, 1, 3]})
    with pytest.raises(ValueError, match=r"^Sequence u must have one row for each t, "):
        sequences_from_frame(twice, by="key", sort="t")


@in_both
def test_frames_come_out_as_frames(frame):
    """With columns of any type, for a ColumnTransformer."""
    table = frame(LOG | {"kind": list("xyzzyx")})
    X, y, _ = sequences_from_frame(
        table, by="device", sort="hour", target="failed", as_frames=True
    )
    assert all(isinstance(x, frame) for x in X)
    assert list(X[0].columns) == ["load", "on", "kind"]
    assert [list(x["kind"]) for x in X] == [["z", "x", "z"], ["y", "y"], ["x"]]
    assert y.tolist() == [1, 0, 1]


def test_rows_are_found_by_position():
    """An index is no order."""
    table = pd.DataFrame(LOG, index=[3, 3, 0.5, 7, 1, 0])
    for as_frames in (False, True):
        X, y, _ = sequences_from_frame(
            table, by="device", sort="hour", target="failed", as_frames=as_frames
        )
        b, a = [[NAN, 1], [0.2, 1], [0.3, 1]], [[0.7, 0], [0.8, 0]]
        assert_same(X, [b, a, [[0, 1]]])


# What is wrong


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({}, {"by": "unit"}, r"^frame has no column 'unit', only \['device', 'hour', "),
        ({}, {"sort": "time"}, r"^frame has no column 'time', only \["),
        ({}, {"columns": ["load", "x"]}, r"^frame has no column 'x', only \["),
        ({}, {"target": "x"}, r"^frame has no column 'x', only \["),
        ({}, {"by": []}, r"^by must name at least one column, got none\."),
        ({}, {"columns": []}, r"^columns must name at least one column, got none\."),
        (
            {},
            {"columns": ["load", "failed"], "target": "failed"},
            r"^Column 'failed' is a target and must be no feature\.",
        ),
        (
            {},
            {"target": "failed", "step_target": "on"},
            r"^Only one of target and step_target may be given, got 'failed' and 'on'",
        ),
        (
            {"device": ["b", None, "b", "b", "a", "c"]},
            {},
            r"^Column 'device' must not have missing values, got one in row 1; drop su",
        ),
        (
            {"hour": [2.0, 1.0, 1.0, NAN, 2.0, 0.0]},
            {"sort": "hour"},
            r"^Column 'hour' must not have missing values, got one in row 3;",
        ),
        (
            {"failed": [1, 0, 1, 1, 0, None]},
            {"target": "failed"},
            r"^Column .failed. must not have missing values, got one in row 5; drop "
            r"such rows or .* as step_target, in which missing targets do not count\.$",
        ),
        (
            {"hour": [2, 1, 1, 2, 2, 0]},
            {"sort": "hour"},
            r"^Sequence b must have one row for each hour, got several for 2; drop",
        ),
        (
            {"hour": [2, 1, 1, 2, 2, 0]},
            {"by": ["device", "on"], "sort": ["hour"]},
            r"^Sequence b, 1 must have one row for each hour, got several for 2;",
        ),
        (
            {"failed": [1, 0, 1, 0, 0, 1]},
            {"target": "failed"},
            r"^target 'failed' must be constant in each sequence, got 1 and 0 in sequen"
            r"ce b; pass it as step_target",
        ),
        (
            {"failed": [1, 0, 1, 1, 0, 1], "on": [1, 0, 1, 1, 1, 1]},
            {"columns": ["load"], "target": ["failed", "on"]},
            r"^target 'on' must be constant .*, got 0 and 1 in sequence a;",
        ),
        (
            {"load": list("abcdef")},
            {},
            r"^Column 'load' must be numeric, got String; encode it, or pass as_fr",
        ),
    ],
)
@in_both
def test_what_is_wrong_is_named(frame, changes, arguments, message):
    with pytest.raises(ValueError, match=message):
        sequences_from_frame(frame(LOG | changes), **({"by": "device"} | arguments))


@in_both
def test_a_table_without_rows_is_refused(frame):
    with pytest.raises(
        ValueError, match=r"^frame must have at least one row, got none"
    ):
        sequences_from_frame(frame(LOG)[:0], by="device")


def test_what_is_no_table_is_refused():
    with pytest.raises(TypeError, match="dataframe"):
        sequences_from_frame(np.ones((3, 2)), by="a")


def test_without_narwhals_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "narwhals", None)
    with pytest.raises(
        ImportError, match=r"requires narwhals.*install skrnn\[frames\]"
    ):
        sequences_from_frame(pd.DataFrame(LOG), by="device")


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (("float32", "float32"), "float32"),
        (("float32", "int16"), "float32"),
        (("float32", "int32"), "float64"),
        (("float32", "bool"), "float64"),
        (("int32", "int8"), "int32"),
    ],
)
def test_columns_of_several_types_become_the_type_documented(dtypes, expected):
    columns = dict(zip("ab", dtypes, strict=True))
    frame = pd.DataFrame({"id": [1, 1], "a": [0, 1], "b": [1, 0]}).astype(columns)
    X, _, _ = sequences_from_frame(frame, by="id")
    assert X[0].dtype == expected
