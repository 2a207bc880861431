"""The time loops, forward and backward, for every cell.

Sizes: T steps, B sequences, N real steps of all sequences together, D inputs, H units,
X gates that read the input and G that read the state. Rows are packed: step t owns the
rows ``starts[t]`` to ``starts[t] + sizes[t]``. In `h` and `c` the B rows of the initial
state come first. What does not depend on the order of the steps is done for a block of
them: as many as have M rows together, but at least one; its planes stay in the cache.
Matrices lie in flat arrays, see `skrnn.network.products`.
"""

import numpy as np

from skrnn.network.products import (
    add_column_sums,
    add_outer_product,
    add_product,
    lay_out,
    put_row,
)

# Bound to functions for each cell, see `skrnn.network.layer`.
cell_forward = take_x = take_h = take_c = take_tape = take_unit = None
cell_backward = put_x = put_h = put_c = put_tape = put_unit = None
additive = False


def forward_steps(blas, shape, x, weights, unit, mask, carried, kept, room, steps):
    """Run a cell over all steps of a packed minibatch.

    Parameters
    ----------
    blas : tuple
        As from `skrnn.network.blas.product`.
    shape : tuple of int
        B, D, H and M.
    x : (N * D,)
    weights : tuple
        w_x (X, H * D), b_x (X, H), w_h (G, H * H) and b_h (G, H). For an additive cell
        b_x is the sum of both biases.
    unit : (n_unit_vectors, B * H)
        Unit vectors, repeated for each sequence.
    mask : (B * H,) or (0,)
        Factors of the previous output on its way into the product.
    carried : tuple
        h ((B + N) * H,), outputs, and c (n_carried - 1, (B + N) * H), the other carried
        values. The first B rows are read, the others written.
    kept : tuple
        The tape, (n_taped, N * H), and 1; or (n_taped, B * H) and 0 to let each step
        overwrite the last.
    room : tuple
        For the pre-activations: ax (X, M * H) of a block and ah (G, B * H) of a step,
        unused by an additive cell; for the masked outputs (B * H,); for the tiles of
        w_x and w_h.
    steps : tuple
        starts (T + 1,) and sizes (T,).
    """
    B, D, H, M = shape
    w_x, b_x, w_h, b_h = weights
    h, c = carried
    tape, taped = kept
    ax, ah, masked, tiles_x, tiles_h = room
    starts, sizes = steps
    _lay_out_all(blas, w_x, D, H, 1, D, tiles_x)
    _lay_out_all(blas, w_h, H, H, 1, H, tiles_h)
    begin = end = before = 0
    for t in range(sizes.size):
        n, start = sizes[t], starts[t]
        if start == end:
            begin, end = start, _block_end(t, starts, M)
            for k in range(w_x.shape[0]):
                put_row(b_x[k], end - begin, H, ax[k])
                add_product(
                    blas, (end - begin, D, H), x[begin * D :], tiles_x[k], ax[k]
                )
        at = (start - begin) * H
        read = h[before * H :]
        if mask.size > 0:
            _put_masked(n * H, read, mask, masked)
            read = masked
        for k in range(w_h.shape[0]):
            if additive:
                add_product(blas, (n, H, H), read, tiles_h[k], ax[k, at:])
            else:
                put_row(b_h[k], n, H, ah[k])
                add_product(blas, (n, H, H), read, tiles_h[k], ah[k])
        places = at, before * H, (B + start) * H, taped * start * H
        _forward_step(n * H, ax, ah, unit, h, c, tape, places)
        before = B + start


def _lay_out_all(blas, w, K, J, next_row, next_column, tiles):
    for k in range(w.shape[0]):
        lay_out(blas, w[k], K, J, next_row, next_column, tiles[k])


def _block_end(t, starts, n_rows):
    """First row behind the block that begins with step t."""
    stop = t + 1
    while stop < starts.size - 1 and starts[stop + 1] - starts[t] <= n_rows:
        stop += 1
    return starts[stop]


def _block_begin(t, starts, n_rows):
    """First row of the block that ends with step t."""
    first = t
    while first > 0 and starts[t + 1] - starts[first - 1] <= n_rows:
        first -= 1
    return starts[first]


def _forward_step(n_flat, ax, ah, unit, h, c, tape, places):
    at, before = np.uint64(places[0]), np.uint64(places[1])
    now, tape_at = np.uint64(places[2]), np.uint64(places[3])
    for i in range(n_flat):
        j = np.uint64(i)
        carry, values = cell_forward(
            take_x(ax, at + j),
            take_h(ah, j),
            (h[before + j],) + take_c(c, before + j),
            take_unit(unit, j),
        )
        h[now + j] = carry[0]
        put_c(c, now + j, carry[1:])
        put_tape(tape, tape_at + j, values)


def backward_steps(
    blas,
    shape,
    d_out,
    d_carried,
    x,
    weights,
    unit,
    mask,
    carried,
    tape,
    written,
    room,
    steps,
):
    """Run a cell's gradient over all steps, from the last to the first.

    Parameters
    ----------
    d_out : (N * H,) or (0,)
        Gradient with respect to the output of every step; empty if there is none.
    d_carried : tuple
        d_h (B * H,) and d_c (n_carried - 1, B * H). On entry the gradient with respect
        to the final state of each sequence, on return that with respect to the initial
        state.
    weights : tuple
        w_x (X, H * D) and w_h (G, H * H).
    blas, shape, x, unit, mask, carried, tape, steps
        As in `forward_steps`.
    written : tuple
        d_w_x (X, H * D), d_b_x (X, H), d_w_h (G, H * H), d_b_h (G, H) and d_unit
        (n_unit_vectors, H), to which the gradient is added, and d_x (N * D,), or (0,)
        if it is not wanted.
    room : tuple
        For a block: d_ax (X, M * H), d_ah (G, M * H), which is the same array for an
        additive cell, the unit vectors' gradients (n_unit_vectors, M * H) and what the
        recurrent products read (M * H,). For a step: the gradient with respect to what
        they read (B * H,). For the tiles of w_x and w_h.
    """
    B, D, H, M = shape
    d_h, d_c = d_carried
    h, c = carried
    d_ax, d_ah, d_units, read, d_read, tiles_x, tiles_h = room
    starts, sizes = steps
    _lay_out_all(blas, weights[1], H, H, H, 1, tiles_h)
    if written[5].size > 0:
        _lay_out_all(blas, weights[0], H, D, D, 1, tiles_x)
    begin = end = starts[-1]
    for t in range(sizes.size - 1, -1, -1):
        n, start = sizes[t], starts[t]
        if start < begin:
            begin, end = _block_begin(t, starts, M), start + n
        at = (start - begin) * H
        before = 0 if t == 0 else (B + starts[t - 1]) * H
        if d_out.size > 0:
            _add(n * H, d_out[start * H :], d_h)
        places = at, before, start * H
        _backward_step(n * H, d_h, d_c, tape, h, c, unit, d_units, d_ax, d_ah, places)
        if tiles_h.shape[0] > 0:
            _put_masked(n * H, h[before:], mask, read[at:])
            _add_to_previous(blas, (n, H, H), d_ah, at, tiles_h, mask, d_read, d_h)
        if start == begin:
            block, block_x = (end - begin, D, H), x[begin * D :]
            _add_weights(blas, block, d_ax, block_x, written[0], written[1])
            block = (end - begin, H, H)
            _add_weights(blas, block, d_ah, read, written[2], written[3])
            for k in range(written[4].shape[0]):
                add_column_sums(d_units[k], end - begin, H, written[4][k])
            if written[5].size > 0:
                block = (end - begin, H, D)
                _put_input(blas, block, d_ax, tiles_x, written[5][begin * D :])


def _backward_step(n_flat, d_h, d_c, tape, h, c, unit, d_unit, d_ax, d_ah, places):
    at, before = np.uint64(places[0]), np.uint64(places[1])
    tape_at = np.uint64(places[2])
    for i in range(n_flat):
        j = np.uint64(i)
        step_d_ax, step_d_ah, d_carry, step_d_unit = cell_backward(
            (d_h[j],) + take_c(d_c, j),
            take_tape(tape, tape_at + j),
            (h[before + j],) + take_c(c, before + j),
            take_unit(unit, j),
        )
        put_x(d_ax, at + j, step_d_ax)
        put_h(d_ah, at + j, step_d_ah)
        put_unit(d_unit, at + j, step_d_unit)
        d_h[j] = d_carry[0]
        put_c(d_c, j, d_carry[1:])


def _add_to_previous(blas, sizes, d_ah, at, tiles_h, mask, d_read, d_h):
    """Add what arrives at the previous outputs through the product to `d_h`."""
    target = d_h
    n_flat = sizes[0] * sizes[1]
    if mask.size > 0:
        target = d_read
        d_read[:n_flat] = 0.0
    for k in range(tiles_h.shape[0]):
        add_product(blas, sizes, d_ah[k, at:], tiles_h[k], target)
    if mask.size > 0:
        _put_masked(n_flat, d_read, mask, d_read)
        _add(n_flat, d_read, d_h)


def _add_weights(blas, sizes, d_a, read, d_w, d_b):
    """Add a block's gradients of weights and biases; `sizes` is n, K and H."""
    n, K, H = sizes
    for k in range(d_w.shape[0]):
        add_outer_product(blas, (n, H, K), d_a[k], read, d_w[k])
        add_column_sums(d_a[k], n, H, d_b[k])


def _put_input(blas, sizes, d_ax, tiles_x, d_x):
    """Store a block's gradient with respect to the input, (n, D); sizes n, H and D."""
    d_x[: sizes[0] * sizes[2]] = 0.0
    for k in range(tiles_x.shape[0]):
        add_product(blas, sizes, d_ax[k], tiles_x[k], d_x)


def _put_masked(n_flat, rows, mask, out):
    """Store rows, times the mask if there is one, in `out`."""
    for i in range(n_flat):
        j = np.uint64(i)
        out[j] = rows[j] * mask[j] if mask.size > 0 else rows[j]


def _add(n_flat, values, total):
    for i in range(n_flat):
        j = np.uint64(i)
        total[j] += values[j]
