"""What the first use of skrnn costs, each time in a new process."""

import tempfile
from pathlib import Path

from contenders import CELLS
from fresh import run_fresh
from report import Row, Table, fact, times


def imports(plan):
    """What `import skrnn` adds to `import sklearn.base`."""
    found = [run_fresh("start", "imports") for _ in range(plan.rounds + 1)][1:]
    samples = {"skrnn": [result["seconds"] for result in found]}
    facts = {"numba imported": "yes" if any(r["numba"] for r in found) else "no"}
    row = Row({"adds to": "import sklearn.base"}, samples, facts)
    columns = [*times(samples, "s"), fact("numba imported")]
    return Table("Import", columns, [row])


def start(plan):
    """The first fit and the first predict, with an empty and with a filled cache."""
    rows = []
    for cell in CELLS:
        rounds = [_first_calls(cell) for _ in range(plan.rounds)]
        samples = {name: [times[name] for times in rounds] for name in rounds[0]}
        rows.append(Row({"cell": cell}, samples))
    title = "First call in a new process, above a second one (float32)"
    return Table(title, times(rows[0].samples, "s"), rows)


def _first_calls(cell):
    """Seconds above a second call; every action finds the cache of those before."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "model.pickle")
        actions = {
            "fit": (("fit", cell, model), "for_fit"),
            "fit, filled cache": (("fit", cell, model), "for_fit"),
            "predict": (("predict", model), "for_predict"),
            "predict, filled cache": (("predict", model), "for_predict"),
        }
        return {
            name: run_fresh("start", *action, NUMBA_CACHE_DIR=f"{folder}/{cache}")[
                "seconds"
            ]
            for name, (action, cache) in actions.items()
        }
