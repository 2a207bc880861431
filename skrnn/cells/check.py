"""Checks of a cell: its declared parts, and its gradient."""

import inspect

import numpy as np

from skrnn.jit import plain

MAX_PARTS = 6
RESERVED = {"ih", "hh"}
STEP = 1e-6
TOLERANCE = 1e-5


def check_parts(cell):
    """Check that a cell's functions take and return what its attributes declare.

    Parameters
    ----------
    cell : Cell

    Raises
    ------
    ValueError
        That names the attribute, or the tuple of the wrong length.
    """
    name = type(cell).__name__
    for part in ("x_gates", "h_gates", "carried", "taped", "unit_vectors"):
        names = getattr(cell, part)
        if not isinstance(names, tuple) or len(names) > MAX_PARTS:
            raise ValueError(
                f"{part} of {name} must be a tuple of at most {MAX_PARTS} names, "
                f"got {names!r}."
            )
        if len(set(names) - RESERVED) < len(names):
            raise ValueError(
                f"{part} of {name} must be different names, none of them 'ih' or "
                f"'hh', got {names!r}."
            )
    for function in ("forward", "backward"):
        if not isinstance(inspect.getattr_static(cell, function), staticmethod):
            raise ValueError(f"{function} of {name} must be a staticmethod.")
    if not cell.x_gates:
        raise ValueError(f"x_gates of {name} must name at least one gate, got ().")
    if cell.carried[:1] != ("h",):
        raise ValueError(
            f"carried of {name} must begin with 'h', the output, got {cell.carried!r}."
        )
    if cell.additive and len(cell.x_gates) != len(cell.h_gates):
        raise ValueError(
            f"x_gates and h_gates of {name} must be as many, since it is additive, "
            f"got {cell.x_gates!r} and {cell.h_gates!r}."
        )
    _run(cell, *_random_arguments(cell))


def check_cell(cell):
    """Check a cell's parts, and its `backward` against central differences.

    Run it once on a cell of your own.

    Parameters
    ----------
    cell : Cell

    Raises
    ------
    ValueError
        When `backward` is not the gradient of `forward`; names the argument.

    Examples
    --------
    >>> from skrnn.cells import GRU, check_cell
    >>> check_cell(GRU())
    """
    check_parts(cell)
    arguments, d_carry = _random_arguments(cell)
    found = _run(cell, arguments, d_carry)[1]
    for i, name in enumerate(("ax", "ah", "carry", "unit")):
        for j in range(len(arguments[i])):
            expected = _central_difference(cell, arguments, d_carry, i, j)
            if not abs(found[i][j] - expected) <= TOLERANCE * (1 + abs(expected)):
                raise ValueError(
                    f"backward of {type(cell).__name__} must be the gradient of "
                    f"forward, got {found[i][j]:.8g} for d_{name}[{j}] where central "
                    f"differences give {expected:.8g}."
                )


def _random_arguments(cell):
    """Arguments of `forward`, and a gradient of what it carries on."""
    rng = np.random.default_rng(0)
    counts = map(len, (cell.x_gates, cell.h_gates, cell.carried, cell.unit_vectors))
    arguments = [tuple(rng.standard_normal(n)) for n in counts]
    return arguments, tuple(rng.standard_normal(len(cell.carried)))


def _run(cell, arguments, d_carry):
    """Outputs of `forward` and of `backward`, with their lengths checked."""
    forward = plain(cell.forward, np.float64, **cell.bindings())
    backward = plain(cell.backward, np.float64, **cell.bindings())
    carry, tape = _tuples(cell, "forward", forward(*arguments), 2)
    _check_length(cell, "forward", "carry", carry, cell.carried)
    _check_length(cell, "forward", "tape", tape, cell.taped)
    found = backward(d_carry, tape, arguments[2], arguments[3])
    found = _tuples(cell, "backward", found, 4)
    d_ax, d_ah, d_before, d_unit = found
    _check_length(cell, "backward", "d_ax", d_ax, cell.x_gates)
    _check_length(cell, "backward", "d_ah", d_ah, cell.h_gates)
    _check_length(cell, "backward", "d_carry", d_before, cell.carried)
    _check_length(cell, "backward", "d_unit", d_unit, cell.unit_vectors)
    return carry, found


def _tuples(cell, function, result, n):
    is_tuple = isinstance(result, tuple) and len(result) == n
    if not is_tuple or not all(isinstance(part, tuple) for part in result):
        raise ValueError(
            f"{function} of {type(cell).__name__} must return {n} tuples, "
            f"got {result!r}."
        )
    return result


def _check_length(cell, function, what, values, names):
    if len(values) != len(names):
        raise ValueError(
            f"{function} of {type(cell).__name__} must return {what} with one value "
            f"for each of {names!r}, got {len(values)}."
        )


def _central_difference(cell, arguments, d_carry, i, j):
    """Derivative of ``d_carry . forward(...)`` in entry j of argument i."""
    values = []
    for step in (STEP, -STEP):
        moved = list(arguments)
        moved[i] = (*moved[i][:j], moved[i][j] + step, *moved[i][j + 1 :])
        carry = _run(cell, moved, d_carry)[0]
        values.append(sum(d * c for d, c in zip(d_carry, carry, strict=True)))
    return (values[0] - values[1]) / (2 * STEP)
