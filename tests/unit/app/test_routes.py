"""Our own routes: uploads in chunks, downloads by signed links, headers on every answer."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app import services, uploads
from app.errors import TokenError, UploadError
from app.headers import build_policy, compute_script_hashes
from app.serve import MIDDLEWARE, ROUTES
from app.tokens import ArtifactGrant, UploadGrant, read_upload, sign_grant


@pytest.fixture
def client() -> Iterator[TestClient]:
    services.prepare_workspace()
    with TestClient(
        Starlette(routes=ROUTES, middleware=MIDDLEWARE), base_url="http://localhost"
    ) as opened:
        yield opened


def grant_upload(upload: str = "abc", max_bytes: int = 100) -> str:
    grant = UploadGrant(upload=upload, max_bytes=max_bytes)
    return f"/api/uploads/{sign_grant(services.get_workspace().run, grant)}"


def send(client: TestClient, address: str, content: bytes, offset: int) -> int:
    headers = {"Upload-Offset": str(offset)}
    return client.patch(address, content=content, headers=headers).status_code


def test_chunks_arrive_in_order_and_head_tells_where_to_go_on(client: TestClient) -> None:
    address = grant_upload()
    assert client.head(address).headers["Upload-Offset"] == "0"
    assert send(client, address, b"hello ", 0) == 204
    assert client.head(address).headers["Upload-Offset"] == "6"
    assert send(client, address, b"world", 6) == 204
    assert services.require_upload("abc", "x.csv").read_bytes() == b"hello world"


def test_a_wrong_offset_changes_nothing(client: TestClient) -> None:
    address = grant_upload()
    send(client, address, b"hello", 0)
    answer = client.patch(address, content=b"again", headers={"Upload-Offset": "0"})
    assert answer.status_code == 409
    assert answer.headers["Upload-Offset"] == "5"
    assert client.patch(address, content=b"x").status_code == 409
    assert services.require_upload("abc", "x.csv").read_bytes() == b"hello"


def test_the_cap_is_counted_and_nothing_is_kept_above_it(client: TestClient) -> None:
    address = grant_upload(max_bytes=8)
    assert send(client, address, b"12345678", 0) == 204
    assert send(client, address, b"9", 8) == 413
    assert client.head(address).headers["Upload-Offset"] == "0"


def test_delete_gives_up_and_may_be_repeated(client: TestClient) -> None:
    address = grant_upload()
    send(client, address, b"hello", 0)
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 204
    with pytest.raises(UploadError, match="hello"):
        services.require_upload("abc", "hello.csv")


def test_a_full_disk_is_said_before_anything_is_written(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRLOOM_MIN_FREE_BYTES", str(10**18))
    assert send(client, grant_upload(), b"hello", 0) == 507
    assert client.head(grant_upload()).headers["Upload-Offset"] == "0"


def test_too_many_uploads_at_once_are_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        uploads, "_locks", {str(n): asyncio.Lock() for n in range(uploads.MAX_OPEN)}
    )
    assert send(client, grant_upload(), b"hello", 0) == 429


@pytest.mark.parametrize("change", [lambda t: t[:-2], lambda t: "x" + t, lambda _: "nonsense"])
def test_a_changed_token_opens_nothing(client: TestClient, change) -> None:
    token = grant_upload().removeprefix("/api/uploads/")
    assert client.head(f"/api/uploads/{change(token)}").status_code == 403
    with pytest.raises(TokenError):
        read_upload(services.get_workspace().run, change(token))


def test_a_token_of_one_purpose_is_worth_nothing_for_another(client: TestClient) -> None:
    token = sign_grant(services.get_workspace().run, ArtifactGrant(path="web.key", filename="k"))
    assert client.head(f"/api/uploads/{token}").status_code == 403


def test_a_download_is_an_attachment_with_ranges(client: TestClient) -> None:
    path = services.get_workspace().root / "jobs" / "x" / "report.html"
    path.parent.mkdir(parents=True)
    path.write_text("<h1>report</h1>")
    address = services.sign_artifact(path, "my report.html")
    answer = client.get(address)
    assert answer.text == "<h1>report</h1>"
    assert answer.headers["content-disposition"].startswith("attachment")
    part = client.get(address, headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.text) == (206, "report")
    assert client.head(address).headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize("path", ["../outside.txt", "/proc/self/environ", "jobs", "absent.txt"])
def test_nothing_outside_the_workspace_is_served(client: TestClient, path: str) -> None:
    root = services.get_workspace().root
    (root.parent / "outside.txt").write_text("secret")
    (root / "jobs").mkdir(exist_ok=True)
    token = sign_grant(services.get_workspace().run, ArtifactGrant(path=path, filename="x"))
    assert client.get(f"/api/artifacts/{token}").status_code == 404


def test_a_link_out_of_the_workspace_is_not_followed(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    link = services.get_workspace().root / "link"
    link.symlink_to(tmp_path / "secret")
    token = sign_grant(services.get_workspace().run, ArtifactGrant(path="link", filename="x"))
    assert client.get(f"/api/artifacts/{token}").status_code == 404


def test_every_answer_has_the_headers(client: TestClient) -> None:
    for address in ("/api/health", "/no/such/page", grant_upload()):
        headers = client.get(address).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert client.get("/api/health").json() == {"status": "ok"}


def test_a_foreign_host_name_is_refused(client: TestClient) -> None:
    assert client.get("/api/health", headers={"Host": "evil.example"}).status_code == 400


def test_the_policy_knows_the_inline_script_of_the_installed_page() -> None:
    # printf 'x=1' | openssl dgst -sha256 -binary | base64
    expected = "'sha256-HyBrEcI+KMwlDe1/wAmNOCOoRnpUNA8axOU1y4VEST8='"
    page = b'<script>x=1</script><script src="a.js"></script>'
    assert compute_script_hashes(page) == [expected]
    assert build_policy().count("sha256-") == 1
    assert "unsafe-eval" not in build_policy()


def test_the_key_is_private_and_stays(client: TestClient) -> None:
    key = services.get_workspace().run / "web.key"
    grant_upload()
    assert key.stat().st_mode & 0o777 == 0o600


def test_old_parts_are_cleared_away(client: TestClient) -> None:
    send(client, grant_upload("old"), b"x", 0)
    assert uploads.remove_expired(services.get_workspace()) == 0
    assert uploads.remove_expired(services.get_workspace(), older_than_seconds=-1) == 1
