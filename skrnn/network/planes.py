"""Planes: how the values of a cell's parts lie in memory, and how a step reaches them.

What a cell calls a gate, a carried or a taped value is, for a packed minibatch of N
rows, a plane: a contiguous run of N * H numbers, row after row. The planes of a kind
are the rows of one array (n_parts, N * H). The rows of one step are contiguous in each
plane, so a step of all active sequences and all units is one flat loop.

``TAKE[n](planes, j)`` returns entry j of n planes as a tuple, ``PUT[n](planes, j,
values)`` stores one, and ``TAKE_ZEROS[n]`` returns zeros instead. They are written out
because a compiled loop needs tuples of a fixed length.
"""


def _take_0(p, j):
    return ()


def _take_1(p, j):
    return (p[0, j],)


def _take_2(p, j):
    return p[0, j], p[1, j]


def _take_3(p, j):
    return p[0, j], p[1, j], p[2, j]


def _take_4(p, j):
    return p[0, j], p[1, j], p[2, j], p[3, j]


def _take_5(p, j):
    return p[0, j], p[1, j], p[2, j], p[3, j], p[4, j]


def _take_6(p, j):
    return p[0, j], p[1, j], p[2, j], p[3, j], p[4, j], p[5, j]


def _put_0(p, j, values):
    pass


def _put_1(p, j, values):
    (p[0, j],) = values


def _put_2(p, j, values):
    p[0, j], p[1, j] = values


def _put_3(p, j, values):
    p[0, j], p[1, j], p[2, j] = values


def _put_4(p, j, values):
    p[0, j], p[1, j], p[2, j], p[3, j] = values


def _put_5(p, j, values):
    p[0, j], p[1, j], p[2, j], p[3, j], p[4, j] = values


def _put_6(p, j, values):
    p[0, j], p[1, j], p[2, j], p[3, j], p[4, j], p[5, j] = values


def _zeros_0(p, j):
    return ()


def _zeros_1(p, j):
    return (0.0,)


def _zeros_2(p, j):
    return (0.0, 0.0)


def _zeros_3(p, j):
    return (0.0, 0.0, 0.0)


def _zeros_4(p, j):
    return (0.0, 0.0, 0.0, 0.0)


def _zeros_5(p, j):
    return (0.0, 0.0, 0.0, 0.0, 0.0)


def _zeros_6(p, j):
    return (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


TAKE = (_take_0, _take_1, _take_2, _take_3, _take_4, _take_5, _take_6)
PUT = (_put_0, _put_1, _put_2, _put_3, _put_4, _put_5, _put_6)
TAKE_ZEROS = (_zeros_0, _zeros_1, _zeros_2, _zeros_3, _zeros_4, _zeros_5, _zeros_6)
