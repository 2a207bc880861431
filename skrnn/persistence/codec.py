"""Values as JSON, with arrays put aside, and back.

What JSON knows is left as it is: None, bools, ints, finite floats, strings and lists.
Anything else is an object with one entry, whose key says what it is. No document can
name a class that is not in the tables of this module.
"""

import math
import reprlib

import numpy as np

from skrnn.cells import CELLS
from skrnn.estimators.parameters import DTYPES
from skrnn.optimizers import OPTIMIZERS

MAX_DEPTH = 8
PLAIN = bool, int, str
KINDS = "biufSU"  # of arrays
PARTS = {"cell": CELLS, "optimizer": OPTIMIZERS}
FLOATS = "nan", "inf", "-inf"
SCALARS = {
    np.dtype(kind).name: kind
    for kind in (
        *(np.bool_, np.str_, np.bytes_, np.float16, np.float32, np.float64),
        *(np.int8, np.int16, np.int32, np.int64),
        *(np.uint8, np.uint16, np.uint32, np.uint64),
    )
}
MT19937_WORDS = 624


class Encoder:
    """Makes values ready for JSON.

    Attributes
    ----------
    arrays : dict of str to ndarray
        What was put aside, by the name it was given in JSON.
    """

    def __init__(self):
        self.arrays = {}
        self._encoders = {
            float: self._float,
            list: self._list,
            tuple: self._tuple,
            dict: self._dict,
            bytes: self._bytes,
            type: self._type,
            np.ndarray: self._array,
            np.memmap: self._array,
            np.random.RandomState: self._random_state,
        }

    def encode(self, value, place):
        """Return `value` as JSON knows it.

        Parameters
        ----------
        value : object
        place : str
            Its name, for arrays and for messages.

        Raises
        ------
        ValueError
            When only code could bring the value back.
        """
        if value is None or type(value) in PLAIN:
            return value
        if place.count(".") > MAX_DEPTH:
            raise ValueError(f"{place.split('.')[0]} is nested too deeply to be saved.")
        return self._encoder(value)(value, place)

    def _encoder(self, value):
        if isinstance(value, np.generic):
            return self._scalar
        if isinstance(value, np.dtype):
            return self._dtype
        if type(value) in (*CELLS.values(), *OPTIMIZERS.values()):
            return self._part
        return self._encoders.get(type(value), refuse)

    def _items(self, values, place):
        return [self.encode(value, f"{place}.{i}") for i, value in enumerate(values)]

    def _float(self, value, place):
        return value if math.isfinite(value) else {"float": repr(value)}

    def _list(self, value, place):
        if value and all(type(item) is float for item in value):
            return {"floats": self._put(np.array(value), place)}
        return self._items(value, place)

    def _tuple(self, value, place):
        return {"tuple": self._items(value, place)}

    def _dict(self, value, place):
        items = enumerate(value.items())
        return {"dict": [self._items(item, f"{place}.{i}") for i, item in items]}

    def _bytes(self, value, place):
        return {"bytes": value.decode("latin-1")}

    def _scalar(self, value, place):
        name = np.dtype(type(value)).name
        if name not in SCALARS:
            refuse(value, place)
        return {"scalar": [name, self.encode(value.item(), place)]}

    def _array(self, value, place):
        if value.dtype.kind == "O" and value.ndim == 1:
            return {"objects": self._items(value.tolist(), place)}
        if not is_storable(value.dtype) or value.ndim not in (1, 2):
            refuse(value, place)
        return {"array": self._put(np.asarray(value), place)}

    def _put(self, array, place):
        self.arrays[place] = array
        return place

    def _type(self, value, place):
        if value not in DTYPES.values():
            refuse(value, place)
        return {"type": np.dtype(value).name}

    def _dtype(self, value, place):
        if value not in DTYPES.values():
            refuse(value, place)
        return {"dtype": value.name}

    def _part(self, value, place):
        """A cell or an optimiser of ours."""
        parameters = value.get_params(deep=False)
        for name in vars(value).keys() - parameters.keys():
            refuse(vars(value)[name], f"{place}.{name}")
        pairs = self._dict(parameters, place)["dict"]
        return next(
            {tag: [name, pairs]}
            for tag, kinds in PARTS.items()
            for name, kind in kinds.items()
            if type(value) is kind
        )

    def _random_state(self, value, place):
        state = value.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            refuse(value, place)
        words, i = state["state"]["key"], state["state"]["pos"]
        following = state["has_gauss"], state["gauss"]
        return {"random_state": [self._put(words, place), i, *following]}


class Decoder:
    """The opposite of `Encoder`, for documents that nobody vouches for.

    Parameters
    ----------
    arrays : dict of str to ndarray

    Attributes
    ----------
    arrays : dict of str to ndarray
        Those that no value refers to so far.
    """

    def __init__(self, arrays):
        self.arrays = dict(arrays)
        self._decoders = {
            "float": self._float,
            "floats": self._floats,
            "tuple": self._tuple,
            "dict": self._dict,
            "bytes": self._bytes,
            "scalar": self._scalar,
            "array": self._take,
            "objects": self._objects,
            "type": self._type,
            "dtype": self._dtype,
            "random_state": self._random_state,
            **{tag: self._part_of(kinds) for tag, kinds in PARTS.items()},
        }

    def decode(self, value, depth=0):
        """Return what `Encoder.encode` was given.

        Raises
        ------
        ValueError
            For anything that it does not make.
        """
        _expect(depth <= 2 * MAX_DEPTH, value)
        if value is None or type(value) in (*PLAIN, float):
            return value
        if isinstance(value, list):
            return self._items(value, depth)
        _expect(len(value) == 1, value)
        [(tag, content)] = value.items()
        _expect(tag in self._decoders, value)
        return self._decoders[tag](content, depth)

    def _items(self, values, depth):
        _expect(isinstance(values, list), values)
        return [self.decode(value, depth + 1) for value in values]

    def _float(self, content, depth):
        _expect(content in FLOATS, content)
        return float(content)

    def _floats(self, content, depth):
        array = self._take(content, depth)
        _expect(array.dtype == np.float64 and array.ndim == 1, content)
        return array.tolist()

    def _tuple(self, content, depth):
        return tuple(self._items(content, depth))

    def _dict(self, content, depth):
        pairs = self._items(content, depth)
        _expect(all(isinstance(p, list) and len(p) == 2 for p in pairs), content)
        try:
            values = dict(pairs)
        except TypeError:  # a key that cannot be one
            values = {}
        _expect(len(values) == len(pairs), content)
        return values

    def _bytes(self, content, depth):
        _expect(
            isinstance(content, str) and max(content, default="") <= "\xff", content
        )
        return content.encode("latin-1")

    def _scalar(self, content, depth):
        name, value = self._pair(content, depth)
        _expect(name in SCALARS, name)
        kind = SCALARS[name]
        _expect(type(value) is type(kind(0).item()), value)
        if issubclass(kind, np.integer):
            _expect(np.iinfo(kind).min <= value <= np.iinfo(kind).max, value)
        with np.errstate(over="ignore"):
            return kind(value)

    def _pair(self, content, depth):
        pair = self._items(content, depth)
        _expect(len(pair) == 2 and isinstance(pair[0], str), content)
        return pair

    def _take(self, content, depth):
        _expect(isinstance(content, str) and content in self.arrays, content)
        return self.arrays.pop(content)

    def _objects(self, content, depth):
        values = self._items(content, depth)
        array = np.empty(len(values), object)
        for i, value in enumerate(values):
            array[i] = value
        return array

    def _type(self, content, depth):
        _expect(isinstance(content, str) and content in DTYPES, content)
        return DTYPES[content]

    def _dtype(self, content, depth):
        return np.dtype(self._type(content, depth))

    def _part_of(self, kinds):
        def part(content, depth):
            _expect(isinstance(content, list) and len(content) == 2, content)
            name, parameters = content[0], self._dict(content[1], depth)
            _expect(isinstance(name, str) and name in kinds, name)
            known = kinds[name]().get_params(deep=False)
            _expect(parameters.keys() == known.keys(), parameters)
            return kinds[name](**parameters)

        return part

    def _random_state(self, content, depth):
        _expect(isinstance(content, list) and len(content) == 4, content)
        words, (i, has_next, following) = self._take(content[0], depth), content[1:]
        _expect(words.dtype == np.uint32 and words.shape == (MT19937_WORDS,), content)
        _expect(type(i) is int and 0 <= i <= MT19937_WORDS, i)
        _expect(type(has_next) is int and has_next in (0, 1), has_next)
        _expect(type(following) is float, following)
        state = np.random.RandomState(0)
        state.set_state(("MT19937", words, i, has_next, following))
        return state


def is_storable(dtype):
    """Whether arrays of that type are stored as they are, and the same everywhere."""
    return dtype.kind in KINDS and (dtype.kind in "SU" or dtype.itemsize <= 8)


def refuse(value, place):
    raise ValueError(
        f"{place} cannot be saved without code, got {type(value).__name__}. Save the "
        "estimator by joblib.dump, or take it away."
    )


def _expect(holds, value):
    if not holds:
        raise ValueError(f"The document holds an unknown value: {reprlib.repr(value)}.")
