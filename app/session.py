"""The only module that touches ``st.session_state`` and ``st.query_params``: what is open, and small memories.

The address holds ids only; everything else is drawn from the store. What is open stays open when the
person moves between pages, because Streamlit's own navigation drops the query.
"""

import re
from collections.abc import Callable, MutableMapping
from typing import Any, Literal
from uuid import uuid4

import streamlit as st

Name = Literal["dataset", "search", "import"]
_NAMES: tuple[Name, ...] = ("dataset", "search", "import")
_MAX_VIEW = 300
_ID = re.compile(r"[0-9A-Za-z_-]{1,80}")


def restore_address() -> None:
    """Bring address and memory together: the address wins, memory fills what navigation dropped."""
    given = {name: _read_address(name) for name in _NAMES}
    if given["dataset"] and given["dataset"] != _memory().get("open_dataset"):
        # another data set was opened by a link: what was open for the old one is not meant
        for name in ("search", "import"):
            _memory().pop(f"open_{name}", None)
    for name in _NAMES:
        if given[name]:
            _memory()[f"open_{name}"] = given[name]
        elif _memory().get(f"open_{name}"):
            st.query_params[name] = _memory()[f"open_{name}"]


def get_open(name: Name) -> str | None:
    """The id of what is open, or None; malformed ids count as absent."""
    return _read_address(name) or _memory().get(f"open_{name}")


def set_open(name: Name, value: str | None) -> None:
    """Open something, or close it with None; the address follows."""
    if value is None:
        _memory().pop(f"open_{name}", None)
        st.query_params.pop(name, None)
        return
    _memory()[f"open_{name}"] = value
    st.query_params[name] = value


def open_dataset(dataset_id: str | None) -> None:
    """Open a data set; a search that is open is closed, since it may belong to another one."""
    set_view(**{name: "" for name in st.query_params if name not in _NAMES})
    for name in ("search", "import"):
        set_open(name, None)
    set_open("dataset", dataset_id)


def open_import(job_id: str) -> None:
    """Open an import; no data set stands beside it."""
    open_dataset(None)
    set_open("import", job_id)


def open_search(search_id: str | None, dataset_id: str | None = None) -> None:
    """Open a search and the data set it reads."""
    set_open("search", search_id)
    if dataset_id:
        set_open("dataset", dataset_id)


def get_view(name: str) -> str:
    """How the open thing is looked at, as the address says: a filter, a page; empty when nothing is said.

    Anybody can write an address: the caller checks the text against what there is.
    """
    return str(st.query_params.get(name, ""))[:_MAX_VIEW]


def set_view(**values: str) -> None:
    """Write how the open thing is looked at into the address; an empty text takes it out."""
    for name, value in values.items():
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def remember(key: str, value: Any) -> None:
    """Keep a small value for this browser tab; it is gone when the web process restarts."""
    _memory()[key] = value


def recall(key: str, default: Any = None) -> Any:
    """What ``remember`` kept, or the default."""
    return _memory().get(key, default)


def forget(key: str) -> None:
    """Drop what ``remember`` kept."""
    _memory().pop(key, None)


def put_widget(key: str, value: Any) -> None:
    """Set what a widget shows, before it is drawn: the stored choice wins over the browser's memory."""
    _memory()[key] = value


def get_ticket(purpose: str) -> str:
    """An id that stays the same until ``renew_ticket``: a double click then submits once."""
    key = f"ticket_{purpose}"
    if key not in _memory():
        _memory()[key] = uuid4().hex
    return str(_memory()[key])


def renew_ticket(purpose: str) -> None:
    """The next ``get_ticket`` gives a fresh id."""
    forget(f"ticket_{purpose}")


def recall_token(subject: str, sign: Callable[[str], str]) -> str:
    """The token signed for that subject, the same one at every rerun of this tab."""
    key = f"token_{subject}"
    if key not in _memory():
        _memory()[key] = sign(subject)
    return str(_memory()[key])


def _read_address(name: str) -> str | None:
    value = st.query_params.get(name)
    return value if value and _ID.fullmatch(value) else None


def _memory() -> MutableMapping[str, Any]:
    return st.session_state  # type: ignore[return-value]
