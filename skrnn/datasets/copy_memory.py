"""The copy-memory problem: recall the first symbols after a silent delay."""

import numpy as np

from skrnn.datasets.common import check_bounds, check_integer, draw_integers, make_rng


def make_copy_memory(
    n_sequences=1000, *, n_symbols=8, n_copied=1, delay=20, random_state=None
):
    """Make sequences that show symbols, fall silent, and ask for the symbols.

    A sequence is `n_copied` random symbols, `delay` blank steps and one recall cue,
    which is its last step. The target is the symbols that were shown.

    Parameters
    ----------
    n_sequences : int, default=1000
        Number of sequences.

    n_symbols : int, default=8
        Size of the alphabet, at least 2. It is also the number of classes.

    n_copied : int, default=1
        Number of symbols shown at the start of a sequence.

    delay : int or tuple (low, high), default=20
        Number of blank steps between the symbols and the cue, 0 or more. With a pair,
        each sequence draws its own delay uniformly from low to high, both included.

    random_state : int, RandomState instance or None, default=None
        Seed of the draws. Pass an int for the same data on every call.

    Returns
    -------
    X : list of n_sequences ndarrays of shape (n_timesteps_i, n_symbols + 2), float64
        One-hot steps, n_copied + delay_i + 1 of them. Columns 0 to n_symbols - 1 are
        the symbols, column n_symbols is the blank, column n_symbols + 1 the cue.

    y : ndarray of shape (n_sequences,) or (n_sequences, n_copied), int64
        The symbols shown, as classes 0 to n_symbols - 1. One entry per sequence if
        `n_copied` is 1; else one column per position, in the order shown.

    Raises
    ------
    ValueError
        If `n_sequences` or `n_copied` is not a positive integer, `n_symbols` is not an
        integer of at least 2, or `delay` is not an integer of at least 0 or an ordered
        pair of them.

    Notes
    -----
    All the information comes first and nothing in the delay helps to keep it, so the
    state has to hold it unchanged and the gradient has to pass `delay` steps. With
    several symbols their order counts too: one of n_symbols ** n_copied messages has
    to fit into the state.

    A model without memory can only guess: its accuracy is 1 / n_symbols for each
    position and its cross-entropy log(n_symbols).

    In the paper the network writes the symbols step by step after the cue. Here they
    are labels of the whole sequence, so that an ordinary classifier can learn them.

    References
    ----------
    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural
       Computation 9(8), 1735-1780, 1997.
    .. [2] M. Arjovsky, A. Shah and Y. Bengio, "Unitary evolution recurrent neural
       networks", ICML, PMLR 48, 1120-1128, 2016.

    Examples
    --------
    >>> from skrnn.datasets import make_copy_memory
    >>> X, y = make_copy_memory(4, n_symbols=3, delay=2, random_state=0)
    >>> bool(X[0][0].argmax() == y[0])
    True
    >>> X[0][1:].astype(int).tolist()
    [[0, 0, 0, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]
    >>> X, y = make_copy_memory(4, n_copied=5, delay=(10, 20), random_state=0)
    >>> y.shape
    (4, 5)
    """
    check_integer(n_sequences, "n_sequences", 1)
    check_integer(n_symbols, "n_symbols", 2)
    check_integer(n_copied, "n_copied", 1)
    bounds = check_bounds(delay, "delay", 0)
    rng = make_rng(random_state)
    y = rng.randint(n_symbols, size=(n_sequences, n_copied), dtype=np.int64)
    delays = draw_integers(bounds, n_sequences, rng)
    X = [_encode(shown, d, n_symbols) for shown, d in zip(y, delays, strict=True)]
    return X, y[:, 0].copy() if n_copied == 1 else y


def _encode(shown, delay, n_symbols):
    blank, cue = n_symbols, n_symbols + 1
    codes = np.concatenate([shown, np.full(delay, blank), [cue]])
    return np.eye(n_symbols + 2)[codes]
