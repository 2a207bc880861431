"""What the first use of skrnn costs, each time in a new process."""

import shutil
import tempfile
from pathlib import Path

from contenders import CELLS
from fresh import run_fresh
from report import Row, Table, fact, times

import skrnn


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
    """Seconds above a second call, with a copy of skrnn that has compiled nothing."""
    with tempfile.TemporaryDirectory() as folder:
        model, for_fit, for_predict = (Path(folder, name) for name in "mfp")
        actions = {
            "fit": (("fit", cell, model), for_fit),
            "fit, filled cache": (("fit", cell, model), for_fit),
            "predict": (("predict", model), for_predict),
            "predict, filled cache": (("predict", model), for_predict),
        }
        for copy in (for_fit, for_predict):
            _install(copy)
        return {
            name: run_fresh("start", *action, path=[str(copy)])["seconds"]
            for name, (action, copy) in actions.items()
        }


def _install(folder):
    """Copy skrnn without compiled code, which is found wherever it lies."""
    compiled = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(skrnn.__file__).parent, folder / "skrnn", ignore=compiled)
