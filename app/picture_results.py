"""What a finished search on pictures decided for each picture of the test part, and where the picture lies.

The pictures themselves may be gone with their data set; the numbers stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from app import pictures, results, services
from app.components.numbers import format_share
from app.pictures import Tile
from app.wording import say_plain
from automl.data.dataset import Dataset
from automl.errors import DataError
from automl.jobs.records import Job
from fairness.intervals import compute_wilson

FILE = "file"
PAGE_TILES = 24
MAX_FOUND = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureResults:
    """Decisions on the pictures of the test part; ``dataset`` is None where the pictures are gone.

    ``frame``: one row per picture with ``row`` (of the data set), ``file, truth, prediction, confidence``
    (probability of the decision), ``truth_probability``.
    """

    search: str
    frame: pd.DataFrame
    classes: tuple[str, ...]
    target: str
    dataset: Dataset | None

    @property
    def wrong(self) -> pd.DataFrame:
        """The mistakes, the most confident first."""
        wrong = self.frame[self.frame["truth"] != self.frame["prediction"]]
        return wrong.sort_values(["confidence", "row"], ascending=[False, True], kind="stable")

    def select_pair(self, truth: str, prediction: str) -> pd.DataFrame:
        """The pictures behind one cell of the confusion matrix, the most confident first."""
        part = self.frame[(self.frame["truth"] == truth) & (self.frame["prediction"] == prediction)]
        return part.sort_values(["confidence", "row"], ascending=[False, True], kind="stable")

    def find(self, row: int) -> Mapping[str, Any] | None:
        """The decision on a picture by its row, None for one outside the test part."""
        found = self.frame[self.frame["row"] == row]
        return None if found.empty else {str(k): v for k, v in found.iloc[0].to_dict().items()}


def is_about_pictures(search_id: str) -> bool:
    """Whether the search learned from pictures: its predictions name a file each."""
    return FILE in results.list_prediction_columns(search_id)


def read_picture_results(job: Job, result: Mapping[str, Any]) -> PictureResults | None:
    """Decisions with their pictures; None for a table or a value."""
    task = job.spec.get("task") or result.get("task") or {}
    if not is_about_pictures(job.id) or not task.get("classes"):
        return None
    dataset = find_dataset(job)
    path = results.get_result_file(job.id, "predictions.parquet")
    first = dataset.n_train_rows if dataset is not None and _has_given_test(job) else 0
    classes = tuple(map(str, task["classes"]))
    frame = _build_frame(path, path.stat().st_mtime_ns, job.id, first, classes)
    return PictureResults(
        search=job.id, frame=frame, classes=classes, target=str(task.get("target", "")), dataset=dataset
    )  # fmt: skip


def find_dataset(job: Job) -> Dataset | None:
    """The data set of a search, None once it was deleted."""
    try:
        dataset = services.read_dataset(str(job.spec.get("data") or job.dataset))
    except DataError:
        return None
    has_pictures = (services.get_workspace().dataset(dataset.id) / "images.npy").is_file()
    return dataset if dataset.images is not None and has_pictures else None


def _has_given_test(job: Job) -> bool:
    return bool((job.spec.get("split") or {}).get("test_given"))


@lru_cache(maxsize=4)
def _build_frame(
    _path: Path, _version: int, search_id: str, first: int, classes: tuple[str, ...]
) -> pd.DataFrame:
    predictions = results.read_predictions(search_id)
    if predictions is None:
        raise DataError("The predictions of this search are gone.", hint="Search again.")
    probability = predictions[[f"probability_{name}" for name in classes]].to_numpy(dtype=float)
    places = {name: place for place, name in enumerate(classes)}
    at = np.arange(len(predictions))
    decided = predictions["prediction"].astype(str).map(places).to_numpy()
    true = predictions["truth"].astype(str).map(places).to_numpy()
    return pd.DataFrame(
        {
            "row": predictions["row_id"].to_numpy(dtype=np.int64) + first,
            "file": predictions[FILE].astype(str),
            "truth": predictions["truth"].astype(str),
            "prediction": predictions["prediction"].astype(str),
            "confidence": probability[at, decided],
            "truth_probability": probability[at, true],
        }
    )


def build_pairs(frame: pd.DataFrame, *, are_confused: bool = True) -> pd.DataFrame:
    """Confused pairs, the most frequent first: ``truth, predicted, n, of, share, low, high``.

    ``of`` counts the pictures of the true class; the share is of them, with Wilson's interval. With
    ``are_confused`` False the classes that were decided as they are.
    """
    wanted = frame[(frame["truth"] != frame["prediction"]) == are_confused]
    counts = wanted.groupby(["truth", "prediction"]).size().rename("n").reset_index()
    totals = frame["truth"].value_counts()
    rows = []
    for truth, predicted, n in counts.itertuples(index=False):
        share = compute_wilson(int(n), int(totals[truth]))
        rows.append((truth, predicted, int(n), share.n, share.value, share.low, share.high))
    columns = ["truth", "predicted", "n", "of", "share", "low", "high"]
    pairs = pd.DataFrame(rows, columns=columns)
    return pairs.sort_values(["n", "truth", "predicted"], ascending=[False, True, True]).reset_index(drop=True)  # fmt: skip


def build_result_tiles(found: PictureResults, part: pd.DataFrame) -> list[Tile]:
    """Tiles of some decisions: true → predicted and its probability below each; needs the pictures."""
    if found.dataset is None or part.empty:
        return []
    pixels = pictures.read_pixels(found.dataset.id, part["row"].tolist())
    tiles = []
    for place, decision in enumerate(part.itertuples(index=False)):
        words = {
            "file": decision.file, "truth": decision.truth, "prediction": decision.prediction,
            "probability": format_share(float(decision.confidence)),
        }  # fmt: skip
        is_right = decision.truth == decision.prediction
        key = "right" if is_right else "wrong"
        tiles.append(
            Tile(
                row=int(decision.row),
                source=pictures.render_source(pixels[place]),
                alt=say_plain(f"errors.alt_{key}", **words),
                caption=say_plain(f"errors.caption_{key}", **words),
            )
        )
    return tiles


def search_files(found: PictureResults, text: str) -> list[int]:
    """Rows whose file name has that text, those of the test part first; at most ``MAX_FOUND``."""
    if found.dataset is None or not text.strip():
        return []
    wanted = text.strip().lower()
    index = pictures.read_index(found.dataset, None)
    rows = np.flatnonzero(index["file"].str.lower().str.contains(wanted, regex=False).to_numpy())
    tested = set(found.frame["row"].tolist())
    return sorted(map(int, rows), key=lambda row: (row not in tested, row))[:MAX_FOUND]


def build_found_tiles(found: PictureResults, rows: Sequence[int]) -> list[Tile]:
    """Tiles of any pictures of the data set, with what is known of each."""
    if found.dataset is None or not rows:
        return []
    index = pictures.read_index(found.dataset, found.target or None)
    captions = []
    for row in rows:
        decision = found.find(row)
        captions.append(
            say_plain("errors.not_tested", truth=index["label"].iloc[row])
            if decision is None
            else say_plain("errors.found", **decision)
        )
    return pictures.build_tiles(found.dataset, rows, index, captions=captions)
