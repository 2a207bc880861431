"""What would not fit into memory is refused before it is allocated.

The system hands out more memory than there is, and ends the process that uses it.
"""

import os
import sys

import numpy as np

CHECKED_BYTES = 2**28  # what needs less is not looked at
ROOT = "/"
CGROUPS = {  # of either version: folder, files with limit and use, what can be dropped
    "": ("", "memory.max", "memory.current", "inactive_file"),
    "memory": (
        "memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
}


def check_fit(network, sequences, batch_size, optimizer):
    """Refuse a fit whose largest minibatch, or whose weights, cannot fit.

    Parameters
    ----------
    network : Network
    sequences : Sequences
    batch_size : int
    optimizer : Optimizer

    Raises
    ------
    MemoryError
    """
    size, dtype = network.layout.size, network.dtype
    n_touched = size if optimizer.full_batch else network.layout.n_dense
    # theta, and of what an update touches a sound copy and the gradient
    n_bytes = (size + 2 * n_touched) * dtype.itemsize
    n_bytes += optimizer.state_bytes(size, dtype)
    if n_bytes + sequences.n_steps * network.row_bytes < CHECKED_BYTES:
        return
    _require(
        n_bytes,
        f"The {network.layout.size:,} parameters, their gradient and what the solver "
        "keeps of them",
        "Lower hidden_layer_sizes or embedding_dim, number the ids of tokens without "
        "gaps, or use dtype='float32'.",
    )
    longest = np.sort(sequences.lengths)[-batch_size:]
    _require(
        n_bytes + network.activation_bytes(longest, taped=True),
        f"A minibatch of {longest.size} sequence(s), {longest.sum():,} steps in all,",
        "Lower batch_size (with solver='lbfgs', use another one) or "
        "hidden_layer_sizes, set bptt_steps, or use dtype='float32'.",
    )


def check_batches(network, sequences, batches, n_threads):
    """Refuse predictions of which as many batches as there are threads cannot fit.

    Parameters
    ----------
    network : Network
    sequences : Sequences
    batches : list of ndarray
        Consecutive indices, in the order in which they are worked off.
    n_threads : int

    Raises
    ------
    MemoryError
    """
    if sequences.n_steps * network.row_bytes < CHECKED_BYTES:
        return
    n_rows = [int(sequences.lengths[batch].sum()) for batch in batches]
    n_threads = min(n_threads, len(batches))
    at_once = np.convolve(n_rows, np.ones(n_threads, np.int64), "valid")
    first = int(at_once.argmax())
    lengths = sequences.lengths[np.concatenate(batches[first : first + n_threads])]
    _require(
        network.activation_bytes(lengths, taped=False),
        f"A batch of {lengths.size} sequence(s), {lengths.sum():,} steps in all, on "
        f"{n_threads} thread(s),",
        "Lower n_jobs, cut the sequences, or fit with bptt_steps or dtype='float32'.",
    )


def _require(n_bytes, what, remedy):
    available = available_bytes()
    if available is not None and n_bytes > available:
        raise MemoryError(
            f"{what} would take at least {n_bytes / 1e9:.1f} GB of memory, and "
            f"{available / 1e9:.1f} GB are available. {remedy}"
        )


def available_bytes():
    """Bytes that this process can still take; None on systems that do not say.

    The least of what is left of the machine's memory, with swap, of the limits of the
    control groups that the process is in, and of its own limits.
    """
    if sys.platform != "linux":
        return None
    try:
        machine = _kilobytes("proc/meminfo")
        process = _kilobytes("proc/self/status")
        swap = machine["SwapFree"]
        left = [machine["MemAvailable"], *_left_of_groups()]
        return max(0, min([n + swap for n in left] + _left_of_limits(process)))
    except (OSError, KeyError, ValueError):
        return None


def _left_of_limits(process):
    import resource  # not on all systems

    used = {resource.RLIMIT_AS: "VmSize", resource.RLIMIT_DATA: "VmData"}
    limits = {kind: resource.getrlimit(kind)[0] for kind in used}
    return [
        limit - process[used[kind]]
        for kind, limit in limits.items()
        if limit != resource.RLIM_INFINITY
    ]


def _left_of_groups():
    """What is left of each limit of a control group, its parents' included."""
    for line in _read("proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for name in controllers.split(","):
            if name in CGROUPS:
                yield from _left_of_group(path, *CGROUPS[name])


def _left_of_group(path, folder, limit, used, droppable):
    mount = os.path.join("sys/fs/cgroup", folder)
    parts = [part for part in path.split("/") if part]
    for depth in range(len(parts) + 1):
        group = os.path.join(mount, *parts[:depth])
        try:
            left = int(_read(group, limit)) - int(_read(group, used))
            pairs = map(str.split, _read(group, "memory.stat").splitlines())
            yield left + int(dict(pairs)[droppable])
        except (OSError, KeyError, ValueError):  # not there, or no limit: "max"
            continue


def _kilobytes(path):
    """The lines "name: number kB" of a file, in bytes."""
    fields = (line.split() for line in _read(path).splitlines())
    return {f[0][:-1]: 1024 * int(f[1]) for f in fields if f[-1:] == ["kB"]}


def _read(*path):
    with open(os.path.join(ROOT, *path)) as file:
        return file.read()
