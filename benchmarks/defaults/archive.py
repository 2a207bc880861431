"""Data sets that other installed packages ship, read from their .ts files."""

import importlib.util
from pathlib import Path

import numpy as np

HOSTS = ("aeon", "sktime")


class Missing(Exception):
    """The files of a data set are nowhere to be found."""


def load(name, folder=None):
    """The official training and test part of a data set.

    Parameters
    ----------
    name : str
    folder : Path or None
        Where to look first; it holds one folder for each data set.

    Returns
    -------
    (X, y), (X_test, y_test)
        Each X a list of arrays (n_timesteps_i, n_features).
    """
    for root in [folder, *_installed()]:
        if root is not None and (Path(root) / name).is_dir():
            parts = (Path(root) / name / f"{name}_{p}.ts" for p in ("TRAIN", "TEST"))
            return tuple(_read(part) for part in parts)
    raise Missing(f"{name}: install aeon or sktime, or pass --archive")


def _installed():
    """The data folders of installed packages, found without importing them."""
    for host in HOSTS:
        spec = importlib.util.find_spec(host)
        if spec is not None:
            yield Path(spec.submodule_search_locations[0]) / "datasets" / "data"


def _read(path):
    """A line is one sequence: feature:feature:...:label, a feature comma separated."""
    lines = path.read_text().split("@data", 1)[1].split()
    rows = [line.split(":") for line in lines]
    X = [np.array([f.split(",") for f in row[:-1]], float).T.copy() for row in rows]
    return X, np.array([row[-1] for row in rows])
