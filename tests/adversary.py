"""An adversary: good data, and all that may be done to them.

Data begin as typed NumPy arrays. A *disguise* gives the same values in another form,
order, type or place, and every answer must stay as it was. A *harm* breaks the data
contract, and the refusal must hold the words that come with it. Disguises and harms
are known by name, and all that is random in them comes from a generator, so that a
case can be made again from what its test prints.
"""

import tempfile

import numpy as np
import pandas as pd
import polars as pl
from scipy.sparse import csr_array

TYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g")
FLOATS = ("f2", "f4", "f8", "g")
HUGE = 10**400  # no float holds it


# Values


def draw_values(rng, shape, dtype, scale=1.0):
    """Normal values; small counts where `dtype` is for integers or bools."""
    values = rng.standard_normal(shape)
    if np.dtype(dtype).kind in "iub":
        return np.abs(np.round(2 * values)).astype(dtype)
    return (scale * values).astype(dtype)


def draw_sequences(rng, lengths, n_features, types, scale=1.0):
    """Typed arrays (length, n_features); the types take turns."""
    return [
        draw_values(rng, (length, n_features), types[i % len(types)], scale)
        for i, length in enumerate(lengths)
    ]


def canonical(arrays, dtype=None):
    """The same values as C-contiguous arrays of the type that is computed in."""
    if dtype is None:
        is_single = all(array.dtype.type is np.float32 for array in arrays)
        dtype = np.float32 if is_single else np.float64
    return [np.array(array, dtype, order="C") for array in arrays]


# Disguises of an array of any shape


class Subclass(np.ndarray):
    """An array that NumPy's own type check does not take for one."""


class Wrapper:
    """Nothing but something that makes an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array if dtype is None else self.array.astype(dtype)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def memory_mapped(array):
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, array.dtype, "w+", shape=array.shape)
    mapped[:] = array
    mapped.flags.writeable = False
    return mapped


def unaligned(array):
    room = bytearray(array.nbytes + 1)
    copy = np.ndarray(array.shape, array.dtype, room, offset=1)
    copy[:] = array
    return copy


def to_pandas(array):
    kind = {1: pd.Series, 2: pd.DataFrame}.get(array.ndim, np.array)
    return kind(array.copy())


def to_polars(array):
    """A frame or a series; pandas' where polars does not know the type."""
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        return to_pandas(array)
    if array.dtype.kind == "U" and array.ndim == 2:
        return pl.DataFrame(array.tolist(), orient="row")
    kind = {1: pl.Series, 2: pl.DataFrame}.get(array.ndim, np.array)
    return kind(array.tolist() if array.dtype.kind == "U" else array.copy())


LAYOUTS = {
    "plain": lambda array: array,
    "F-ordered": np.asfortranarray,
    "every third row": lambda array: np.repeat(array, 3, axis=0)[::3],
    "every second column": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    "backwards": lambda array: array[::-1].copy()[::-1],
    "read-only": read_only,
    "other byte order": lambda array: array.astype(array.dtype.newbyteorder()),
    "memory map": memory_mapped,
    "unaligned": unaligned,
    "subclass": lambda array: array.view(Subclass),
    "wrapper": Wrapper,
    "objects": lambda array: array.astype(object),
    "nested lists": lambda array: array.tolist(),
    "pandas": to_pandas,
    "polars": to_polars,
}


# Forms of X


def pad(arrays, fill=np.nan):
    """One array, with `fill` after the end of each sequence."""
    shape = (len(arrays), max(map(len, arrays)), *arrays[0].shape[1:])
    padded = np.full(shape, fill, dtype=arrays[0].dtype)
    for entry, array in zip(padded, arrays, strict=True):
        entry[: len(array)] = array
    return padded


def to_object_array(elements):
    array = np.empty(len(elements), dtype=object)
    for i, element in enumerate(elements):
        array[i] = element
    return array


def _each(arrays, layouts):
    layouts = [LAYOUTS[layouts[i % len(layouts)]] for i in range(len(arrays))]
    return [layout(array) for layout, array in zip(layouts, arrays, strict=True)]


def _series(arrays, layouts):
    return pd.Series(to_object_array(_each(arrays, layouts)))


# Each makes X of typed arrays and the names of layouts.
RAGGED_FORMS = {
    "list": _each,
    "tuple": lambda arrays, layouts: tuple(_each(arrays, layouts)),
    "object array": lambda arrays, layouts: to_object_array(_each(arrays, layouts)),
    "series of sequences": _series,
}
WHOLE_FORMS = {
    "padded": lambda arrays, layouts: LAYOUTS[layouts[0]](pad(arrays)),
    "3-D": lambda arrays, layouts: LAYOUTS[layouts[0]](np.stack(arrays)),
    "2-D": lambda arrays, layouts: LAYOUTS[layouts[0]](np.stack(arrays)[:, :, 0]),
}
FLAT_FORMS = {
    "1-D sequences": lambda arrays, layouts: _each([x[:, 0] for x in arrays], layouts),
}
FORMS = {**RAGGED_FORMS, **WHOLE_FORMS, **FLAT_FORMS}


# Labels, in ascending order, for the classes 0, 1 and 2

ALPHABETS = {
    "counted": [0, 1, 2],
    "of both signs": [-7, 0, 3],
    "large": [2**53, 2**53 + 1, 2**62 + 1],
    "floats": [-1.0, 0.0, 2.0],
    "text": ["", "no", "yes"],
    "unicode": ["a", "ä", "日本"],
    "bools": [False, True],
    "bytes counted": np.array([0, 1, 255], "u1"),
    "days": np.array(["2020-01-01", "2020-01-02", "2021-01-01"], "M8[D]"),
}


# Harm to X: each maps canonical sequences (more than one) and a generator to a bad X
# and to what the refusal must say.


def _spoilt(arrays, rng, value, dtype=np.float64):
    """Arrays with one value exchanged, and its sequence and step."""
    i = int(rng.integers(len(arrays)))
    step, feature = (int(rng.integers(size)) for size in arrays[i].shape)
    arrays = [array.astype(dtype) for array in arrays]
    arrays[i][step, feature] = value
    return arrays, i, step


def _with_element(make, says):
    """A list with one sequence exchanged; `says` goes on after its name."""

    def harm(arrays, rng):
        i = int(rng.integers(len(arrays)))
        elements = list(arrays)
        elements[i] = make(arrays[i])
        return elements, rf"X\[{i}\]{says}"

    return harm


def _with_value(value, says, dtype=np.float64):
    def harm(arrays, rng):
        arrays, i, step = _spoilt(arrays, rng, value, dtype)
        return arrays, rf"X\[{i}\] has {says} at step {step}\b"

    return harm


def _stacked(arrays):
    shortest = min(map(len, arrays))
    return np.stack([array[:shortest] for array in arrays])


def _first_step(value, says):
    """The first step of a sequence, of which the rest is not padding."""

    def harm(arrays, rng):
        array, i = _stacked(arrays).astype(np.float64), int(rng.integers(len(arrays)))
        array[i, 0, 0] = value
        return array, rf"X\[{i}\] {says}"

    return harm


def _in_table(value, says, frame=np.array):
    def harm(arrays, rng):
        table = _stacked(arrays)[:, :, 0].astype(np.float64)
        i, step = (int(rng.integers(size)) for size in table.shape)
        table[i, step] = value
        return frame(table), rf"X\[{i}\] has {says} at step {step}\b"

    return harm


def _whole(make, says="X"):
    """What is made of all sequences, cut to one length: (n, T, D)."""
    return lambda arrays, rng: (make(_stacked(arrays)), says)


def _instead(*values, says="X must be"):
    def harm(arrays, rng):
        return values[int(rng.integers(len(values)))], says

    return harm


def _generator():
    yield np.ones((2, 1))


def _nullable(table):
    return pd.DataFrame(table).astype("Float64")


def _wider(arrays, rng):
    n, D = len(arrays), arrays[0].shape[1]
    return [*arrays, np.ones((2, D + 1))], rf"X\[{n}\] must have as many features as X"


def masked(array):
    return np.ma.MaskedArray(array, mask=np.zeros(array.shape, bool))


def _records(array):
    return np.zeros(array.shape, dtype=[("a", "f4"), ("b", "f8")])


X_HARMS = {
    "NaN": _with_value(np.nan, "NaN"),
    "infinity": _with_value(-np.inf, "-inf"),
    "infinity in half precision": _with_value(np.inf, "inf", np.float16),
    "None among numbers": _with_value(None, "NaN", object),
    "NaN in an array": _first_step(np.nan, "(has NaN|must have at least one step)"),
    "infinity in an array": _first_step(np.inf, "has inf at step 0"),
    "NaN in a table": _in_table(np.nan, "NaN"),
    "infinity in a table": _in_table(np.inf, "inf"),
    "missing value in a frame": _in_table(np.nan, "NaN", _nullable),
    "empty sequence": _with_element(lambda x: x[:0], " must have at least one step"),
    "no features": _with_element(
        lambda x: np.ones((3, 0)), " must have at least one feature"
    ),
    "another width": _wider,
    "nothing": _instead(
        [], (), np.empty((0, 2, 2)), np.empty((0, 3)), np.empty(0, object), says="X "
    ),
    "no steps": _instead(np.empty((3, 0, 2)), np.empty((3, 0)), says="X "),
    "no features at all": _instead(np.empty((3, 2, 0)), says="X must have at least"),
    "four axes": _whole(lambda a: a[..., np.newaxis], "X must be"),
    "deep element": _with_element(lambda x: x[np.newaxis], " must be an"),
    "number element": _with_element(lambda x: 3.0, " must be an .*a single number"),
    "text element": _with_element(lambda x: "abc", " must be numeric, got str"),
    "None element": _with_element(lambda x: None, " must be numeric, got NoneType"),
    "dict element": _with_element(lambda x: {"a": x}, " must be numeric, got dict"),
    "set element": _with_element(lambda x: {1.0, 2.0}, " must be numeric, got set"),
    "ragged element": _with_element(lambda x: [[1, 2], [3]], " must be an .*numpy"),
    "complex element": _with_element(lambda x: x + 1j, " must be real"),
    "complex objects": _with_element(
        lambda x: (x + 1j).astype(object), " must be numeric, got objects"
    ),
    "strings": _with_element(lambda x: x.astype(str), " must be numeric"),
    "bytes": _with_element(lambda x: x.astype("S8"), " must be numeric"),
    "dates": _with_element(lambda x: np.full(x.shape, "2020", "M8[D]"), " must be num"),
    "spans": _with_element(lambda x: np.full(x.shape, 3, "m8[s]"), " must be numeric"),
    "records": _with_element(_records, " must be numeric"),
    "dicts": _with_element(lambda x: np.full(x.shape, {}, object), " must be numeric"),
    "huge integers": _with_element(
        lambda x: np.full(x.shape, HUGE, object), " must be numeric, got objects"
    ),
    "masked element": _with_element(masked, " must not be a masked array"),
    "sparse element": _with_element(csr_array, ", but dense data is required"),
    "complex array": _whole(lambda a: a + 1j, "Complex data not supported: X must"),
    "complex table": _whole(lambda a: a[:, :, 0] + 1j, "X.*Complex data not supp"),
    "masked array": _whole(masked, "X must not be a masked array"),
    "masked table": _whole(lambda a: masked(a[:, :, 0]), "X must not be a masked"),
    "sparse table": _whole(lambda a: csr_array(a[:, :, 0]), "Sparse data.* for X"),
    "array of strings": _whole(lambda a: a.astype(str), "X must be numeric"),
    "table of strings": _whole(lambda a: a[:, :, 0].astype(str)),
    "table of records": _whole(lambda a: _records(a[:, :, 0])),
    "table of dates": _whole(lambda a: np.full(a.shape[:2], "2020", "M8[D]")),
    "table of huge integers": _whole(lambda a: np.full(a.shape[:2], HUGE, object)),
    "lists of huge integers": _whole(lambda a: [[HUGE, 1]] * len(a)),
    "frame of words": _whole(lambda a: pd.DataFrame({"a": ["x"] * len(a)})),
    "frame of days": _whole(lambda a: pd.DataFrame({"a": [pd.Timestamp(0)] * len(a)})),
    "no collection": _instead(
        None, 3.5, "abc", b"abc", {}, {"a": np.ones((2, 1))}, {1, 2}, _generator(), map
    ),
    "one axis": _instead(
        np.arange(3.0), pd.Series([1.0, 2.0]), says="X must be .* Reshape"
    ),
    "no axis": _instead(np.array(3.0), np.float32(3), says="X must be .* Reshape"),
    "list of numbers": _instead([1.0, 2.0], says=r"X\[0\] must be .*a single number"),
}
if np.finfo("g").max > np.finfo("f8").max:
    X_HARMS["larger than a double"] = _with_value(np.longdouble("1e400"), "inf", "g")


def too_large_for_single(arrays, rng):
    """Harm where the network computes in float32."""
    arrays, i, _ = _spoilt(arrays, rng, -1e300)
    return arrays, rf"X\[{i}\] has values of up to 1e\+300, too large for float32"


# Harm to targets, weights, classes and steps: from a good array and a generator to a
# bad value. That the refusal names the argument is said once, in the test.


def _at_random(value, dtype=None):
    def harm(array, rng):
        array = array.astype(dtype or np.float64)
        array[tuple(int(rng.integers(size)) for size in array.shape)] = value
        return array

    return harm


def _ragged_targets(y, rng):
    return [np.zeros(1 + i % 2) for i in range(len(y))]


ANY_Y_HARMS = {
    "too short": lambda y, rng: y[:-1],
    "too long": lambda y, rng: np.concatenate([y, y[:1]]),
    "empty": lambda y, rng: y[:0],
    "None": lambda y, rng: None,
    "number": lambda y, rng: 3,
    "text": lambda y, rng: "abc",
    "dict": lambda y, rng: {"a": 1},
    "generator": lambda y, rng: iter(y.tolist()),
    "three axes": lambda y, rng: np.zeros((len(y), 2, 2)),
    "no columns": lambda y, rng: np.zeros((len(y), 0)),
    "NaN": _at_random(np.nan),
    "infinity": _at_random(np.inf),
    "complex": lambda y, rng: y + 1j,
    "masked": lambda y, rng: masked(y),
    "sparse": lambda y, rng: csr_array(y.reshape(len(y), -1)),
    "one for each step": _ragged_targets,
    "dicts": lambda y, rng: np.full(len(y), {}, object),
}
LABEL_HARMS = {
    **ANY_Y_HARMS,
    "fractions": lambda y, rng: y + 0.5,
    "bytes": lambda y, rng: y.astype("S4"),
    "two kinds": lambda y, rng: np.array([*y.astype(str)[:-1], 3], object),
    "class columns": lambda y, rng: np.column_stack([y, y + 1, y + 2]),
}
VALUE_HARMS = {
    **ANY_Y_HARMS,
    "words": lambda y, rng: np.full(len(y), "word"),
    "days": lambda y, rng: np.full(len(y), "2020", "M8[D]"),
    "huge integers": lambda y, rng: np.full(len(y), HUGE, object),
}
WEIGHT_HARMS = {
    "too short": lambda w, rng: w[:-1],
    "too long": lambda w, rng: np.append(w, 1.0),
    "empty": lambda w, rng: w[:0],
    "zeros": lambda w, rng: 0 * w,
    "negative": _at_random(-1.0),
    "NaN": _at_random(np.nan),
    "infinity": _at_random(np.inf),
    "infinite number": lambda w, rng: np.inf,
    "NaN number": lambda w, rng: np.nan,
    "column": lambda w, rng: w[:, np.newaxis],
    "words": lambda w, rng: ["word"] * len(w),
    "text": lambda w, rng: "balanced",
    "dict": lambda w, rng: {0: 1.0},
    "complex": lambda w, rng: w + 1j,
    "masked": lambda w, rng: masked(w),
    "sparse": lambda w, rng: csr_array(w[np.newaxis]),
    "huge integer": lambda w, rng: HUGE,
    "huge integers": lambda w, rng: [HUGE] * len(w),
}
CLASSES_HARMS = {
    "number": lambda c, rng: 3,
    "empty": lambda c, rng: [],
    "table": lambda c, rng: [[0, 1], [2, 3]],
    "two kinds": lambda c, rng: np.array([0, "a"], object),
    "NaN": lambda c, rng: [0.0, 1.0, 2.0, np.nan],
    "fractions": lambda c, rng: [0.5, 1.5],
    "set": lambda c, rng: {0, 1, 2},
    "text": lambda c, rng: "abc",
    "complex": lambda c, rng: [0, 1j],
}
STEP_HARMS = {
    "another width": lambda x, rng: np.column_stack([x, x]),
    "nothing": lambda x, rng: x[:0],
    "empty list": lambda x, rng: [],
    "three axes": lambda x, rng: x[np.newaxis],
    "number": lambda x, rng: 3.0,
    "None": lambda x, rng: None,
    "text": lambda x, rng: "abc",
    "dict": lambda x, rng: {"a": x},
    "NaN": _at_random(np.nan),
    "infinity": _at_random(-np.inf),
    "complex": lambda x, rng: x + 1j,
    "strings": lambda x, rng: x.astype(str),
    "dates": lambda x, rng: np.full(x.shape, "2020", "M8[D]"),
    "masked": lambda x, rng: masked(x),
    "sparse": lambda x, rng: csr_array(x),
    "ragged": lambda x, rng: [[1.0], [1.0, 2.0]],
    "huge integers": lambda x, rng: np.full(x.shape, HUGE, object),
}
STATE_HARMS = {
    "a column less": lambda s, rng: s[:, 1:],
    "a row more": lambda s, rng: np.concatenate([s, s[:1]]),
    "one axis": lambda s, rng: s[0],
    "another type": lambda s, rng: s.astype({4: "f8", 8: "f4"}[s.itemsize]),
    "integers": lambda s, rng: s.astype(int),
    "other byte order": lambda s, rng: s.astype(s.dtype.newbyteorder()),
    "nested lists": lambda s, rng: s.tolist(),
    "objects": lambda s, rng: s.astype(object),
    "masked": lambda s, rng: masked(s),
    "NaN": lambda s, rng: np.where(
        np.arange(s.size).reshape(s.shape), s, s.dtype.type("nan")
    ),
    "infinity": lambda s, rng: s + s.dtype.type("inf"),
    "text": lambda s, rng: "abc",
}
