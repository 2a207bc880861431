"""Put the tables of a run into the documentation: publish.py results.json."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CELLS = ("rnn", "gru", "lstm")
PICKED = {
    "a whole fit, over PyTorch": ("fit", "torch / skrnn"),
    "a whole fit, over the better of PyTorch and JAX": ("fit", "torch or jax / skrnn"),
    "a fit on lengths of 10 to 200, over PyTorch": ("ragged", "torch / skrnn, ragged"),
    "predict a batch, over PyTorch": ("predict", "torch / skrnn"),
    "predict a batch, over ONNX Runtime": ("predict", "onnx / skrnn"),
}


def main(source):
    """Rewrite docs/performance.md and the README between their markers."""
    results = json.loads(Path(source).read_text())
    put(ROOT / "docs" / "performance.md", "tables", page(results))
    put(ROOT / "README.md", "speed", summary(results["tables"]))


def page(results):
    """All tables, after what they were measured on."""
    environment = (f"{key} {value}" for key, value in results["environment"].items())
    tables = (table["markdown"] for table in results["tables"].values())
    return "\n".join([", ".join(environment) + ".\n", *tables])


def summary(tables):
    """Geometric means for each cell."""
    lines = [f"| | {' | '.join(CELLS)} |", "|---|--:|--:|--:|"]
    for name, (table, ratio) in PICKED.items():
        means = tables[table]["summary"]
        figures = [f"{means[f'geometric mean, {cell}'][ratio]:.1f}" for cell in CELLS]
        lines.append(f"| {name} | {' | '.join(figures)} |")
    return "\n".join(lines) + "\n"


def put(path, name, text):
    """Replace what stands between the markers called `name`."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    pattern = f"{re.escape(begin)}.*{re.escape(end)}"
    old = path.read_text(encoding="utf-8")
    if not re.search(pattern, old, flags=re.DOTALL):
        raise ValueError(f"{path} has no markers called {name!r}.")
    new = re.sub(pattern, lambda _: begin + text + end, old, flags=re.DOTALL)
    path.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
