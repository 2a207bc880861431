"""What an adversary does to targets, and weights, of each step.

Good ones are lists of typed arrays, one for each sequence; see `adversary.py`. A harm
maps them and a generator to a bad value and to what its refusal says besides the name
of the argument. Harms to weights are made of the targets, whose lengths are theirs.
"""

import adversary
import numpy as np
import pandas as pd
from adversary import HUGE, masked
from scipy.sparse import csr_array

# Steps without a target

MARKS = {"NaN": np.nan, "None": None, "NA": pd.NA}
FOR_OBJECTS = {  # the others do not hold objects, or know them by another type
    "plain",
    "F-ordered",
    "every third row",
    "backwards",
    "read-only",
    "subclass",
    "wrapper",
    "objects",
    "nested lists",
    "pandas",
}


def with_holes(part, holes, mark):
    """The array with `mark` in some of its rows; of objects where it must be."""
    if not holes.any():
        return part
    is_text = isinstance(mark, str) and part.dtype.kind == "U"
    part = part.astype(f"U{len(mark)}" if is_text else _holding(part.dtype, mark))
    part[holes] = mark
    return part


def _holding(dtype, mark):
    """A type for arrays that hold the mark, too."""
    number = dtype.kind in "fiu" and isinstance(mark, (int, float))
    if dtype.kind == "M" or (number and (mark == mark or dtype.kind == "f")):
        return dtype
    return object


# Forms


def _padded(parts, layouts):
    """One array, behind the ends with what nobody may read."""
    fills = {"f": np.inf, "U": "?", "M": "NaT", "O": "?"}
    fill = fills.get(parts[0].dtype.kind, 1)
    return adversary.LAYOUTS[layouts[0]](adversary.pad(parts, fill))


FORMS = {**adversary.RAGGED_FORMS, "padded": _padded}


# Harm to a sequence's, to a step's, to all


def _in_part(make, says=""):
    def harm(parts, rng):
        i, parts = int(rng.integers(len(parts))), list(parts)
        parts[i] = make(parts[i])
        return parts, rf"\[{i}\]{says}"

    return harm


def _at_step(value, says, width=None):
    """Harm to one step, of so many columns where that counts."""

    def harm(parts, rng):
        parts = [part.astype(float) for part in parts]
        if width:
            columns = [part.reshape(len(part), -1)[:, :1] for part in parts]
            parts = [np.repeat(column, width, axis=1) for column in columns]
        i = int(rng.integers(len(parts)))
        step = int(rng.integers(len(parts[i])))
        parts[i][step] = value
        return parts, rf"\[{i}\] must be {says}.* at step {step}\b"

    return harm


def _some(make):
    """Harm to one sequence's that the refusal need not name."""
    return lambda parts, rng: (_in_part(make)(parts, rng)[0], "")


def _in_all(make):
    return lambda parts, rng: ([make(part) for part in parts], "")


def _instead(make):
    return lambda parts, rng: (make(parts), "")


def _wider(parts, rng):
    """Another number of columns in one sequence."""
    parts = [part.reshape(len(part), -1) for part in parts]
    i = int(rng.integers(len(parts)))
    parts[i] = np.column_stack([parts[i], parts[i]])
    return parts, r"\[\d\] must be of shape"


def _mixed(parts):
    return [
        [("a", 3)[(i + step) % 2] for step in range(len(part))]
        for i, part in enumerate(parts)
    ]


def _ragged(part):
    return [[1, 2], [3]]


def _generator(part):
    return iter(part.tolist())


ANY_HARMS = {
    "too few": _instead(lambda parts: parts[:-1]),
    "too many": _instead(lambda parts: [*parts, parts[0]]),
    "empty": _instead(lambda parts: []),
    "number": _instead(lambda parts: 3),
    "array number": _instead(lambda parts: np.array(3.0)),
    "text": _instead(lambda parts: "abc"),
    "as many letters": _instead(lambda parts: "abcdefgh"[: len(parts)]),
    "bytes": _instead(lambda parts: b"abcdefgh"[: len(parts)]),
    "dict": _instead(lambda parts: dict(enumerate(parts))),
    "set": _instead(lambda parts: set(range(len(parts)))),
    "generator": _instead(iter),
    "class": _instead(lambda parts: list),
    "four axes": _instead(lambda parts: np.zeros((len(parts), 4, 2, 2))),
    "too narrow": _instead(lambda parts: adversary.pad(parts, 0)[:, :-1]),
    "masked": _instead(lambda parts: masked(adversary.pad(parts, 0))),
    "sparse": _instead(lambda parts: csr_array(np.ones((len(parts), 4)))),
    "no part": _in_part(lambda part: None),
    "number in a part": _in_part(lambda part: 3.0),
    "text in a part": _in_part(lambda part: "abc"),
    "dict in a part": _in_part(lambda part: {"a": part}),
    "set in a part": _in_part(lambda part: {1, 2}),
    "generator in a part": _in_part(_generator),
    "empty part": _in_part(lambda part: part[:0]),
    "short part": _in_part(lambda part: part[:-1]),
    "long part": _in_part(lambda part: np.concatenate([part, part[:1]])),
    "deep part": _in_part(lambda part: part.reshape(len(part), 1, -1)),
    "ragged part": _in_part(_ragged),
    "masked part": _in_part(masked),
    "sparse part": _in_part(lambda part: csr_array(part.reshape(len(part), -1))),
    "records": _in_all(lambda part: np.zeros(len(part), [("a", "f4"), ("b", "f8")])),
    "another width": _wider,
    "no columns": _in_all(lambda part: np.zeros((len(part), 0))),
    "complex": _in_all(lambda part: part + 1j),
    "complex objects": _in_all(lambda part: (part + 1j).astype(object)),
    "dicts": _in_all(lambda part: np.full(len(part), {}, object)),
    "sets": _in_all(lambda part: np.full(len(part), {3}, object)),
    "lists": _in_all(lambda part: adversary.to_object_array([[3]] * len(part))),
}
Y_HARMS = {
    **ANY_HARMS,
    "None": _instead(lambda parts: None),
    "one for each sequence": _instead(lambda parts: np.zeros(len(parts))),
    "none counts": _in_all(lambda part: np.full(part.shape, np.nan)),
    "infinity": _at_step(np.inf, "(finite|0 or 1)"),
    "half a row": _at_step([np.nan, 1], "finite, or NaN in all", width=2),
}
LABEL_HARMS = {
    **Y_HARMS,
    "fractions": _in_all(lambda part: part + 0.5),
    "bytes strings": _in_all(lambda part: part.astype("S4")),
    "text and numbers": _some(lambda part: part.astype(str)),
    "two kinds": _instead(_mixed),
    "class columns": _in_all(lambda part: np.resize(np.arange(3), (len(part), 3))),
}
VALUE_HARMS = {
    **Y_HARMS,
    "words": _in_all(lambda part: ["word"] * len(part)),
    "digits": _in_all(lambda part: part.astype(str)),
    "a word": _some(lambda part: ["word"] * len(part)),
    "days": _in_all(lambda part: np.full(len(part), "2020", "M8[D]")),
    "spans": _in_all(lambda part: np.full(len(part), 3, "m8[s]")),
    "huge integers": _in_all(lambda part: np.full(part.shape, HUGE, object)),
}


def _of_sequences(harm):
    return lambda parts, rng: (harm(np.arange(1.0, 1 + len(parts)), rng), "")


def _of_steps(harm):
    return lambda parts, rng: harm([np.ones(len(part)) for part in parts], rng)


OF_SEQUENCES = dict(adversary.WEIGHT_HARMS)
del OF_SEQUENCES["column"]  # which is for sequences of a single step
WEIGHT_HARMS = {
    **{name: _of_sequences(harm) for name, harm in OF_SEQUENCES.items()},
    **{f"{name} of steps": _of_steps(harm) for name, harm in ANY_HARMS.items()},
    "ragged part of steps": _of_steps(_some(_ragged)),
    "number": _instead(lambda parts: 2.0),
    "number and arrays": _of_steps(_in_part(lambda part: 1.0)),
    "None and numbers": _instead(lambda parts: [None, *range(1, len(parts))]),
    "a NaN": _of_steps(_at_step(np.nan, "")),
    "an infinity": _of_steps(_at_step(np.inf, "")),
    "a negative one": _of_steps(_at_step(-1.0, "")),
    "all zero": _of_steps(_in_all(np.zeros_like)),
    "two columns": _of_steps(_in_all(lambda part: np.column_stack([part, part]))),
    "words of steps": _of_steps(_in_all(lambda part: ["word"] * len(part))),
    "huge integers of steps": _of_steps(
        _in_all(lambda part: np.full(len(part), HUGE, object))
    ),
}
