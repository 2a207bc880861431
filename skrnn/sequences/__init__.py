"""The data contract: what X may be, and how a minibatch of it is packed."""

from skrnn.sequences.containers import ArraySequences, ListSequences, Sequences
from skrnn.sequences.contract import check_sequences, check_step, refuse_masked
from skrnn.sequences.layout import Outline, Plan, Shard, plan_equal
from skrnn.sequences.naming import naming
from skrnn.sequences.packing import Packed, pack
from skrnn.sequences.targets import (
    as_plain,
    is_missing,
    join_steps,
    place_of,
    split_steps,
)

__all__ = [
    "ArraySequences",
    "ListSequences",
    "Outline",
    "Packed",
    "Plan",
    "Sequences",
    "Shard",
    "as_plain",
    "check_sequences",
    "check_step",
    "is_missing",
    "join_steps",
    "naming",
    "pack",
    "place_of",
    "plan_equal",
    "refuse_masked",
    "split_steps",
]
