"""Functions and their HTTP triggers in the console: from Create to a verified request, in a real browser."""

import json
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from support import console
from support.api import Api, with_access_keys
from support.configuration import configuration, domain, function, jwt
from support.tokens import jwks, key

KEY = key("ES256", "first")
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"
MANY = 1000
PROGRAM = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print('worked on', self.path, flush=True)
        body = f"{os.environ.get('GREETING')} {self.headers['x-name']}\\n".encode()
        self.send_response(200); self.send_header('content-length', str(len(body))); self.end_headers(); self.wfile.write(body)
print('the worker is up', flush=True)
http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['FC_SERVER_PORT'])), Handler).serve_forever()
"""
WORKER = {"functionName": "worker", "process": {"command": [sys.executable, "-c", PROGRAM]}}


@pytest.fixture(scope="module")
def gateway(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    functions = [function("http://127.0.0.1:1", f"tenant-{number}") for number in range(MANY)]
    routes = [{"path": "/*", "functionName": "tenant-0"}, {"path": "/work/*", "functionName": "worker"}]
    domains = [domain("worker.example.com", routes), domain("*.example.net", routes)]
    stored = configuration(domains, [WORKER, *functions]) | {"store": {"sqlite": str(folder / "claimgate.db")}}
    stored["control"] = {"allow": {"processes": True, "users": ["root"], "unixSockets": ["/run/plain.sock"]}}
    return serve(with_access_keys(stored, folder))


@pytest.fixture
def program(tmp_path) -> Path:
    """A function's program in a folder of its own."""
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path / "program.py"


@pytest.fixture(scope="module")
def api(gateway):
    return Api(gateway, "id-of-admin")


@pytest.fixture
def stored(api):
    """Stores a function."""

    def store(name: str, **more):
        document = {"functionName": name, **({} if "process" in more else {"url": "http://127.0.0.1:1"}), **more}
        answer = api("PUT", f"/functions/{name}", document)
        assert answer.status_code in (200, 201), answer.text

    return store


@pytest.fixture(scope="module")
def viewer(browser, gateway):
    """Opens pages for somebody who may only look."""
    with console.viewer(browser, gateway, "/console/functions") as page:
        page.get_by_role("heading", name="Functions", exact=True).wait_for()
        yield page


def document_of(api, name: str) -> dict:
    return api("GET", f"/functions/{name}").json()["document"]


def save(page):
    """Looks at the difference, and saves."""
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Review the changes")).to_be_visible()
    page.get_by_role("button", name="Save changes").or_(page.get_by_role("button", name="Create")).click()
    expect(page.get_by_role("status")).to_contain_text("in force")


def test_a_process_behind_a_jwt_trigger_by_what_a_person_sees(visit, gateway, api, program):
    watched = visit("functions")
    page = watched.page
    page.get_by_role("link", name="Create").click()
    page.get_by_label("Function Name").fill("report")
    expect(page.get_by_label("Command")).to_be_hidden()
    page.get_by_label("Kind").select_option("Process that is started on demand")
    expect(page.get_by_label("URL", exact=True)).to_be_hidden()
    page.get_by_label("Command").fill(f"{sys.executable}\nprogram.py")
    page.get_by_label("Working Directory").fill(str(program.parent))
    page.get_by_role("button", name="Add Variable").click()
    page.get_by_label("Name", exact=True).fill("GREETING")
    page.get_by_label("Value", exact=True).fill("A report for")
    page.get_by_label("Maximum Instances").fill("2")
    page.get_by_label("Idle Timeout").fill("600")
    page.get_by_label("HTTP trigger").select_option("At a name of its own")
    page.get_by_label("GET", exact=True).check()
    page.get_by_label("Authentication Method").select_option("JWT Authentication")
    page.get_by_label("JWKS", exact=True).fill(json.dumps(jwks(KEY)))
    expect(page.locator("#jwks-report")).to_contain_text("EC, P-256")
    page.get_by_role("button", name="Add Claim").click()
    page.get_by_label("Original Claim Name").fill("name")
    page.get_by_label("Mapped Parameter Name").fill("x-name")
    page.get_by_role("button", name="Save").click()
    changes = page.get_by_label("What will change")
    expect(changes).to_contain_text('"claimPassBy": "header:name:x-name"')
    expect(changes).to_contain_text('"GREETING": "***')
    assert api("GET", "/functions/report").status_code == 404, "it is not saved yet"
    watched.check_looks("function-review")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("status")).to_contain_text("in force")
    assert document_of(api, "report")["process"] == {
        "command": [sys.executable, "program.py"],
        "cwd": str(program.parent),
        "env": {"GREETING": "A report for"},
        "maxInstances": 2,
        "idleTimeoutSeconds": 600,
    }

    host, port = "report.fc.localhost", gateway.address[1]
    expect(page.get_by_role("link", name=f"http://{host}:{port}/")).to_be_visible()
    assert gateway.get("/", host=host).status == 401
    answer = gateway.get("/monthly", host=host, token=KEY.token({"name": "John Snow"}))
    assert (answer.status, answer.body) == (200, b"A report for John Snow\n")
    assert gateway.post("/", host=host, token=KEY.token({"name": "John Snow"})).status == 405
    expect(page.get_by_text("worked on /monthly")).to_be_visible(timeout=15_000)

    page.get_by_role("link", name="Test", exact=True).last.click()
    expect(page.get_by_label("Domain")).to_have_value(host)
    expect(page.get_by_text(f"{host} needs a JWT")).to_be_visible()
    options = page.locator("#domains option")
    assert options.evaluate_all("all => all.map(one => [one.value, one.label])") == [
        ["*.example.net", "custom domain"],
        ["worker.example.com", "custom domain"],
        [host, "HTTP trigger"],
    ]
    page.get_by_role("combobox", name="Token", exact=True).select_option("Paste one")
    page.get_by_label("Pasted Token").fill(KEY.token({"name": "Ygritte"}))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("Body of the answer")).to_have_text("A report for Ygritte\n")
    page.goto("/console/functions/report")
    page.get_by_role("link", name="Traffic", exact=True).last.click()
    expect(page).to_have_url(f"http://{gateway.admin[0]}:{gateway.admin[1]}/console/traffic?domain={host}")


def test_mistakes_are_told_beside_their_fields(visit):
    watched = visit("create/function")
    page = watched.page
    page.get_by_label("Function Name").fill("bad_name")
    page.get_by_label("URL", exact=True).fill("127.0.0.1:9000")
    page.get_by_label("HTTP trigger").select_option("At a name of its own")
    page.get_by_label("Authentication Method").select_option("JWT Authentication")
    page.get_by_label("JWKS", exact=True).fill('{"keys": [{"kty": "RSA"}]}')
    page.get_by_label("Remove Prefix").fill("two words")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")

    def told(label: str) -> str:
        field = page.get_by_label(label, exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        return page.locator(f"#{field.get_attribute('aria-describedby').split()[0]}").inner_text()

    assert "expected a URL" in told("URL")
    assert "keys[0]" in told("JWKS")
    assert "two words" in told("Remove Prefix")
    page.get_by_label("URL", exact=True).fill("http://127.0.0.1:9000")
    page.get_by_label("JWKS", exact=True).fill(json.dumps(jwks(KEY)))
    page.get_by_label("Remove Prefix").fill("Bearer")
    page.get_by_role("button", name="Save").click()
    assert "it has a _" in told("Function Name")

    page.get_by_label("Kind").select_option("Process that is started on demand")
    page.get_by_label("Maximum Instances").fill("many")
    page.get_by_label("Idle Timeout in seconds").fill("0")
    page.get_by_label("User").fill("a b")
    for value in ("8080", "9090"):
        page.get_by_role("button", name="Add Variable").click()
        page.get_by_label("Name", exact=True).last.fill("PORT")
        page.get_by_label("Value", exact=True).last.fill(value)
    page.get_by_role("button", name="Save").click()
    assert "PORT is there twice" in page.locator("#variable-name-1-wrong").inner_text()
    page.get_by_role("group", name="Environment Variables").get_by_role("button", name="Remove").last.click()
    page.get_by_role("button", name="Save").click()
    assert "found no program" in told("Command")
    assert "many" in told("Maximum Instances")
    assert "seconds" in told("Idle Timeout in seconds")
    assert "expected a user" in told("User")
    assert "set for each instance by the gateway" in page.locator("#variable-name-0-wrong").inner_text()
    assert page.get_by_label("Maximum Instances").input_value() == "many", "what was written is still there"
    watched.check_looks("function-mistakes")
    for message, label in [("no program", "Command"), ("set for each instance", "Name"), ("many", "Maximum Instances")]:
        page.get_by_role("alert").get_by_role("link", name=message).click()
        expect(page.get_by_label(label, exact=True)).to_be_focused()


def test_the_kind_can_be_chosen_without_scripts(visit, api):
    page = visit("create/function", java_script_enabled=False).page
    page.get_by_label("Function Name").fill("plain")
    for kind, label in {"Unix socket": "Path of the socket", "Process that is started on demand": "Command"}.items():
        page.get_by_label("Kind").select_option(kind)
        expect(page.get_by_label(label, exact=True)).to_be_visible()
        expect(page.get_by_label("URL", exact=True)).to_be_hidden()
    expect(page.get_by_label("Authentication Method")).to_be_hidden()
    page.get_by_label("Kind").select_option("Unix socket")
    page.get_by_label("Path of the socket").fill("/run/plain.sock")
    save(page)
    assert document_of(api, "plain") == {"functionName": "plain", "url": "unix:/run/plain.sock"}
    page.get_by_role("link", name="Modify").click()
    expect(page.get_by_label("Path of the socket")).to_have_value("/run/plain.sock")
    page.get_by_label("Kind").select_option("Built-in echo")
    save(page)
    assert document_of(api, "plain") == {"functionName": "plain", "builtin": "echo"}


def test_a_conflict_shows_both_sides(visit, stored, api):
    stored("conflict")
    watched = visit("functions/conflict/modify")
    page = watched.page
    page.get_by_label("URL", exact=True).fill("http://127.0.0.1:2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("What will change")).to_contain_text("127.0.0.1:2")
    stored("conflict", url="http://127.0.0.1:3")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("heading", name="Changed meanwhile")).to_be_visible()
    expect(page.get_by_label("Changed by the other side")).to_contain_text("127.0.0.1:3")
    expect(page.get_by_role("group", name="Your changes")).to_contain_text("127.0.0.1:2")
    watched.check_looks("function-conflict")
    # The browser logs the status of the page.
    watched.problems[:] = [problem for problem in watched.problems if "409" not in problem]
    page.get_by_role("button", name="Edit yours").click()
    save(page)
    assert document_of(api, "conflict")["url"] == "http://127.0.0.1:2"


def test_what_the_form_does_not_show_is_kept_and_roll_back_brings_back(visit, stored, api):
    trigger = {"authType": "anonymous", "corsConfig": {"allowOrigins": ["https://kept.example"]}, "triggerName": "kept"}
    stored("history", httpTrigger=trigger, process={"command": ["sh", "-c", "a\nb"], "env": {"LINES": "one\ntwo"}})
    before = document_of(api, "history")
    page = visit("functions/history/modify").page
    page.get_by_label("Working Directory").fill("/tmp")
    page.get_by_label("Turn the address off").check()
    save(page)
    changed = document_of(api, "history")
    assert changed["httpTrigger"] == {**trigger, "disableURLInternet": True}
    assert changed["process"] == {**before["process"], "cwd": "/tmp"}
    expect(page.get_by_text("turned off")).to_be_visible()
    page.get_by_role("link", name="History").click()
    page.get_by_role("button", name="Roll back").first.click()
    expect(page.get_by_label("What will change")).to_contain_text("/tmp")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("status")).to_contain_text("in force")
    assert document_of(api, "history") == before


def test_everything_can_be_edited_as_json_and_deleted(visit, stored, api):
    stored("json")
    watched = visit("functions/json")
    page = watched.page
    page.get_by_role("link", name="Edit as JSON").click()
    text = page.get_by_label("Document").input_value()
    page.get_by_label("Document").fill(text.replace('"url"', '"urll"'))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("urll")
    page.get_by_label("Document").fill(text.replace("127.0.0.1:1", "127.0.0.1:4"))
    save(page)
    assert document_of(api, "json")["url"] == "http://127.0.0.1:4"
    # A function that a domain has a route to stays.
    route = domain("json.example.com", [{"path": "/*", "functionName": "json"}])
    assert api("PUT", "/custom-domains/json.example.com", route).is_success
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("json.example.com")).to_be_visible()
    watched.problems[:] = [problem for problem in watched.problems if "409" not in problem]
    assert api("DELETE", "/custom-domains/json.example.com").is_success
    page.goto("/console/functions/json/delete")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("deleted")
    assert api("GET", "/functions/json").status_code == 404


def test_secrets_are_shown_to_editors_in_the_form_alone(visit, stored, api, viewer):
    keys = {"keys": [{"kty": "oct", "alg": "HS256", "k": SECRET}]}
    trigger = {"authType": "jwt", "authConfig": json.dumps(jwt(keys))}
    stored("secret", process={"command": ["true"], "env": {"TOKEN": "a-secret-token"}}, httpTrigger=trigger)

    def shows_none(page):
        assert not any(secret in page.content() for secret in (SECRET, "a-secret-token"))

    page = visit("functions/secret").page
    for path in ("secret", "secret/history"):
        for one in (page, viewer):
            one.goto(f"/console/functions/{path}")
            expect(one.get_by_role("heading", level=1)).to_contain_text("secret")
            shows_none(one)
    page.goto("/console/functions/secret/modify")
    assert page.get_by_label("Value", exact=True).input_value() == "a-secret-token"
    page.get_by_label("Value", exact=True).fill("a-secret-token-too")
    page.get_by_label("Parameter Name").fill("X-Other")
    page.get_by_role("button", name="Save").click()
    changes = page.get_by_label("What will change")
    expect(changes).to_contain_text("X-Other")
    expect(changes).to_contain_text('"TOKEN": "*** (new)"')
    assert SECRET not in changes.inner_text() and "a-secret-token" not in changes.inner_text()
    page.get_by_role("button", name="Save changes").click()
    kept = json.dumps(document_of(api, "secret"))
    assert SECRET in kept and "a-secret-token-too" in kept and "X-Other" in kept


def test_a_viewer_changes_nothing(viewer, stored):
    stored("looked-at")
    viewer.goto("/console/functions")
    expect(viewer.get_by_role("link", name="Create")).to_have_count(0)
    viewer.goto("/console/functions/looked-at")
    expect(viewer.get_by_role("link", name="History")).to_be_visible()
    for name in ("Modify", "Delete", "Edit as JSON"):
        expect(viewer.get_by_role("link", name=name)).to_have_count(0)
    for path in ("create/function", *(f"functions/looked-at/{page}" for page in ("modify", "json", "delete"))):
        assert viewer.request.get(f"/console/{path}").status == 403, path
    csrf = viewer.locator("meta[name=csrf-token]").get_attribute("content")
    for path in ("modify", "json", "save", "history", "delete"):
        answer = viewer.request.post(f"/console/functions/looked-at/{path}", form={"csrf": csrf})
        assert answer.status == 403, path


def test_a_thousand_functions_are_searched_page_by_page(visit, gateway):
    gateway.get("/work/hello", host="worker.example.com")
    page = visit("functions").page
    assert len(page.content()) < 60_000
    assert page.locator("tbody tr").count() == 50
    first = page.locator("tbody a").first.inner_text()
    page.get_by_role("link", name="Next page").click()
    assert page.locator("tbody a").first.inner_text() > first
    page.get_by_label("Search by name").fill("TENANT-999")
    page.keyboard.press("Enter")
    expect(page.locator("tbody a")).to_have_text(["tenant-999"])
    page.locator("tbody a").click()
    expect(page.get_by_text("declared in the configuration file")).to_be_visible()
    expect(page.get_by_role("link", name="Modify")).to_have_count(0)
    page.goto("/console/functions?search=work")
    cells = page.get_by_role("row", name="worker").get_by_role("cell").all_inner_texts()
    assert [cells[0], *cells[2:]] == ["worker", "1 instance", "1", "none", "declared", "in the file"]


def test_a_function_shows_its_state_and_output(visit, gateway):
    gateway.get("/work/hello", host="worker.example.com")
    page = visit("functions/worker").page
    page.get_by_text("worked on /work/hello").first.wait_for()
    gateway.get("/work/again", host="worker.example.com")
    page.get_by_text("worked on /work/again").wait_for(timeout=15_000)
    # By the route that leads to it, and by a host: a wildcard is none.
    page.get_by_role("link", name="Test", exact=True).last.click()
    expect(page.get_by_label("Domain")).to_have_value("worker.example.com")
    expect(page.get_by_label("Path")).to_have_value("/work/")


#: Each page, by the name of its pictures.
PAGES = {
    "functions": "functions",
    "function": "functions/look",
    "function-declared": "functions/worker",
    "function-modify": "functions/look/modify",
    "function-create": "create/function",
    "function-history": "functions/look/history",
    "function-json": "functions/look/json",
    "function-delete": "functions/look/delete",
}


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_accessible_small_and_fit(visit, stored, gateway, name):
    auth = jwt(jwks(KEY, key("ES256", "other")), "header:Authorization:Bearer,cookie:token", "header:name:x-name")
    trigger = {"authType": "jwt", "authConfig": auth, "methods": ["GET", "POST"]}
    stored("look", process={"command": ["python3", "app.py"], "env": {"LOG_LEVEL": "debug"}}, httpTrigger=trigger)
    gateway.get("/work/hello", host="worker.example.com")
    watched = visit(PAGES[name])
    watched.check_small()
    watched.check_looks(name)
