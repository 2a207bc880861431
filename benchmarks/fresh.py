"""Run a probe, a module in probes/, in a new Python process."""

import json
import os
import subprocess
import sys


def run_fresh(probe, *arguments, path=(), **environment):
    """Return what the probe prints as JSON.

    Parameters
    ----------
    probe : str
        Name of the module.
    *arguments
        Its command line.
    path : sequence of str
        Folders to import from before all others.
    **environment
        Environment variables to set.
    """
    folders = os.pathsep.join([*path, *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-P", "-m", f"probes.{probe}", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": folders, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
