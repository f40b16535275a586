"""The admin listener: with TLS, on other addresses than loopback, and what it tells whom."""

import json
import socket
import ssl

import httpx
import pytest
from playwright.sync_api import expect

from support.api import SECRET, with_access_keys
from support.certificates import Authority
from support.command import claimgate
from support.configuration import configuration, domain, function
from support.console import Watched, sign_in


@pytest.fixture
def declared(recorder):
    return configuration([domain()], [function(recorder.url)])


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def files(authority, tmp_path):
    certificate, key = tmp_path / "admin.pem", tmp_path / "admin.key"
    authority.issue(certificate, key, "127.0.0.1")
    return certificate, key


@pytest.fixture
def gateway(serve, declared, recorder, files, tmp_path):
    with_access_keys(declared, tmp_path)
    declared["admin"]["tls"] = {"certificateFile": str(files[0]), "privateKeyFile": str(files[1])}
    return serve(declared, recorder)


def connect(gateway) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gateway.admin[1]), timeout=10)


def get(gateway, authority, path: str) -> httpx.Response:
    context = ssl.create_default_context(cafile=str(authority.file))
    return httpx.get(f"https://127.0.0.1:{gateway.admin[1]}{path}", verify=context)


def test_it_is_served_over_tls(gateway, authority):
    assert get(gateway, authority, "/healthz").text == "ok\n"
    assert "claimgate_requests_total" in get(gateway, authority, "/metrics").text
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{gateway.admin[1]}/healthz")


def test_the_console_keeps_its_session_to_tls(serve, declared, files, browser, tmp_path):
    declared["admin"]["tls"] = {"certificateFile": str(files[0]), "privateKeyFile": str(files[1])}
    declared["store"] = {"sqlite": str(tmp_path / "claimgate.db")}
    context = browser.new_context(ignore_https_errors=True)
    page = Watched(context.new_page())
    sign_in(page.page, serve(declared))
    assert page.page.url.startswith("https://")
    cookie = next(one for one in context.cookies() if one["name"] == "__Host-claimgate_session")
    assert cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    page.page.get_by_role("link", name="Users").click()
    expect(page.page.get_by_role("row", name="ann")).to_be_visible()
    page.page.get_by_role("button", name="Sign out").click()
    expect(page.page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.check()
    context.close()


def test_a_new_certificate_is_taken_over_and_a_bad_one_is_not(gateway, authority, files):
    def serial() -> str:
        context = ssl.create_default_context(cafile=str(authority.file))
        with (
            connect(gateway) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as secured,
        ):
            return secured.getpeercert()["serialNumber"]

    before = serial()
    authority.issue(*files, "127.0.0.1")
    gateway.poll(lambda: serial() != before)
    now = serial()
    files[0].write_text("no certificate")
    gateway.wait_for_log(lambda line: "the last good certificate stays" in line.get("message", ""))
    assert serial() == now


def test_a_handshake_that_does_not_end_holds_up_nobody(gateway, authority):
    with connect(gateway) as slow:
        slow.sendall(b"\x16\x03\x01")
        assert get(gateway, authority, "/healthz").status_code == 200


def test_the_command_line_trusts_the_authority_of_its_profile(gateway, authority, tmp_path):
    profile = tmp_path / "profile.yaml"
    values = {"endpoint": f"https://127.0.0.1:{gateway.admin[1]}", "accessKeyId": "id-of-viewer"}
    profile.write_text(json.dumps({**values, "accessKeySecret": SECRET, "caFile": str(authority.file)}))
    result = claimgate("domain", "list", "--profile", profile)
    assert result.code == 0 and "api.example.com" in result.text
    profile.write_text(json.dumps({**values, "accessKeySecret": SECRET}))
    result = claimgate("domain", "list", "--profile", profile)
    assert result.code == 2 and "certificate" in result.err


def test_a_certificate_that_cannot_be_used_is_told_at_the_start(declared, tmp_path):
    declared["admin"]["tls"] = {"certificateFile": "missing.pem", "privateKeyFile": "missing.key"}
    file = tmp_path / "claimgate.yaml"
    file.write_text(json.dumps(declared))
    result = claimgate("serve", "--config", file)
    assert result.code != 0 and "cannot use tls.certificateFile" in result.err and "missing.pem" in result.err


def test_other_addresses_need_tls_or_a_word_that_allows_it(serve, declared, recorder, tmp_path):
    declared["admin"]["listen"] = "0.0.0.0:0"
    file = tmp_path / "claimgate.yaml"
    file.write_text(json.dumps(declared))
    refused = claimgate("check", "--config", file)
    assert refused.code == 1 and "admin.tls" in refused.err
    declared["admin"]["allowInsecure"] = True
    gateway = serve(declared, recorder)
    url = f"http://127.0.0.1:{gateway.admin[1]}"
    assert httpx.get(url + "/healthz").status_code == 200
    closed = httpx.get(url + "/metrics")
    assert (closed.status_code, closed.json()["Code"]) == (403, "AccessDenied")
    declared["admin"]["openMetrics"] = True
    assert httpx.get(f"http://127.0.0.1:{serve(declared, recorder).admin[1]}/metrics").status_code == 200


def test_every_error_is_json_with_the_ids_of_the_request(serve, declared, recorder):
    gateway = serve(declared, recorder)
    for method, path, status in [("GET", "/nothing", 404), ("POST", "/healthz", 405), ("PATCH", "/api/v1/functions", 405)]:
        answer = httpx.request(method, f"http://127.0.0.1:{gateway.admin[1]}{path}")
        assert answer.status_code == status
        assert set(answer.json()) == {"RequestId", "Code", "Message"}
        assert answer.headers["x-fc-request-id"] == answer.headers["x-acs-request-id"] == answer.json()["RequestId"]
