"""Memory that a fit adds to the data, each time in a new process."""

import tempfile

from fresh import run_fresh
from report import Column, Row, Table, times

SPARE = 80  # MB beyond what the formula counts


def memory(plan):
    """An array, a file that need not fit into memory, and very long sequences."""
    mapped = 4000 if plan.full else 500
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            "3-D array": ("array", 400),
            "memory-mapped array": ("memmap", mapped, f"{folder}/X.npy"),
            "T 100,000, bptt_steps=100": ("long",),
        }
        rows = [_row(case, action, plan.rounds) for case, action in cases.items()]
    columns = [
        *times(rows[0].samples, "MB"),
        Column(
            "anonymous / allowed", lambda row: row.median("anonymous") / _allowed(row)
        ),
    ]
    title = "Memory that a fit adds (GRU, H32, batches of 32)"
    return Table(title, columns, rows)


def _row(case, action, rounds):
    found = [run_fresh("memory", *action) for _ in range(rounds)]
    samples = {name: [1e6 * result[name] for result in found] for name in found[0]}
    return Row({"case": case}, samples)


def _allowed(row):
    """A packed minibatch, the activations of its steps, and a spare constant."""
    return row.median("minibatch") + row.median("activations") + SPARE * 1e6
