"""Entities counted tag by tag, as the script conlleval does, slowly.

`ENDS` and `STARTS` are the rows of the script's tables, pairs of the prefix of the step
before and that of this step. The script knows B, I, O, E and ".", which is another O;
rows that BIOES needs beyond it, for S and for a B after E, are kept apart.
"""

ENDS = {"BB", "BO", "IB", "IO", "EE", "EI", "EO"}
STARTS = {"BB", "IB", "OB", "OI", "EE", "EI", "OE"}
ENDS_BIOES = {"BS", "IS", "ES", "EB"} | {"S" + prefix for prefix in "BIOES"}
STARTS_BIOES = {"BS", "IS", "ES", "EB"} | {"S" + prefix for prefix in "BIES"} | {"OS"}


def split(tag):
    """Prefix and type; a tag without a hyphen is all prefix, and "." is a plain O."""
    if tag == ".":
        return "O", ""
    if "-" not in tag:
        return tag, ""
    position = tag.index("-")
    return tag[:position], tag[position + 1 :]


def ends(before, now):
    """Whether an entity ends between two tags."""
    (p, kind_before), (q, kind) = split(before), split(now)
    in_table = p + q in ENDS | ENDS_BIOES
    return in_table or (p != "O" and kind_before != kind)


def starts(before, now):
    """Whether an entity starts between two tags."""
    (p, kind_before), (q, kind) = split(before), split(now)
    in_table = p + q in STARTS | STARTS_BIOES
    return in_table or (q != "O" and kind_before != kind)


class Counts:
    """Numbers of true, predicted and right entities, by type."""

    def __init__(self):
        self.true, self.pred, self.right = {}, {}, {}

    def add(self, table, kind):
        table[kind] = table.get(kind, 0) + 1

    def types(self):
        return sorted(set(self.true) | set(self.pred))


def count(y_true, y_pred):
    """The state machine of the script: one pass over both columns of tags.

    An entity is being found rightly as long as both sides began it at the same step
    with the same type; it counts when both end at the same step.
    """
    counts = Counts()
    for true, pred in zip(y_true, y_pred, strict=True):
        right = None
        before_true = before_pred = "O"
        for t, p in zip([*true, "O"], [*pred, "O"], strict=True):
            end_true, end_pred = ends(before_true, t), ends(before_pred, p)
            if right is not None:
                if end_true and end_pred:
                    counts.add(counts.right, right)
                if end_true or end_pred:
                    right = None
            start_true, start_pred = starts(before_true, t), starts(before_pred, p)
            if start_true:
                counts.add(counts.true, split(t)[1])
            if start_pred:
                counts.add(counts.pred, split(p)[1])
            if start_true and start_pred and split(t)[1] == split(p)[1]:
                right = split(t)[1]
            before_true, before_pred = t, p
    return counts


def scores(right, pred, true):
    """Precision, recall and F1 of some counts; 0 where there is nothing."""
    precision = right / pred if pred else 0.0
    recall = right / true if true else 0.0
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0


def all_scores(y_true, y_pred):
    """Scores by type, and under None those of all entities together."""
    counts = count(y_true, y_pred)
    by_type = {
        kind: scores(
            *(t.get(kind, 0) for t in (counts.right, counts.pred, counts.true))
        )
        for kind in counts.types()
    }
    tables = (counts.right, counts.pred, counts.true)
    return by_type | {None: scores(*(sum(table.values()) for table in tables))}
