"""Who gets in, from where, and what they may see."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from brainsift.review.app import create_app
from brainsift.review.desk import now_ms
from brainsift.review.errors import RefusedError
from brainsift.review.login import IN_ALL, PER_ADDRESS, Throttle
from brainsift.review.security import MAX_BODY_BYTES, host_name, is_loopback
from brainsift.review.serve import Place
from brainsift.store.errors import StoreError
from brainsift.store.reviews.schema import SessionRow
from tests.review.conftest import Page, serving
from tests.review.parts import CSRF, PIXEL, Person, content, let_in, record

Open = Callable[..., Page]

REFERRED = {"quality": "refer"}
PASSED = {"defacing": "accept"}

GETS = ("session", "tasks", "history", "progress", "summary", "labels.tsv", "trail", "users")
POSTS = ("tasks/quality/lists/review/hand", "items/x/decision", "sheets/x/sign", "undo", "leases/renew", "users")


def kind(answer: httpx.Response) -> str:
    """The kind of an error."""
    return str(answer.json()["error"]["kind"])


def test_nothing_is_answered_without_a_login(open_page: Open) -> None:
    client = open_page([REFERRED]).client()
    for path in (*GETS, "scans/1/pictures/mosaic", "scans/1/volume/scan.nii.gz"):
        assert kind(client.get(f"/api/{path}")) == "not_logged_in", path
    for path in (*POSTS, "logout"):
        assert kind(client.post(f"/api/{path}", json={})) == "not_logged_in", path


def test_a_wrong_token_is_refused_and_too_many_are_not_even_tried(open_page: Open) -> None:
    page = open_page([REFERRED])
    client = page.client()
    for _ in range(PER_ADDRESS):
        assert kind(client.post("/api/login", json={"token": "guess"})) == "bad_token"
    refused = client.post("/api/login", json={"token": page.door.start_token})
    assert (refused.status_code, kind(refused)) == (429, "too_many_logins")
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_many_addresses_together_are_stopped_too() -> None:
    throttle = Throttle()
    for number in range(IN_ALL):
        throttle.check(f"10.0.0.{number}")
        throttle.failed(f"10.0.0.{number}")
    with pytest.raises(RefusedError, match="Too many"):
        throttle.check("10.0.1.1")


def test_a_login_lasts_over_a_restart_and_ends_with_logout(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab")
    again = page.client()
    again.cookies.update(person.client.cookies)
    assert again.get("/api/session").json()["user"]["name"] == "ab"
    person.post("/api/logout")
    assert kind(again.get("/api/session")) == "not_logged_in"


def test_a_session_that_was_not_used_for_a_day_has_ended(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab")
    with page.database.engine.begin() as connection:
        connection.execute(SessionRow.__table__.update().values(seen_ms=now_ms() - 24 * 3600 * 1000))
    assert kind(person.client.get("/api/session")) == "not_logged_in"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(open_page: Open) -> None:
    page = open_page([REFERRED])
    answer = page.client().post("/api/login", json={"token": page.door.start_token})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_neither_token_nor_cookie_is_kept_in_the_database(open_page: Open) -> None:
    page = open_page([REFERRED])
    token = let_in(page.output, "ab")
    person = Person(page.client(), token)
    cookie = person.client.cookies[page.door.cookie]
    stored = b"".join(path.read_bytes() for path in page.output.glob("brainsift.db*"))
    assert b"reviewers" in stored
    assert token.encode() not in stored
    assert cookie.encode() not in stored


def test_a_request_that_another_site_makes_the_browser_send_is_refused(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab")
    client, path = person.client, "/api/tasks/quality/lists/review/hand"
    csrf = client.headers.pop(CSRF)
    assert kind(client.post(path, json={})) == "csrf"
    assert kind(client.post(path, json={}, headers={CSRF: "x" * len(csrf)})) == "csrf"
    own = {CSRF: csrf}
    assert kind(client.post(path, json={}, headers={**own, "Origin": "https://evil.example"})) == "bad_origin"
    assert kind(client.post(path, json={}, headers={**own, "Origin": "null"})) == "bad_origin"
    form = {**own, "Content-Type": "text/plain"}
    assert kind(client.post(path, content="{}", headers=form)) == "not_json"
    assert kind(client.get("/api/session", headers={"Host": "evil.example"})) == "bad_host"
    assert client.post(path, json={}, headers={**own, "Origin": page.base}).status_code == 200


def test_a_body_that_is_too_large_is_not_read(open_page: Open) -> None:
    person = open_page([REFERRED]).person("ab")
    large = b'{"items": ["' + b"x" * MAX_BODY_BYTES + b'"]}'
    headers = {"Content-Type": "application/json"}
    assert kind(person.client.post("/api/leases/renew", content=large, headers=headers)) == "too_large"
    pieces = (large[start : start + 4096] for start in range(0, len(large), 4096))
    assert kind(person.client.post("/api/leases/renew", content=pieces, headers=headers)) == "too_large"
    assert kind(person.client.post("/api/leases/renew", content=b"{no json", headers=headers)) == "invalid"


def test_every_answer_shuts_the_doors(open_page: Open) -> None:
    client = open_page([REFERRED]).client()
    kept = {"/": "no-cache", "/assets/page-1a2b.js": "public, max-age=31536000, immutable"}
    for path in (*kept, "/api/session", "/nowhere", "/api/nowhere"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "server" not in headers
        assert headers["Cache-Control"] == kept.get(path, "no-store")


TRAVERSALS = (
    "/../secret.txt",
    "/%2e%2e/secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/assets/%2e%2e/%2e%2e/secret.txt",
    "//etc/passwd",
    "/%00",
    "/link.txt",
    "/api/scans/1/pictures/..%2f..%2fsecret.txt",
    "/api/scans/1/pictures/%2e%2e",
    "/api/scans/1/masks/..%2fsecret/secret.txt",
    "/api/scans/..%2f1/pictures/mosaic",
)


def test_no_path_leads_out_of_the_page_or_the_study(open_page: Open, tmp_path: Path) -> None:
    page = open_page([REFERRED])
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "static" / "link.html").symlink_to(tmp_path / "secret.txt")
    person = page.host()
    for path in (*TRAVERSALS, "/link.html"):
        answer = person.client.get(httpx.URL(page.base + path))
        assert answer.status_code in (404, 422), path
        assert "secret" not in answer.text.replace("secret.txt", ""), path


def test_a_picture_whose_record_points_out_of_the_study_is_not_served(open_page: Open, tmp_path: Path) -> None:
    page = open_page([REFERRED])
    (tmp_path / "secret.webp").write_bytes(b"secret")
    (page.output / "link.webp").symlink_to(tmp_path / "secret.webp")
    for path in ("../secret.webp", str(tmp_path / "secret.webp"), "link.webp"):
        page.database.ingest([record(0, REFERRED, evidence={"mosaic": path})])
        person = page.host()
        (item,) = person.hand()
        assert item["pictures"] == []
        person.get(f"/api/scans/{item['scan_id']}/pictures/mosaic", 404)
        person.post(f"/api/items/{item['item']}/release")


def test_pictures_are_what_was_handed_out_or_nothing(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab", faces=False)
    (item,) = person.hand()
    mosaic, outline = item["pictures"]
    assert (mosaic["kind"], outline["over"]) == ("brain", "mosaic")
    answer = person.client.get(mosaic["url"])
    assert answer.content == PIXEL + bytes([0])
    assert answer.headers["Content-Type"] == "image/webp"
    (page.output / record(0, REFERRED).evidence["mosaic"]).write_bytes(PIXEL + b"new")
    assert kind(person.client.get(mosaic["url"])) == "changed"


def test_no_face_is_shown_without_the_permission(open_page: Open) -> None:
    page = open_page([{**REFERRED, **PASSED}])
    without, with_it = page.person("ab", faces=False), page.person("cd")
    (item,) = without.hand()
    assert (item["volume"], item["no_volume"]) == (None, "faces")
    lists = {one["task"]: one["lists"] for one in without.get("/api/tasks")["tasks"]}
    assert {one["blocked"] for one in lists["defacing"]} == {"faces", "role"}
    body = without.post("/api/tasks/defacing/lists/verify/sheet", {"size": 5}, 403)
    assert body["error"]["kind"] == "faces"
    (shown,) = with_it.hand("defacing", "verify")
    assert shown["pictures"][0]["kind"] == "surface"
    for url in (shown["pictures"][0]["url"], shown["volume"]["url"]):
        assert with_it.client.get(url).status_code == 200
        assert with_it.client.get(url).headers["Cache-Control"] == "no-store"
        assert kind(without.client.get(url)) == "faces"


def test_a_picture_from_before_defacing_needs_the_permission_and_the_servers_word(open_page: Open) -> None:
    page = open_page([PASSED])
    changed = record(0, PASSED)
    evidence = {"original_front": next(iter(changed.findings[0].evidence.values()))}
    finding = changed.findings[0].model_copy(update={"evidence": evidence})
    page.database.ingest([changed.model_copy(update={"findings": (finding,)})])
    person = page.person("ab")
    (item,) = person.hand("defacing", "verify")
    assert {one["kind"] for one in item["pictures"]} == {"brain"}
    person.get(f"/api/scans/{item['scan_id']}/pictures/defacing.original_front", 403)


def test_a_scan_is_served_byte_for_byte_or_not_at_all(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab")
    (item,) = person.hand()
    assert item["volume"]["url"].endswith("/volume/scan.nii.gz")
    answer = person.client.get(item["volume"]["url"])
    assert answer.content == content(0)
    assert "sub-" not in str(answer.headers)
    source = page.desk.source
    assert source is not None
    (source / record(0, REFERRED).scan).write_bytes(b"another")
    assert kind(person.client.get(item["volume"]["url"])) == "changed"


def test_a_new_attempt_at_defacing_is_found_below_output(open_page: Open) -> None:
    page = open_page([REFERRED])
    scan = "brainsift-attempts/sub-000_attempt-2.nii.gz"
    (page.output / scan).parent.mkdir()
    (page.output / scan).write_bytes(content(7))
    page.database.ingest([record(7, PASSED, scan=scan)])
    person = page.person("ab")
    (item,) = person.hand("defacing", "verify")
    assert person.client.get(item["volume"]["url"]).content == content(7)


def test_a_scan_that_is_gone_or_was_dicom_has_no_volume(open_page: Open) -> None:
    page = open_page([REFERRED])
    person = page.person("ab")
    source = page.desk.source
    assert source is not None
    (source / record(0, REFERRED).scan).unlink()
    (item,) = person.hand()
    assert item["no_volume"] == "gone"
    person.get(f"/api/scans/{item['scan_id']}/volume/scan.nii.gz", 404)
    person.post(f"/api/items/{item['item']}/release")
    page.database.ingest([record(0, REFERRED, scan="series#3")])
    assert {one["no_volume"] for one in person.hand()} == {"gone", "dicom"}


def test_people_are_let_in_changed_and_shut_out_by_an_administrator(open_page: Open) -> None:
    page = open_page([REFERRED])
    host = page.host()
    made = host.post("/api/users", {"name": "ab", "role": "reviewer"})
    person = Person(page.client(), made["token"])
    assert person.get("/api/users", 403)["error"]["kind"] == "role"
    assert person.get("/api/summary", 403)["error"]["kind"] == "role"
    assert host.post("/api/users", {"name": "ab"}, 409)["error"]["kind"] == "exists"
    assert host.post("/api/users", {"name": "../ab"}, 422)["error"]["kind"] == "invalid"
    change = host.client.patch("/api/users/ab", json={"role": "adjudicator", "new_token": True}).json()
    assert kind(person.client.get("/api/session")) == "not_logged_in"
    assert kind(page.client().post("/api/login", json={"token": made["token"]})) == "bad_token"
    again = Person(page.client(), change["token"])
    assert again.get("/api/summary")["tasks"]
    host.client.patch("/api/users/ab", json={"active": False})
    assert kind(again.client.get("/api/session")) == "not_logged_in"
    assert kind(page.client().post("/api/login", json={"token": change["token"]})) == "bad_token"
    assert kind(host.client.patch("/api/users/host", json={"active": False})) == "invalid"
    assert kind(host.client.patch("/api/users/nobody", json={"active": False})) == "no_user"


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (Place("192.0.2.1"), "no_tls"),
        (Place("0.0.0.0", hostnames=("pc",)), "no_tls"),
        (Place("review.example"), "no_tls"),
        (Place("0.0.0.0", plain=True), "no_name"),
        (Place(certificate=Path("missing.pem"), key=Path("missing.key")), "tls"),
        (Place(certificate=Path(__file__)), "tls"),
    ],
)
def test_a_place_that_is_not_safe_is_refused(place: Place, kind: str) -> None:
    with pytest.raises(StoreError) as refusal:
        place.check()
    assert refusal.value.kind == kind
    assert refusal.value.remedy


@pytest.mark.parametrize(
    "place",
    [
        Place(),
        Place("::1"),
        Place("localhost"),
        Place("192.0.2.1", plain=True),
        Place("0.0.0.0", hostnames=("pc",), certificate=Path(__file__), key=Path(__file__)),
    ],
)
def test_a_safe_place_is_not(place: Place) -> None:
    place.check()


def test_hosts_are_told_apart_by_name_not_by_port() -> None:
    assert [host_name(host) for host in ("PC:80", "pc", "[::1]:8", "127.0.0.1:1")] == ["pc", "pc", "::1", "127.0.0.1"]
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"))
    assert not any(is_loopback(host) for host in ("10.0.0.1", "pc", "0.0.0.0", "::", "localhost.example"))


def test_without_a_built_page_the_server_says_so(open_page: Open, tmp_path: Path) -> None:
    page = open_page([REFERRED])
    (tmp_path / "static" / "index.html").unlink()
    answer = page.client().get("/")
    assert answer.status_code == 503
    assert "not built" in answer.text


def test_tls_is_spoken_where_a_certificate_is_given(open_page: Open, tmp_path: Path) -> None:
    """By a certificate that is made here and trusted by this client alone."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on this machine")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = [*command, *subject, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    page = open_page([REFERRED])
    place = Place(port=0, certificate=certificate, key=key)
    app = create_app(page.desk, page.door, place.names, secure=place.secure)
    trusted = ssl.create_default_context(cafile=str(certificate))
    with serving(app, place) as base, httpx.Client(base_url=base, verify=trusted, timeout=60) as client:
        answer = client.post("/api/login", json={"token": page.door.start_token}, headers={"Origin": base})
        assert answer.status_code == 200, answer.text
        assert "secure" in answer.headers["set-cookie"].lower()
        assert answer.headers["Strict-Transport-Security"]
        assert client.get("/api/session").json()["user"]["name"] == "host"
        plain = client.post("/api/login", json={"token": "x"}, headers={"Origin": base.replace("https", "http")})
        assert kind(plain) == "bad_origin"
