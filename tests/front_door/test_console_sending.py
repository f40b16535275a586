"""What the console's Test page sends reaches the gateway's listeners, wherever they are and whatever they expect."""

import json
import socket

import pytest
from playwright.sync_api import expect

from support.certificates import Authority
from support.configuration import configuration, domain
from support.upgrade import launcher

SECURE, PLAIN = "secure.example.com", "plain.example.com"


def everywhere(address: str) -> dict:
    return {"http": f"{address}:0", "https": f"{address}:0"}


LISTENERS = {
    "one address": everywhere("127.0.0.1"),
    "every address of IPv4": everywhere("0.0.0.0"),
    "every address": everywhere("[::]"),
    # Connections to 127.0.0.9 come from 127.0.0.1, as all to this machine do.
    "behind a proxy": everywhere("127.0.0.9") | {"trustedProxies": ["127.0.0.1"], "proxyProtocol": True},
    "behind another proxy": everywhere("127.0.0.9") | {"trustedProxies": ["127.0.0.9"], "proxyProtocol": True},
    "sockets of systemd": everywhere("127.0.0.9"),
}


@pytest.fixture(scope="module", params=LISTENERS)
def gateway(request, serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sending")
    certificate, private_key = Authority(folder).pair(SECURE)
    secure = {"protocol": "HTTPS", "certConfig": {"certificate": certificate, "privateKey": private_key}}
    functions = [{"functionName": "orders", "builtin": "echo"}]
    written = configuration([domain(SECURE) | secure, domain(PLAIN)], functions, **LISTENERS[request.param])
    written["store"] = {"sqlite": str(folder / "claimgate.db")}
    if request.param != "sockets of systemd":
        yield serve(written)
        return
    with socket.create_server(("127.0.0.1", 0)) as http, socket.create_server(("127.0.0.1", 0)) as https:
        yield serve(written, **launcher(http=http, https=https))


def choose(page, host: str, said: str):
    page.get_by_label("Domain").fill(host)
    page.get_by_label("Path").click()
    expect(page.locator("#domain-facts")).to_have_text(f"{host} needs no token and is served over {said} alone.")


def test_a_request_arrives_over_what_its_domain_is_served_over(visit):
    watched = visit("test")
    page = watched.page
    for host, scheme in [(SECURE, "https"), (PLAIN, "http")]:
        choose(page, host, scheme.upper())
        expect(page.get_by_label("Protocol")).to_have_value(scheme)
        page.get_by_role("button", name="Send").click()
        outcome = page.get_by_role("region", name="Outcome")
        expect(outcome.get_by_label("Body of the answer")).to_contain_text(host)
        expect(outcome.get_by_text("200", exact=True)).to_be_visible()
        echo = json.loads(outcome.get_by_label("Body of the answer").text_content())
        assert ["x-forwarded-proto", scheme] in echo["headers"]


def test_what_cannot_be_sent_is_told_in_words(visit):
    page = visit("test").page
    outcome = page.get_by_role("region", name="Outcome")

    def send(scheme: str, headers: str = ""):
        page.get_by_label("Protocol").select_option(scheme)
        page.get_by_label("Headers").fill(headers)
        page.get_by_role("button", name="Send").click()

    choose(page, PLAIN, "HTTP")
    send("https")
    expect(outcome).to_contain_text(f"no HTTPS connection for {PLAIN}")
    send("http", "Upgrade: websocket")
    expect(outcome).to_contain_text("the header Upgrade cannot be chosen here, as the connection decides on it")
    page.get_by_label("Domain").fill("127.0.0.1")
    send("https")
    expect(outcome).to_contain_text("HTTPS needs a name that a certificate can have")
