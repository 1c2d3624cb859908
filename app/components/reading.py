"""Reading an upload another way: the person names the encoding, delimiter, decimal mark or sheet."""

from typing import TYPE_CHECKING

import streamlit as st

from app import imports, session
from app.components.states import show_error
from app.wording import say, say_plain
from automl.jobs.records import Job
from fairness.errors import FairloomError

if TYPE_CHECKING:
    from automl.data.importing import ImportRequest
    from automl.data.loading import LoadOptions

FIND_OUT = ""
ENCODINGS = (FIND_OUT, "utf-8", "cp1252", "latin-1", "utf-16")
DELIMITERS = (FIND_OUT, ",", ";", "\t", "|")
DECIMALS = (FIND_OUT, ".", ",")


def show_reading(job: Job, *, is_primary: bool) -> None:
    """A form with what may be fixed about the file of ``job``; sending it reads the file again."""
    request = imports.read_request(job)
    with st.form(key="reading", border=False):
        options = _pick_options(request)
        pressed = st.form_submit_button(
            say("reading.again"),
            key="read_again",
            type="primary" if is_primary else "secondary",
            icon=":material/refresh:",
        )
    if not pressed:
        return
    try:
        again = imports.submit_again(job, options)
    except FairloomError as error:
        show_error(error)
        return
    session.open_import(again.id)
    st.rerun()


def _pick_options(request: "ImportRequest") -> "LoadOptions":
    from automl.data.loading import LoadOptions

    is_workbook = request.name.lower().endswith(".xlsx")
    with st.container(horizontal=True, key="reading_options"):
        sheet = encoding = delimiter = ""
        if is_workbook:
            sheet = st.text_input(
                say("reading.sheet"), value=request.sheet or "", key="reading_sheet", width=300,
                placeholder=say_plain("reading.first_sheet"), help=say("reading.sheet_help"),
            )  # fmt: skip
        else:
            encoding = _pick("encoding", ENCODINGS, request.encoding)
            delimiter = _pick("delimiter", DELIMITERS, request.delimiter, accepts_new=True)
        decimal = _pick("decimal", DECIMALS, request.decimal)
    return LoadOptions(
        encoding=encoding or None,
        delimiter=delimiter or None,
        decimal=decimal or None,
        sheet=sheet.strip() or None,
    )


def _pick(
    name: str, options: tuple[str, ...], value: str | None, *, accepts_new: bool = False
) -> str:
    if value and value not in options:
        options = (*options, value)
    chosen = st.selectbox(
        say(f"reading.{name}"),
        options,
        index=options.index(value or FIND_OUT),
        format_func=lambda option: _name(name, option),
        key=f"reading_{name}",
        help=say(f"reading.{name}_help"),
        accept_new_options=accepts_new,
        width=300,
    )
    return chosen or FIND_OUT


def _name(name: str, option: str) -> str:
    return NAMES.get((name, option), option) if option else say_plain("reading.find_out")


NAMES = {
    ("encoding", "utf-8"): say_plain("reading.utf8"),
    ("encoding", "cp1252"): say_plain("reading.cp1252"),
    ("encoding", "latin-1"): say_plain("reading.latin1"),
    ("encoding", "utf-16"): say_plain("reading.utf16"),
    ("delimiter", ","): say_plain("reading.comma"),
    ("delimiter", ";"): say_plain("reading.semicolon"),
    ("delimiter", "\t"): say_plain("reading.tab"),
    ("delimiter", "|"): say_plain("reading.bar"),
    ("decimal", "."): say_plain("reading.point"),
    ("decimal", ","): say_plain("reading.decimal_comma"),
}
