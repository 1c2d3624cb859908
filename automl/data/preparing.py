"""A frame, a task and a plan into everything a trainer reads; every statistic from training rows only."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from automl.data.cells import Floats, cells_to_labels, cells_to_numbers
from automl.data.corrections import Corrections, apply_corrections
from automl.data.dataset import ColumnUse, Note, Role, Unit
from automl.data.encoding import AnyEncoder, fit_encoder
from automl.data.folds import Fold, build_folds, find_problem
from automl.data.images.encoder import PixelFacts, compute_pixel_facts, fit_image_encoder
from automl.data.images.preparing import Pictures, map_images, render_path
from automl.data.split_plan import SplitPlan
from automl.data.splits import SplitRequest, compute_split
from automl.data.task import Task, TaskType
from automl.data.time_split import encode_times
from automl.data.views import Part, Prepared, Views, ViewShape
from automl.data.weights import build_weight_notes, encode_weights, find_weight
from automl.errors import DataError
from automl.files import load_json, write_json

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]

LARGEST_TARGET = 1e140  # errors are squared and summed


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareRequest:
    """All rows of a data set, how its columns are used, the task and the split.

    Given test rows come last, given validation rows (counted only where the plan says ``val_given``) before
    them. With ``pictures`` row i describes picture i. ``units``: those that the import left off, by column.
    ``n_folds``: into how many folds train and select are divided beside, 0 for none. ``corrections`` count after the
    split, which they do not change.
    """

    frame: "pd.DataFrame"
    columns: tuple[ColumnUse, ...]
    task: Task
    split_plan: SplitPlan
    n_given_test: int = 0
    n_given_val: int = 0
    pictures: Pictures | None = None
    units: Mapping[str, Unit] = field(default_factory=dict)
    n_folds: int = 0
    corrections: Corrections = field(default_factory=Corrections)


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedResult:
    """``prepared`` for the search; ``refit`` for the final models, its train part being train ∪ select.

    Row indices are those of the frame in both. Rows without a target value, and pictures that were left out,
    are in no part; their target is −1 or NaN. ``encoder`` was fitted on train (with folds on the learning rows of the
    first), ``refit_encoder`` on train ∪ select. Folds that cannot be are left out, which a note says. ``repeats`` as in
    ``SplitResult``.
    """

    prepared: Prepared
    refit: Prepared
    encoder: AnyEncoder
    refit_encoder: AnyEncoder
    notes: tuple[Note, ...]
    repeats: Ints


def prepare(request: PrepareRequest) -> PreparedResult:
    """Split, fit the encoders on their own rows, encode every row."""
    target = encode_target(request.frame, request.task)
    pictures = request.pictures
    split_request = _build_split_request(request, target)
    split = compute_split(split_request)
    if pictures is not None:
        target[pictures.mark_excluded()] = -1 if target.dtype.kind == "i" else np.nan
    target, parts, corrected = apply_corrections(
        request.corrections, request.task, target, split.parts
    )
    weight = find_weight(request.columns)
    weights = None if weight is None else encode_weights(request.frame, weight, parts)
    encode = _EncodeTable(request) if pictures is None else _EncodePictures(request, pictures)
    both = np.sort(np.concatenate([parts[Part.TRAIN], parts[Part.SELECT]]))
    refit_parts = {**parts, Part.TRAIN: both, Part.SELECT: np.zeros(0, dtype=np.int64)}
    refit_encoder, refit_views, _ = encode.run(both)
    folds, problem = _divide(replace(split_request, target=target), both, request.n_folds)
    if folds:
        encoder, notes, each = _prepare_folds(encode, folds, target, parts, request.task)
        each = tuple(replace(fold, weight=weights) for fold in each)
        prepared = replace(each[0], parts=parts, folds=each, held=None)
    else:
        encoder, views, notes = encode.run(parts[Part.TRAIN])
        prepared = _build(views, encoder, target, parts, request.task)
    return PreparedResult(
        prepared=replace(prepared, weight=weights),
        refit=replace(
            _build(refit_views, refit_encoder, target, refit_parts, request.task), weight=weights
        ),
        encoder=encoder,
        refit_encoder=refit_encoder,
        notes=(*split.notes, *corrected, *problem, *notes, *build_weight_notes(weight)),
        repeats=split.repeats,
    )


def _divide(
    request: SplitRequest, rows: Ints, n_folds: int
) -> tuple[tuple[Fold, ...], tuple[Note, ...]]:
    """The folds; none where they cannot be trained or scored, with a note that says why."""
    if not n_folds:
        return (), ()
    folds = build_folds(request, rows, n_folds)
    problem = find_problem(request, folds)
    if not problem:
        return folds, ()
    text = f"The rows are not divided into {n_folds} folds: {problem}. The select part decides instead."
    return (), (Note(code="no_folds", text=text, level="warning"),)


def _prepare_folds(
    encode: "_EncodeTable | _EncodePictures",
    folds: tuple[Fold, ...],
    target: Ints | Floats,
    parts: dict[Part, Ints],
    task: Task,
) -> tuple[AnyEncoder, tuple[Note, ...], tuple[Prepared, ...]]:
    """Every fold through an encoder that saw its learning rows only; encoder and notes of the first."""
    encoded = [encode.run(fold.train) for fold in folds]
    own = [{**parts, Part.TRAIN: fold.train, Part.SELECT: fold.stop} for fold in folds]
    prepared = tuple(
        replace(_build(views, encoder, target, rows, task), held=fold.held)
        for fold, rows, (encoder, views, _) in zip(folds, own, encoded, strict=True)
    )
    first, _, notes = encoded[0]
    return first, notes, prepared


def prepare_shares(
    request: PrepareRequest, prepared: Prepared, shares: Iterable[Ints]
) -> Iterator[Prepared]:
    """The same rows with a smaller train part each: every encoder is fitted on the rows of its share only."""
    pictures = request.pictures
    encode = _EncodeTable(request) if pictures is None else _EncodePictures(request, pictures)
    for rows in shares:
        own = np.sort(rows)
        encoder, views, _ = encode.run(own)
        parts = {**prepared.parts, Part.TRAIN: own}
        built = _build(views, encoder, prepared.target, parts, request.task)
        yield replace(built, weight=prepared.weight)


def _build_split_request(request: PrepareRequest, target: Ints | Floats) -> SplitRequest:
    pictures = request.pictures
    if pictures is None:
        keys, left_out = _hash_rows(request.frame, request.columns), None
    else:
        keys, left_out = pictures.ties, pictures.mark_excluded()
    return SplitRequest(
        target=target,
        task_type=request.task.type,
        plan=request.split_plan,
        classes=request.task.classes,
        groups=_number_groups(request.frame, request.split_plan),
        times=_read_times(request),
        n_given_test=request.n_given_test,
        n_given_val=request.n_given_val,
        duplicate_keys=keys,
        left_out=left_out,
        are_pictures=pictures is not None,
    )


class _EncodeTable:
    """Fits on some rows of a table and encodes them all."""

    def __init__(self, request: PrepareRequest) -> None:
        self._frame, self._units = request.frame, request.units
        self._inputs = select_inputs(request.columns)

    def run(self, rows: Ints) -> tuple[AnyEncoder, Views, tuple[Note, ...]]:
        encoder = fit_encoder(self._frame.iloc[rows], self._inputs, self._units)
        views, notes = encoder.encode(self._frame)
        return encoder, views, notes


class _EncodePictures:
    """The same for pictures; their pixels are read once for both encoders."""

    def __init__(self, request: PrepareRequest, pictures: Pictures) -> None:
        self._pictures = pictures
        self._inputs = select_inputs(request.columns)
        if len(pictures.images) != len(request.frame):
            raise DataError(
                f"{len(request.frame):,} rows describe {len(pictures.images):,} pictures.",
                hint="Import the pictures again.",
            )
        self._facts: PixelFacts = compute_pixel_facts(pictures.images)

    def run(self, rows: Ints) -> tuple[AnyEncoder, Views, tuple[Note, ...]]:
        pictures = self._pictures
        encoder = fit_image_encoder(self._facts, rows, self._inputs, pictures.facts)
        views = encoder.encode_images(pictures.images, self._facts)
        return encoder, views, pictures.build_notes()


def select_inputs(columns: tuple[ColumnUse, ...]) -> tuple[ColumnUse, ...]:
    """The columns a model may read: features, and sensitive ones that are ticked as inputs."""
    return tuple(
        column
        for column in columns
        if column.role is Role.FEATURE or (column.role is Role.SENSITIVE and column.is_input)
    )


def encode_target(frame: "pd.DataFrame", task: Task) -> Ints | Floats:
    """Class indices into ``task.classes`` (−1: missing), or float64 (NaN: missing), of all rows.

    A label that is not among the classes is a ``DataError``.
    """
    if task.target not in frame.columns:
        raise DataError(
            f"The rows lack the target column {task.target!r}.", hint="Add it, or choose another."
        )
    if task.type is TaskType.REGRESSION:
        values = cells_to_numbers(frame[task.target])
        values = np.where(np.isfinite(values), values, np.nan)
        largest = np.nanmax(np.abs(values), initial=0.0)
        if largest > LARGEST_TARGET:
            raise DataError(
                f"The target {task.target!r} reaches {largest:.3g}, whose square is no number a "
                "computer holds.",
                hint="Divide the target by a power of ten.",
            )
        return values
    codes, labels = cells_to_labels(frame[task.target])
    index = {label: number for number, label in enumerate(task.classes)}
    unknown = [label for label in labels if label not in index]
    if unknown:
        raise DataError(
            f"{unknown[0]!r} in the target {task.target!r} is none of the classes "
            f"{', '.join(map(repr, task.classes[:10]))}.",
            hint="Correct the value, or choose the target anew.",
        )
    table = np.array([*(index[label] for label in labels), -1], dtype=np.int64)
    return table[codes]


def _number_groups(frame: "pd.DataFrame", plan: SplitPlan) -> Ints | None:
    if plan.group is None:
        return None
    if plan.group not in frame.columns:
        raise DataError(f"The rows lack the group column {plan.group!r}.", hint="Add it.")
    return cells_to_labels(frame[plan.group])[0].astype(np.int64)


def _read_times(request: PrepareRequest) -> Floats | None:
    use = next((use for use in request.columns if use.name == request.split_plan.time), None)
    return None if use is None else encode_times(request.frame, use)


def _hash_rows(frame: "pd.DataFrame", columns: tuple[ColumnUse, ...]) -> NDArray[np.uint64]:
    """Equal numbers for rows that agree in every column that is neither ignored nor a weight."""
    import pandas as pd

    unread = (Role.IGNORED, Role.WEIGHT)
    used = [c.name for c in columns if c.role not in unread and c.name in frame.columns]
    hashes = pd.util.hash_pandas_object(frame[used], index=False)
    return np.asarray(hashes, dtype=np.uint64)


def _build(
    views: Views, encoder: AnyEncoder, target: Ints | Floats, parts: dict[Part, Ints], task: Task
) -> Prepared:
    if task.type is not TaskType.REGRESSION:
        shape = encoder.compute_shape(len(task.classes))
        return Prepared(views=views, target=target, parts=parts, shape=shape)
    train = target[parts[Part.TRAIN]]
    scale = float(train.std())
    return Prepared(
        views=views,
        target=target,
        parts=parts,
        shape=encoder.compute_shape(1),
        target_mean=float(train.mean()),
        target_scale=scale if scale > 0 else 1.0,
    )


_VIEWS = ("raw", "quantile", "robust", "standard", "codes")


def save_prepared(folder: Path, prepared: Prepared) -> None:
    """Write the arrays as ``.npy`` and the rest as ``prepared.json``, which comes last.

    Of pictures only the way to their memory map is kept, never a copy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, fold in enumerate(prepared.folds, start=1):
        save_prepared(folder / f"fold_{number}", fold)
    arrays = {name: getattr(prepared.views, name) for name in _VIEWS}
    arrays["target"] = prepared.target
    if prepared.weight is not None:
        arrays["weight"] = prepared.weight
    if prepared.held is not None:
        arrays["held"] = prepared.held
    arrays |= {f"part_{part}": rows for part, rows in prepared.parts.items()}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
    shape, images = prepared.shape, prepared.views.images
    write_json(
        folder / "prepared.json",
        {
            "n_raw": shape.n_raw,
            "n_quantile": shape.n_quantile,
            "n_quantile_numeric": shape.n_quantile_numeric,
            "cardinalities": list(shape.cardinalities),
            "n_outputs": shape.n_outputs,
            "side": shape.side,
            "channels": shape.channels,
            "image_mean": list(shape.image_mean),
            "image_std": list(shape.image_std),
            "images": None if images is None else render_path(images, folder),
            "target_mean": prepared.target_mean,
            "target_scale": prepared.target_scale,
            "n_folds": len(prepared.folds),
        },
    )


def load_prepared(folder: Path) -> Prepared:
    """Read a prepared folder; arrays are read-only memory maps."""
    try:
        facts = load_json(folder / "prepared.json")
        lists = [name for name, value in facts.items() if isinstance(value, list)]
        arrays = {name: _load_array(folder / f"{name}.npy") for name in _VIEWS}
        path = facts.pop("images", None)
        images = None if path is None else map_images((folder.resolve() / path).resolve())
        n_folds = facts.pop("n_folds")
        return Prepared(
            views=Views(**arrays, images=images),
            target=_load_array(folder / "target.npy"),
            weight=_load_array(weights) if (weights := folder / "weight.npy").exists() else None,
            held=_load_array(held) if (held := folder / "held.npy").exists() else None,
            folds=tuple(load_prepared(folder / f"fold_{n + 1}") for n in range(n_folds)),
            parts={part: _load_array(folder / f"part_{part}.npy") for part in Part},
            target_mean=facts.pop("target_mean"),
            target_scale=facts.pop("target_scale"),
            folder=folder,
            shape=ViewShape(**{**facts, **{name: tuple(facts[name]) for name in lists}}),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"The prepared data in {folder.name!r} cannot be read: {error}.",
            hint="Start the search again; it prepares them anew.",
        ) from error


def _load_array(path: Path) -> NDArray[Any]:
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        reader = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape = reader(file)[0]
    # an array without elements cannot be mapped
    mode: Literal["r"] | None = None if 0 in shape else "r"
    array: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
    return array
