"""Who may reach the admin listener: by which names, from pages of which sites, and how often somebody may guess."""

import ssl
import subprocess

import httpx
import pytest

from support import http1
from support.acs3 import Signer
from support.api import SECRET, Api, with_access_keys
from support.certificates import Authority
from support.configuration import configuration, domain
from support.gateway import BINARY

PASSWORD = "anns long password"
REBOUND = "rebound.example"
#: Everything but probes.
PATHS = ["/metrics", "/", "/console", "/console/sign-in", "/console/assets/nothing", "/api/v1/openapi.json", "/api/v1/functions", "/2023-03-30/functions", "/nothing"]


@pytest.fixture
def declared(tmp_path):
    declared = configuration([], [])
    declared["store"] = {"sqlite": str(tmp_path / "claimgate.db")}
    return with_access_keys(declared, tmp_path)


@pytest.fixture
def start(serve, declared):
    """Starts a gateway with the user ann; what is given is added to `admin`."""

    def start(**admin):
        declared["admin"] |= admin
        gateway = serve(declared)
        command = [BINARY, "user", "add", "ann", "--role", "editor", "--config", gateway.file]
        subprocess.run(command, input=PASSWORD + "\n", text=True, cwd=gateway.file.parent, check=True)
        return gateway

    return start


def ask(gateway, method: str, path: str, *headers: tuple[str, str], host: str | None = "", source: str | None = None, body: bytes = b"") -> http1.Response:
    lines = [] if host is None else [("Host", host or f"127.0.0.1:{gateway.admin[1]}")]
    lines += [*headers, ("Content-Length", str(len(body)))]
    with http1.Connection(gateway.admin, source=source) as connection:
        connection.send(http1.head(method, path, lines) + body)
        return connection.receive(method)


def status(gateway, path: str, host: str | None, *headers: tuple[str, str]) -> int:
    return ask(gateway, "GET", path, *headers, host=host).status


# --- Names ---


def test_a_name_that_another_site_can_have_is_refused(start):
    gateway = start()
    for path in PATHS:
        for host in (REBOUND, f"{REBOUND}:{gateway.admin[1]}", f"127.0.0.1.{REBOUND}", f"localhost.{REBOUND}", "claimgate"):
            response = ask(gateway, "GET", path, host=host)
            assert (response.status, response.json()["Code"]) == (421, "HostNotAllowed"), (path, host)
            assert "admin.hosts" in response.json()["Message"] and b"claimgate_requests" not in response.body
        for host in ("127.0.0.1", "localhost", f"LocalHost:{gateway.admin[1]}", "gateway.localhost", "[::1]:1", "10.1.2.3"):
            assert status(gateway, path, host) not in (400, 421) or "functions" in path, (path, host)
        assert status(gateway, path, None) == 400
    absolute = ask(gateway, "GET", f"http://{REBOUND}/metrics", host=REBOUND)
    assert absolute.status == 421
    assert ask(gateway, "POST", "/console/sign-in", host=REBOUND, body=b"name=ann&password=x").status == 421


def test_probes_ask_by_any_name(start):
    gateway = start()
    for path in ("/healthz", "/readyz"):
        assert status(gateway, path, REBOUND) == status(gateway, path, None) == 200


def test_listed_names_are_answered(start):
    gateway = start(hosts=["Console.Example.com", "*.svc.cluster.local"])
    for host in ("console.example.com", "CONSOLE.example.com:8081", "claimgate.default.svc.cluster.local:8081"):
        assert status(gateway, "/metrics", host) == 200
    for host in ("example.com", "a.console.example.com", "svc.cluster.local", f"console.example.com.{REBOUND}"):
        assert status(gateway, "/metrics", host) == 421


def test_on_a_network_its_names_are_answered_too(start):
    gateway = start(listen="0.0.0.0:0", allowInsecure=True, openMetrics=True)
    gateway.admin = ("127.0.0.1", gateway.admin[1])
    for host in ("10.1.2.3:8081", "[2001:db8::1]", "claimgate:8081", "localhost"):
        assert status(gateway, "/metrics", host) == 200
    assert status(gateway, "/metrics", REBOUND) == 421


def test_a_signature_covers_the_name(start):
    gateway = start()
    keyed = Signer(gateway, {"accessKeyId": "id-of-editor", "accessKeySecret": SECRET})
    type(keyed).host, own = property(lambda _: "fc.example.com"), type(keyed).host
    try:
        assert keyed.call("GET", "/functions").status == 200
    finally:
        type(keyed).host = own
    unsigned = ("Authorization", "ACS3-HMAC-SHA256 nothing")
    assert ask(gateway, "GET", "/2023-03-30/functions", unsigned, host=REBOUND).status == 400
    assert ask(gateway, "GET", "/metrics", unsigned, host=REBOUND).status == 421


# --- Sites ---

CROSS_SITE = [
    [("Origin", "http://evil.example")],
    [("Origin", "null")],
    [("Origin", "http://127.0.0.1:1")],
    [("Sec-Fetch-Site", "cross-site")],
    [("Sec-Fetch-Site", "same-site")],
    [("Sec-Fetch-Site", "cross-site"), ("Origin", "{own}")],
]
OWN_SITE = [[], [("Origin", "{own}")], [("Sec-Fetch-Site", "same-origin")], [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://console.example")]]
GOOD = f"name=ann&password={PASSWORD}".replace(" ", "+").encode()


def filled(gateway, headers):
    own = f"http://127.0.0.1:{gateway.admin[1]}"
    return [(name, value.format(own=own)) for name, value in headers]


def test_another_site_signs_nobody_in_and_changes_nothing(start):
    gateway = start()
    session = cookies(ask(gateway, "POST", "/console/sign-in", body=GOOD))["claimgate_session"]
    for headers in CROSS_SITE:
        headers = filled(gateway, headers)
        response = ask(gateway, "POST", "/console/sign-in", *headers, body=GOOD)
        assert response.status == 403 and not response.values("set-cookie"), headers
        for method, path in [("POST", "/console/sign-out"), ("POST", "/console/users"), ("PUT", "/api/v1/functions/a"), ("POST", "/console/sign-in/AAAA")]:
            signed_in = ("Cookie", f"claimgate_session={session}")
            assert ask(gateway, method, path, *headers, signed_in).status == 403
    for headers in OWN_SITE:
        response = ask(gateway, "POST", "/console/sign-in", *filled(gateway, headers), body=GOOD)
        assert response.status == 303 and "claimgate_session" in cookies(response)


def test_a_proxy_may_name_the_host_that_was_asked_for(start):
    gateway = start(trustedProxies=["127.0.0.1"])
    told = [("X-Forwarded-Host", "console.example"), ("X-Forwarded-For", "192.0.2.1")]
    own, other = ("Origin", "https://console.example"), ("Origin", "https://other.example")
    assert ask(gateway, "POST", "/console/sign-in", *told, own, body=GOOD).status == 303
    assert ask(gateway, "POST", "/console/sign-in", *told, other, body=GOOD).status == 403
    assert ask(gateway, "POST", "/console/sign-in", *told, own, body=GOOD, source="127.0.0.2").status == 403


# --- Cookies ---


def cookies(response: http1.Response) -> dict[str, str]:
    return dict(line.partition(";")[0].split("=", 1) for line in response.values("set-cookie"))


def attributes(response: http1.Response) -> list[set[str]]:
    return [{part.strip() for part in line.split(";")[1:]} for line in response.values("set-cookie")]


def test_over_https_cookies_are_bound_to_the_host(start, tmp_path):
    authority, certificate, key = Authority(tmp_path), tmp_path / "admin.pem", tmp_path / "admin.key"
    authority.issue(certificate, key, "127.0.0.1")
    gateway = start(tls={"certificateFile": str(certificate), "privateKeyFile": str(key)})
    base = f"https://127.0.0.1:{gateway.admin[1]}"
    context = ssl.create_default_context(cafile=str(authority.file))
    with httpx.Client(base_url=base, verify=context) as client:
        response = client.post("/console/sign-in", data={"name": "ann", "password": PASSWORD})
        lines = response.headers.get_list("set-cookie")
        assert {line.split("=")[0] for line in lines} == {"__Host-claimgate_session", "__Host-claimgate_device"}
        for line in lines:
            assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} < {part.strip() for part in line.split(";")}
            assert "Domain" not in line
        session = client.cookies["__Host-claimgate_session"]
        assert client.get("/console/users").status_code == 200
    with httpx.Client(base_url=base, verify=context) as client:
        planted = client.get("/console/users", headers={"cookie": f"claimgate_session={session}"})
        assert planted.status_code == 303, "another host of the domain could have set it"


def test_over_plain_http_cookies_have_their_bare_names(start):
    gateway = start(trustedProxies=["127.0.0.2"])
    told = [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https")]
    plain = ask(gateway, "POST", "/console/sign-in", *told, body=GOOD)
    assert set(cookies(plain)) == {"claimgate_session", "claimgate_device"}
    assert all("HttpOnly" in one and "Secure" not in one for one in attributes(plain))
    proxied = ask(gateway, "POST", "/console/sign-in", *told, body=GOOD, source="127.0.0.2")
    assert set(cookies(proxied)) == {"__Host-claimgate_session", "__Host-claimgate_device"}
    assert all({"HttpOnly", "Secure"} < one for one in attributes(proxied))


# --- Guesses ---


def sign_in(gateway, password: str, *headers: tuple[str, str], name: str = "ann", source: str | None = None) -> http1.Response:
    body = str(httpx.QueryParams({"name": name, "password": password})).encode()
    return ask(gateway, "POST", "/console/sign-in", *headers, body=body, source=source)


def guess(gateway, *headers, times: int = 6, **more) -> list[int]:
    return [sign_in(gateway, f"a wrong password {number}", *headers, **more).status for number in range(times)]


def test_a_guesser_elsewhere_is_slowed_down_and_the_user_is_not(start):
    gateway = start()
    statuses = guess(gateway, source="127.0.0.2")
    assert statuses[:5] == [401] * 5 and statuses[5] in (401, 429)
    assert 429 in guess(gateway, times=3, source="127.0.0.2"), "the guesser has to wait"
    assert sign_in(gateway, PASSWORD, source="127.0.0.3").status == 303


def test_a_known_device_does_not_wait_for_others(start):
    gateway = start()
    device = ("Cookie", f"claimgate_device={cookies(sign_in(gateway, PASSWORD))['claimgate_device']}")
    # From everywhere, the user's own address too.
    for source in (None, *(f"127.0.2.{number}" for number in range(1, 8))):
        assert guess(gateway, times=5, source=source) in ([401] * 5, [401] * 4 + [429]) or source
    assert 429 in guess(gateway, times=4)
    assert sign_in(gateway, PASSWORD, device).status == 303
    # It lets nobody in, and has its own limit.
    statuses = guess(gateway, device, times=8)
    assert statuses[:5] == [401] * 5 and 429 in statuses
    assert 429 in guess(gateway, times=4, name="bob") + guess(gateway, device, times=4, name="bob")


def test_a_device_is_known_to_its_user_under_the_present_password(start):
    gateway = start()
    cookie = cookies(sign_in(gateway, PASSWORD))["claimgate_device"]
    changed = ("A" if cookie[0] != "A" else "B") + cookie[1:]
    assert 429 in guess(gateway, times=8)
    assert sign_in(gateway, PASSWORD, ("Cookie", f"claimgate_device={changed}")).status == 429
    reset = [BINARY, "user", "reset-password", "ann", "--config", gateway.file]
    subprocess.run(reset, input="another long password\n", text=True, cwd=gateway.file.parent, check=True)
    assert sign_in(gateway, "another long password", ("Cookie", f"claimgate_device={cookie}")).status == 429


def test_behind_a_trusted_proxy_clients_are_told_apart(start):
    gateway = start(trustedProxies=["127.0.0.1", "10.0.0.0/8"])
    guesser, user = ("X-Forwarded-For", "203.0.113.1, 10.1.1.1"), ("X-Forwarded-For", "198.51.100.7")
    assert 429 in guess(gateway, guesser, times=8)
    assert sign_in(gateway, PASSWORD, guesser).status == 429
    assert sign_in(gateway, PASSWORD, ("Forwarded", "for=203.0.113.1")).status == 429
    assert sign_in(gateway, PASSWORD, user).status == 303
    logged = [line for line in gateway.log if "wrong name or password" in line["message"]]
    assert {line["client"] for line in logged} == {"203.0.113.1"}
    # Whoever is no proxy cannot be somebody else with each guess.
    for number in range(8):
        header = ("X-Forwarded-For", f"203.0.113.{number}")
        statuses = guess(gateway, header, times=1, source="127.0.0.4")
    assert statuses == [429]


def test_a_form_of_a_stranger_is_small(start):
    gateway = start()
    body = b"name=ann&password=" + b"x" * (64 * 1024)
    assert ask(gateway, "POST", "/console/sign-in", body=body).status == 413
    assert ask(gateway, "POST", "/console/sign-in/AAAA", body=body).status == 413


def test_a_declared_access_key_that_is_removed_ends_at_once_and_the_log_says_nothing_else(serve, tmp_path):
    settings = with_access_keys(configuration([domain()], [{"functionName": "orders", "builtin": "echo"}]), tmp_path)
    gateway = serve(settings)
    assert Api(gateway)("GET", "/custom-domains").status_code == 200
    keys = settings["admin"]["accessKeys"]
    settings["admin"]["accessKeys"] = [one for one in keys if one["role"] != "editor"]
    gateway.write(settings)
    gateway.wait_for_log(lambda line: line["message"] == "configuration reloaded")
    assert Api(gateway)("GET", "/custom-domains").status_code in (401, 403)
    assert Api(gateway, "id-of-viewer")("GET", "/custom-domains").status_code == 200
    assert not [line for line in gateway.log if "restart" in line["message"]]
    # What does need one is named.
    settings["admin"]["hosts"] = ["x.example.com"]
    gateway.write(settings)
    assert gateway.wait_for_log(lambda line: "restart" in line["message"])["field"] == "admin"
