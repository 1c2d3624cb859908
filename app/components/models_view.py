"""The Models page in parts: list, bundle with its recipe, prediction of a file."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from app import finished_models, picture_results, results, services, session
from app.components.download import show_download
from app.components.numbers import format_count, format_estimate, format_share, format_when
from app.components.states import show_error
from app.components.upload import pick_upload
from app.finished_models import FinishedModel, SingleDecision
from app.wording import escape, say, say_plain
from automl.evaluation.threshold_change import read_threshold
from automl.jobs.records import Job, JobState
from fairness.errors import FairloomError

PYTHON = """from pathlib import Path

import pandas as pd
from automl.deploy.bundle import load_bundle

bundle = load_bundle(Path("bundle.zip"))
predictions = bundle.predict(pd.read_csv("new_rows.csv"))"""
PICTURES_PYTHON = """from pathlib import Path

from automl.deploy.bundle import load_bundle
from automl.deploy.pictures import predict_pictures

bundle = load_bundle(Path("bundle.zip"))
predictions, notes = predict_pictures(bundle, Path("new_pictures.zip"))"""
PICTURES_SHELL = "python -m automl predict bundle.zip new_pictures.zip --out predictions.csv"
MAX_CLASSES = 10  # probabilities listed for a single picture
SHELL = "python -m automl predict bundle.zip new_rows.csv --out predictions.csv"


def show_list(models: Sequence[FinishedModel]) -> None:
    """Every finished model with its test value."""
    frame = pd.DataFrame(
        {
            say_plain("models.name"): [model.title for model in models],
            say_plain("models.model"): [model.model for model in models],
            say_plain("models.metric"): [render_value(model) for model in models],
            say_plain("models.made"): [format_when(model.finished_at) for model in models],
        }
    )
    st.dataframe(
        frame,
        key="models",
        hide_index=True,
        alt=say_plain("models.list"),
    )


def render_value(model: FinishedModel) -> str:
    """``Area under the ROC curve 0.927 [0.923, 0.931]``."""
    value = format_estimate(*(model.estimate.get(key) for key in ("value", "low", "high")))
    return f"{results.get_metric_title(model.metric)} {value}"


def pick_model(models: Sequence[FinishedModel]) -> FinishedModel:
    """The model that the rest of the page is about; preset: that of the open search."""
    ids = [model.search for model in models]
    opened = session.get_open("search")
    names = {model.search: f"{model.title} · {model.model}" for model in models}
    picked = st.selectbox(
        say("models.pick"), ids, index=ids.index(opened) if opened in ids else 0,
        format_func=lambda key: names[key], key="model",
    )  # fmt: skip
    return models[ids.index(picked)]


def show_bundle(model: FinishedModel) -> None:
    """The bundle's download and how to load it."""
    st.subheader(say("models.bundle"), anchor=False)
    path = finished_models.prepare_bundle(model.search)
    if path is None:
        st.info(say("models.no_bundle"))
        return
    of_pictures = picture_results.is_about_pictures(model.search)
    st.write(say("models.bundle_pictures" if of_pictures else "models.bundle_text"))
    _show_threshold(model)
    show_download(say("models.download_bundle"), path, filename="bundle.zip", key="download_bundle")
    with st.expander(say("models.recipe"), key="recipe"):
        st.write(say("models.recipe_python"))
        st.code(PICTURES_PYTHON if of_pictures else PYTHON, language="python")
        st.write(say("models.recipe_shell"))
        st.code(PICTURES_SHELL if of_pictures else SHELL, language="bash")


def _show_threshold(model: FinishedModel) -> None:
    """By which probability the bundle decides between two classes."""
    result = results.read_result(model.search) or {}
    task = result.get("task")
    if isinstance(task, Mapping) and task.get("type") == "binary":
        threshold = f"{read_threshold(result):g}"
        st.write(say("models.threshold", positive=task.get("positive"), threshold=threshold))


def show_prediction(model: FinishedModel) -> None:
    """Upload a file, follow its job, download what came out."""
    st.subheader(say("models.predict"), anchor=False)
    of_pictures = picture_results.is_about_pictures(model.search)
    st.write(say("models.predict_pictures" if of_pictures else "models.predict_text"))
    coverage = _pick_coverage(model)
    if not services.has_worker():
        st.caption(say("frame.no_worker"))
    upload = pick_upload(
        "predict_pictures" if of_pictures else "predict_upload",
        label=say_plain("models.drop_pictures" if of_pictures else "upload.label"),
        pictures=of_pictures, tables=not of_pictures,
    )  # fmt: skip
    if upload is not None:
        path = services.require_upload(upload.id, upload.name)
        services.submit_predict(model.search, path, upload.name, coverage)
        st.rerun()
    jobs = finished_models.list_predictions(model.search)
    if any(job.state.is_active for job in jobs):
        _show_live(model.search)
    else:
        _show_jobs(jobs)


def _pick_coverage(model: FinishedModel) -> float | None:
    """Whether sets or intervals are wanted, and how often they are meant to hold the truth."""
    known = finished_models.list_coverages(model.search)
    if not known:
        st.caption(say("models.no_coverage"))
        return None
    return st.segmented_control(
        say("models.coverage"), [None, *known], default=None, key="predict_coverage",
        format_func=lambda level: f"{100 * level:g} %" if level else say_plain("models.coverage_none"),
        help=say("models.coverage_help"),
    )  # fmt: skip


def _show_live(search_id: str) -> None:
    @st.fragment(run_every="1s")
    def live() -> None:
        jobs = finished_models.list_predictions(search_id)
        if not any(job.state.is_active for job in jobs):
            st.rerun()
        _show_jobs(jobs)

    live()


def _show_jobs(jobs: Sequence[Job]) -> None:
    if not jobs:
        return
    latest, *earlier = jobs
    with st.container(border=True, key=f"prediction_{latest.id}"):
        _show_job(latest)
    if earlier:
        with st.expander(say("models.earlier", n=len(earlier)), key="earlier"):
            for job in earlier:
                with st.container(border=True, key=f"prediction_{job.id}"):
                    _show_job(job)


def _show_job(job: Job) -> None:
    if job.state.is_active:
        fraction = min(max(float(job.progress.get("fraction", 0.0)), 0.0), 1.0)
        words = str(job.progress.get("words") or say_plain("models.predict_starting"))
        key = "queued" if job.state is JobState.QUEUED else "running"
        st.progress(fraction, text=say(f"models.predict_{key}", name=job.title, words=words))
        return
    path = finished_models.find_output(job)
    if job.state is not JobState.SUCCEEDED or path is None:
        st.markdown(f"**{escape(job.title)}**: {say('models.predict_failed')}")
        if job.outcome is not None:
            show_error(FairloomError(job.outcome.message, hint=job.outcome.hint))
        return
    n_rows = format_count(job.result.get("n_rows"))
    single = finished_models.read_single(job, path)
    done = "models.predict_done" if single is None else "models.predict_one"
    st.markdown(f"{say(done, name=job.title, n=n_rows)} {format_when(job.finished_at)}")
    if job.result.get("threshold") is not None:
        st.caption(say("models.predict_cut", threshold=f"{job.result['threshold']:g}"))
    _show_single(single)
    for note in job.result.get("notes") or ():
        write = st.markdown if note.get("level") == "warning" else st.caption
        write(escape(note.get("text", "")))
    show_download(
        say("models.download_predictions"), path, filename=path.name, key=f"download_{job.id}"
    )


def _show_single(decision: SingleDecision | None) -> None:
    """Of one picture: the decision, its probability and the next classes."""
    if decision is None:
        return
    st.markdown(
        say("models.single", label=decision.label, share=format_share(decision.probability))
    )
    if decision.members is not None:
        names = ", ".join(decision.members) or say_plain("models.set_empty")
        st.markdown(say("models.set", names=names))
    shown = decision.probabilities[:MAX_CLASSES]
    frame = pd.DataFrame(
        {
            say_plain("models.class"): [name for name, _ in shown],
            say_plain("models.probability"): [format_share(share) for _, share in shown],
        }
    )
    st.dataframe(frame, key=f"single_{decision.job}", hide_index=True, height="content")
