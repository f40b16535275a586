"""Keys, Token decoder, Test and Traffic of the console, in a real browser."""

import json

import jwt as pyjwt
import pytest
from jwcrypto.jwk import JWK
from playwright.sync_api import expect

from support import console
from support.configuration import configuration, domain, jwt
from support.console import Watched
from support.gateway import Gateway
from support.tokens import jwks, key

HOST = "api.example.com"
KEY = key("ES256")
PRIVATE_JWK = JWK.from_pyca(KEY.private).export_private(as_dict=True) | {"alg": "ES256"}
PRIVATE_JWK.pop("kid", None)


@pytest.fixture(scope="module")
def gateway(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    auth = jwt(jwks(KEY), "header:Authorization:Bearer,query:token", "header:sub:x-sub")
    functions = [{"functionName": "orders", "builtin": "echo"}]
    stored = {"store": {"sqlite": str(folder / "claimgate.db")}}
    return serve(configuration([domain(HOST, auth=auth)], functions) | stored)


# --- Keys ---


def generate(watched, key_type: str, algorithm: str, **more) -> dict:
    """Makes a key as a user does, and gives what the page shows of it."""
    page = watched.page
    page.get_by_label("Key Type").select_option(key_type)
    for label, value in more.items():
        page.get_by_role("combobox", name=label.replace("_", " ")).select_option(value)
    page.get_by_label("Algorithm").select_option(algorithm)
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("heading", name="Your key").wait_for(timeout=60_000)
    names = ["private-jwk", "private-pem", "public-jwk", "public-pem", "jwks"]
    return {name: page.locator(f"#{name}").text_content() for name in names}


@pytest.mark.parametrize(
    "key_type, algorithm, more",
    [
        ("RSA", "RS256", {"Key_Size": "2048"}),
        ("RSA", "PS384", {"Key_Size": "2048"}),
        ("EC", "ES256", {"Curve": "P-256"}),
        ("EC", "ES384", {"Curve": "P-384"}),
        ("EC", "ES512", {"Curve": "P-521"}),
        ("OKP", "EdDSA", {}),
    ],
)
def test_a_key_pair_never_leaves_the_browser(visit, key_type, algorithm, more):
    watched = visit("keys")
    made = generate(watched, key_type, algorithm, **more)
    private, public = json.loads(made["private-jwk"]), json.loads(made["public-jwk"])
    assert (public["kty"], public["alg"], public["use"]) == (key_type, algorithm, "sig")
    # What others make of it: the thumbprint, and each form of the key.
    assert public["kid"] == JWK(**public).thumbprint()
    assert private == public | {name: private[name] for name in private if name not in public} and "d" not in public
    assert json.loads(made["jwks"]) == {"keys": [public]}
    for pem, jwk in [("private-pem", private), ("public-pem", public)]:
        assert JWK.from_pem(made[pem].encode()).thumbprint() == JWK(**jwk).thumbprint()
    signing = pyjwt.PyJWK(private).key
    token = pyjwt.encode({"sub": "ann"}, signing, algorithm)
    assert pyjwt.decode(token, pyjwt.PyJWK(public).key, [algorithm]) == {"sub": "ann"}
    # Signed with on the Test page too.
    watched.page.get_by_role("link", name="Test", exact=True).first.click()
    page = watched.page
    page.get_by_label("Domain").fill(HOST)
    page.get_by_label("Path").click()
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Answer").wait_for()
    secrets = [private[name] for name in ["d", "p", "q", "dp", "dq", "qi"] if name in private]
    secrets += made["private-pem"].split("\n")[1:-2]
    everything = b"\n".join(watched.requests)
    assert b"/console/test" in everything, "the requests were not recorded"
    for secret in secrets:
        assert secret.encode() not in everything


def test_a_shared_secret_is_shown_as_one(visit):
    watched = visit("keys")
    made = generate(watched, "oct", "HS512", Secret_Size="512")
    secret = json.loads(made["private-jwk"])
    assert (secret["kty"], secret["alg"]) == ("oct", "HS512") and json.loads(made["jwks"]) == {"keys": [secret]}
    assert watched.page.get_by_text("Whoever verifies with a shared secret can sign with it too").is_visible()
    assert not watched.page.locator("#public-pem").is_visible()
    assert secret["k"].encode() not in b"\n".join(watched.requests)


def test_a_key_is_copied_downloaded_and_used_in_a_domain(visit):
    watched = visit("keys", permissions=["clipboard-read", "clipboard-write"])
    page = watched.page
    page.get_by_role("combobox", name="Key ID", exact=True).select_option("own")
    page.get_by_label("Own Key ID").fill("mine")
    made = generate(watched, "EC", "ES256")
    watched.check_looks("keys-made")
    assert json.loads(made["public-jwk"])["kid"] == "mine"
    buttons = page.locator(".key-output", has=page.locator("#private-pem"))
    buttons.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == made["private-pem"]
    with page.expect_download() as download:
        buttons.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "private-key.pem"
    assert download.value.path().read_text() == made["private-pem"]
    page.get_by_role("button", name="Use in a domain").click()
    page.get_by_role("heading", name="Create Custom Domain Name").wait_for()
    assert page.get_by_label("JWKS", exact=True).input_value() == made["jwks"]
    assert page.get_by_label("Authentication Method").input_value() == "jwt"
    assert json.loads(made["private-jwk"])["d"].encode() not in b"\n".join(watched.requests)


# --- Token decoder ---


def test_a_token_is_decoded_and_checked_in_the_browser(visit):
    watched = visit("decoder")
    page = watched.page
    token = KEY.token({"sub": "Zoë", "exp": 1_000_000_000})
    page.get_by_role("textbox", name="Token", exact=True).fill(f"Bearer {token}")
    assert page.get_by_text("This token has expired: 2001-09-09T01:46:40Z").is_visible()
    assert page.locator("#payload-claims").get_by_text("Zoë").is_visible()
    assert page.get_by_text("The signature was not checked").is_visible()
    page.get_by_label("Public key or JWKS").fill(json.dumps(jwks(KEY)))
    page.get_by_text("The signature was made with this key.").wait_for()
    watched.check_looks("decoder-token")
    page.get_by_role("textbox", name="Token", exact=True).fill(token[:-8] + "AAAAAAAA")
    page.get_by_text("The signature was not made with this key").wait_for()
    page.get_by_role("textbox", name="Token", exact=True).fill("a.b")
    assert page.get_by_text("a token has three segments with dots between them, and this has 2").is_visible()
    assert token.split(".")[1].encode() not in b"\n".join(watched.requests)


# --- Test ---


def make_request(watched, claims: dict, valid: str = "300"):
    page = watched.page
    page.get_by_label("Domain").fill(HOST)
    page.get_by_label("Path").fill("/orders/7")
    page.get_by_text(f"{HOST} needs a JWT and is served over HTTP alone.").wait_for()
    page.get_by_label("Private Key").fill(json.dumps(PRIVATE_JWK))
    page.get_by_role("button", name="Use", exact=True).click()
    page.get_by_label("Valid").select_option(valid)
    page.get_by_label("Claims").fill(json.dumps(claims))


def test_a_request_is_signed_sent_and_traced(visit):
    watched = visit("test", permissions=["clipboard-read", "clipboard-write"])
    page = watched.page
    make_request(watched, {"sub": "ann"})
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Answer").wait_for()
    outcome = page.get_by_role("region", name="Outcome")
    assert outcome.get_by_text("200", exact=True).is_visible()
    assert "x-sub: ann" in page.locator("#received").text_content()
    assert "signature" in page.locator(".steps").text_content()
    watched.check_looks("test-outcome")
    page.get_by_role("button", name="Copy as curl").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert "curl --connect-to" in page.evaluate("navigator.clipboard.readText()")
    assert PRIVATE_JWK["d"].encode() not in b"\n".join(watched.requests)


def test_a_refusal_is_explained_and_found_in_the_traffic(visit):
    watched = visit("test")
    make_request(watched, {"sub": "ann"}, valid="-60")
    watched.page.get_by_role("button", name="Send").click()
    outcome = watched.page.get_by_role("region", name="Outcome")
    outcome.get_by_text("fetch a new token").wait_for()
    watched.check_looks("test-refused")
    assert outcome.get_by_text("401", exact=True).is_visible()
    headers = outcome.locator("pre").first.text_content()
    request_id = next(line for line in headers.splitlines() if line.startswith("x-fc-request-id")).split(": ")[1]
    page = visit("traffic").page
    page.locator(f"[id='refusal-{request_id}'] summary").click()
    assert page.locator(f"[id='refusal-{request_id}']").get_by_text("fetch a new token").is_visible()
    assert "eyJ" not in page.content()


def test_nothing_but_the_gateway_can_be_asked(visit, recorder):
    """The host of a request decides on the domain, not on where it is sent."""
    page = visit("test").page
    page.get_by_label("Domain").fill(recorder.url.removeprefix("http://"))
    page.get_by_role("combobox", name="Token", exact=True).select_option("none")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("region", name="Outcome").get_by_text("unknown_domain").wait_for()
    assert not recorder.requests


def test_a_viewer_traces_and_does_not_send(browser, gateway):
    with console.viewer(browser, gateway, "/console/test") as page:
        page.get_by_label("Domain").fill(HOST)
        page.get_by_role("combobox", name="Token", exact=True).select_option("none")
        assert page.get_by_role("button", name="Send").count() == 0
        page.get_by_role("button", name="Trace only").click()
        page.get_by_role("region", name="Outcome").get_by_text("missing_token").wait_for()
        send = """send => fetch("/console/test", { method: "POST", headers: {
            "content-type": "application/json", "x-csrf-token": document.querySelector("meta[name=csrf-token]").content
          }, body: JSON.stringify({ scheme: "http", host: "x", method: "GET", target: "/", headers: [], body: "", send })
        }).then(answer => answer.status)"""
        assert [page.evaluate(send, wanted) for wanted in (False, True)] == [200, 403]


# --- Traffic ---


def test_traffic_is_live(visit, gateway):
    watched = visit(f"traffic?domain={HOST}")
    page = watched.page
    for _ in range(3):
        gateway.get("/", host=HOST)
        gateway.get("/", host=HOST, token=KEY.token({"sub": "ann"}))
    # No reload: the server sends it.
    page.get_by_role("cell", name="missing_token").or_(
        page.get_by_role("rowheader", name="missing_token")
    ).first.wait_for(timeout=20_000)
    assert page.get_by_text("nothing at any place of tokenLookup").first.is_visible()
    page.get_by_text("The same as a table").click()
    # What is looked at stays when everything is drawn anew.
    table = page.get_by_role("region", name="Traffic as a table")
    table.focus()
    table.evaluate("table => table.dataset.old = ''")
    expect(table).not_to_have_attribute("data-old", "", timeout=20_000)
    expect(table).to_be_focused()
    watched.check_looks("traffic-live")
    assert page.get_by_role("region", name="Traffic as a table").get_by_role("row").count() > 1


def test_what_is_not_counted_is_said_and_not_drawn_as_nothing(serve, browser, tmp_path):
    names = ["a.example.com", "b.example.com"]
    echo = [{"functionName": "orders", "builtin": "echo"}]
    stored = {"store": {"sqlite": str(tmp_path / "claimgate.db")}}
    gateway = serve(configuration([domain(name) for name in names], echo, limits={"countedRoutes": 3}) | stored)
    for name in names:
        assert gateway.get("/", host=name).status == 200
    with console.viewer(browser, gateway, "/console/custom-domains") as page:
        said = {}
        for name in names:
            row = page.get_by_role("row").filter(has_text=name)
            page.goto(f"http://{gateway.admin[0]}:{gateway.admin[1]}/console/traffic?domain={name}")
            said[name] = page.get_by_text("limits.countedRoutes").count(), page.locator("dl.tiles").count()
            page.go_back()
            expect(row.get_by_text("not counted")).to_have_count(0 if said[name][1] else 1)
        assert sorted(said.values()) == [(0, 1), (1, 1)] or sorted(said.values()) == [(0, 1), (1, 0)], said


def test_the_list_of_domains_draws_the_last_day(visit, gateway):
    gateway.get("/", host=HOST)
    page = visit("custom-domains").page
    # What was counted since the last look is there a few seconds later.
    Gateway.poll(lambda: page.reload() and page.get_by_role("img", name="requests").count())
    page.get_by_role("link", name="requests").first.click()
    page.get_by_role("heading", name="Traffic").wait_for()
