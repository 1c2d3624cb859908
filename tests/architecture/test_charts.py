"""Every chart goes through the one function that gives it sentence, table, CSV and alternative text."""

import ast
from collections.abc import Iterator

from tests.conftest import ROOT

# whatever Streamlit can draw a chart with
CHARTS = {
    "altair_chart", "area_chart", "bar_chart", "graphviz_chart", "line_chart", "map", "plotly_chart", "pydeck_chart", "pyplot",
    "scatter_chart", "vega_lite_chart",
}  # fmt: skip
EXPORTS = {"to_html", "write_html"}


def find_calls(*folders: str) -> Iterator[tuple[str, ast.Call, str]]:
    """Every call of an attribute: the file, the call, the attribute."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    yield str(path.relative_to(ROOT)), node, node.func.attr


def test_only_one_module_draws_charts() -> None:
    drawn = {
        (path, name)
        for path, call, name in find_calls("app", "pages")
        if name in CHARTS and is_streamlit(call)
    }
    assert drawn == {("app/components/figure.py", "plotly_chart")}


def is_streamlit(call: ast.Call) -> bool:
    """``st.x(…)``, or a container's ``left.x(…)``; a frame's ``column.map(f)`` is none."""
    assert isinstance(call.func, ast.Attribute)
    owner = call.func.value
    return call.func.attr != "map" or (isinstance(owner, ast.Name) and owner.id == "st")


def test_charts_of_reports_are_written_in_one_place_with_the_one_configuration() -> None:
    exported = [
        (path, {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords})
        for path, call, name in find_calls("app", "pages", "automl", "fairness")
        if name in EXPORTS
    ]
    assert [path for path, _ in exported] == ["fairness/report_charts.py"]
    assert exported[0][1]["config"] == "CONFIG"
