"""Streamlit's own files: whole, kept by the browser, and only plain requests for them."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.assets import find_assets
from app.serve import MIDDLEWARE


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(middleware=MIDDLEWARE), base_url="http://localhost") as opened:
        yield opened


def find_largest(ending: str) -> str:
    files = {address: path for address, path in find_assets().items() if path.suffix == ending}
    return max(files, key=lambda address: files[address].stat().st_size)


@pytest.mark.parametrize(("ending", "kind"), [(".js", "javascript"), (".css", "css")])
def test_a_file_comes_whole_under_its_kind_and_is_kept(
    client: TestClient, ending: str, kind: str
) -> None:
    address = find_largest(ending)
    answer = client.get(address)
    assert answer.content == find_assets()[address].read_bytes()
    assert kind in answer.headers["Content-Type"]
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Content-Security-Policy" in answer.headers


def test_only_files_that_are_there_and_plain_requests_are_answered(client: TestClient) -> None:
    known = find_largest(".css")
    assert client.get(known, headers={"Host": "evil.example"}).status_code == 400
    # behind it stands no Streamlit here: what is passed on is not found
    assert client.get("/static/js/../../index.html").status_code == 404
    assert client.get("/static/js/none.js").status_code == 404
    assert client.get(known, headers={"Range": "bytes=0-9"}).status_code == 404
    assert client.get(known, headers={"If-None-Match": '"x"'}).status_code == 404
    assert client.post(known).status_code == 404
