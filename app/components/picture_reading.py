"""Reading pictures again: columns from their file names, another side; what a pattern gives is shown at once."""

from typing import TYPE_CHECKING

import streamlit as st

from app import imports, pictures, session
from app.components.numbers import format_count
from app.components.states import show_error
from app.wording import escape, say, say_plain
from automl.data.dataset import Dataset
from automl.jobs.records import Job
from fairness.errors import FairloomError

if TYPE_CHECKING:
    import pandas as pd

SHOWN_NAMES = 5
FIND_OUT = 0


def show_picture_reading(dataset: Dataset, job: Job) -> None:
    """The pattern with its preview and the side; the button reads the upload of ``job`` again."""
    request = imports.read_request(job)
    index = pictures.read_index(dataset, None)
    pattern = st.text_input(
        say("pattern.label"), value=request.name_pattern or "", key="name_pattern",
        placeholder="{age}_{sex}_*.jpg", help=say("pattern.help"),
    )  # fmt: skip
    is_good = True
    if pattern and pattern.strip():
        is_good = _show_preview(pattern, index)
    else:
        names = ", ".join(index["file"].head(3))
        st.caption(say("pattern.example", names=names))
    side = _pick_side(request.side)
    if st.button(
        say("reading.again"), key="read_again", icon=":material/refresh:", disabled=not is_good
    ):
        _read_again(job, pattern.strip() or None if pattern else None, side)


def _pick_side(side: int | None) -> int | None:
    from automl.data.images.sizing import SIDES

    options = (FIND_OUT, *sorted({*SIDES, *([side] if side else [])}))
    chosen = st.selectbox(
        say("pattern.side"), options, index=options.index(side or FIND_OUT), key="reading_side",
        format_func=lambda value: f"{value} × {value} px" if value else say_plain("reading.find_out"),
        help=say("pattern.side_help"), width=300,
    )  # fmt: skip
    return int(chosen) if chosen else None


def _show_preview(text: str, index: "pd.DataFrame") -> bool:
    """What a pattern reads from the first names and from how many; False where it cannot be used."""
    from automl.data.images.name_pattern import parse_pattern

    try:
        pattern = parse_pattern(text)
    except FairloomError as error:
        show_error(error)
        return False
    found = [pattern.match(name) for name in index["file"]]
    n_matched = sum(match is not None for match in found)
    first = build_preview(list(index["file"]), found)
    st.dataframe(first, key="pattern_preview", hide_index=True, alt=say_plain("pattern.alt"))
    values = {
        name: len({match[name] for match in found if match is not None}) for name in pattern.names
    }
    shown = ", ".join(
        say_plain("pattern.values", name=name, count=format_count(n)) for name, n in values.items()
    )
    st.caption(
        say("pattern.matched", n=format_count(n_matched), all=format_count(len(found)))
        + (f" {escape(shown)}." if n_matched else "")
    )
    return n_matched > 0


def build_preview(names: list[str], found: list[dict[str, str] | None]) -> "pd.DataFrame":
    """The first file names with what was read from each; those that fit come first."""
    import pandas as pd

    order = sorted(range(len(names)), key=lambda place: found[place] is None)[:SHOWN_NAMES]
    return pd.DataFrame(
        [{say_plain("pictures.col_file"): names[place], **(found[place] or {})} for place in order]
    )


def _read_again(job: Job, pattern: str | None, side: int | None) -> None:
    try:
        again = imports.submit_pictures_again(job, name_pattern=pattern, side=side)
    except FairloomError as error:
        show_error(error)
        return
    session.open_import(again.id)
    st.rerun()
