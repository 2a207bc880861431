"""Compare settings of the estimators on many small tasks. See docs/defaults.md."""

import argparse
import json
import time
import warnings
from pathlib import Path

from archive import Missing
from report import summary, task_table
from settings import BASE, FINALISTS, OTHERS, RATES, SHAPES, STOPPING, label
from tasks import all_tasks

QUICK = {"max_iter": 3}
STAGES = {
    "rates": (RATES, range(3), ("screening",)),
    "others": (OTHERS, range(3), ("screening",)),
    "shapes": (SHAPES, range(3), ("screening",)),
    "stopping": (STOPPING, range(5), ("stopping",)),
    "final": (FINALISTS, range(10, 15), ("screening", "final")),
}


def main():
    """Run the stages, print their tables and write every run."""
    options = parse()
    warnings.simplefilter("ignore")
    output = options.output
    runs = json.loads(output.read_text()) if output.exists() else []
    done = {key(run): run for run in runs}
    tasks = available(options.archive)
    warm_up(tasks)
    for stage in options.stages:
        for run, change in plan(stage, tasks, options.quick):
            if key(run) not in done:
                parameters = {**BASE, **change, **(QUICK if options.quick else {})}
                run |= measure(tasks[run["task"]], parameters, run["seed"])
                done[key(run)] = run
                output.write_text(json.dumps(list(done.values()), indent=0) + "\n")
        part = [run for run in done.values() if run["stage"] == stage]
        print(f"\n{stage}\n\n{summary(part)}\n\n{task_table(part)}", flush=True)


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(prog="defaults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and short fits")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("defaults.json"),
        help="every run; what it holds already is not run again",
    )
    parser.add_argument("--archive", type=Path, help="where to look for .ts files")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    return parser.parse_args()


def plan(stage, tasks, quick):
    """The runs of a stage, each with its change of the base; seed by seed."""
    changes, seeds, kinds = STAGES[stage]
    for seed in seeds[:1] if quick else seeds:
        for change in changes[:2] if quick else changes:
            for task in (name for name in tasks if tasks[name].stage in kinds):
                where = {"stage": stage, "task": task, "seed": seed}
                yield {"setting": label(change), **where}, change


def key(run):
    """What tells one run from another."""
    return run["stage"], run["setting"], run["task"], run["seed"]


def available(archive):
    """The tasks whose data are here; the others are named."""
    tasks = {}
    for name, task in all_tasks(archive).items():
        try:
            task.make(0)
            tasks[name] = task
        except Missing as missing:
            print(f"left out: {missing}")
    return tasks


def warm_up(tasks):
    """Compile what the runs need, so that no run's time holds it."""
    for cell in ("gru", "lstm", "rnn"):
        for name in ("digits", "adding"):
            X, y, *_ = tasks[name].make(0)
            estimator = tasks[name].estimator(cell=cell, max_iter=1, dtype="float32")
            estimator.fit(X[:40], y[:40])


def measure(task, parameters, seed):
    """Fit once, on one thread; the seconds are processor time."""
    X, y, X_test, y_test = task.make(seed)
    model = task.estimator(**parameters, random_state=seed, dtype="float32", n_jobs=1)
    began = time.process_time()
    try:
        model.fit(X, y)
    except ValueError as error:
        if "infinite or NaN" not in str(error):
            raise
        return {"score": 0.0, "train": 0.0, "epochs": 0, "seconds": 0.0}
    seconds = time.process_time() - began
    return {
        "score": task.normalise(model.score(X_test, y_test)),
        "train": task.normalise(model.score(X, y)),
        "epochs": model.n_iter_,
        "seconds": round(seconds, 3),
    }


if __name__ == "__main__":
    main()
