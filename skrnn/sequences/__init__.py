"""The data contract: what X may be, and how a minibatch of it is packed."""

from skrnn.sequences.containers import (
    ArraySequences,
    FlatSequences,
    ListSequences,
    Sequences,
)
from skrnn.sequences.contract import check_sequences, check_step, refuse_masked
from skrnn.sequences.ids import (
    FIRST,
    PADDING,
    UNKNOWN,
    are_ids,
    check_ids,
    known_or_unknown,
    replace_unknown,
)
from skrnn.sequences.layout import BLOCK_ROWS, Outline, Plan, plan_equal
from skrnn.sequences.naming import naming
from skrnn.sequences.packing import Packed, Shard, pack, plan_for
from skrnn.sequences.targets import (
    as_plain,
    concatenate_targets,
    has_no_target,
    is_missing,
    join_steps,
    place_of,
    read_targets,
    split_steps,
)

__all__ = [
    "BLOCK_ROWS",
    "FIRST",
    "PADDING",
    "UNKNOWN",
    "ArraySequences",
    "FlatSequences",
    "ListSequences",
    "Outline",
    "Packed",
    "Plan",
    "Sequences",
    "Shard",
    "are_ids",
    "as_plain",
    "check_ids",
    "check_sequences",
    "check_step",
    "concatenate_targets",
    "has_no_target",
    "is_missing",
    "join_steps",
    "known_or_unknown",
    "naming",
    "pack",
    "place_of",
    "plan_equal",
    "plan_for",
    "read_targets",
    "refuse_masked",
    "replace_unknown",
    "split_steps",
]
