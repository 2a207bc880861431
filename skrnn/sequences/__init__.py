"""The data contract: what X may be, and how a minibatch of it is packed."""

from skrnn.sequences.containers import ArraySequences, ListSequences, Sequences
from skrnn.sequences.contract import check_sequences, check_step, refuse_masked
from skrnn.sequences.layout import Outline, Plan, Shard, plan_equal
from skrnn.sequences.naming import naming
from skrnn.sequences.packing import Packed, pack
from skrnn.sequences.targets import join_steps, split_steps

__all__ = [
    "ArraySequences",
    "ListSequences",
    "Outline",
    "Packed",
    "Plan",
    "Sequences",
    "Shard",
    "check_sequences",
    "check_step",
    "join_steps",
    "naming",
    "pack",
    "plan_equal",
    "refuse_masked",
    "split_steps",
]
