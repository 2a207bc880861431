"""Run a probe, a module in probes/, in a new Python process."""

import json
import os
import subprocess
import sys


def run_fresh(probe, *arguments, **environment):
    """Return what the probe prints as JSON.

    Parameters
    ----------
    probe : str
        Name of the module.
    *arguments
        Its command line.
    **environment
        Environment variables to set.
    """
    paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-m", f"probes.{probe}", *map(str, arguments)],
        env={**os.environ, **paths, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
