"""Print every table in one run, skrnn against PyTorch. See README.md."""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

from environment import describe
from sklearn.exceptions import ConvergenceWarning
from tables import TABLES


def main():
    """Time the chosen tables, print them and write the samples."""
    options = parse()
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    environment = describe()
    print(", ".join(f"{key} {value}" for key, value in environment.items()), end="\n\n")
    results = {"environment": environment, "tables": {}}
    for name in options.tables:
        start = time.perf_counter()
        table = TABLES[name](options.full, options.rounds or (5 if options.full else 3))
        print(table.markdown(), flush=True)
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
        results["tables"][name] = table.as_dict()
    if options.output:
        options.output.write_text(json.dumps(results, indent=1) + "\n")


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--full", action="store_true", help="more cases, longer fits")
    parser.add_argument("--rounds", type=int, help="samples of each figure")
    parser.add_argument("--output", type=Path, help="where to write all samples, JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
