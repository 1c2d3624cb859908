"""What a search on pictures did before training and how: networks set aside, plain against weight sharing, trade-offs."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.components.numbers import format_count
from app.wording import escape, say, say_plain


def show_methods(result: Mapping[str, Any]) -> None:
    """Only what there is: a search on a table has none of it."""
    screening = describe_screening(result)
    if screening:
        st.markdown(f"#### {say('methods.screening')}")
        st.markdown(escape(screening))


def describe_screening(result: Mapping[str, Any]) -> str:
    """``31 of 120 networks were set aside before training: 9 over a limit (…), 20 in the worst part …``."""
    record = result.get("screening") or {}
    seen = int(record.get("seen") or 0)
    if not seen:
        return ""
    counts = {name: int(record.get(name) or 0) for name in ("over_limit", "discarded", "no_time")}
    total = sum(counts.values())
    if not total:
        return say_plain("methods.none_screened", seen=format_count(seen))
    parts = [say_plain(f"methods.{name}", n=format_count(n)) for name, n in counts.items() if n]
    text = say_plain(
        "methods.screened", n=format_count(total), seen=format_count(seen), parts=", ".join(parts)
    )
    reasons = Counter(
        str(row.get("reason"))
        for row in record.get("reasons") or ()
        if row.get("kind") == "over_limit" and row.get("reason")
    )
    if reasons:
        first = next(iter(reasons))
        text = f"{text} {say_plain('methods.example', reason=first)}"
    return text
