"""The time loops, forward and backward, for every cell.

Sizes: T steps, B sequences, N real steps of all sequences together, D inputs, H units,
X gates that read the input and G that read the state. Rows are packed: step t owns the
rows ``starts[t]`` to ``starts[t] + sizes[t]``. In `h` and `c` the B rows of the initial
state come first. What does not depend on the order of the steps is done for a block of
them, whose planes have room for M rows and stay in the cache. All arrays are flat, see
`skrnn.network.planes` and `skrnn.network.products`.
"""

import numpy as np

from skrnn.jit import shared, wide_vectors
from skrnn.network.products import (
    add_column_sums,
    add_outer_product,
    add_product,
    add_row_product,
    add_transposes,
    lay_out,
    put_row,
    tiled_size,
)

# To Numba the literals 0 and 1 are types of their own: callees would compile again.
ZERO, ONE = np.int64(0), np.int64(1)

# Bound to functions for each cell, see `skrnn.network.layer`.
cell_forward = take_x = take_h = take_c = take_tape = take_unit = None
cell_backward = put_x = put_h = put_c = put_tape = put_unit = None
additive = False


def forward_steps(shape, x, weights, unit, mask, carried, kept, room, steps):
    """Run a cell over all steps of a packed minibatch.

    Parameters
    ----------
    shape : tuple of int
        B, D, H, M, X and G; no block has more than M rows.
    x : (N * D,)
    weights : tuple
        w_x (X * H * D), b_x (X * H), w_h (G * H * H) and b_h (G * H). For an additive
        cell b_x is the sum of both biases.
    unit : (n_unit_vectors * B * H)
        Unit vectors, repeated for each sequence.
    mask : (B * H,) or (0,)
        Factors of the previous output on its way into the product.
    carried : tuple
        h ((B + N) * H,), outputs, and c ((n_carried - 1) * (B + N) * H), the other
        carried values. The first B rows are read, the others written.
    kept : tuple
        The tape, (n_taped * N * H), and 1; or (n_taped * B * H) and 0 to let each step
        overwrite the last.
    room : tuple
        For the pre-activations: ax (X * M * H) of a block and ah (G * B * H) of a step,
        unused by an additive cell; for the masked outputs (B * H,); for the tiles of
        w_x and w_h.
    steps : tuple
        starts (T + 1,), sizes (T,) and blocks: the first step of each, then T.
    """
    B, D, H, M, n_x, n_h = shape
    w_x, b_x, w_h, b_h = weights
    h, c = carried
    tape, taped = kept
    ax, ah, masked, tiles_x, tiles_h = room
    starts, sizes, blocks = steps
    N = starts[-1]
    tiled = N > 1  # laying the weights out for a lone row would take longer
    if tiled:
        lay_out(n_x, D, H, ONE, D, w_x, tiles_x)
        lay_out(n_h, H, H, ONE, H, w_h, tiles_h)
    plane_sizes = M * H, B * H, (B + N) * H, (N if taped else B) * H
    before = 0
    for block in range(blocks.size - 1):
        first, stop = blocks[block], blocks[block + 1]
        begin, rows = starts[first], starts[stop] - starts[first]
        for k in range(n_x):
            put_row(b_x, k * H, rows, H, ax, k * M * H)
            place = begin * D, k, k * M * H
            _add_gate(tiled, (rows, D, H), place, x, w_x, tiles_x, ax)
        for t in range(first, stop):
            n, start = sizes[t], starts[t]
            at = (start - begin) * H
            read, read_at = h, before * H
            if mask.size > 0:
                _put_masked(n * H, h, before * H, mask, masked, ZERO)
                read, read_at = masked, ZERO
            for k in range(n_h):
                out, out_at = ax, k * M * H + at
                if not additive:
                    out, out_at = ah, k * B * H
                    put_row(b_h, k * H, n, H, ah, out_at)
                place = read_at, k, out_at
                _add_gate(tiled, (n, H, H), place, read, w_h, tiles_h, out)
            places = at, before * H, (B + start) * H, taped * start * H
            _forward_step(n * H, plane_sizes, places, ax, ah, unit, h, c, tape)
            before = B + start


def _add_gate(tiled, sizes, place, x, w, tiles, out):
    """Add the product with gate k's weights; `place` is x_at, k and out_at."""
    _, K, J = sizes
    x_at, k, out_at = place
    if tiled:
        tiles_at = k * tiled_size(x.itemsize, K, J)
        add_product(sizes, x, x_at, tiles, tiles_at, out, out_at)
    else:
        add_row_product(sizes, x, x_at, w, k * K * J, out, out_at)


def _forward_step(n_flat, plane_sizes, places, ax, ah, unit, h, c, tape):
    wide_vectors()
    at, before = np.uint64(places[0]), np.uint64(places[1])
    now, tape_at = np.uint64(places[2]), np.uint64(places[3])
    size_x, size_step = np.uint64(plane_sizes[0]), np.uint64(plane_sizes[1])
    size_c, size_tape = np.uint64(plane_sizes[2]), np.uint64(plane_sizes[3])
    for i in range(n_flat):
        j = np.uint64(i)
        carry, values = cell_forward(
            take_x(ax, size_x, at + j),
            take_h(ah, size_step, j),
            (h[before + j],) + take_c(c, size_c, before + j),
            take_unit(unit, size_step, j),
        )
        h[now + j] = carry[0]
        put_c(c, size_c, now + j, carry[1:])
        put_tape(tape, size_tape, tape_at + j, values)


def backward_steps(
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
        d_h (B * H,) and d_c ((n_carried - 1) * B * H). On entry the gradient with
        respect to the final state of each sequence, on return that with respect to the
        initial state.
    weights : tuple
        w_x (X * H * D) and w_h (G * H * H).
    shape, x, unit, mask, carried, tape, steps
        As in `forward_steps`.
    written : tuple
        d_w_x (X * H * D), d_b_x (X * H), d_w_h (G * H * H), d_b_h (G * H) and d_unit
        (n_unit_vectors * H), to which the gradient is added, and d_x (N * D,), or (0,)
        if it is not wanted.
    room : tuple
        For a block: d_ax (X * M * H), d_ah (G * M * H), which is the same array for an
        additive cell, the unit vectors' gradients (n_unit_vectors * M * H) and what the
        recurrent products read (M * H,). For a step: the gradient with respect to what
        they read (B * H,). For the transposes of d_w_x (X * D * H), whose rows are long
        where those of d_w_x are short. For the tiles of w_x and w_h. For a one (1,).
    """
    B, D, H, M, n_x, n_h = shape
    d_h, h = d_carried[0], carried[0]
    d_w_x, d_b_x, d_w_h, d_b_h, d_unit, d_x = written
    d_ax, d_ah, d_units, read, d_read, d_turned, tiles_x, tiles_h, one = room
    d_planes = d_ax, d_ah, d_units
    starts, sizes, blocks = steps
    N = starts[-1]
    lay_out(n_h, H, H, H, ONE, weights[1], tiles_h)
    if d_x.size > 0:
        lay_out(n_x, H, D, D, ONE, weights[0], tiles_x)
    plane_sizes = M * H, B * H, (B + N) * H, N * H
    d_turned[:], one[:] = 0.0, 1.0
    for block in range(blocks.size - 2, -1, -1):
        first, stop = blocks[block], blocks[block + 1]
        begin, rows = starts[first], starts[stop] - starts[first]
        for t in range(stop - 1, first - 1, -1):
            n, start = sizes[t], starts[t]
            at = (start - begin) * H
            before = 0 if t == 0 else (B + starts[t - 1]) * H
            if d_out.size > 0:
                _add(n * H, d_out, start * H, d_h)
            places = at, before, start * H
            _backward_step(
                n * H, plane_sizes, places, d_carried, tape, carried, unit, d_planes
            )
            if n_h > 0:
                _put_masked(n * H, h, before, mask, read, at)
                out = d_h
                if mask.size > 0:
                    out = d_read
                    d_read[: n * H] = 0.0
                for k in range(n_h):
                    gate, tile = k * M * H + at, k * tiled_size(x.itemsize, H, H)
                    add_product((n, H, H), d_ah, gate, tiles_h, tile, out, ZERO)
                if mask.size > 0:
                    _put_masked(n * H, d_read, ZERO, mask, d_read, ZERO)
                    _add(n * H, d_read, ZERO, d_h)
        for k in range(n_x):
            gate, sizes_x, to = k * M * H, (rows, D, H), k * D * H
            add_outer_product(sizes_x, x, begin * D, d_ax, gate, d_turned, to)
            add_column_sums(one, rows, H, d_ax, gate, d_b_x, k * H)
        for k in range(n_h):
            gate, sizes_h, to = k * M * H, (rows, H, H), k * H * H
            add_outer_product(sizes_h, d_ah, gate, read, ZERO, d_w_h, to)
            add_column_sums(one, rows, H, d_ah, gate, d_b_h, k * H)
        for k in range(d_unit.size // H):
            add_column_sums(one, rows, H, d_units, k * M * H, d_unit, k * H)
        if d_x.size > 0:
            d_x[begin * D : (begin + rows) * D] = 0.0
            for k in range(n_x):
                gate, tile = k * M * H, k * tiled_size(x.itemsize, H, D)
                sizes_x, to = (rows, H, D), begin * D
                add_product(sizes_x, d_ax, gate, tiles_x, tile, d_x, to)
    add_transposes(n_x, D, H, d_turned, d_w_x)


def _backward_step(n_flat, plane_sizes, places, d_carried, tape, carried, unit, planes):
    wide_vectors()
    d_h, d_c = d_carried
    h, c = carried
    d_ax, d_ah, d_unit = planes
    at, before = np.uint64(places[0]), np.uint64(places[1])
    tape_at = np.uint64(places[2])
    size_x, size_step = np.uint64(plane_sizes[0]), np.uint64(plane_sizes[1])
    size_c, size_tape = np.uint64(plane_sizes[2]), np.uint64(plane_sizes[3])
    for i in range(n_flat):
        j = np.uint64(i)
        step_d_ax, step_d_ah, d_carry, step_d_unit = cell_backward(
            (d_h[j],) + take_c(d_c, size_step, j),
            take_tape(tape, size_tape, tape_at + j),
            (h[before + j],) + take_c(c, size_c, before + j),
            take_unit(unit, size_step, j),
        )
        put_x(d_ax, size_x, at + j, step_d_ax)
        put_h(d_ah, size_x, at + j, step_d_ah)
        put_unit(d_unit, size_x, at + j, step_d_unit)
        d_h[j] = d_carry[0]
        put_c(d_c, size_step, j, d_carry[1:])


@shared
def _put_masked(n_flat, rows, rows_at, mask, out, out_at):
    """Store rows, times the mask if there is one, in `out`."""
    source, to = np.uint64(rows_at), np.uint64(out_at)
    for i in range(n_flat):
        j = np.uint64(i)
        value = rows[source + j]
        out[to + j] = value * mask[j] if mask.size > 0 else value


@shared
def _add(n_flat, values, at, total):
    source = np.uint64(at)
    for i in range(n_flat):
        j = np.uint64(i)
        total[j] += values[source + j]
