"""The time loops, forward and backward, for every cell.

Sizes: T steps, B sequences, N real steps of all sequences together, D inputs, H units.
Rows are packed: step t owns the rows ``starts[t]`` to ``starts[t] + sizes[t]``. In `h`
and `c` the B rows of the initial state come first. What does not depend on the order
of the steps is done for a block of them, of at most M rows if a step has no more; the
block's planes have room for M rows and stay in the cache. Indices into planes are
unsigned: Numba would test others for negative values, which keeps the loop from being
vectorised.
"""

import numpy as np

from skrnn.network.products import (
    add_column_sums,
    add_outer_product,
    add_product,
    put_rows,
)

# Bound to functions for each cell, see `skrnn.network.layer`.
cell_forward = take_x = take_h = take_c = take_tape = take_unit = None
cell_backward = put_x = put_h = put_c = put_tape = put_unit = None
additive = False


def forward_steps(blas, x, weights, unit, mask, carried, tape, taped, room, steps):
    """Run a cell over all steps of a packed minibatch.

    Parameters
    ----------
    blas : tuple
        As from `skrnn.network.blas.product`.
    x : (N, D)
    weights : tuple
        w_x, of n_x_gates times (D, H), b_x (n_x_gates, H), w_h, of n_h_gates times
        (H, H), and b_h (n_h_gates, H). The rows of a weight belong to what is read;
        weights are laid out in tiles, see `skrnn.network.products`. For an additive cell b_x is the sum of both biases.
    unit : (n_unit_vectors, B * H)
        Unit vectors, repeated for each sequence.
    mask : (B, H) or (0, H)
        Factors of the previous output on its way into the product.
    carried : tuple
        h (B + N, H), outputs, and c (n_carried - 1, (B + N) * H), the other carried
        values. The first B rows are read, the others written.
    tape : (n_taped, N * H), or (n_taped, B * H) if `taped` is 0
    taped : int
        1 to keep the tape of all steps, 0 to let each step overwrite the last.
    room : tuple
        For the pre-activations: ax (n_x_gates, M, H) of a block and ah (n_h_gates, B,
        H) of a step, unused by an additive cell; for the masked outputs (B, H).
    steps : tuple
        starts (T + 1,) and sizes (T,).
    """
    w_x, b_x, w_h, b_h = weights
    h, c = carried
    ax, ah, masked = room
    starts, sizes = steps
    H = h.shape[1]
    B = h.shape[0] - starts[-1]
    flat_h, flat_ax, flat_ah = h.reshape(-1), _flat(ax), _flat(ah)
    begin = end = before = 0
    for t in range(sizes.size):
        n, start = sizes[t], starts[t]
        if start == end:
            begin, end = start, _block_end(t, steps, ax.shape[1])
            for k in range(w_x.shape[0]):
                put_rows(b_x[k], ax[k, : end - begin])
                add_product(blas, x[begin:end], w_x[k], ax[k, : end - begin])
        read = _masked_rows(h[before : before + n], mask, masked)
        at = start - begin
        for k in range(w_h.shape[0]):
            if additive:
                add_product(blas, read, w_h[k], ax[k, at : at + n])
            else:
                put_rows(b_h[k], ah[k, :n])
                add_product(blas, read, w_h[k], ah[k, :n])
        _forward_step(
            n * H,
            (flat_ax, at * H),
            flat_ah,
            unit,
            (flat_h, c, before * H, (B + start) * H),
            (tape, taped * start * H),
        )
        before = B + start


def _flat(planes):
    return planes.reshape(planes.shape[0], planes.shape[1] * planes.shape[2])


def _block_end(t, steps, n_rows):
    """First row behind the block that begins with step t."""
    starts, sizes = steps
    stop = t + 1
    while stop < sizes.size and starts[stop + 1] - starts[t] <= n_rows:
        stop += 1
    return starts[stop]


def _block_begin(t, steps, n_rows):
    """First row of the block that ends with step t."""
    starts = steps[0]
    first = t
    while first > 0 and starts[t + 1] - starts[first - 1] <= n_rows:
        first -= 1
    return starts[first]


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
    _put_masked(rows, mask, masked[:n])
    return masked[:n]


def backward_steps(
    blas, d_out, d_carried, x, weights, unit, mask, carried, tape, written, room, steps
):
    """Run a cell's gradient over all steps, from the last to the first.

    Parameters
    ----------
    d_out : (N, H) or (0, H)
        Gradient with respect to the output of every step; with 0 rows, none.
    d_carried : tuple
        d_h (B, H) and d_c (n_carried - 1, B * H). On entry the gradient with respect
        to the final state of each sequence, on return that with respect to the initial
        state.
    weights : tuple
        w_x and w_h, of n_x_gates times (H, D) and n_h_gates times (H, H). The rows of
        a weight belong to the units that are written; laid out in tiles.
    blas, x, unit, mask, carried, tape, steps
        As in `forward_steps`.
    written : tuple
        d_w_x (n_x_gates, H, D), d_b_x (n_x_gates, H), d_w_h (n_h_gates, H, H), d_b_h
        (n_h_gates, H) and d_unit (n_unit_vectors, H), to which the gradient is added,
        and d_x (N, D), which is overwritten, or (0, D).
    room : tuple
        For a block: d_ax (n_x_gates, M, H), d_ah (n_h_gates, M, H), which is the same
        array for an additive cell, the unit vectors' gradients (n_unit_vectors, M, H)
        and what the recurrent products read, (M, H or more). For a step: the gradient
        with respect to what they read, (B, H).
    """
    w_x, w_h = weights
    d_h, d_c = d_carried
    h, c = carried
    d_ax, d_ah, d_units, read, d_read = room
    starts, sizes = steps
    H = h.shape[1]
    B = d_h.shape[0]
    flat_h, flat_d_h = h.reshape(-1), d_h.reshape(-1)
    flat_d_ax, flat_d_ah, flat_d_units = _flat(d_ax), _flat(d_ah), _flat(d_units)
    begin = end = starts[-1]
    for t in range(sizes.size - 1, -1, -1):
        n, start = sizes[t], starts[t]
        if start < begin:
            begin, end = _block_begin(t, steps, read.shape[0]), start + n
        before = 0 if t == 0 else B + starts[t - 1]
        at = start - begin
        if d_out.shape[0] > 0:
            _add_rows(d_out[start : start + n], d_h)
        _backward_step(
            n * H,
            (flat_d_h, d_c),
            (tape, start * H),
            (flat_h, c, before * H),
            (unit, flat_d_units),
            (flat_d_ax, flat_d_ah, at * H),
        )
        if w_h.shape[0] > 0:
            _put_masked(h[before : before + n], mask, read[at : at + n])
            _add_to_previous(blas, (d_ah, at), w_h, mask, d_read[:n], d_h[:n])
        if start == begin:
            _add_weights(blas, d_ax, d_ah, x[begin:end], read, written)
            _add_units(d_units, end - begin, written[4])
            if written[5].shape[0] > 0:
                _put_input(blas, d_ax, w_x, written[5][begin:end])


def _backward_step(n_flat, gradient, kept, carried, units, block):
    d_h, d_c = gradient
    tape, tape0 = kept[0], np.uint64(kept[1])
    h, c, before = carried[0], carried[1], np.uint64(carried[2])
    unit, d_unit = units
    d_ax, d_ah, at = block[0], block[1], np.uint64(block[2])
    for i in range(n_flat):
        j = np.uint64(i)
        step_d_ax, step_d_ah, d_carry, step_d_unit = cell_backward(
            (d_h[j],) + take_c(d_c, j),
            take_tape(tape, tape0 + j),
            (h[before + j],) + take_c(c, before + j),
            take_unit(unit, j),
        )
        put_x(d_ax, at + j, step_d_ax)
        put_h(d_ah, at + j, step_d_ah)
        put_unit(d_unit, at + j, step_d_unit)
        d_h[j] = d_carry[0]
        put_c(d_c, j, d_carry[1:])


def _add_to_previous(blas, d_ah, w_h, mask, d_read, d_h):
    """Add what arrives at the previous outputs through the product to `d_h`, (n, H).

    `d_ah` is a tuple: a block, and the row in it where the step begins.
    """
    block, at = d_ah
    n = d_h.shape[0]
    target = d_h
    if mask.shape[0] > 0:
        target = d_read
        target[:] = 0.0
    for k in range(w_h.shape[0]):
        add_product(blas, block[k, at : at + n], w_h[k], target)
    if mask.shape[0] > 0:
        _add_masked(d_read, mask, d_h)


def _add_weights(blas, d_ax, d_ah, x, read, written):
    """Add a block's gradients of weights and biases to the first four of `written`."""
    n = x.shape[0]
    d_w_x, d_b_x, d_w_h, d_b_h = written[:4]
    for k in range(d_w_x.shape[0]):
        add_outer_product(blas, d_ax[k, :n], x, d_w_x[k])
        add_column_sums(d_ax[k, :n], d_b_x[k])
    for k in range(d_w_h.shape[0]):
        add_outer_product(blas, d_ah[k, :n], read, d_w_h[k])
        add_column_sums(d_ah[k, :n], d_b_h[k])


def _add_units(d_units, n, d_unit):
    for k in range(d_unit.shape[0]):
        add_column_sums(d_units[k, :n], d_unit[k])


def _put_input(blas, d_ax, w_x, d_x):
    d_x[:] = 0.0
    for k in range(w_x.shape[0]):
        add_product(blas, d_ax[k, : d_x.shape[0]], w_x[k], d_x)


def _put_masked(rows, mask, out):
    for i in range(rows.shape[0]):
        if mask.shape[0] > 0:
            _put_products(rows[i], mask[i], out[i])
        else:
            _put(rows[i], out[i])


def _add_masked(rows, mask, total):
    for i in range(rows.shape[0]):
        _add_products(rows[i], mask[i], total[i])


def _add_rows(rows, total):
    for i in range(rows.shape[0]):
        _add(rows[i], total[i])


def _put(values, out):
    for j in range(values.size):
        out[j] = values[j]


def _put_products(a, b, out):
    for j in range(a.size):
        out[j] = a[j] * b[j]


def _add(values, total):
    for j in range(values.size):
        total[j] += values[j]


def _add_products(a, b, total):
    for j in range(a.size):
        total[j] += a[j] * b[j]
