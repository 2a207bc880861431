"""The documentation says what the code does, and its examples run."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import skrnn
from skrnn import RNNClassifier, RNNRegressor, RNNSequenceRegressor, RNNTagger
from skrnn.cells import CELLS
from skrnn.losses import REGRESSION_LOSSES
from skrnn.network.pooling import POOLINGS
from skrnn.optimizers import OPTIMIZERS, SCHEDULES

ROOT = Path(__file__).parents[1]
PACKAGE = Path(skrnn.__file__).parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
# Folders that a source distribution comes without.
ABSENT = [name for name in ("benchmarks",) if not (ROOT / name).is_dir()]

on_estimators = pytest.mark.parametrize(
    "kind", [RNNClassifier, RNNRegressor, RNNTagger, RNNSequenceRegressor]
)
on_pages = pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text, language):
    """Contents of the fenced blocks of a language."""
    return re.findall(
        rf"^ *```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE
    )


def dedented(code):
    """Lines without the indentation of the first, and without those that are blank."""
    lines = [line.rstrip() for line in code.splitlines() if line.strip()]
    indent = len(lines[0]) - len(lines[0].lstrip())
    return [line[indent:] if line[:indent].isspace() else line for line in lines]


def is_excerpt(code, source):
    """Whether some consecutive lines of `source` are `code`, blank lines aside."""
    wanted = dedented(code)
    lines = [line.rstrip() for line in source.splitlines() if line.strip()]
    starts = range(len(lines) - len(wanted) + 1)
    return any(
        dedented("\n".join(lines[i : i + len(wanted)])) == wanted
        for i in starts
        if lines[i].lstrip() == wanted[0].lstrip()
    )


def messages():
    """All string literals of the package, those that are written in parts joined."""
    source = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    return re.sub(r'"\s*\n\s*f?"', "", source)


# README


def test_readme_example_is_short():
    [example] = blocks(read("README.md"), "python")
    assert len(example.splitlines()) <= 12


@pytest.mark.heavy
def test_readme_example_runs_and_learns(capsys):
    [example] = blocks(read("README.md"), "python")
    namespace = {"__name__": "readme"}
    exec(compile(example, "README.md", "exec"), namespace)
    search = namespace["search"]
    assert search.score(namespace["X_test"], namespace["y_test"]) > 0.9
    assert str(search.best_params_) in capsys.readouterr().out


def test_readme_names_everything_that_is_registered():
    """A newcomer finds in the table all there is, and no more."""
    table = read("README.md").split("## What is supported")[1].split("##")[0]
    rows = dict(re.findall(r"^\| ([^|]+?) \| (.+) \|$", table, re.MULTILINE))
    stated = {
        "cells": set(CELLS),
        "losses": set(REGRESSION_LOSSES),
        "solvers": set(OPTIMIZERS),
        "learning rates": set(SCHEDULES),
    }
    for row, names in stated.items():
        assert set(re.findall(r"`([a-z_]+)`", rows[row])) == names, row
    assert set(POOLINGS) <= set(re.findall(r"`([a-z_]+)`", rows["networks"]))


# User guide


@on_estimators
def test_user_guide_mentions_every_parameter(kind):
    guide = read("docs/user_guide.md")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+`", guide))))
    missing = set(inspect.signature(kind).parameters) - words
    assert not missing


@pytest.mark.parametrize(
    "registry",
    [CELLS, REGRESSION_LOSSES, POOLINGS, OPTIMIZERS, SCHEDULES],
    ids=["cells", "losses", "poolings", "solvers", "schedules"],
)
def test_user_guide_has_a_table_row_for_everything_registered(registry):
    rows = re.findall(r'^\| `"(\w+)"`', read("docs/user_guide.md"), re.MULTILINE)
    assert set(registry) <= set(rows)


def test_user_guide_quotes_real_messages():
    """Somebody who looks an error up finds it by its words."""
    guide = read("docs/user_guide.md").split("## When something goes wrong")[1]
    table = guide.split("Without any message")[0]
    quoted = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(quoted) == 15
    known = messages()
    assert [message for message in quoted if message not in known] == []


def test_contents_of_the_user_guide_are_complete():
    guide = read("docs/user_guide.md")
    headings = re.findall(r"^## (.+)$", guide, re.MULTILINE)
    assert re.findall(r"^- \[(.+)\]", guide, re.MULTILINE) == headings


# Guides that quote source


@pytest.mark.parametrize(
    ("page", "n_blocks"), [("docs/add_a_cell.md", 12), ("CONTRIBUTING.md", 5)]
)
def test_guides_quote_real_source(page, n_blocks):
    """A guide whose code has moved on misleads; each block is in the package."""
    quoted = blocks(read(page), "python")
    assert len(quoted) == n_blocks
    sources = [path.read_text() for path in PACKAGE.rglob("*.py")]
    for code in quoted:
        assert any(is_excerpt(code, source) for source in sources), code


def test_a_changed_line_is_no_excerpt():
    """The test above can fail."""
    source = "def f(x):\n    y = x\n\n    return y\n"
    assert is_excerpt("    y = x\n    return y\n", source)
    assert not is_excerpt("y = x\nreturn x\n", source)


def test_add_a_cell_shows_a_registered_cell_in_full():
    quoted = blocks(read("docs/add_a_cell.md"), "python")
    whole = [inspect.getsource(kind).strip() for kind in CELLS.values()]
    assert any(code.strip() in whole for code in quoted)


# All pages


@on_pages
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in target or set(path.split("/")) & set(ABSENT):
            continue
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            text = linked.read_text(encoding="utf-8")
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            assert anchor in [slug(heading) for heading in headings], target


def slug(heading):
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@on_pages
def test_index_lists_every_page(page):
    index = ROOT / "docs" / "index.md"
    targets = re.findall(r"\]\(([^)#]+)\)", index.read_text(encoding="utf-8"))
    listed = {(index.parent / target).resolve() for target in targets}
    assert page == index or page in listed


def test_reliability_names_tests_that_exist():
    named = re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", read("docs/reliability.md"))
    assert len(named) > 40
    for file, test in named:
        assert not test or f"\ndef {test}(" in read(f"tests/{file}"), (file, test)


# Examples


def test_every_example_is_listed():
    examples = {path.name for path in ROOT.glob("examples/*.py")}
    assert len(examples) >= 4
    for page in ("README.md", "docs/index.md"):
        assert examples == set(re.findall(r"\bexamples/(\w+\.py)\)", read(page))), page


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("examples/*.py")), ids=lambda p: p.name
)
def test_examples_run_without_a_warning(path, tmp_path):
    """The fast suite leaves this to the CI, which runs every example."""
    command = [sys.executable, "-W", "error", str(path)]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "MPLBACKEND": "Agg"}
    subprocess.run(command, cwd=tmp_path, env=env, check=True)
