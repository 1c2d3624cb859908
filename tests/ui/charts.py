"""What every chart of every page has: alternative text, sentence, table, CSV, a toolbar that saves and sends nothing away."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block


def assert_charts_complete(at: AppTest) -> int:
    """Every chart on the page stands with what belongs to it; how many there are."""
    keys = {_get_key(each) for each in at.get("download_button")}
    found = 0
    for block in _iterate_blocks(at.main):
        elements = list(block.children.values())
        for chart, following in zip_longest(elements, elements[1:]):
            if getattr(chart, "type", "") != "plotly_chart":
                continue
            found += 1
            key, proto = _get_key(chart), chart.proto
            assert proto.alt, key
            assert getattr(following, "type", "") == "caption", f"{key} has no sentence"
            assert following.value, f"{key} has no sentence"
            assert f"{key}_csv" in keys, f"{key} has no CSV"
            assert any(each.type == "dataframe" for each in _iterate_elements(block)), key
            config = json.loads(proto.config)
            assert config["showSendToCloud"] is False, key
            assert config["toImageButtonOptions"]["format"] in ("svg", "png"), key
            assert "toImage" not in config["modeBarButtonsToRemove"], key
    assert found == len(at.get("plotly_chart"))
    return found


def _get_key(element: Any) -> str:
    """The key that a person of code gave; Streamlit's own id ends with it."""
    return str(element.proto.id).rpartition("-")[2]


def _iterate_blocks(block: Block) -> Iterator[Block]:
    yield block
    for child in block.children.values():
        if isinstance(child, Block):
            yield from _iterate_blocks(child)


def _iterate_elements(block: Block) -> Iterator[Any]:
    for child in block.children.values():
        if isinstance(child, Block):
            yield from _iterate_elements(child)
        else:
            yield child
