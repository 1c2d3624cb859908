"""The test rows of a search in two dimensions, in a limited child process."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.errors import BundleError
from automl.execution.child import ChildRequest, Limits
from automl.jobs.records import JobState
from automl.settings import Settings
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext, run_stoppable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OUT, POINTS = "map.json", "map.parquet"
MOST_ROWS = 2_000
TIMEOUT_SECONDS = 1_800.0
INPUTS, LAST_MAPS = "inputs", "last_maps"


def handle(context: HandlerContext) -> Iterator[None]:
    """Lay out ``job.spec`` = ``{search, data, first}``: a search's id, its data set, where its test file begins.

    Writes ``map.parquet`` (``row`` of the data set and the axes of ``project``) and ``map.json`` into the job's
    folder; result ``{"out", "n_rows"}``.
    """
    spec = context.job.spec
    result_folder = context.workspace.result(str(spec["search"]))
    if not (result_folder / "bundle").is_dir():
        raise BundleError(
            "The search whose rows should be laid out has no model any more.",
            hint="Choose another search.",
        )
    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.map_handler:run_map",
            arguments={
                "result": str(result_folder.resolve()),
                "data": str(spec["data"]),
                "first": int(spec.get("first") or 0),
                "out": str(context.workspace.job(context.job.id).resolve()),
                "settings": render_settings(context.settings),
            },
            folder=folder,
            limits=Limits(timeout_seconds=TIMEOUT_SECONDS),
        )
        result = yield from run_stoppable(context, request)
    if result is None:
        context.finish(JobState.STOPPED)
        return
    context.log("info", f"Laid out {result['n_rows']} rows.")
    context.succeed(result)


def run_map(arguments: Mapping[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """Inside the child: draw rows, read them as the model does, lay them out."""
    import numpy as np
    import pandas as pd

    from automl.evaluation.error_map import SEED, project
    from automl.evaluation.thinning import sample_rows
    from automl.files import write_atomic, write_json

    result, out = Path(arguments["result"]), Path(arguments["out"])
    workspace = Settings(**arguments["settings"]).workspace
    report(0.0, "Reading the rows")
    numbers = pd.read_parquet(result / "predictions.parquet", columns=["row_id"])["row_id"]
    drawn = sample_rows(len(numbers), SEED, MOST_ROWS)
    rows = numbers.to_numpy(dtype=np.int64)[drawn] + arguments["first"]
    inputs, what = read_inputs(result / "bundle", workspace, arguments["data"], rows)
    report(0.3, "Laying them out in two dimensions")
    found = project(inputs)
    found.frame.insert(0, "row", rows)
    write_atomic(out / POINTS, found.frame.to_parquet(index=False) or b"")
    facts = {"what": what, "n_rows": len(rows), "n_all": len(numbers), "n_inputs": inputs.shape[1]}
    more = {"explained": list(found.explained), "perplexity": found.perplexity, "seed": SEED}
    write_json(out / OUT, {**facts, **more})
    return {"out": OUT, "n_rows": len(rows)}


def read_inputs(
    bundle_folder: Path, workspace: Any, data: str, rows: "NDArray[np.int64]"
) -> "tuple[NDArray[np.float64], str]":
    """Rows as the bundle's encoder gives them; of pictures the mean of the last maps of its first network."""
    from automl.data.images.encoder import ImageEncoder
    from automl.data.images.rows import ImageRows
    from automl.data.images.store import load_images
    from automl.data.store import load_frame
    from automl.deploy.bundle import load_bundle
    from automl.evaluation.error_map import spread_codes
    from automl.models.image.image_model import ImageModel
    from automl.training.explaining import compute_last_maps

    with load_bundle(bundle_folder) as bundle:
        if not isinstance(bundle.encoder, ImageEncoder):
            views, _ = bundle.encoder.encode(load_frame(workspace, data).iloc[rows])
            return spread_codes(views.standard, views.codes), INPUTS
        images = ImageRows(array=load_images(workspace, data), rows=rows)
        network = next((each for each in bundle.members if isinstance(each, ImageModel)), None)
        if network is None:
            views = bundle.encoder.encode_images(images)
            return spread_codes(views.standard, views.codes), INPUTS
        return compute_last_maps(network, images), LAST_MAPS
