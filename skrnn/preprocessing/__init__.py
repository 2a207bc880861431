"""Bringing data in: tables, recordings and texts made into sequences, step by step."""

from skrnn.preprocessing.channels import from_channels_first, to_channels_first
from skrnn.preprocessing.frames import sequences_from_frame
from skrnn.preprocessing.observed import TimeSinceObserved
from skrnn.preprocessing.padding import from_padded, to_padded
from skrnn.preprocessing.per_step import PerStep
from skrnn.preprocessing.to_sequences import ToSequences
from skrnn.preprocessing.tokens import TokenEncoder
from skrnn.preprocessing.windows import sliding_windows

__all__ = [
    "PerStep",
    "TimeSinceObserved",
    "ToSequences",
    "TokenEncoder",
    "from_channels_first",
    "from_padded",
    "sequences_from_frame",
    "sliding_windows",
    "to_channels_first",
    "to_padded",
]
