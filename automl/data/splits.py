"""Rows into train, select, calibrate and test: stratified, by group or by time, copies kept together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from automl.data.dataset import Note
from automl.data.dealing import apportion, deal
from automl.data.repeats import find_repeats, note_repeats
from automl.data.split_plan import SplitPlan, SplitStrategy
from automl.data.task import TaskType
from automl.data.time_split import assign_by_time, note_times
from automl.data.views import Part
from automl.errors import DataError

Ints = NDArray[np.int64]

PARTS = tuple(Part)
N_TARGET_BINS = 10
BIN_ROWS = 20  # of the target; fewer leave nothing for the smallest part
MAX_TIED_SHARE = 0.3  # above it equal rows are what a table with few columns has, not copies
MAX_CLUSTER_SHARE = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitRequest:
    """What is to be divided.

    ``target``: indices of ``classes`` (−1: no value) or numbers (NaN: no value) of all rows; the last
    ``n_given_test`` rows are the given test part, the ``n_given_val`` before them the given validation
    part. ``groups``: an integer per row (−1: no group, the row stands alone). ``duplicate_keys``: equal
    numbers for equal rows. ``left_out``: True for rows that a person left out. ``are_pictures``: copies are
    tied however many they are, for a film has few pictures that are not. ``times``: a number per row that grows
    with time, NaN where there is none (strategy ``temporal``).
    """

    target: Ints | NDArray[np.float64]
    task_type: TaskType
    plan: SplitPlan
    classes: tuple[str, ...] = ()
    groups: Ints | None = None
    n_given_test: int = 0
    duplicate_keys: NDArray[np.uint64] | None = None
    n_given_val: int = 0
    left_out: NDArray[np.bool_] | None = None
    are_pictures: bool = False
    times: NDArray[np.float64] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitResult:
    """Disjoint sorted row indices per part; rows without a target value are in none.

    ``repeats``: rows of a given test part that equal a row of another one, as in ``find_repeats``.
    """

    parts: Mapping[Part, Ints]
    notes: tuple[Note, ...] = ()
    repeats: Ints = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))


def compute_split(request: SplitRequest) -> SplitResult:
    """Divide the rows; the same request gives the same parts.

    Strata are classes, or ten quantile bins of a number. Exact copies stay together unless so many rows
    are equal that the parts would lose their sizes (then a note says so). A part without rows is a
    ``DataError``.
    """
    n_test, n_rows = request.n_given_test, len(request.target) - request.n_given_test
    n_own = n_rows - request.n_given_val
    has_target = ~np.isnan(request.target.astype(np.float64)) & (
        (request.target >= 0) | (request.task_type is TaskType.REGRESSION)
    )
    notes = list(_note_absent(has_target))
    usable = has_target if request.left_out is None else has_target & ~request.left_out
    rows = np.flatnonzero(usable[:n_rows])
    if request.plan.strategy is SplitStrategy.TEMPORAL:
        assigned = assign_by_time(_require_times(request)[rows], _list_shares(request.plan))
    else:
        assigned, tie_notes = _assign_by_chance(request, rows, n_own)
        notes += tie_notes
    parts = {part: np.sort(rows[assigned == index]) for index, part in enumerate(PARTS)}
    if n_test:
        given = np.arange(n_rows, len(request.target), dtype=np.int64)
        parts[Part.TEST] = given[usable[n_rows:]]
    _require_rows(parts, n_rows, request.plan.strategy)
    _require_classes(request, parts)
    if request.times is not None:
        notes += note_times(request.times, parts, test_given=n_test > 0)
    notes += _note_rare(request, parts)
    repeats = _find_copies(request, parts)
    notes += note_repeats(
        repeats, len(parts[Part.TEST]), n_before_test=n_rows, are_pictures=request.are_pictures
    )  # fmt: skip
    notes += _note_shared(request, parts)
    return SplitResult(parts=parts, notes=tuple(notes), repeats=repeats)


def _assign_by_chance(
    request: SplitRequest, rows: Ints, n_own: int
) -> tuple[Ints, tuple[Note, ...]]:
    """Part numbers per row, drawn with the plan's seed: by strata or whole groups, copies together."""
    clusters, notes = _build_clusters(request, rows)
    strata = _build_strata(request.target[rows], request.task_type)
    assigned = np.full(len(rows), PARTS.index(Part.TRAIN), dtype=np.int64)
    generator = np.random.default_rng(request.plan.seed)
    assign = _assign_groups if request.plan.group is not None else _assign_strata
    for zone, shares in _list_zones(request.plan, rows < n_own, clusters):
        within = np.unique(clusters[zone], return_inverse=True)[1].reshape(-1)
        assigned[zone] = assign(within, strata[zone], shares, generator)
    return assigned, notes


def divide(
    request: SplitRequest, rows: Ints, shares: NDArray[np.float64], generator: np.random.Generator
) -> Ints:
    """A number from 0 per row, as often as the shares say: by strata or whole groups, copies together."""
    strata = _build_strata(request.target[rows], request.task_type)
    clusters = _build_clusters(request, rows)[0]
    assign = _assign_groups if request.plan.group is not None else _assign_strata
    return assign(clusters, strata, shares, generator)


def _require_times(request: SplitRequest) -> NDArray[np.float64]:
    if request.times is None:
        raise DataError("A temporal split needs the values of its time column.")
    return request.times


def _list_shares(plan: SplitPlan) -> NDArray[np.float64]:
    return np.array([plan.train, plan.select, plan.calibrate, plan.test])


def _list_zones(
    plan: SplitPlan, is_own: NDArray[np.bool_], clusters: Ints
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.float64]]]:
    """Rows that are divided among themselves, with the shares of the parts; rows in no zone train.

    Without a given validation part that is all rows. With one, copies of its rows must not become test rows.
    """
    shares = _list_shares(plan)
    if not plan.val_given:
        yield np.ones(len(is_own), dtype=bool), shares
        return
    free = is_own & ~np.isin(clusters, clusters[~is_own])
    test = min(1.0, plan.test * is_own.sum() / max(1, free.sum()))
    yield free, np.array([1 - test, 0, 0, test])
    yield ~is_own, np.array([0, plan.select, plan.calibrate, 0])


def _note_absent(has_target: NDArray[np.bool_]) -> tuple[Note, ...]:
    absent = int((~has_target).sum())
    if not absent:
        return ()
    rows = "row has" if absent == 1 else "rows have"
    text = f"{absent:,} {rows} no value of the target and take no part."
    return (Note(code="target_missing", text=text, level="warning"),)


def _build_strata(target: NDArray[np.generic], task_type: TaskType) -> Ints:
    if task_type is not TaskType.REGRESSION:
        return np.asarray(target, dtype=np.int64)
    values = np.asarray(target, dtype=np.float64)
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    n_bins = max(1, min(N_TARGET_BINS, len(values) // BIN_ROWS))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def _build_clusters(request: SplitRequest, rows: Ints) -> tuple[Ints, tuple[Note, ...]]:
    """A number per row; rows of one number must not be torn apart."""
    alone = np.arange(len(rows), dtype=np.int64)
    clusters = alone
    notes: tuple[Note, ...] = ()
    if request.plan.strategy is SplitStrategy.GROUPED:
        if request.groups is None:
            raise DataError("A grouped split needs the values of its group column.")
        groups = request.groups[rows]
        clusters = np.where(groups >= 0, groups, groups.max(initial=0) + 1 + alone)
    if request.duplicate_keys is not None:
        keys = np.unique(request.duplicate_keys[rows], return_inverse=True)[1].reshape(-1)
        sizes = np.bincount(keys) if len(keys) else np.zeros(0, dtype=np.int64)
        n_copies = int((sizes - 1).sum())
        is_tieable = n_copies <= MAX_TIED_SHARE * len(rows)
        is_tieable &= int(sizes.max(initial=0)) <= max(2, MAX_CLUSTER_SHARE * len(rows))
        if n_copies and (is_tieable or request.are_pictures):
            clusters = _merge(clusters, keys)
        elif n_copies:
            text = (
                f"{n_copies:,} of {len(rows):,} rows repeat another one; so many equal rows are not "
                "kept in one part of the split."
            )
            notes = (Note(code="duplicates_split", text=text, level="warning"),)
    return np.unique(clusters, return_inverse=True)[1].reshape(-1).astype(np.int64), notes


def _merge(first: Ints, second: Ints) -> Ints:
    """Join clusters that share a row, whichever of the two ties them."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    left = np.unique(first, return_inverse=True)[1].reshape(-1)
    right = second + left.max(initial=-1) + 1
    size = int(right.max(initial=-1)) + 1
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(size, size))
    labels = connected_components(graph, directed=False)[1]
    return np.asarray(labels[left], dtype=np.int64)


def _assign_strata(
    clusters: Ints, strata: Ints, shares: NDArray[np.float64], generator: np.random.Generator
) -> Ints:
    """Part numbers per row: every stratum by exact shares, larger clusters first, single rows last."""
    assigned = np.full(len(strata), -1, dtype=np.int64)
    sizes = np.bincount(clusters, minlength=1)
    # copies with different targets (possible, if odd) follow the stratum of their first row
    first_row = np.unique(clusters, return_index=True)[1] if len(clusters) else np.zeros(0, int)
    cluster_stratum = strata[first_row]
    carry = np.zeros(len(shares))  # what rounding still owes each part, so that the totals come out
    for stratum in np.unique(cluster_stratum):
        members = np.flatnonzero(cluster_stratum == stratum)
        members = members[generator.permutation(len(members))]
        members = members[np.argsort(-sizes[members], kind="stable")]
        wanted = apportion(int(sizes[members].sum()), shares, carry)
        carry += sizes[members].sum() * shares - wanted
        parts = deal(sizes[members], wanted)
        part_of_cluster = np.full(len(sizes), -1, dtype=np.int64)
        part_of_cluster[members] = parts
        chosen = part_of_cluster[clusters]
        assigned = np.where(chosen >= 0, chosen, assigned)
    return _fill_empty(assigned, clusters, shares)


def _fill_empty(assigned: Ints, clusters: Ints, shares: NDArray[np.float64]) -> Ints:
    """A part that many tiny strata left empty gets the smallest cluster of the largest part."""
    for part in np.flatnonzero(shares > 0):
        if (assigned == part).any():
            continue
        largest = int(np.bincount(assigned, minlength=len(shares)).argmax())
        members, sizes = np.unique(clusters[assigned == largest], return_counts=True)
        if len(members) > 1:
            assigned = np.where(clusters == members[sizes.argmin()], part, assigned)
    return assigned


def _assign_groups(
    clusters: Ints, strata: Ints, shares: NDArray[np.float64], generator: np.random.Generator
) -> Ints:
    """Part numbers per row, whole groups only: each goes where sizes and classes are furthest behind."""
    n_clusters, n_strata = int(clusters.max(initial=-1)) + 1, int(strata.max(initial=-1)) + 1
    table = np.zeros((n_clusters, n_strata))
    np.add.at(table, (clusters, strata), 1)
    wanted = shares[:, None] * table.sum(axis=0)  # (4, strata)
    weight = 1 / np.maximum(table.sum(axis=0), 1)
    order = generator.permutation(n_clusters)
    order = order[np.argsort(-table.sum(axis=1)[order], kind="stable")]
    left = wanted.copy()
    allowed = shares > 0
    part_of = np.zeros(n_clusters, dtype=np.int64)
    n_parts = int(allowed.sum())
    for position, cluster in enumerate(order):
        need = (left * weight * (table[cluster] > 0)).sum(axis=1) / shares.clip(1e-9)
        open_parts = allowed & (left.sum(axis=1) >= wanted.sum(axis=1))
        if open_parts.any() and n_clusters - position <= n_parts:
            need = np.where(open_parts, need + 1e6, need)  # no part may stay empty
        part = int(np.argmax(np.where(allowed, need, -np.inf)))
        part_of[cluster] = part
        left[part] -= table[cluster]
    return part_of[clusters]


_WAY_OUT = {
    SplitStrategy.STRATIFIED: "Add rows.",
    SplitStrategy.GROUPED: "Add rows; at least four groups are needed.",
    SplitStrategy.TEMPORAL: "Choose another time column: at least four different moments are needed.",
}


def _require_rows(parts: Mapping[Part, Ints], n_rows: int, strategy: SplitStrategy) -> None:
    for part, rows in parts.items():
        if not len(rows):
            raise DataError(
                f"The {part} part of the split has no rows ({n_rows:,} rows in all).",
                hint=_WAY_OUT[strategy],
            )


def _require_classes(request: SplitRequest, parts: Mapping[Part, Ints]) -> None:
    """From one class nothing can be learned; a test part that shares none has them written otherwise (``yes.``)."""
    if request.task_type is TaskType.REGRESSION:
        return
    trained, tested = (
        np.unique(request.target[parts[part]]).astype(np.int64) for part in (Part.TRAIN, Part.TEST)
    )
    if request.plan.strategy is SplitStrategy.TEMPORAL and len(trained) == 1:
        raise DataError(
            "The oldest rows, which train, have one class only.",
            hint="Choose another time column, or none.",
        )
    if request.n_given_test and not len(np.intersect1d(trained, tested)):
        raise DataError(
            f"The test part has none of the classes of train: it has {_name_classes(request.classes, tested)}, "
            f"train has {_name_classes(request.classes, trained)}.",
            hint="Write the classes in the same way in both, or leave the test part out.",
        )


def _note_rare(request: SplitRequest, parts: Mapping[Part, Ints]) -> tuple[Note, ...]:
    """Name the classes that do not occur in every part."""
    if request.task_type is TaskType.REGRESSION:
        return ()
    present = np.unique(request.target[request.target >= 0]).astype(np.int64)
    gone = {part: np.setdiff1d(present, request.target[rows]) for part, rows in parts.items()}
    lacking = [
        f"{part} {len(found)} ({_name_classes(request.classes, found)})"
        for part, found in gone.items()
        if len(found)
    ]
    if not lacking:
        return ()
    if request.plan.strategy is SplitStrategy.TEMPORAL:
        cause = "Some classes do not occur in every stretch of time"
        way_out = "Merge classes, or choose another time column."
    else:
        cause = "Some classes have too few rows to be in every part of the split"
        way_out = "Merge rare classes, or add rows."
    if len(gone[Part.TRAIN]):
        way_out = f"No model learns a class that is absent from train. {way_out}"
    text = f"{cause}; absent classes: {', '.join(lacking)}. {way_out}"
    return (Note(code="rare_classes", text=text, level="warning"),)


def _name_classes(classes: tuple[str, ...], found: Ints) -> str:
    return ", ".join(repr(classes[index]) for index in found[:3]) + " …" * (len(found) > 3)


def _note_shared(request: SplitRequest, parts: Mapping[Part, Ints]) -> Iterator[Note]:
    """Given parts are not divided: say how much of the test part models have met before."""
    tested = parts[Part.TEST]
    own = np.concatenate([rows for part, rows in parts.items() if part is not Part.TEST])
    if request.n_given_val:
        yield from _note_val_copies(request, parts)
    if request.groups is None:
        return
    if request.n_given_test:
        yield from _note_groups(request.groups, tested, own, "test")
    if request.n_given_val:
        decided = np.concatenate([parts[Part.SELECT], parts[Part.CALIBRATE]])
        yield from _note_groups(request.groups, decided, parts[Part.TRAIN], "validation")


def _find_copies(request: SplitRequest, parts: Mapping[Part, Ints]) -> Ints:
    """Only a given test part can have them: drawn parts keep copies together, where copies are no coincidence."""
    if request.duplicate_keys is None or not request.n_given_test:
        return np.zeros((0, 2), dtype=np.int64)
    own = [rows for part, rows in parts.items() if part is not Part.TEST]
    return find_repeats(request.duplicate_keys, parts[Part.TEST], np.concatenate(own))


def _note_val_copies(request: SplitRequest, parts: Mapping[Part, Ints]) -> Iterator[Note]:
    keys = request.duplicate_keys
    decided = np.concatenate([parts[Part.SELECT], parts[Part.CALIBRATE]])
    n_copies = 0 if keys is None else int(np.isin(keys[decided], keys[parts[Part.TRAIN]]).sum())
    if n_copies:
        what = "pictures" if request.are_pictures else "rows"
        text = (
            f"{n_copies:,} of {len(decided):,} {what} of the validation part have a copy or near copy in "
            "the training part. What is chosen by them is a little too good on them."
        )
        yield Note(code="validation_overlap", text=text, level="warning")


def _note_groups(groups: Ints, given: Ints, own: Ints, name: str) -> Iterator[Note]:
    met = np.unique(groups[given][groups[given] >= 0])
    n_shared = int(np.isin(met, groups[own]).sum())
    if n_shared:
        whole = "file" if name == "test" else "part"
        text = (
            f"{n_shared:,} of the {len(met):,} groups of the {name} {whole} also stand in the main "
            f"{whole}, so the {name} does not show how a model does on groups it never met."
        )
        yield Note(code="groups_shared", text=text, level="warning")
