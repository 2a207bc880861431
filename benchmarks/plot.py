"""Draw throughput against hidden size: plot.py results.json performance.png."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

STYLES = {
    "skrnn": {"color": "#0b5fa5", "marker": "o"},
    "torch": {"color": "#d1622b", "marker": "s"},
}
NAMES = {"skrnn": "skrnn", "torch": "PyTorch"}


def main(source, target):
    """One panel for each cell, from the table `hidden`."""
    results = json.loads(Path(source).read_text())
    rows = results["tables"]["hidden"]["rows"]
    cells = list(dict.fromkeys(row["labels"]["cell"] for row in rows))
    figure, panels = plt.subplots(
        1, len(cells), figsize=(3.4 * len(cells), 3.4), sharey=True, squeeze=False
    )
    for axes, cell in zip(panels[0], cells, strict=True):
        draw(axes, cell, [row for row in rows if row["labels"]["cell"] == cell])
    panels[0, 0].set_ylabel("training, GFLOP/s")
    panels[0, -1].legend(frameon=False, loc="lower right")
    figure.tight_layout()
    figure.savefig(target, dpi=150)


def draw(axes, cell, rows):
    """Both libraries, each at its better number of threads."""
    units = [row["facts"]["units"] for row in rows]
    for library, style in STYLES.items():
        speeds = [row["figures"][f"{library} GFLOP/s"] for row in rows]
        axes.loglog(units, speeds, label=NAMES[library], linewidth=1.8, **style)
    axes.set_xticks(units, map(str, units))
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(cell)
    axes.set_xlabel("hidden units")


if __name__ == "__main__":
    main(*sys.argv[1:])
