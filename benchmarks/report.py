"""From samples to Markdown tables and JSON."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import geometric_mean, median

from timing import paired_ratio

UNITS = {"s": 1, "ms": 1e3, "us": 1e6, "MB": 1e-6}


@dataclass
class Row:
    """What was measured in one case.

    Parameters
    ----------
    labels : dict of str to str
        What tells the row from the others; printed first.
    samples : dict of str to list of float
        Of each contender, mostly in seconds.
    facts : dict
        What else the columns need, such as a number of operations.
    """

    labels: dict
    samples: dict
    facts: dict = field(default_factory=dict)

    def median(self, name):
        """Median of the samples of one contender."""
        return median(self.samples[name])

    def best(self, *libraries):
        """The contender with the lowest median, of some libraries."""
        names = [name for name in self.samples if name.split()[0] in libraries]
        return min(names, key=self.median)

    def ratio(self, top, bottom):
        """Median over the rounds of the samples of one over those of another."""
        return paired_ratio(self.samples[top], self.samples[bottom])


@dataclass(frozen=True)
class Column:
    """A figure of each row.

    Parameters
    ----------
    name : str
    value : callable
        Computes the figure from a row.
    worst : callable or None
        `min` or `max` for ratios of which means are printed, else None.
    """

    name: str
    value: Callable
    worst: Callable | None = None


@dataclass
class Table:
    """Rows and the figures to print of them."""

    title: str
    columns: list
    rows: list

    def figures(self, row):
        """The value of each column in a row."""
        return {column.name: column.value(row) for column in self.columns}

    def summary(self):
        """Geometric means of the ratios by cell and over all rows, and the worst."""
        ratios = [column for column in self.columns if column.worst]
        cells = {}
        for row in self.rows:
            cells.setdefault(row.labels.get("cell"), []).append(row)
        groups = cells if 1 < len(cells) < len(self.rows) else {}
        lines = {
            f"geometric mean, {group}": {
                c.name: geometric_mean(map(c.value, rows)) for c in ratios
            }
            for group, rows in [*groups.items(), ("all", self.rows)]
        }
        worst = {c.name: c.worst(map(c.value, self.rows)) for c in ratios}
        return {**lines, "worst": worst} if ratios else {}

    def markdown(self):
        """The table as people read it."""
        labels, names = list(self.rows[0].labels), [c.name for c in self.columns]
        lines = [
            f"## {self.title}\n",
            _line(*labels, *names),
            _line(*["---"] * len(labels), *["--:"] * len(names)),
        ]
        for row in self.rows:
            figures = map(_short, self.figures(row).values())
            lines.append(_line(*row.labels.values(), *figures))
        for label, means in self.summary().items():
            cells = [f"**{_short(means[n])}**" if n in means else "" for n in names]
            lines.append(_line(f"**{label}**", *[""] * (len(labels) - 1), *cells))
        return "\n".join(lines) + "\n"

    def as_dict(self):
        """Everything that was measured, for JSON."""
        rows = [asdict(row) | {"figures": self.figures(row)} for row in self.rows]
        return {"title": self.title, "rows": rows, "summary": self.summary()}


def times(names, unit):
    """A column of medians for each contender."""
    return [Column(f"{name}, {unit}", _scaled_median(name, unit)) for name in names]


def over(tops, bottom, worst=min):
    """The best of some libraries over the best of another; above 1 it is slower."""
    return Column(
        f"{' or '.join(tops)} / {bottom}",
        lambda row: row.ratio(row.best(*tops), row.best(bottom)),
        worst,
    )


def exactly(top, bottom, worst=min, name=None):
    """One contender over another."""
    return Column(
        name or f"{top} / {bottom}", lambda row: row.ratio(top, bottom), worst
    )


def fact(name):
    """A column that is a fact of each row."""
    return Column(name, lambda row: row.facts[name])


def speed(library):
    """The GFLOP/s that the best contender of a library reaches."""
    return Column(
        f"{library} GFLOP/s",
        lambda row: row.facts["operations"] / row.median(row.best(library)) / 1e9,
    )


def of_peak(library, peak):
    """The same as a fraction of the machine's matrix products."""
    reached = speed(library).value
    return Column(f"{library} of peak", lambda row: reached(row) / peak)


def scaled(samples, factor):
    """The same samples, each times `factor`."""
    return {name: [t * factor for t in times] for name, times in samples.items()}


def _scaled_median(name, unit):
    return lambda row: row.median(name) * UNITS[unit]


def _line(*entries):
    return "| " + " | ".join(entries) + " |"


def _short(value):
    """Three significant digits, without an exponent; text and counts as they are."""
    if isinstance(value, (str, int)):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"
