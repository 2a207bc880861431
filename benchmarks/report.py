"""From samples to Markdown tables and JSON."""

from dataclasses import dataclass
from statistics import geometric_mean, median

from timing import paired_ratio

UNITS = {"ms": 1e3, "us": 1e6}
CONTENDERS = ("torch 1", "torch 2", "skrnn 1", "skrnn 2")
RATIOS = ("1 thread", "2 threads", "best")


@dataclass
class Row:
    """Samples of all contenders, in seconds, for one cell and case."""

    cell: str
    case: str
    samples: dict

    def medians(self):
        """Median seconds of each contender."""
        return {name: median(self.samples[name]) for name in CONTENDERS}

    def ratios(self):
        """PyTorch's time over skrnn's, each with 1 thread, with 2, and at its best."""
        pairs = (CONTENDERS[::2], CONTENDERS[1::2], (self._best(0), self._best(2)))
        return {
            name: paired_ratio(self.samples[torch], self.samples[skrnn])
            for name, (torch, skrnn) in zip(RATIOS, pairs, strict=True)
        }

    def _best(self, first):
        return min(CONTENDERS[first : first + 2], key=self.medians().get)


@dataclass
class Table:
    """Rows in one unit; means of the ratios are taken for each value of a field."""

    title: str
    unit: str
    rows: list
    mean_over: str = "cell"

    def means(self):
        """Geometric means of the ratios, for each group of rows and mostly for all."""
        groups = {}
        for row in self.rows:
            groups.setdefault(getattr(row, self.mean_over), []).append(row.ratios())
        if self.mean_over == "cell":  # else the groups share skrnn's samples
            groups["all"] = [ratios for group in groups.values() for ratios in group]
        return {
            group: {name: geometric_mean(r[name] for r in members) for name in RATIOS}
            for group, members in groups.items()
        }

    def markdown(self):
        """The table as people read it."""
        head = [f"{name}, {self.unit}" for name in CONTENDERS]
        lines = [
            f"## {self.title}\n",
            _line("cell", "case", *head, *(f"torch / skrnn, {r}" for r in RATIOS)),
            _line("---", "---", *["--:"] * (len(CONTENDERS) + len(RATIOS))),
        ]
        for row in self.rows:
            times = [_short(t * UNITS[self.unit]) for t in row.medians().values()]
            ratios = [f"{ratio:.2f}" for ratio in row.ratios().values()]
            lines.append(_line(row.cell, row.case, *times, *ratios))
        for group, means in self.means().items():
            ratios = [f"**{mean:.2f}**" for mean in means.values()]
            blank = [""] * len(CONTENDERS)
            lines.append(_line("**geometric mean**", group, *blank, *ratios))
        return "\n".join(lines) + "\n"

    def as_dict(self):
        """Everything that was measured, for JSON."""
        rows = [
            {
                "cell": row.cell,
                "case": row.case,
                "seconds": row.samples,
                "median": row.medians(),
                "ratio": row.ratios(),
            }
            for row in self.rows
        ]
        return {"title": self.title, "rows": rows, "geometric_means": self.means()}


def scaled(samples, factor):
    """The same samples, each times `factor`."""
    return {name: [t * factor for t in times] for name, times in samples.items()}


def _line(*entries):
    return "| " + " | ".join(entries) + " |"


def _short(value):
    """Three significant digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"
