"""The report: self-contained, escaped, readable without scripts, free of verdicts, equal to the JSON."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from fairness.audit import AuditInput, AuditOptions, compute_audit
from fairness.estimates import Estimate
from fairness.report import ModelRow, ReportContext, render_report
from fairness.report_parts import (
    build_gap_table,
    build_group_tables,
    build_overall_table,
    render_time,
)
from fairness.wording import find_forbidden, format_percent

EVIL = "<script>alert(1)</script>"


class Page(HTMLParser):
    """Visible text, tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._hidden = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._hidden = tag

    def handle_endtag(self, tag):
        if tag == self._hidden:
            self._hidden = ""

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def find(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def audit():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 900)
    score = np.clip(generator.normal(0.35 + 0.3 * truth, 0.2), 0, 1)
    group = generator.choice(["women", "men", EVIL], 900, p=[0.5, 0.48, 0.02])
    return compute_audit(
        AuditInput(
            truth=truth,
            prediction=score >= 0.5,
            score=score,
            attributes=pd.DataFrame({EVIL: group, "age": generator.integers(18, 90, 900)}),
        ),
        AuditOptions(positive="yes", threshold=0.5),
    )


@pytest.fixture(scope="module")
def html(audit):
    return render_report(audit, ReportContext(model_name="m & m", data_name=EVIL, looks=3))


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_names_are_inert(html, page):
    # Plotly's own source says "<script" in strings, so look outside the scripts.
    outside = re.sub(r"<script\b[^>]*>.*?</script>", "", html, flags=re.DOTALL)
    assert "alert(1)</script>" not in outside
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in outside
    assert EVIL not in html
    assert EVIL in page.text
    assert "m & m" in page.text


def test_nothing_is_loaded_from_elsewhere(page):
    for tag in ("script", "img", "link", "iframe"):
        assert all("src" not in a and "href" not in a for a in page.find(tag)), tag
    assert all(a["href"].startswith("#") for a in page.find("a"))
    policy = next(a for a in page.find("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'")
    assert "http" not in policy["content"]


def test_every_figure_is_without_upload_button_and_plotly_comes_once(html, page):
    figures = [a for a in page.find("div") if "plotly-graph-div" in (a.get("class") or "")]
    assert len(figures) >= 8
    assert html.count('"showSendToCloud": false') == len(figures)
    assert html.count('"displaylogo": false') == len(figures)
    assert len({a["id"] for a in figures}) == len(figures)
    assert 4_000_000 < len(html) < 7_000_000


def test_structure_helps_readers_of_every_kind(page):
    assert page.find("html")[0]["lang"] == "en"
    assert len(page.find("h1")) == 1
    assert len(page.find("caption")) == len(page.find("table"))
    assert all(a.get("scope") in ("col", "row") for a in page.find("th"))
    figures = len(page.find("figure"))
    assert figures == len(page.find("figcaption")) == len(page.find("details"))
    ids = {a["id"] for _, a in page.tags if "id" in a}
    assert all(a["href"][1:] in ids for a in page.find("a"))


def test_without_scripts_and_on_paper_there_are_drawings(html, page):
    assert len(page.find("svg")) == len(page.find("figure"))
    assert "<noscript><style>.live { display: none; } .drawn { display: block; }" in html


def test_no_verdict_words(page):
    assert find_forbidden(page.text.replace(EVIL, "")) == ()


def test_forbidden_words_are_found():
    text = "This fair model is unbiased, compliant and certified; fairness is fine."
    assert find_forbidden(text) == ("fair", "unbiased", "compliant", "certified")


def test_blanks_say_not_stated_and_looks_are_counted(page):
    assert page.text.count("not stated") >= 8
    assert "The test set has been used 3 times; results are optimistic." in page.text
    assert "They cannot show whether labels are right" in page.text


def test_numbers_equal_the_json(audit, page):
    for row in audit.to_json()["by_group"]:
        for name in ("selection_rate", "false_positive_rate"):
            metric = row["metrics"][name]
            assert format_percent(metric["value"]) in page.text
            assert f"{metric['numerator']:,}/{metric['denominator']:,}" in page.text


def test_binned_column_shows_its_edges(audit, page):
    assert "Cut at its quartiles; bins can hide differences." in page.text
    assert all(group.group in page.text for group in audit.list_groups("age"))


def test_same_audit_gives_the_same_file(audit, html):
    context = ReportContext(model_name="m & m", data_name=EVIL, looks=3)
    assert render_report(audit, context) == html


def test_models_and_baselines_stand_in_one_table(audit):
    value = Estimate(0.9, 0.88, 0.92, 900, "delong logit")
    models = (
        ModelRow(name="net", metrics={"roc_auc": value}),
        ModelRow(name="constant", metrics={"roc_auc": value}, is_baseline=True),
    )
    text = Page(render_report(audit, ReportContext(models=models))).text
    assert "constant (baseline)" in text
    assert "[0.880, 0.920]" in text


def test_report_of_groups_that_cannot_be_compared(inline_empty):
    text = Page(render_report(inline_empty, ReportContext())).text
    assert "True positive rate: not estimable, because fewer than two groups are estimable." in text
    assert "Calibration is not estimable: no scores were given." in text


def test_report_without_attributes_says_what_to_add():
    audit = compute_audit(
        AuditInput(
            truth=np.array([0, 1] * 20),
            prediction=np.array([0, 1] * 20),
            score=None,
            attributes=pd.DataFrame(index=range(40)),
        ),
        AuditOptions(positive="1"),
    )
    assert "No sensitive attribute given." in Page(render_report(audit, ReportContext())).text


def test_report_of_compas_shows_the_small_groups(compas):
    page = Page(render_report(compas, ReportContext(model_name="decile score")))
    assert "Asian has 9 positive labels" in page.text
    assert "44.8 %" in page.text
    assert find_forbidden(page.text) == ()


def test_every_number_stands_beside_its_cases(audit, compas):
    for table in build_group_tables(audit, "age"):
        assert table.header[1] == "n"
    overall = build_overall_table(compas, ReportContext())
    assert all(cells[-1].text != "–" for _, cells in overall.rows)
    gaps = {(name, cells[0].text): cells[0].small for name, cells in build_gap_table(compas, "race").rows}  # fmt: skip
    assert gaps["False positive rate", "Asian"] == "2/23 against 349/1,488"
    assert gaps["ROC AUC", "Asian"] == "n 32 against 2,454"


def test_measures_that_no_ranking_score_has_are_left_out():
    rows = AuditInput(
        truth=np.array([0, 1, 0, 1]),
        prediction=np.array([0, 1, 1, 1]),
        score=np.array([1, 8, 5, 9]),
        attributes=pd.DataFrame({"g": list("aabb")}),
        score_is_probability=False,
    )
    tables = build_group_tables(compute_audit(rows, AuditOptions(positive="1")), "g")
    titles = [title for table in tables for title in table.header]
    assert "ROC AUC" in titles
    assert "Brier score" not in titles


def test_time_is_written_for_people():
    assert render_time("2026-01-02T03:04:05+00:00") == "2026-01-02 03:04"
    assert render_time("2026-01-02T03:04:05Z") == "2026-01-02 03:04"
    assert render_time("not stated") == "not stated"


def test_a_chart_has_its_width_before_its_neighbour_is_read(html):
    """A chart draws itself as it is read: a grid that then shrinks it would cut it off."""
    grid = re.search(r"\.charts \{[^}]*\}", html)
    assert grid
    assert "auto-fill" in grid.group(0)
