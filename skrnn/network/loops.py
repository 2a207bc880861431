"""The time loops, forward and backward, for every cell.

Sizes: T steps, B sequences, N real steps of all sequences together, H units. Rows are
packed: step t owns the rows ``starts[t]`` to ``starts[t] + sizes[t]``. In `h` and `c`
the B rows of the initial state come first. Indices into planes are unsigned: Numba
would test others for negative values, which keeps the loop from being vectorised.
"""

import numpy as np

# Bound to functions for each cell, see `skrnn.network.layer`.
cell_forward = take_x = take_h = take_c = take_tape = take_unit = None
cell_backward = put_x = put_h = put_c = put_tape = put_unit = None


def forward_steps(ax, w, b, unit, mask, h, c, ah, tape, taped, starts, sizes):
    """Run a cell over all steps of a packed minibatch.

    Parameters
    ----------
    ax : (n_x_gates, N * H)
        Pre-activations from the input.
    w : (n_h_gates, H, H)
        Recurrent weights, transposed: row i belongs to the unit that is read.
    b : (n_h_gates, H)
    unit : (n_unit_vectors, B * H)
        Unit vectors, repeated for each sequence.
    mask : (B, H) or (0, H)
        Factors of the previous output on its way into the product.
    h : (B + N, H)
        Outputs; the first B rows are read, the others written.
    c : (n_carried - 1, (B + N) * H)
        The other carried values, likewise.
    ah : (n_h_gates, B * H)
        Room for one step.
    tape : (n_taped, N * H), or (n_taped, B * H) if `taped` is 0
    taped : int
        1 to keep the tape of all steps, 0 to let each step overwrite the last.
    starts, sizes : (T + 1,), (T,)
    """
    H = h.shape[1]
    flat_h = h.reshape(-1)
    B = h.shape[0] - starts[-1]
    masked = np.empty(mask.shape, mask.dtype)
    ah_rows = ah.reshape(-1, H)
    before = 0
    for t in range(sizes.size):
        n = sizes[t]
        now = B + starts[t]
        read = _masked_rows(h[before : before + n], mask, masked)
        for k in range(w.shape[0]):
            rows = ah_rows[k * B : k * B + n]
            np.dot(read, w[k], rows)
            _add_bias(rows, b[k])
        _forward_step(
            n * H,
            (ax, starts[t] * H),
            ah,
            unit,
            (flat_h, c, before * H, now * H),
            (tape, taped * starts[t] * H),
        )
        before = now


def _forward_step(n_flat, input, ah, unit, carried, kept):
    ax, x0 = input[0], np.uint64(input[1])
    h, c = carried[0], carried[1]
    before, now = np.uint64(carried[2]), np.uint64(carried[3])
    tape, tape0 = kept[0], np.uint64(kept[1])
    for i in range(n_flat):
        j = np.uint64(i)
        carry, values = cell_forward(
            take_x(ax, x0 + j),
            take_h(ah, j),
            (h[before + j],) + take_c(c, before + j),
            take_unit(unit, j),
        )
        h[now + j] = carry[0]
        put_c(c, now + j, carry[1:])
        put_tape(tape, tape0 + j, values)


def _masked_rows(rows, mask, masked):
    if mask.shape[0] == 0:
        return rows
    n = rows.shape[0]
    for i in range(n):
        for j in range(rows.shape[1]):
            masked[i, j] = rows[i, j] * mask[i, j]
    return masked[:n]


def _add_bias(rows, b):
    for i in range(rows.shape[0]):
        for j in range(b.size):
            rows[i, j] += b[j]


def backward_steps(
    d_out, d_h, d_c, w, unit, mask, h, c, tape, d_ax, d_ah, d_unit, starts, sizes
):
    """Run a cell's gradient over all steps, from the last to the first.

    Parameters
    ----------
    d_out : (N, H) or (0, H)
        Gradient with respect to the output of every step; with 0 rows, none.
    d_h, d_c : (B, H), (n_carried - 1, B * H)
        On entry the gradient with respect to the final state of each sequence, on
        return that with respect to the initial state.
    w : (n_h_gates, H, H)
        Recurrent weights: row i belongs to the unit that is written.
    unit, mask, h, c, tape, starts, sizes
        As in `forward_steps`.
    d_ax, d_ah : (n_x_gates, N * H), (n_h_gates, N * H)
        Gradients of the pre-activations, written. The same array for an additive
        cell, whose gradients are the same.
    d_unit : (n_unit_vectors, N * H)
        Gradients of the unit vectors, written row by row.
    """
    H = h.shape[1]
    flat_h = h.reshape(-1)
    flat_d_h = d_h.reshape(-1)
    B = d_h.shape[0]
    product = np.empty((B, H), h.dtype)
    for t in range(sizes.size - 1, -1, -1):
        n = sizes[t]
        start = starts[t]
        if d_out.shape[0] > 0:
            _add_rows(d_h, d_out[start : start + n])
        _backward_step(
            n * H,
            (flat_d_h, d_c),
            tape,
            (flat_h, c, 0 if t == 0 else (B + starts[t - 1]) * H),
            (unit, d_unit),
            (d_ax, d_ah, start * H),
        )
        for k in range(w.shape[0]):
            rows = d_ah[k, start * H : (start + n) * H].reshape(n, H)
            np.dot(rows, w[k], product[:n])
            _add_masked(d_h, product[:n], mask)


def _backward_step(n_flat, gradient, tape, carried, units, written):
    d_h, d_c = gradient
    h, c, before = carried[0], carried[1], np.uint64(carried[2])
    unit, d_unit = units
    d_ax, d_ah, start = written[0], written[1], np.uint64(written[2])
    for i in range(n_flat):
        j = np.uint64(i)
        step_d_ax, step_d_ah, d_carry, step_d_unit = cell_backward(
            (d_h[j],) + take_c(d_c, j),
            take_tape(tape, start + j),
            (h[before + j],) + take_c(c, before + j),
            take_unit(unit, j),
        )
        put_x(d_ax, start + j, step_d_ax)
        put_h(d_ah, start + j, step_d_ah)
        put_unit(d_unit, start + j, step_d_unit)
        d_h[j] = d_carry[0]
        put_c(d_c, j, d_carry[1:])


def _add_rows(total, rows):
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            total[i, j] += rows[i, j]


def _add_masked(total, rows, mask):
    if mask.shape[0] == 0:
        _add_rows(total, rows)
        return
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            total[i, j] += rows[i, j] * mask[i, j]
