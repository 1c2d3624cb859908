"""A copy of a report with pictures that its owner chose; without that choice no picture leaves the product."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from automl.errors import DataError

END = "</main>"
SOURCES = ("data:image/png;base64,", "data:image/jpeg;base64,")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportPicture:
    """A picture as a ``data:`` address (PNG or JPEG), what is read aloud, what stands below it."""

    source: str
    alt: str
    caption: str


def render_with_pictures(report: str, title: str, pictures: Sequence[ReportPicture]) -> str:
    """The report with one more section before its end; still one file that makes no request.

    Without pictures it is unchanged. ``DataError`` where the report has no end of its main part, or where a
    picture is no PNG or JPEG address.
    """
    if not pictures:
        return report
    head, found, tail = report.rpartition(END)
    if not found:
        raise DataError("This report has no place for pictures.", hint="Search again.")
    figures = "".join(_render(picture) for picture in pictures)
    section = (
        f'<section id="pictures"><h2>{escape(title)}</h2>'
        "<p>Chosen by the person who made this copy. The report that the search wrote has no pictures.</p>"
        f'<div style="display:flex;flex-wrap:wrap;gap:12px">{figures}</div></section>\n'
    )
    return f"{head}{section}{END}{tail}"


def _render(picture: ReportPicture) -> str:
    name, _, content = picture.source.partition(",")
    if f"{name}," not in SOURCES or not content.replace("=", "").replace("+", "").replace("/", "").isalnum():  # fmt: skip
        raise DataError(
            f"A picture of the report is no PNG or JPEG address: {picture.source[:30]!r}."
        )
    return (
        f'<figure style="margin:0;width:144px"><img src="{name},{content}" alt="{escape(picture.alt)}"'
        ' style="width:144px;image-rendering:pixelated">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
    )
