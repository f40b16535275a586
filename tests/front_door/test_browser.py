"""The clients that people have: a browser, curl and h2load, over every version of HTTP, with TLS and without."""

import json
import re
import shutil
import subprocess
import threading

import pytest
import websockets.sync.server
from playwright.sync_api import sync_playwright

from support.certificates import Authority
from support.configuration import configuration, domain, function, jwt
from support.tokens import jwks, key

HOST = "api.example.com"
KEY = key("ES256")
TOKEN = KEY.token({"sub": "ann"})
AUTH = jwt(jwks(KEY), "header:Authorization:Bearer,query:token", "header:sub:x-sub", whitelist=["/page"])
SCHEMES = ["http", "https"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def gateway(serve, authority):
    """A gateway before the built-in `echo`, and at /chat a WebSocket server that says who came and what it hears."""

    def chat(connection):
        connection.send(connection.request.headers.get("x-sub", "nobody"))
        for message in connection:
            connection.send(message)

    certificate, private_key = authority.pair(HOST)
    routes = [{"path": "/*", "functionName": "orders"}, {"path": "/chat", "functionName": "chat"}]
    both = domain(HOST, routes, AUTH) | {
        "protocol": "HTTP,HTTPS",
        "certConfig": {"certificate": certificate, "privateKey": private_key},
    }
    with websockets.sync.server.serve(chat, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        functions = [
            {"functionName": "orders", "builtin": "echo"},
            function(f"http://127.0.0.1:{server.socket.getsockname()[1]}", "chat"),
        ]
        yield serve(configuration([both], functions, https="127.0.0.1:0"))
        server.shutdown()


def port(gateway, scheme: str) -> int:
    return (gateway.https if scheme == "https" else gateway.address)[1]


# --- A browser ---


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "there is no chromium; scripts/test installs it"
    # Its own sandbox needs a user that is not root; the names of the test are known to nobody else.
    arguments = [
        "--no-sandbox", "--no-proxy-server", "--ignore-certificate-errors", f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
    ]  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(params=SCHEMES)
def page(request, gateway, browser):
    """A page that came from the gateway, and needs no token."""
    page = browser.new_page()
    assert page.goto(f"{request.param}://{HOST}:{port(gateway, request.param)}/page").status == 200
    yield page
    page.close()


FETCH = """async ([path, headers]) => {
    const answer = await fetch(path, {headers});
    const body = await answer.json();
    const find = () => performance.getEntriesByType('resource').findLast(entry => entry.name.endsWith(path));
    while (!find()) await new Promise(resolve => setTimeout(resolve, 10));
    return [answer.status, find().nextHopProtocol, body];
}"""


def test_a_browser_is_served(page):
    status, protocol, seen = page.evaluate(FETCH, ["/orders?a=1", {"Authorization": f"Bearer {TOKEN}"}])
    # Browsers speak HTTP/2 over TLS alone.
    assert (status, protocol) == (200, "h2" if page.url.startswith("https") else "http/1.1")
    assert "ann" in json.dumps(seen["headers"])


def test_a_browser_without_a_token_is_refused(page):
    status, _, answer = page.evaluate(FETCH, ["/orders?b=1", {}])
    assert (status, answer["Message"]) == (401, "missing or malformed jwt")


CHAT = """path => new Promise((resolve, reject) => {
    const socket = new WebSocket(new URL(path, location.href.replace(/^http/, 'ws')));
    const heard = [];
    socket.onopen = () => socket.send('hello');
    socket.onmessage = event => heard.push(event.data) === 2 && resolve(heard);
    socket.onerror = () => reject(new Error('refused'));
})"""


def test_a_browser_opens_a_websocket(page):
    assert page.evaluate(CHAT, f"/chat?token={TOKEN}") == ["ann", "hello"]
    with pytest.raises(Exception, match="refused"):
        page.evaluate(CHAT, "/chat")


# --- curl ---


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("version", ["1.1", "2"])
def test_curl_is_served(gateway, authority, scheme, version):
    option = "--http1.1" if version == "1.1" else "--http2" if scheme == "https" else "--http2-prior-knowledge"
    at = f"{HOST}:{port(gateway, scheme)}"
    command = [
        "curl", "-sS", "--noproxy", "*", option, "--cacert", str(authority.file), "--resolve", f"{at}:127.0.0.1",
        "-H", f"Authorization: Bearer {TOKEN}", "-o", "/dev/null", "-w", "%{http_version} %{http_code}",
        f"{scheme}://{at}/orders",
    ]  # fmt: skip
    assert subprocess.run(command, check=True, capture_output=True, timeout=30, text=True).stdout == f"{version} 200"


# --- h2load ---


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("options", [["--h1"], ["-m", "10"]], ids=["1.1", "2"])
def test_h2load_is_served(gateway, scheme, options):
    at = f"{HOST}:{port(gateway, scheme)}"
    command = [
        "h2load", "-n", "300", "-c", "10", *options, f"--connect-to=127.0.0.1:{port(gateway, scheme)}",
        "-H", f"Authorization: Bearer {TOKEN}", f"{scheme}://{at}/orders",
    ]  # fmt: skip
    said = subprocess.run(command, check=True, capture_output=True, timeout=60, text=True).stdout
    assert re.search(r"300 succeeded, 0 failed, 0 errored, 0 timeout", said), said
    assert re.search(r"status codes: 300 2xx", said), said
