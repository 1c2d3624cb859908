"""Where the best network of a search looked on some pictures, in a limited child process."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from automl.errors import BundleError, SpecError
from automl.execution.child import ChildRequest, Limits
from automl.jobs.records import JobState
from automl.settings import Settings
from automl.worker.child_folder import make_child_folder, render_settings
from automl.worker.context import HandlerContext, run_stoppable

OUT = "explained.json"
PICTURES = "explained"
COVERED = "-occlusion"
PREDICTED = "predicted"
MOST_ROWS = 64


def handle(context: HandlerContext) -> Iterator[None]:
    """Explain ``job.spec`` = ``{search, rows, classes}``: rows of the data set, by default their predicted class.

    ``classes`` is ``predicted`` or the label of one class for all rows. Writes ``explained/<row>.png``,
    ``explained/<row>-occlusion.png`` and ``explained.json`` into the job's folder; result ``{"out", "n_rows"}``.
    """
    spec = context.job.spec
    bundle = context.workspace.result(str(spec["search"])) / "bundle"
    if not bundle.is_dir():
        raise BundleError(
            "The search these pictures should be explained with has no model any more.",
            hint="Choose another model.",
        )
    with make_child_folder(context) as folder:
        request = ChildRequest(
            function="automl.worker.explain_handler:run_explain",
            arguments={
                "bundle": str(bundle.resolve()),
                "rows": list(parse_rows(spec.get("rows"))),
                "classes": str(spec.get("classes") or PREDICTED),
                "out": str(context.workspace.job(context.job.id).resolve()),
                "settings": render_settings(context.settings),
            },
            folder=folder,
            limits=Limits(
                timeout_seconds=context.settings.import_seconds,
                memory_bytes=context.settings.import_memory_bytes,
            ),
        )
        result = yield from run_stoppable(context, request)
    if result is None:
        context.finish(JobState.STOPPED)
        return
    context.log("info", f"Explained {result['n_rows']} pictures.")
    context.succeed(result)


def parse_rows(value: object) -> tuple[int, ...]:
    """Row numbers from a spec: 1 to 64 whole numbers from 0 on, each once; else a ``SpecError``."""
    rows = list(value) if isinstance(value, (list, tuple)) else []
    if not 1 <= len(rows) <= MOST_ROWS or not all(type(row) is int and row >= 0 for row in rows):
        raise SpecError(
            f"{value!r:.80} are no rows to explain.", hint=f"Name 1 to {MOST_ROWS} rows, from 0 on."
        )
    return tuple(dict.fromkeys(rows))


def run_explain(
    arguments: Mapping[str, Any], report: Callable[[float, str], None]
) -> dict[str, Any]:
    """Inside the child: load the model, look, draw."""
    import numpy as np

    from automl.data.images.rows import ImageRows
    from automl.data.images.store import load_images
    from automl.deploy.bundle import load_bundle
    from automl.deploy.manifest import calibrate
    from automl.evaluation.explaining import occlusion
    from automl.files import write_atomic, write_json
    from automl.training.explaining import LIMITS, explain_pictures, require_network
    from automl.worker.overlay import draw_overlay

    workspace, out = Settings(**arguments["settings"]).workspace, Path(arguments["out"])
    report(0.1, "Loading the model")
    with load_bundle(Path(arguments["bundle"])) as bundle:
        models = [require_network(member) for member in bundle.members]
        array = load_images(workspace, str(bundle.manifest.training.get("data", "")))
        rows = np.array(arguments["rows"], dtype=np.int64)
        if rows.max() >= len(array):
            raise SpecError(
                f"There is no picture in row {rows.max()}; the data set has {len(array)}.",
                hint="Choose a picture of this data set.",
            )
        images = ImageRows(array=array, rows=rows)
        report(0.3, "Looking at the pictures")

        def predict(pictures: ImageRows) -> Any:
            mean = np.mean([model.predict_rows(pictures) for model in models], axis=0)
            return calibrate(bundle.manifest, mean)

        probability = predict(images)
        decided = choose_classes(probability, bundle.manifest, arguments["classes"])
        explained = explain_pictures(models, images, decided)
        records = []
        for place, each in enumerate(explained):
            report(0.5 + 0.5 * place / len(rows), "Covering parts of the pictures")
            pixels = images.load(each.row, each.row + 1)[0]
            drops = occlusion.compute_occlusion(
                lambda covered: predict(ImageRows(array=covered)), pixels, each.class_index
            )
            heat = occlusion.scale_occlusion(drops, pixels.shape[0])
            stem = out / PICTURES / str(rows[each.row])
            write_atomic(stem.with_name(f"{stem.name}.png"), draw_overlay(pixels, each.heat))
            write_atomic(stem.with_name(f"{stem.name}{COVERED}.png"), draw_overlay(pixels, heat))
            records.append(
                {
                    "row": int(rows[each.row]),
                    "class": bundle.task.classes[each.class_index],
                    "probability": float(probability[place, each.class_index]),
                    "maximum": each.raw_maximum,
                    "method": each.method,
                    "note": each.note,
                    "largest_drop": float(drops.max()),
                    "drops": np.round(drops, 6).tolist(),
                }
            )
    record = {
        "rows": records,
        "method": explained[0].method,
        "limits": LIMITS,
        "occlusion_limits": occlusion.LIMITS,
        "model": bundle.manifest.name,
        "model_hash": bundle.manifest.checksum,
        "classes": arguments["classes"],
    }
    write_json(out / OUT, record)
    return {"out": OUT, "n_rows": len(records)}


def choose_classes(probability: Any, manifest: Any, wanted: str) -> list[int]:
    """What the bundle decides per row, or one named class for all of them."""
    from automl.evaluation.outcomes import THRESHOLD, decide

    task = manifest.task
    if wanted != PREDICTED:
        if wanted not in task.classes:
            raise SpecError(
                f"There is no class {wanted!r}.", hint=f"Choose {', '.join(task.classes[:20])}."
            )
        return [task.classes.index(wanted)] * len(probability)
    threshold = THRESHOLD if manifest.threshold is None else manifest.threshold
    return [int(index) for index in decide(task, probability, threshold)]
