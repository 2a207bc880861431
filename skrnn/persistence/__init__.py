"""Models in files that hold no code: `save` and `load`."""

from skrnn.estimators.state import VersionWarning
from skrnn.persistence.files import load, save

__all__ = ["VersionWarning", "load", "save"]
