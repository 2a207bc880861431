"""Long tables, a row for each step, made into sequences."""

from collections import defaultdict

import numpy as np

from skrnn.preprocessing.steps import split


def sequences_from_frame(
    frame,
    *,
    by,
    sort=None,
    columns=None,
    target=None,
    step_target=None,
    as_frames=False,
):
    """Make sequences of a long table, which has a row for each step.

    Parameters
    ----------
    frame : DataFrame
        Of pandas, polars, or any other library that narwhals reads without delay.

    by : str or list of str
        Columns that tell to which sequence a row belongs. The rows of a sequence need
        not lie together.

    sort : str or list of str, default=None
        Columns to sort the rows of each sequence by, usually a time. None to keep them
        in the order they have.

    columns : list of str, default=None
        Features of each step. None for all columns that are named nowhere else.

    target : str or list of str, default=None
        Targets of the sequences; constant within each.

    step_target : str or list of str, default=None
        Targets of the steps, instead of `target`.

    as_frames : bool, default=False
        Whether each sequence is a DataFrame, with columns of any type, instead of an
        array. Take it where ``PerStep(ColumnTransformer(...))`` comes next.

    Returns
    -------
    X : list of n_sequences ndarrays of shape (n_timesteps_i, n_features)
        In the order in which the sequences first appear; views of one array, of the
        type that numpy finds for the columns together: float32 if all are, also next to
        integers of 16 bits or fewer, and integers if all are. Booleans and decimals
        count as float64. DataFrames with `as_frames`.

    y : ndarray of shape (n_sequences,) or (n_sequences, n_targets), list of ndarrays \
            of shape (n_timesteps_i,) or (n_timesteps_i, n_targets), or None
        The list for `step_target`; None where no target is named.

    groups : ndarray of shape (n_sequences,)
        What the first column of `by` holds for each sequence. With
        ``by=["patient", "visit"]`` each visit is a sequence, and GroupKFold keeps the
        visits of a patient together.

    Raises
    ------
    ImportError
        If narwhals is not installed.
    ValueError
        If there is no such column or no row, values of `by`, `sort` or `target` are
        missing, a sequence has two rows with the same `sort`, its `target` varies, or a
        column of an array is not numeric. The message names column and sequence.

    Notes
    -----
    Missing values in `columns` and `step_target` become NaN. Gaps in time are not
    filled: the steps are the rows there are. Where gaps matter give the time since the
    row before as a feature, for example
    ``frame.sort_values("t").groupby("device")["t"].diff()``.

    ``frame[by].drop_duplicates()`` of pandas, or
    ``frame[by].unique(maintain_order=True)`` of polars, has the keys of the sequences
    in the order of X.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrnn.preprocessing import sequences_from_frame
    >>> log = pd.DataFrame(
    ...     {
    ...         "device": ["b", "a", "b", "b", "a"],
    ...         "hour": [2, 1, 1, 3, 2],
    ...         "load": [0.2, 0.7, 0.1, 0.3, 0.8],
    ...         "failed": [1, 0, 1, 1, 0],
    ...     }
    ... )
    >>> X, y, groups = sequences_from_frame(
    ...     log, by="device", sort="hour", target="failed"
    ... )
    >>> X
    [array([[0.1],
           [0.2],
           [0.3]]), array([[0.7],
           [0.8]])]
    >>> y, groups
    (array([1, 0]), array(['b', 'a'], dtype=object))
    """
    frame = _import_narwhals().from_native(frame, eager_only=True)
    names = _name_columns(frame, by, sort, columns, target, step_target)
    _check_names(frame, names)
    _check_present(frame, [*names["by"], *names["sort"]])
    _check_present(
        frame,
        names["target"],
        ", or pass it as step_target, in which missing targets do not count",
    )
    codes, firsts = _number(frame, names["by"])
    order = _order(frame, names["sort"], codes)
    _check_distinct(frame, names, codes, order)
    lengths = np.bincount(codes)

    rows = _take(frame, names["columns"], order, as_frames)
    groups = frame[names["by"][0]].to_numpy()[firsts]
    y = None
    if target is not None:
        y = _targets(frame, target)[firsts]
        _check_constant(frame, names, codes, firsts)
    elif step_target is not None:
        y = split(_targets(frame, step_target)[order], lengths)
    return split(rows, lengths), y, groups


def _import_narwhals():
    try:
        import narwhals
    except ImportError as error:
        raise ImportError(
            "sequences_from_frame requires narwhals. You can install narwhals with "
            "`pip install skrnn[frames]`"
        ) from error
    return narwhals


def _as_list(names):
    if names is None:
        return []
    return [names] if np.ndim(names) == 0 else list(names)


def _name_columns(frame, by, sort, columns, target, step_target):
    """Columns by the part they have."""
    if target is not None and step_target is not None:
        raise ValueError(
            f"Only one of target and step_target may be given, got {target!r} and "
            f"{step_target!r}."
        )
    names = {
        "by": _as_list(by),
        "sort": _as_list(sort),
        "target": _as_list(target),
        "step_target": _as_list(step_target),
    }
    others = [name for part in names.values() for name in part]
    if columns is None:
        columns = [name for name in frame.columns if name not in others]
    return names | {"columns": _as_list(columns)}


def _check_names(frame, names):
    for name in (name for part in names.values() for name in part):
        if name not in frame.columns:
            raise ValueError(f"frame has no column {name!r}, only {frame.columns}.")
    for part in ("by", "columns"):
        if not names[part]:
            raise ValueError(f"{part} must name at least one column, got none.")
    for name in names["columns"]:
        if name in names["target"] + names["step_target"]:
            raise ValueError(f"Column {name!r} is a target and must be no feature.")
    if len(frame) == 0:
        raise ValueError("frame must have at least one row, got none.")


def _check_present(frame, names, remedy=""):
    for name in names:
        series = frame[name]
        is_missing = series.is_null().to_numpy()
        if series.dtype.is_float():
            is_missing = is_missing | np.isnan(series.to_numpy())
        if is_missing.any():
            raise ValueError(
                f"Column {name!r} must not have missing values, got one in row "
                f"{is_missing.argmax()}; drop such rows or fill them first{remedy}."
            )


def _number(frame, by):
    """Number sequences in the order in which they first appear.

    Returns
    -------
    codes : ndarray of shape (n_rows,), int64
        Number of the sequence that each row belongs to.
    firsts : ndarray of shape (n_sequences,), int64
        Row at which each sequence first appears.
    """
    codes = _number_values(frame[by[0]].to_list())
    for name in by[1:]:
        others = _number_values(frame[name].to_list())
        codes = _number_values((codes * (others.max() + 1) + others).tolist())
    return codes, np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1))


def _number_values(values):
    numbers = defaultdict()
    numbers.default_factory = numbers.__len__
    return np.fromiter(map(numbers.__getitem__, values), np.int64, len(values))


def _order(frame, sort, codes):
    """Rows of the first sequence as they are sorted, then those of the second, ..."""
    if not sort:
        return np.argsort(codes, kind="stable")
    index = "_".join(["index", *map(str, sort)])
    order = frame.select(sort).with_row_index(index).sort(sort)[index].to_numpy()
    return order[np.argsort(codes[order], kind="stable")]


def _check_distinct(frame, names, codes, order):
    """Refuse rows of a sequence that `sort` cannot tell apart."""
    if not names["sort"]:
        return
    times = [frame[name].to_numpy()[order] for name in names["sort"]]
    is_same = [time[1:] == time[:-1] for time in (codes[order], *times)]
    for place in np.flatnonzero(np.logical_and.reduce(is_same))[:1]:
        row = int(order[place])
        raise ValueError(
            f"Sequence {_describe(frame, names['by'], row)} must have one row for each "
            f"{', '.join(names['sort'])}, got several for "
            f"{_describe(frame, names['sort'], row)}; drop or combine them."
        )


def _check_constant(frame, names, codes, firsts):
    """Refuse targets that change within a sequence."""
    for name in names["target"]:
        values = frame[name].to_numpy()
        for row in np.flatnonzero(values != values[firsts][codes])[:1].tolist():
            first = int(firsts[codes[row]])
            raise ValueError(
                f"target {name!r} must be constant in each sequence, got "
                f"{values[first]} and {values[row]} in sequence "
                f"{_describe(frame, names['by'], row)}; pass it as step_target to have "
                "a target for each step."
            )


def _describe(frame, names, row):
    """Values of a row, as a message shows them."""
    return ", ".join(str(frame[name][row]) for name in names)


def _take(frame, columns, order, as_frames):
    """The rows in that order: a DataFrame, or an array with NaN for what is missing."""
    if as_frames:
        return frame.select(columns)[order].to_native()
    return np.column_stack([_numbers(frame[name]) for name in columns])[order]


def _numbers(series):
    dtype = series.dtype
    is_boolean = dtype == _import_narwhals().Boolean
    if not (dtype.is_numeric() or is_boolean):
        raise ValueError(
            f"Column {series.name!r} must be numeric, got {dtype}; encode it, or pass "
            "as_frames=True and encode it in PerStep(ColumnTransformer(...))."
        )
    if is_boolean or dtype.is_decimal():
        series = series.cast(_import_narwhals().Float64)
    return series.to_numpy()


def _targets(frame, names):
    if np.ndim(names) == 0:
        return frame[names].to_numpy()
    return np.column_stack([frame[name].to_numpy() for name in names])
