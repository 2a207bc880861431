"""Print every table in one run, skrnn against its peers. See README.md."""

import argparse
import json
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from contenders import THREADS
from environment import describe
from peak import measured_peak
from sklearn.exceptions import ConvergenceWarning
from tables import DEFAULT, TABLES


@dataclass(frozen=True)
class Plan:
    """How much is measured; `peak` is GFLOP/s of matrix products, by threads."""

    full: bool
    rounds: int
    peak: dict


def main():
    """Time the chosen tables, print them and write the samples."""
    options = parse()
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    environment = describe()
    peak = {n: measured_peak(n) for n in THREADS}
    for n, reached in peak.items():
        environment[f"peak with {n} threads, GFLOP/s"] = round(reached, 1)
    print(", ".join(f"{key} {value}" for key, value in environment.items()), end="\n\n")
    plan = Plan(options.full, options.rounds or (5 if options.full else 3), peak)
    results = {"environment": environment, "tables": {}}
    for name in options.tables or (TABLES if options.full else DEFAULT):
        start = time.perf_counter()
        table = TABLES[name](plan)
        print(table.markdown(), flush=True)
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
        results["tables"][name] = {**table.as_dict(), "markdown": table.markdown()}
        if options.output:
            options.output.write_text(json.dumps(results, indent=1) + "\n")


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="+", choices=TABLES, help="only these")
    parser.add_argument("--full", action="store_true", help="all tables, longer fits")
    parser.add_argument("--rounds", type=int, help="samples of each figure")
    parser.add_argument("--output", type=Path, help="where to write all samples, JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
