"""Refusals that say which argument they are about."""

import re


class naming:
    """Let what is refused within be refused by name.

    A message that does not hold the name, such as one of scikit-learn's or NumPy's,
    gets it in front; a number that no float can hold counts as a wrong value.

    Parameters
    ----------
    argument : str
    """

    def __init__(self, argument):
        self.argument = argument

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if not isinstance(error, (TypeError, ValueError, OverflowError)):
            return
        overflows = isinstance(error, OverflowError)
        named = rf"\b{re.escape(self.argument)}(?!\w)"  # which may end with a bracket
        if not overflows and re.search(named, str(error)):
            return
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{self.argument} was refused: {error}") from error
