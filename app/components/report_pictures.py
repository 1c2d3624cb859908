"""A copy of the report with pictures: nothing is in it that was not ticked."""

import streamlit as st

from app import picture_results, results
from app.components.states import show_error
from app.picture_results import PictureResults
from app.wording import say, say_plain
from automl.jobs.records import Job
from automl.reports.pictures import ReportPicture, render_with_pictures
from fairness.errors import FairloomError

OFFERED = 24


def show_report_pictures(job: Job) -> None:
    """Tick boxes for the most confidently wrong pictures, and the download of a copy that has them."""
    result = results.read_result(job.id)
    path = results.get_result_file(job.id, "report.html")
    found = picture_results.read_picture_results(job, result) if result else None
    if found is None or found.dataset is None or not path.is_file():
        return
    with st.expander(say("reportpictures.title"), key="report_pictures"):
        st.caption(say("reportpictures.help"))
        wrong = found.wrong.head(OFFERED)
        if wrong.empty:
            st.caption(say("errors.none", n=len(found.frame)))
            return
        names = {
            int(row.row): say_plain(
                "reportpictures.option", file=row.file, truth=row.truth, prediction=row.prediction
            )
            for row in wrong.itertuples(index=False)
        }
        ticked = st.multiselect(
            say("reportpictures.pick"), list(names), key="report_rows",
            format_func=lambda row: names[row], placeholder=say_plain("reportpictures.nothing"),
        )  # fmt: skip
        if ticked:
            _offer(found, ticked, path.read_text(encoding="utf-8"))


def _offer(found: PictureResults, rows: list[int], report: str) -> None:
    part = found.frame[found.frame["row"].isin(rows)]
    tiles = picture_results.build_result_tiles(found, part)
    chosen = [ReportPicture(source=t.source, alt=t.alt, caption=t.caption) for t in tiles]
    try:
        page = render_with_pictures(report, say_plain("reportpictures.section"), chosen)
    except FairloomError as error:
        show_error(error)
        return
    st.download_button(
        say("reportpictures.download", n=len(chosen)), page.encode(), file_name="report_pictures.html",
        mime="text/html", key="download_report_pictures", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
