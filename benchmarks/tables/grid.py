"""Grid search with two workers against one."""

from fresh import run_fresh
from report import Row, Table, exactly, fact, times

EPOCHS = 10


def grid(plan):
    """Twelve candidates, three folds, and how many threads were at work."""
    epochs = 4 * EPOCHS if plan.full else EPOCHS
    found = run_fresh("grid", epochs, plan.rounds, PYTHONWARNINGS="ignore")
    samples = {f"n_jobs {n}": result["seconds"] for n, result in found.items()}
    facts = {
        f"{kind}, n_jobs {n}": max(result[kind])
        for n, result in found.items()
        for kind in ("busy", "native")
    }
    columns = [
        *times(samples, "s"),
        exactly("n_jobs 1", "n_jobs 2", worst=None),
        *map(fact, facts),
    ]
    title = "Grid search: twelve candidates, three folds; most threads at a time"
    row = Row({"case": f"600 sequences T50 D8, {epochs} epochs"}, samples, facts)
    return Table(title, columns, [row])
