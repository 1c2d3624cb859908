"""A copy of a report with pictures: only what was given, still one inert file."""

import pytest

from automl.errors import DataError
from automl.reports.pictures import ReportPicture, render_with_pictures

PAGE = "<html><body><main><p>numbers</p></main><footer></footer></body></html>"
PNG = "data:image/png;base64,iVBORw0KGgo="


def build(source: str = PNG, caption: str = "cat → dog") -> ReportPicture:
    return ReportPicture(source=source, alt='"><script>', caption=caption)


def test_without_pictures_the_report_is_as_it_was() -> None:
    assert render_with_pictures(PAGE, "Pictures", []) == PAGE


def test_pictures_stand_at_the_end_of_the_main_part_and_their_words_are_inert() -> None:
    page = render_with_pictures(PAGE, "<i>Pictures</i>", [build(caption="<b>x"), build()])
    assert page.count("<img") == 2
    assert page.index("numbers") < page.index('id="pictures"') < page.index("</main>")
    assert "<script>" not in page
    assert "<b>x" not in page
    assert "<i>" not in page


@pytest.mark.parametrize(
    "source",
    ["https://example.org/a.png", "data:text/html;base64,AAAA", 'data:image/png;base64,A" onerror="x', ""],
)  # fmt: skip
def test_only_addresses_of_pictures_are_taken(source: str) -> None:
    with pytest.raises(DataError, match="no PNG or JPEG"):
        render_with_pictures(PAGE, "Pictures", [build(source)])


def test_a_page_without_a_main_part_is_refused() -> None:
    with pytest.raises(DataError, match="no place for pictures"):
        render_with_pictures("<p>old</p>", "Pictures", [build()])
