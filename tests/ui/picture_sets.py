"""A small data set of pictures in the workspace, written by hand in the layout that an import leaves."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet as pq

from app import services
from automl.data.dataset import Column, Dataset, ImageFacts, Kind, Note, Role
from automl.data.profile import build_profile, write_profile
from automl.data.store import write_dataset

COMPUTED = "computed from the picture"
DESCRIBES = "describes the pictures: for groups and the audit"
CLASSES = ("cat", "dog", "ship")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What to make: pictures per class, side, channels, how many rows of the end are a given test part."""

    n_per_class: int = 30
    side: int = 16
    channels: int = 3
    n_test_rows: int = 0
    has_manifest: bool = True
    classes: tuple[str, ...] = CLASSES
    notes: tuple[Note, ...] = ()


def write_pictures(plan: Plan = Plan()) -> Dataset:
    """Write one into the workspace of the test; its record."""
    services.prepare_workspace()
    rng = np.random.default_rng(0)
    n = plan.n_per_class * len(plan.classes)
    labels = np.array([plan.classes[i % len(plan.classes)] for i in range(n)])
    images = _draw(rng, labels, plan)
    table = _to_arrow(_build_table(rng, labels, images, plan))
    identity = hashlib.sha256(images.tobytes() + repr(plan).encode()).hexdigest()
    dataset = Dataset(
        id=identity,
        name="animals.zip",
        n_rows=n,
        n_test_rows=plan.n_test_rows,
        columns=tuple(_build_column(name, table.column(name)) for name in table.column_names),
        notes=plan.notes,
        source="upload",
        size_bytes=images.nbytes,
        images=ImageFacts(side=plan.side, channels=plan.channels, n_left_out=2),
    )
    folder = services.get_workspace().dataset(identity)
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "table.parquet")
    np.save(folder / "images.npy", images)
    _build_originals(rng, table, plan).to_parquet(folder / "originals.parquet")
    write_profile(folder, build_profile(dataset, table))
    write_dataset(folder, dataset)
    return dataset


def _draw(rng: np.random.Generator, labels: np.ndarray, plan: Plan) -> np.ndarray:
    n, side, channels = len(labels), plan.side, plan.channels
    images = rng.integers(0, 60, (n, side, side, channels), dtype=np.uint8)
    for index, label in enumerate(labels):
        start = (plan.classes.index(label) * side) // (2 * len(plan.classes))
        images[index, start : start + side // 2, side // 4 : -side // 4] += np.uint8(150)
    images[3] = images[0]  # an exact copy of a neighbour's look
    return images


def _to_arrow(frame: pd.DataFrame) -> pa.Table:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    plain = [
        field.with_type(pa.string()) if pa.types.is_large_string(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(plain))


def _build_table(
    rng: np.random.Generator, labels: np.ndarray, images: np.ndarray, plan: Plan
) -> pd.DataFrame:
    n = len(labels)
    sizes = rng.integers(12, 400, n)
    table = pd.DataFrame(
        {
            "file": [f"{label}/{index:04}.png" for index, label in enumerate(labels)],
            "label": labels,
        }
    )
    if plan.has_manifest:
        table["sex"] = rng.choice(["female", "male"], n)
        table["patient"] = [f"p{index // 2}" for index in range(n)]
    flat = images.reshape(n, -1)
    return table.assign(
        picture_brightness=flat.mean(axis=1) / 255,
        picture_contrast=flat.std(axis=1) / 255,
        picture_sharpness=rng.random(n),
        picture_saturation=rng.random(n),
        picture_width=sizes,
        picture_height=(sizes * 0.75).astype(int) + 1,
        picture_aspect=sizes / ((sizes * 0.75).astype(int) + 1),
        picture_bytes=rng.integers(500, 9000, n),
        picture_format=rng.choice(["PNG", "JPEG"], n),
        picture_mode=rng.choice(["RGB", "L"], n),
    )


def _build_column(name: str, values: pa.ChunkedArray) -> Column:
    n_distinct = len(values.unique().drop_null())
    is_number = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    column = Column(
        name=name,
        kind=Kind.NUMERIC if is_number else Kind.CATEGORICAL,
        reason="numbers" if is_number else "words",
        n_missing=values.null_count,
        n_distinct=n_distinct,
    )
    if name == "file":
        return replace(column, kind=Kind.IMAGE, reason="the pictures")
    if name == "label":
        return replace(column, suggested_role=Role.TARGET, role_reason="the folder of each picture")
    reason = COMPUTED if name.startswith("picture_") else DESCRIBES
    return replace(column, suggested_role=Role.IGNORED, role_reason=reason)


def _build_originals(rng: np.random.Generator, table: pa.Table, plan: Plan) -> pd.DataFrame:
    frame = table.to_pandas()
    n = len(frame)
    parts = np.where(np.arange(n) < n - plan.n_test_rows, "train", "test")
    kept = pd.DataFrame(
        {
            "file": frame["file"],
            "part": parts if plan.n_test_rows else [""] * n,
            "label": frame["label"],
            "sha256": [hashlib.sha256(name.encode()).hexdigest() for name in frame["file"]],
            "width": frame["picture_width"],
            "height": frame["picture_height"],
            "mode": frame["picture_mode"],
            "format": frame["picture_format"],
            "bytes": frame["picture_bytes"],
            "phash": rng.integers(0, 2**63, n, dtype=np.int64),
            "row": np.arange(n),
            "reason": [""] * n,
        }
    )
    left = pd.DataFrame(
        {
            "file": ["cat/broken.jpg", "notes.txt"], "part": ["", ""], "label": ["cat", ""],
            "sha256": ["", ""], "width": [0, 0], "height": [0, 0], "mode": ["", ""],
            "format": ["", ""], "bytes": [120, 7], "phash": [0, 0], "row": [-1, -1],
            "reason": ["The picture is cut off.", "Not a picture."],
        }
    )  # fmt: skip
    return pd.concat([kept, left], ignore_index=True)
