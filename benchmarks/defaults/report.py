"""The tables, as Markdown."""

import statistics
from collections import defaultdict


def summary(runs):
    """One line a setting: its score, what it changes, and what it costs."""
    groups, base = by_setting(runs)
    lines = [
        "| setting | score | change | s.e. | tasks better/worse | worst task | epochs "
        "| seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for setting, group in groups.items():
        change = paired(group, base)
        by_task = means(change, 1)
        worst = min(by_task, key=by_task.get)
        gained = sum(v > 0.005 for v in by_task.values())
        lost = sum(v < -0.005 for v in by_task.values())
        cells = [
            setting,
            f"{statistics.mean(r['score'] for r in group.values()):.3f}",
            f"{statistics.mean(change.values()):+.3f}",
            f"{standard_error(means(change, 0).values()):.3f}",
            f"{gained}/{lost}",
            f"{worst} {by_task[worst]:+.2f}",
            f"{statistics.median(r['epochs'] for r in group.values()):.0f}",
            f"{statistics.median(r['seconds'] for r in group.values()):.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def task_table(runs):
    """One line a setting, one column a task: mean scores."""
    groups, _ = by_setting(runs)
    tasks = list(dict.fromkeys(run["task"] for run in runs))
    lines = ["| setting | " + " | ".join(tasks) + " |", "|---" * (len(tasks) + 1) + "|"]
    for setting, group in groups.items():
        score = means({k: run["score"] for k, run in group.items()}, 1)
        cells = [f"{score[task]:.3f}" if task in score else "" for task in tasks]
        lines.append(f"| {setting} | {' | '.join(cells)} |")
    return "\n".join(lines)


def by_setting(runs):
    """Runs by setting and then by (seed, task); and those of the first setting."""
    groups = defaultdict(dict)
    for run in runs:
        groups[run["setting"]][run["seed"], run["task"]] = run
    return groups, next(iter(groups.values()))


def paired(group, base):
    """Score minus that of the first setting with the same seed on the same task."""
    common = group.keys() & base.keys()
    return {k: group[k]["score"] - base[k]["score"] for k in sorted(common)}


def means(values, part):
    """Means over all keys that agree in one of their parts."""
    groups = defaultdict(list)
    for k, value in values.items():
        groups[k[part]].append(value)
    return {k: statistics.mean(group) for k, group in groups.items()}


def standard_error(values):
    """Of the mean over seeds."""
    values = list(values)
    if len(values) < 2:
        return 0.0
    return statistics.stdev(values) / len(values) ** 0.5
