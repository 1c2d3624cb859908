import re

from app.components.upload import render_html


def test_every_button_has_its_name_before_any_script_runs() -> None:
    names = re.findall(r"<button[^>]*>([^<]*)</button>", render_html())
    assert len(names) == 3
    assert all(name.strip() and "{" not in name for name in names)
