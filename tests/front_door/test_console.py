"""The console in a real browser: sign-in, users, and custom domains from Create to a verified request."""

import json
import re
import subprocess
from pathlib import Path

import jwt as pyjwt
import pytest
from playwright.sync_api import Locator, expect

from support import http1
from support.api import Api, with_access_keys
from support.certificates import Authority
from support.configuration import configuration, domain, jwt
from support.console import PASSWORD, Watched, sign_in
from support.gateway import BINARY
from support.tokens import jwks, key

KEY = key("RS256", "first")
FUNCTIONS = [{"functionName": "hello", "builtin": "echo"}]
HELLO = [{"path": "/*", "functionName": "hello"}]
MANY = 1000


@pytest.fixture(scope="module")
def gateway(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    declared = [domain(f"tenant-{number}.example.net", HELLO, jwt(jwks(KEY))) for number in range(MANY)]
    stored = configuration(declared, FUNCTIONS) | {"store": {"sqlite": str(folder / "claimgate.db")}}
    return serve(with_access_keys(stored, folder))


@pytest.fixture(scope="module")
def api(gateway):
    return Api(gateway)


@pytest.fixture
def stored(api):
    """Stores a custom domain and gives its version."""

    def store(name: str, **more) -> int:
        answer = api("PUT", f"/custom-domains/{name}", {**domain(name, HELLO, jwt(jwks(KEY))), **more})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["version"]

    return store


def test_the_steps_of_the_description_by_what_a_person_sees(visit, gateway):
    """Create, authenticate, and a verified request: with few clicks and fields."""
    watched = visit("custom-domains")
    page, done = watched.page, []

    def click(what: Locator):
        done.append("click")
        what.click()

    def fill(label: str, value: str, group: str | None = None):
        done.append("fill")
        place = page.get_by_role("group", name=group) if group else page
        place.get_by_label(label, exact=True).fill(value)

    def select(label: str, value: str, group: str | None = None):
        done.append("select")
        place = page.get_by_role("group", name=group) if group else page
        place.get_by_label(label, exact=True).select_option(value)

    # A custom domain is there before authentication is configured.
    left = page.get_by_role("navigation", name="Main").get_by_role("list", name="Advanced Features")
    click(left.get_by_role("link", name="Custom Domains"))
    expect(page.get_by_role("heading", name="Custom Domains")).to_be_visible()
    click(page.get_by_role("link", name="Create"))
    fill("Domain Name", "api.example.com")
    fill("Function Name", "hello")
    click(page.get_by_role("button", name="Save"))
    click(page.get_by_role("button", name="Create"))
    expect(page.get_by_role("status")).to_contain_text("in force")
    assert gateway.get("/hello", host="api.example.com").status == 200

    # Step 1 and 2.
    click(left.get_by_role("link", name="Custom Domains"))
    click(page.get_by_role("link", name="api.example.com"))
    modify = page.get_by_role("link", name="Modify")
    where, whole = modify.bounding_box(), page.viewport_size
    assert where["x"] > whole["width"] * 0.8 and where["y"] < whole["height"] * 0.2, "in the upper-right corner"
    click(modify)
    expect(page.get_by_role("heading", name="Modify Custom Domain Name")).to_be_visible()
    select("Authentication Method", "JWT Authentication")
    # Step 3.
    fill("JWKS", json.dumps(jwks(KEY)))
    expect(page.locator("#jwks-report")).to_contain_text("RSA, 2048 bits")
    # Step 4.
    positions = ["Header", "Cookie", "Query Parameters", "Form Parameters"]
    expect(page.get_by_label("Read Position", exact=True).locator("option")).to_have_text(positions)
    select("Read Position", "Header", "JWT Token Configuration")
    fill("Parameter Name", "Authentication", "JWT Token Configuration")
    fill("Remove Prefix", "Bearer", "JWT Token Configuration")
    # Step 5.
    claims = "JWT Claim Conversion"
    click(page.get_by_role("button", name="Add Claim"))
    expect(page.get_by_label("Mapping Parameter Position", exact=True).locator("option")).to_have_text(positions)
    select("Mapping Parameter Position", "Header", claims)
    fill("Original Claim Name", "name", claims)
    fill("Mapped Parameter Name", "nametofunction", claims)
    # Step 6.
    watched.keep_nothing()
    click(page.get_by_role("button", name="Save"))
    expect(page.get_by_label("What will change")).to_contain_text('"tokenLookup": "header:Authentication:Bearer"')
    assert gateway.get("/hello", host="api.example.com").status == 200, "it is not saved yet"
    watched.check_small()
    watched.check_looks("review")
    click(page.get_by_role("button", name="Save changes"))
    expect(page.get_by_role("status")).to_contain_text("in force")
    assert len(done) <= 30, len(done)

    assert gateway.get("/hello", host="api.example.com").status == 401
    token = pyjwt.encode({"name": "John Snow"}, KEY.private, "RS256", {"kid": "first"})
    answer = gateway.get("/hello", host="api.example.com", headers=[("Authentication", f"Bearer {token}")])
    assert answer.status == 200
    assert "John Snow" in answer.body.decode()


def test_mistakes_are_told_beside_their_fields(visit):
    watched = visit("create/custom-domain")
    page = watched.page
    page.get_by_label("Domain Name").fill("http://bad")
    page.get_by_label("Path", exact=True).fill("orders")
    page.get_by_label("Function Name").fill("missing")
    page.get_by_label("Authentication Method").select_option("JWT Authentication")
    page.get_by_label("JWKS", exact=True).fill('{"keys": [{"kty": "RSA"}]}')
    page.get_by_label("Remove Prefix").fill("two words")
    page.get_by_role("button", name="Add Claim").click()
    page.get_by_label("Original Claim Name").fill("name")
    page.get_by_label("Mapped Parameter Name").fill("content-length")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(page.get_by_role("alert")).to_be_focused()

    def told(label: str) -> str:
        field = page.get_by_label(label, exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        return page.locator(f"#{field.get_attribute('aria-describedby').split()[0]}").inner_text()

    assert "leave out the scheme" in told("Domain Name")
    assert "path" in told("Path")
    assert "keys[0]" in told("JWKS")
    assert "two words" in told("Remove Prefix")
    assert "content-length" in told("Mapped Parameter Name")
    assert page.get_by_label("Domain Name").input_value() == "http://bad", "what was written is still there"
    watched.check_looks("mistakes")
    for message, label in [("leave out the scheme", "Domain Name"), ("content-length", "Mapped Parameter Name")]:
        page.get_by_role("alert").get_by_role("link", name=message).click()
        expect(page.get_by_label(label, exact=True)).to_be_focused()


def test_keys_are_looked_at_while_they_are_typed_and_converted(visit):
    page = visit("create/custom-domain").page
    page.get_by_label("Authentication Method").select_option("JWT Authentication")
    field, report = page.get_by_label("JWKS", exact=True), page.locator("#jwks-report")
    with page.expect_request("**/console/jwks/check") as sent:
        field.fill(json.dumps(jwks(key("ES256", "other"), KEY)))
    assert set(re.findall(r"(?:^|&)([\w-]+)=", sent.value.post_data)) == {"jwks"}, "nothing else of the form is sent"
    expect(report).to_contain_text("EC, P-256, 256 bits")
    expect(report).to_contain_text("Thumbprint")
    expect(report).to_have_attribute("aria-live", "polite")
    secret = {"kty": "oct", "alg": "HS256", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"}
    field.fill(json.dumps({"keys": [secret]}))
    expect(report).to_contain_text("HMAC secret")
    pem = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=True).stdout
    field.fill(pem)
    expect(report).to_contain_text("This is a private key")
    page.get_by_role("button", name="Convert").click()
    expect(field).to_have_value(re.compile(r'^\{\s*"keys"'))
    expect(report).not_to_contain_text("private key")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(re.compile("Public keys as JSON Web Key Set"))
    assert '"d"' not in field.input_value()
    field.fill("{nonsense")
    expect(report).to_contain_text("not acceptable JSON")


def test_a_conflict_shows_both_sides(visit, stored, api):
    stored("conflict.example.com")
    watched = visit("custom-domains/conflict.example.com/modify")
    page = watched.page
    page.get_by_label("Parameter Name").fill("X-Mine")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("What will change")).to_contain_text("X-Mine")
    stored("conflict.example.com", protocol="HTTP", corsConfig={"allowOrigins": ["https://theirs.example"]})
    watched.keep_nothing()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("heading", name="Changed meanwhile")).to_be_visible()
    expect(page.get_by_label("Changed by the other side")).to_contain_text("https://theirs.example")
    expect(page.get_by_role("group", name="Your changes")).to_contain_text("X-Mine")
    watched.check_small()
    watched.check_looks("conflict")
    # The browser logs the status of the page.
    assert [problem for problem in watched.problems if "409" not in problem] == []
    watched.problems.clear()
    page.get_by_role("button", name="Edit yours").click()
    page.get_by_role("button", name="Save").click()
    # What the other side has added and the form does not show is taken away openly, not silently.
    expect(page.get_by_label("What will change")).to_contain_text("theirs.example")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("in force")
    document = api("GET", "/custom-domains/conflict.example.com").json()["document"]
    assert "X-Mine" in json.dumps(document)


def test_what_the_form_does_not_show_is_kept_and_roll_back_brings_back(visit, stored, api):
    stored("history.example.com", corsConfig={"allowOrigins": ["https://kept.example"]})
    before = api("GET", "/custom-domains/history.example.com").json()["document"]
    page = visit("custom-domains/history.example.com/modify").page
    page.get_by_label("Parameter Name").fill("X-Changed")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("in force")
    changed = api("GET", "/custom-domains/history.example.com").json()["document"]
    assert changed["corsConfig"] == before["corsConfig"]
    assert "X-Changed" in json.dumps(changed)
    page.get_by_role("link", name="History").click()
    page.get_by_role("button", name="Roll back").first.click()
    expect(page.get_by_label("What will change")).to_contain_text("X-Changed")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("in force")
    assert api("GET", "/custom-domains/history.example.com").json()["document"] == before


def test_certificate_paths_and_the_order_of_positions_by_the_form(visit, stored, api, gateway, tmp_path):
    name = "form.example.com"
    stored(name)
    certificate, private_key = Authority(tmp_path).pair(name)
    watched = visit(f"custom-domains/{name}/modify")
    page = watched.page
    page.get_by_label("Protocol").select_option("HTTP,HTTPS")
    page.get_by_label("Certificate comes from").select_option("this page (PEM)")
    page.get_by_label("Certificate", exact=True).fill(certificate)
    page.get_by_label("Private Key of the certificate").fill(private_key)
    page.get_by_role("button", name="Add Read Position").click()
    page.get_by_label("Read Position", exact=True).last.select_option("Query Parameters")
    page.get_by_label("Parameter Name").last.fill("token")
    page.get_by_role("button", name="Move up").last.click()
    page.get_by_label("Which requests need a token").select_option("Only those to the paths of a blacklist")
    page.get_by_label("Paths of the list").fill("/private/*\n/account")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("in force")
    told = api("GET", f"/custom-domains/{name}").json()["document"]
    info = told["authConfig"]["authInfo"]
    assert info["tokenLookup"] == "query:token,header:Authorization:Bearer"
    assert info["blacklist"] == ["/private/*", "/account"]
    assert told["certConfig"]["certificate"].strip() == certificate.strip()
    # The key is stored, and told to nobody: neither by the API nor on the page that shows the certificate.
    secret = "".join(private_key.split()[3:-3])[:40]
    page.get_by_role("link", name="Modify").click()
    assert page.get_by_label("Private Key of the certificate").input_value() == ""
    assert secret not in json.dumps(told) and secret not in page.content()
    statuses = {path: gateway.get(path, host=name).status for path in ("/", "/private/x", "/account")}
    assert statuses == {"/": 200, "/private/x": 401, "/account": 401}


def test_secrets_are_masked(visit, stored, api, browser):
    secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"
    keys = {"keys": [{"kty": "oct", "alg": "HS256", "k": secret}]}
    stored("secret.example.com", authConfig={"authType": "jwt", "authInfo": jwt(keys)})
    watched = visit("custom-domains/secret.example.com")
    assert secret not in watched.page.content()
    for path in ("secret.example.com/history", "secret.example.com"):
        watched.page.goto(f"/console/custom-domains/{path}")
        assert secret not in watched.page.content()
    watched.page.get_by_role("link", name="Modify").click()
    watched.page.get_by_label("Parameter Name").fill("X-Other")
    watched.page.get_by_role("button", name="Save").click()
    assert secret not in watched.page.get_by_label("What will change").inner_text()
    watched.page.get_by_role("button", name="Save changes").click()
    kept = api("GET", "/custom-domains/secret.example.com").json()["document"]
    assert secret in json.dumps(kept) and "X-Other" in json.dumps(kept)


def test_everything_can_be_edited_as_json_and_deleted(visit, stored, api):
    stored("json.example.com")
    page = visit("custom-domains/json.example.com").page
    page.get_by_role("link", name="Edit as JSON").click()
    text = page.get_by_label("Document").input_value()
    page.get_by_label("Document").fill(text.replace('"protocol"', '"protocoll"'))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("protocoll")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_label("Document").fill(text.replace("/*", "/api/*"))
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("in force")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("deleted")
    assert api("GET", "/custom-domains/json.example.com").status_code == 404


def test_the_keyboard_is_enough(visit, api):
    page = visit("create/custom-domain").page

    def to(label: str):
        for _ in range(40):
            page.keyboard.press("Tab")
            name = page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).innerText.trim()")
            if name.startswith(label):
                return
        raise AssertionError(f"{label} is not reached")

    to("Domain Name")
    page.keyboard.type("keys.example.com")
    to("Function Name")
    page.keyboard.type("hello")
    to("Authentication Method")
    page.keyboard.press("ArrowDown")
    to("JWKS")
    page.keyboard.insert_text(json.dumps(jwks(KEY)))
    to("Add Claim")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("sub")
    page.keyboard.press("Tab")
    page.keyboard.type("x-sub")
    page.keyboard.press("Enter")
    expect(page.get_by_label("What will change")).to_contain_text("header:sub:x-sub")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("in force")
    assert api("GET", "/custom-domains/keys.example.com").status_code == 200


def test_the_menu_can_be_skipped(visit):
    page = visit("users").page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.get_by_role("main").evaluate("main => main.contains(document.activeElement)")


def test_what_is_wrong_with_a_sign_in_is_told_where_one_types(visit):
    watched = visit("sign-in", signed_in=False)
    page = watched.page
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password").fill("a wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_accessible_description(page.get_by_role("alert").inner_text())
    watched.check_looks("sign-in-refused")
    # The browser logs the status of the page.
    watched.problems[:] = [problem for problem in watched.problems if "401" not in problem]


def test_a_thousand_domains_are_searched_page_by_page(visit):
    watched = visit("custom-domains")
    page = watched.page
    assert len(page.content()) < 60_000
    assert page.locator("tbody tr").count() == 50
    first = page.locator("tbody a").first.inner_text()
    page.get_by_role("link", name="Next page").click()
    assert page.locator("tbody a").first.inner_text() > first
    page.get_by_label("Search by name").fill("tenant-999")
    page.keyboard.press("Enter")
    expect(page.locator("tbody a")).to_have_text(["tenant-999.example.net"])
    page.locator("tbody a").click()
    expect(page.get_by_text("declared in the configuration file")).to_be_visible()
    expect(page.get_by_role("link", name="Modify")).to_have_count(0)


def test_users_are_added_reset_and_deleted(visit, browser, gateway):
    page = visit("users").page
    page.get_by_label("Name", exact=True).fill("bob")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("alert")).to_contain_text("at least 12 characters")
    page.get_by_label("Password", exact=True).fill("a password of bob")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("status")).to_contain_text("added")

    viewer = visit("custom-domains", signed_in=False).page
    viewer.get_by_label("User name").fill("bob")
    viewer.get_by_label("Password").fill("a password of bob")
    viewer.get_by_role("button", name="Sign in").click()
    expect(viewer.get_by_role("heading", name="Custom Domains")).to_be_visible()
    expect(viewer.get_by_role("link", name="Create")).to_have_count(0)
    assert viewer.request.get("/console/create/custom-domain").status == 403

    row = page.get_by_role("row", name="bob")
    row.get_by_text("Change", exact=False).first.click()
    row.get_by_label("New password").fill("another password of bob")
    row.get_by_role("button", name="Reset password").click()
    expect(page.get_by_role("status")).to_contain_text("password was set")
    viewer.goto("/console/users")
    expect(viewer.get_by_role("heading", name="Sign in")).to_be_visible()

    row = page.get_by_role("row", name="ann")
    row.get_by_text("Change", exact=False).first.click()
    row.get_by_role("button", name="Delete ann").click()
    expect(page.get_by_role("alert")).to_contain_text("only admin")
    row = page.get_by_role("row", name="bob")
    row.get_by_text("Change", exact=False).first.click()
    row.get_by_role("button", name="Delete bob").click()
    expect(page.get_by_role("status")).to_contain_text("deleted")


def test_a_form_of_another_page_changes_nothing(gateway, session, browser):
    context = browser.new_context(storage_state=session)
    base = f"http://{gateway.admin[0]}:{gateway.admin[1]}/console"
    for headers in ({}, {"x-csrf-token": "0" * 64}):
        for path in ("users", "sign-out", "custom-domains/a.example.com/save", "jwks/check"):
            answer = context.request.post(f"{base}/{path}", form={"action": "add", "name": "eve"}, headers=headers)
            assert answer.status == 403, path
    context.close()


def test_scripts_of_pages_may_call_the_api(visit):
    page = visit("custom-domains").page
    call = """async (csrf) => {
        const headers = csrf ? {'x-csrf-token': document.querySelector('meta[name=csrf-token]').content} : {};
        const changes = JSON.stringify({changes: []});
        return (await fetch('/api/v1/apply', {method: 'POST', headers, body: changes})).status;
    }"""
    assert page.evaluate("fetch('/api/v1/functions').then(answer => answer.status)") == 200
    assert page.evaluate(call, True) == 200
    context = page.context
    without = context.request.post("/api/v1/apply", data={"changes": []})
    assert without.status == 403, "cookies alone, which another site's form could send"


def test_signing_out_ends_the_session(visit, gateway):
    page = visit("sign-in", signed_in=False).page
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/custom-domains")
    cookies = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.context.add_cookies(cookies)
    page.goto("/console/users")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()


def test_guessing_is_slowed(gateway):
    import httpx

    base = f"http://{gateway.admin[0]}:{gateway.admin[1]}/console/sign-in"
    statuses = [httpx.post(base, data={"name": "mallory", "password": str(guess)}).status_code for guess in range(7)]
    assert statuses[:5] == [401] * 5 and 429 in statuses[5:]


def test_every_answer_has_the_policy_and_cookies_are_kept_from_scripts(visit, gateway):
    import httpx

    base = f"http://{gateway.admin[0]}:{gateway.admin[1]}"
    answer = httpx.get(f"{base}/console/sign-in")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert httpx.get(base).headers["location"] == "/console/custom-domains"
    page = visit("custom-domains").page
    cookie = next(one for one in page.context.cookies() if one["name"] == "claimgate_session")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and not cookie["secure"]
    assert page.evaluate("document.cookie") == ""


def test_users_and_links_on_the_command_line(gateway, visit):
    def user(*arguments: str, password: str | None = None) -> subprocess.CompletedProcess:
        command = [BINARY, "user", *arguments, "--config", gateway.file]
        return subprocess.run(command, input=password, capture_output=True, text=True, cwd=gateway.file.parent)

    assert user("add", "carol", "--role", "editor", password="carols long password\n").returncode == 0
    assert user("add", "carol", password="carols long password\n").returncode == 1
    assert user("add", "dave", password="short\n").returncode == 1
    assert "carol\teditor\n" in user("list").stdout
    assert user("reset-password", "carol", password="carols other password").returncode == 0
    link = user("sign-in-link").stdout.strip().replace(":0/", f":{gateway.admin[1]}/")
    page = visit("sign-in", signed_in=False).page
    page.goto(link)
    page.get_by_label("User name").fill("dave")
    page.get_by_label("Password").fill("daves long password")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("heading", name="Custom Domains")).to_be_visible()
    page.goto(link)
    expect(page.get_by_text("was used already")).to_be_visible()
    for name in ("carol", "dave"):
        assert user("delete", name).returncode == 0
    assert user("delete", "nobody").returncode == 1
    assert user("list").stdout == "ann\tadmin\n"


#: Each page, by the name of its pictures. The gateway has a thousand domains, all of which had a request.
PAGES = {
    "list": "custom-domains",
    "domain": "custom-domains/look.example.com",
    "domain-declared": "custom-domains/tenant-1.example.net",
    "modify": "custom-domains/look.example.com/modify",
    "create": "create/custom-domain",
    "history": "custom-domains/look.example.com/history",
    "json": "custom-domains/look.example.com/json",
    "delete": "custom-domains/look.example.com/delete",
    "search-without-result": "custom-domains?search=nothing",
    "keys": "keys",
    "decoder": "decoder",
    "test": "test",
    "traffic": "traffic",
    "traffic-of-a-domain": "traffic?domain=tenant-1.example.net&span=day",
    "users": "users",
    "not-found": "nothing-here",
}


@pytest.fixture(scope="module")
def look(gateway, api):
    """What the pages show: a domain that has everything, and traffic of all domains."""
    auth = jwt(jwks(KEY, key("ES256", "other")), "header:Authorization:Bearer,cookie:token", "header:name:x-name")
    document = domain("look.example.com", HELLO)
    api("PUT", "/custom-domains/look.example.com", document)
    document["authConfig"] = {"authType": "jwt", "authInfo": auth | {"whitelist": ["/healthz"]}}
    api("PUT", "/custom-domains/look.example.com", document)
    with gateway.connect() as connection:
        for number in range(MANY):
            connection.send(http1.head("GET", "/", [("Host", f"tenant-{number}.example.net")]))
            assert connection.receive().status == 401


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_accessible_small_and_fit(visit, look, name):
    watched = visit(PAGES[name])
    watched.check_small()
    watched.check_looks(name)
    # The browser logs the status of the page.
    watched.problems[:] = [problem for problem in watched.problems if name != "not-found" or "404" not in problem]


def test_the_pages_before_the_sign_in_are_accessible_and_small(visit, gateway):
    watched = visit("sign-in", signed_in=False)
    watched.check_small()
    watched.check_looks("sign-in")
    watched.page.goto("/console/sign-in/used")
    watched.check_looks("sign-in-link-used")


def test_what_is_stored_and_not_served_is_told_on_every_page(visit, gateway, serve, tmp_path):
    """Another gateway of the same store does not know what this one's file declares."""
    database = json.loads(gateway.file.read_text())["store"]
    key_file = str(Path(database["sqlite"]).with_suffix(".key"))
    other = serve(with_access_keys(configuration([], FUNCTIONS) | {"store": {**database, "keyFile": key_file}}, tmp_path))
    taken = "tenant-0.example.net"
    assert Api(other)("PUT", f"/custom-domains/{taken}", domain(taken, HELLO)).status_code == 201
    page = visit("custom-domains").page
    told = page.get_by_role("status").filter(has_text="Not everything that is stored is served")

    def shows(count: int) -> bool:
        page.reload()
        return told.count() == count

    gateway.poll(lambda: shows(1))
    assert f"the domain {taken} is already declared" in told.inner_text()
    assert Api(other)("DELETE", f"/custom-domains/{taken}").status_code == 204
    gateway.poll(lambda: shows(0))
