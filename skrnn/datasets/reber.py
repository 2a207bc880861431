"""Strings of the Reber grammar, and strings with one symbol wrong."""

import numpy as np

from skrnn.datasets.common import check_integer, draw_balanced_labels, make_rng

SYMBOLS = "BTSXPVE"

# Entry k holds the arrows that leave state k: the symbol written and the next state.
ARROWS = (
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": 7},
    {},
)
FINAL = len(ARROWS) - 1


def make_reber(n_sequences=1000, *, embedded=False, random_state=None):
    """Make Reber grammar strings, half of them with one symbol wrong.

    A grammatical string is a random walk through this graph, where both arrows of a
    state are equally likely (state 0 is the start, state 7 the end)::

        0 -B-> 1
        1 -T-> 2    1 -P-> 3
        2 -S-> 2    2 -X-> 4
        3 -T-> 3    3 -V-> 5
        4 -X-> 3    4 -S-> 6
        5 -P-> 4    5 -V-> 6
        6 -E-> 7

    The embedded grammar wraps such a string: B, then T or P, then the whole Reber
    string, then again the same T or P, then E.

    Parameters
    ----------
    n_sequences : int, default=1000
        Number of sequences.

    embedded : bool, default=False
        Whether to use the embedded grammar, which needs a long memory.

    random_state : int, RandomState instance or None, default=None
        Seed of the draws. Pass an int for the same data on every call.

    Returns
    -------
    X : list of n_sequences ndarrays of shape (n_timesteps_i, 7), float64
        One-hot steps; the columns are the symbols B, T, S, X, P, V, E in this order.
        The length is 5 or more and 8 on average; 4 more if `embedded`.

    y : ndarray of shape (n_sequences,), int64
        1 if the string is grammatical, 0 if not. The two counts differ by one at most.

    Raises
    ------
    ValueError
        If `n_sequences` is not a positive integer or `embedded` is not a bool.

    Notes
    -----
    An ungrammatical string is a grammatical one with exactly one symbol replaced such
    that the grammar rejects it. Lengths therefore tell nothing about the class.

    The same symbol leads to different states, so a symbol can only be judged by what
    came before. In the plain grammar a window of three symbols is enough to see every
    error. In the embedded grammar half of the ungrammatical strings (the larger half
    if their number is odd) have the second to last symbol wrong: a T where the second
    symbol was P, or the reverse. Nothing near it shows the error; the second symbol
    has to be remembered across the whole inner string. The other errors lie in the
    inner string.

    Chance is an accuracy of 0.5. In the embedded grammar, a model that sees every
    error in the inner string but does not remember the second symbol reaches 0.75.

    In the papers the network predicts the next symbol; here it judges the string.

    References
    ----------
    .. [1] A. S. Reber, "Implicit learning of artificial grammars", Journal of Verbal
       Learning and Verbal Behavior 6(6), 855-863, 1967.
    .. [2] A. Cleeremans, D. Servan-Schreiber and J. L. McClelland, "Finite state
       automata and simple recurrent networks", Neural Computation 1(3), 372-381, 1989.
    .. [3] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural
       Computation 9(8), 1735-1780, 1997.

    Examples
    --------
    >>> from skrnn.datasets import make_reber
    >>> from skrnn.datasets.reber import decode, is_reber
    >>> X, y = make_reber(6, embedded=True, random_state=0)
    >>> X[0].shape[1], y.tolist().count(1)
    (7, 3)
    >>> all(is_reber(decode(x), embedded=True) == label for x, label in zip(X, y))
    True
    """
    check_integer(n_sequences, "n_sequences", 1)
    if not isinstance(embedded, (bool, np.bool_)):
        raise ValueError(f"embedded must be True or False, got {embedded!r}.")
    rng = make_rng(random_state)
    y = draw_balanced_labels(n_sequences, 2, rng)
    strings = _draw_embedded(y, rng) if embedded else _draw_plain(y, rng)
    return [encode(string) for string in strings], y


def is_reber(string, *, embedded=False):
    """Whether the (embedded) Reber grammar accepts a string of symbols.

    Parameters
    ----------
    string : str
        The symbols, such as "BTXSE".

    embedded : bool, default=False
        Whether to ask the embedded grammar.

    Returns
    -------
    bool

    Examples
    --------
    >>> from skrnn.datasets.reber import is_reber
    >>> is_reber("BTXSE"), is_reber("BTXXE")
    (True, False)
    >>> is_reber("BPBTXSEPE", embedded=True), is_reber("BPBTXSETE", embedded=True)
    (True, False)
    """
    if not embedded:
        return _accepts(string)
    opens = string[:2] in ("BT", "BP")
    return opens and string[-2:] == string[1] + "E" and _accepts(string[2:-2])


def encode(string):
    """Return the one-hot (n_timesteps, 7) array of a string of symbols."""
    return np.eye(len(SYMBOLS))[[SYMBOLS.index(symbol) for symbol in string]]


def decode(x):
    """Return the string of symbols of a one-hot (n_timesteps, 7) array."""
    return "".join(SYMBOLS[k] for k in x.argmax(axis=1))


def _accepts(string):
    state = 0
    for symbol in string:
        if symbol not in ARROWS[state]:
            return False
        state = ARROWS[state][symbol]
    return state == FINAL


def _walk(rng):
    state, string = 0, ""
    while state != FINAL:
        arrows = list(ARROWS[state].items())
        symbol, state = arrows[rng.randint(len(arrows))]
        string += symbol
    return string


def _corrupt(string, rng):
    while True:
        k = rng.randint(len(string))
        changed = string[:k] + SYMBOLS[rng.randint(len(SYMBOLS))] + string[k + 1 :]
        if not _accepts(changed):
            return changed


def _draw_plain(y, rng):
    for grammatical in y:
        string = _walk(rng)
        yield string if grammatical else _corrupt(string, rng)


def _draw_embedded(y, rng):
    n_wrong = 0
    for grammatical in y:
        inner = _walk(rng)
        first, other = ("T", "P") if rng.randint(2) else ("P", "T")
        last = first
        if not grammatical:
            n_wrong += 1
            if n_wrong % 2:
                last = other
            else:
                inner = _corrupt(inner, rng)
        yield "B" + first + inner + last + "E"
