"""A zip file of arrays and one document, as `numpy.savez` would write it.

Nothing in it is compressed. So it holds no more than its own size, and what it says of
its sizes can be compared with that before anything is read.
"""

import io
import math
import re
import struct
import zipfile

import numpy as np

from skrnn.persistence.codec import is_storable

DOCUMENT = "model.json"
MAX_BYTES = 2**31 - 1  # larger zip files have another form
MAX_MEMBERS = 10_000
MAX_DIRECTORY = 100 * MAX_MEMBERS
MAX_DOCUMENT = 2**22
HEADER = re.compile(  # of an array of one or two dimensions, as NumPy writes it
    rb"\x93NUMPY\x01\x00..\{'descr': '([<|][a-zA-Z]\d{1,9})', 'fortran_order': False, "
    rb"'shape': \((\d{1,18}),(?: (\d{1,18}))?\), \} *\n",
    re.DOTALL,
)
END = struct.Struct("<4s4H2LH")  # the last record of a zip file: where its directory is
END_MARK, LARGE_MARK = b"PK\x05\x06", b"PK\x06\x07"
LARGE_BYTES = 20  # of the record before it in zip files of the other form
FOREIGN = "The file is damaged, or was not written by skrnn.save"
PICKLED = b"\x80", b"\x78", b"\x1f\x8b", b"BZh", b"\xfd7zXZ"  # and compressed by joblib


def write(document, arrays):
    """The bytes of a file.

    Parameters
    ----------
    document : bytes
    arrays : dict of str to ndarray
    """
    n_bytes = len(document) + sum(array.nbytes for array in arrays.values())
    for what, size, limit in (
        ("bytes", n_bytes + 1000 * len(arrays), MAX_BYTES),
        ("bytes without its arrays", len(document), MAX_DOCUMENT),
        ("arrays", len(arrays), MAX_MEMBERS - 1),
    ):
        if size > limit:
            raise ValueError(
                f"A model must have at most {limit:,} {what} to be saved, got "
                f"{size:,}. Save it by joblib.dump."
            )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(DOCUMENT), document)
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), _array_bytes(array))
    return buffer.getvalue()


def read(data):
    """The document and the arrays of a file.

    Parameters
    ----------
    data : bytes

    Raises
    ------
    ValueError
        For anything that `write` does not write.
    """
    _check_end(data)
    try:
        members = _members(data)
    except Exception as error:  # there are many ways in which a damaged zip file fails
        raise ValueError(f"{FOREIGN}: {error}.") from error
    document = members.pop(DOCUMENT, b"")
    if not 0 < len(document) <= MAX_DOCUMENT:
        raise ValueError(
            f"{FOREIGN}: {DOCUMENT} must have 1 to {MAX_DOCUMENT} bytes, got "
            f"{len(document)}."
        )
    arrays = {name: _array(name, data) for name, data in members.items()}
    return document, {name.removesuffix(".npy"): a for name, a in arrays.items()}


def _check_end(data):
    """Check the length of the directory, which is read as a whole."""
    end, before = data[-END.size :], data[-END.size - LARGE_BYTES :]
    if len(end) < END.size or not end.startswith(END_MARK):
        hint = " It may be one for joblib.load, which can run code in it."
        raise ValueError(
            f"{FOREIGN}: it does not end as one.{hint * data.startswith(PICKLED)}"
        )
    n_bytes = END.unpack(end)[5]
    if n_bytes > MAX_DIRECTORY or before.startswith(LARGE_MARK):
        raise ValueError(
            f"{FOREIGN}: its directory must have at most {MAX_DIRECTORY} bytes, got "
            f"{n_bytes}, or has an unknown form."
        )


def _members(data):
    """Contents by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len({member.filename for member in members}) < len(members):
            raise ValueError("two members have the same name")
        for member in members:
            if (member.compress_type, member.flag_bits) != (zipfile.ZIP_STORED, 0):
                raise ValueError(f"{member.filename!r} is compressed or encrypted")
            if member.compress_size != member.file_size:
                raise ValueError(f"{member.filename!r} has two sizes")
        if sum(member.file_size for member in members) > len(data):
            raise ValueError("its members are larger than the file")
        return {member.filename: archive.read(member) for member in members}


def _array_bytes(array):
    buffer = io.BytesIO()
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    np.lib.format.write_array(buffer, array, (1, 0), allow_pickle=False)
    return buffer.getvalue()


def _array(name, data):
    """The array in a member, a copy."""
    try:
        shape, dtype, begin = _header(data)
    except Exception as error:  # a header is a Python literal; these fail in many ways
        raise ValueError(f"{FOREIGN}: {name!r} is no array, {error}.") from error
    is_known = is_storable(dtype) and dtype.itemsize > 0 and dtype.byteorder in "<|="
    if not name.endswith(".npy") or not is_known or not 1 <= len(shape) <= 2:
        raise ValueError(
            f"{FOREIGN}: {name!r} has the unknown shape {shape} or type {dtype}."
        )
    n_bytes = math.prod(shape) * dtype.itemsize
    is_possible = 0 <= min(shape) and max(shape) <= len(data)
    if not is_possible or begin + n_bytes != len(data):
        raise ValueError(
            f"{FOREIGN}: {name!r} must have {n_bytes} bytes for shape {shape}, got "
            f"{len(data) - begin}."
        )
    array = np.ndarray(shape, dtype, data, begin)
    if not _has_known_values(array):
        raise ValueError(f"{FOREIGN}: {name!r} has values that {dtype} does not know.")
    return array.astype(dtype.newbyteorder("="))


def _header(data):
    """Shape and type of an array, and where its values begin."""
    found = HEADER.match(data)
    if found is None or found.end() != 10 + int.from_bytes(data[8:10], "little"):
        raise ValueError("its header is another one than NumPy writes")
    kind, *sizes = found.groups()
    shape = tuple(int(size) for size in sizes if size is not None)
    return shape, np.dtype(kind.decode()), found.end()


def _has_known_values(array):
    """Whether each entry is one of its type: not all bits are."""
    if array.dtype.kind == "b":
        return (array.view(np.uint8) <= 1).all()
    if array.dtype.kind == "U" and array.size:
        return (array.view("<u4") <= 0x10FFFF).all()
    return True
