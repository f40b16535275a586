"""Documents of a gateway that runs: `claimgate domain|function|trigger|apply`, and the API that they call."""

import json
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import yaml

from support.api import SECRET, Api, with_access_keys
from support.command import claimgate, good
from support.configuration import configuration, domain, function, jwt
from support.tokens import jwks, key

KEY = key("ES256")
OTHER = key("ES256", kid="other")
@pytest.fixture(scope="module")
def gateway(serve, recorder, tmp_path_factory):
    declared = configuration([domain("declared.example.com")], [function(recorder.url)])
    with_access_keys(declared, tmp_path_factory.mktemp("secrets"))
    return serve({**declared, "store": {"sqlite": "claimgate.db"}}, recorder)


@pytest.fixture(scope="module")
def api(gateway):
    return Api(gateway, "id-of-editor")


@pytest.fixture(scope="module")
def viewer(gateway):
    return Api(gateway, "id-of-viewer")


@pytest.fixture
def run(gateway, tmp_path):
    """Runs a command against the gateway; gives what it prints."""
    env = {
        "CLAIMGATE_ENDPOINT": f"http://{gateway.admin[0]}:{gateway.admin[1]}",
        "CLAIMGATE_ACCESS_KEY_ID": "id-of-editor",
        "CLAIMGATE_ACCESS_KEY_SECRET": SECRET,
        "HOME": str(tmp_path),
    }

    def run(*arguments, code: int = 0, env=env, **more):
        result = claimgate(*arguments, env=env, **more)
        assert result.code == code, result
        return result

    run.env = env
    return run


def with_jwt(name: str, *keys, claim_pass_by="header:sub:x-user") -> dict:
    return domain(name, auth=jwt(jwks(*keys or [KEY]), claim_pass_by=claim_pass_by))


# --- The command line ---


def test_a_domain_is_created_changed_and_deleted(run, gateway, tmp_path):
    file = tmp_path / "domain.yaml"
    file.write_text(yaml.safe_dump(with_jwt("cli.example.com")))
    token = KEY.token({"sub": "ann"})
    assert gateway.get(host="cli.example.com", token=token).status == 404
    assert run("domain", "apply", "-f", file, "--dry-run").text.splitlines()[-1].startswith("nothing was changed")
    assert gateway.get(host="cli.example.com", token=token).status == 404

    assert run("domain", "apply", "-f", file).text == "custom-domains/cli.example.com created\n"
    assert gateway.get(host="cli.example.com", token=token).seen.values("x-user") == ["ann"]
    assert gateway.get(host="cli.example.com").status == 401
    assert run("domain", "apply", "-f", file).text == "custom-domains/cli.example.com unchanged\n"

    shown = yaml.safe_load(run("domain", "get", "CLI.example.com").text)
    assert shown == with_jwt("cli.example.com")
    file.write_text(yaml.safe_dump(with_jwt("cli.example.com", claim_pass_by="header:sub:x-other")))
    difference = run("domain", "diff", "-f", file, code=1)
    assert "-     claimPassBy: \"header:sub:x-user\"" in difference.text, difference.text
    assert "+     claimPassBy: \"header:sub:x-other\"" in difference.text
    run("domain", "apply", "-f", file)
    seen = gateway.get(host="cli.example.com", token=token).seen
    assert (seen.values("x-user"), seen.values("x-other")) == ([], ["ann"])

    versions = json.loads(run("domain", "history", "cli.example.com", "-o", "json").text)["versions"]
    assert [version["author"] for version in versions] == ["editor", "editor"]
    run("domain", "rollback", "cli.example.com", versions[-1]["version"])
    assert gateway.get(host="cli.example.com", token=token).seen.values("x-user") == ["ann"]

    listed = json.loads(run("domain", "list", "-o", "json").text)
    assert {(one["name"], one["source"]) for one in listed} >= {
        ("cli.example.com", "stored"),
        ("declared.example.com", "declared"),
    }
    table = run("domain", "list", "--prefix", "cli").text.splitlines()
    assert table[0].split() == ["NAME", "PROTOCOL", "AUTHENTICATION", "SOURCE", "CHANGED", "BY"]
    assert table[1].split()[:4] == ["cli.example.com", "HTTP", "jwt", "stored"]

    assert run("domain", "delete", "cli.example.com").text == "custom-domains/cli.example.com deleted\n"
    assert gateway.get(host="cli.example.com", token=token).status == 404
    assert "DomainNameNotFound" in run("domain", "get", "cli.example.com", code=1).err
    deleted = run("domain", "history", "cli.example.com").text.splitlines()[1]
    assert deleted.endswith("deleted")


def test_a_folder_is_applied_as_a_whole_or_not_at_all(run, gateway, recorder, tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "functions.yaml").write_text(yaml.safe_dump({"functions": [function(recorder.url, "folder")]}))
    routes = [{"path": "/*", "functionName": "folder"}]
    for number in range(3):
        (folder / f"{number}.json").write_text(json.dumps(domain(f"f{number}.example.com", routes)))
    (folder / "bad.yaml").write_text(yaml.safe_dump(domain("f3.example.com", [{"path": "/*", "functionName": "nobody"}])))
    (folder / "notes.txt").write_text("not read")
    refused = run("apply", "-f", folder, code=1)
    assert "f3.example.com: routeConfig.routes[0].functionName: there is no function \"nobody\"" in refused.err
    assert gateway.get(host="f0.example.com").status == 404

    (folder / "bad.yaml").unlink()
    told = run("apply", "-f", folder).text.splitlines()
    assert len(told) == 4 and all(line.endswith("created") for line in told)
    for number in range(3):
        assert gateway.get(host=f"f{number}.example.com").status == 200
    refused = run("function", "delete", "folder", code=1).err
    assert "f0.example.com" in refused and "there is no function \"folder\"" in refused
    run("domain", "delete", *(f"f{number}.example.com" for number in range(3)))
    run("function", "delete", "folder")


def test_a_trigger_is_a_part_of_its_function(run, gateway, recorder, tmp_path):
    function_file, trigger_file = tmp_path / "function.yaml", tmp_path / "trigger.yaml"
    function_file.write_text(yaml.safe_dump(function(recorder.url, "triggered")))
    run("function", "apply", "-f", function_file)
    trigger_file.write_text(yaml.safe_dump({"functionName": "triggered", "authType": "anonymous", "methods": ["GET"]}))
    assert run("trigger", "apply", "-f", trigger_file).text == "triggers/triggered created\n"
    assert gateway.get(host="triggered.fc.localhost").status == 200
    assert gateway.post(host="triggered.fc.localhost").status == 405
    assert run("trigger", "list", "--prefix", "trig").text.splitlines()[1].split()[:3] == ["triggered", "anonymous", "GET"]
    assert yaml.safe_load(run("trigger", "get", "triggered").text)["functionName"] == "triggered"
    run("trigger", "delete", "triggered")
    assert gateway.get(host="triggered.fc.localhost").status == 404
    assert "TriggerNotFound" in run("trigger", "get", "triggered", code=1).err
    assert run("function", "get", "triggered").code == 0
    run("function", "delete", "triggered")


def test_who_calls_may_be_in_a_profile(run, gateway, tmp_path):
    nobody = {"HOME": str(tmp_path)}
    missing = run("domain", "list", env=nobody, code=2).err
    assert "CLAIMGATE_ACCESS_KEY_ID" in missing
    profile = tmp_path / ".config/claimgate/profile.yaml"
    profile.parent.mkdir(parents=True)
    endpoint = f"http://{gateway.admin[0]}:{gateway.admin[1]}"
    profile.write_text(json.dumps({"endpoint": endpoint, "accessKeyId": "id-of-viewer", "accessKeySecret": SECRET}))
    assert "declared.example.com" in run("domain", "list", env=nobody).text
    refused = run("domain", "delete", "declared.example.com", env=nobody, code=1).err
    assert "AccessDenied" in refused and "viewer" in refused
    profile.write_text(json.dumps({"endpoint": endpoint, "accessKeyId": "id-of-viewer", "accessKeySecret": "wrong" * 8}))
    refused = run("domain", "list", env=nobody, code=1).err
    assert "SignatureNotMatch" in refused and "wrong" not in refused


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("nothing: here", "expected documents with domainName or functionName"),
        ("domainName: [", "not valid YAML"),
        ("[{domainName: a.example.com}, {domainName: A.example.com}]", "keep one of them"),
        ("functionName: hello", "is another kind of document"),
        ("[]", "there are no documents"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(run, tmp_path, content, words):
    file = tmp_path / "file.yaml"
    file.write_text(content)
    assert words in run("domain", "apply", "-f", file, code=2).err


def test_nobody_answers(run):
    env = {**run.env, "CLAIMGATE_ENDPOINT": "http://127.0.0.1:1"}
    assert "cannot reach http://127.0.0.1:1" in run("domain", "list", env=env, code=2).err
    assert "expected the URL" in run("domain", "list", "--endpoint", "example.com", code=2).err


def test_shells_complete_the_command():
    for shell in ("bash", "zsh", "fish"):
        assert "rollback" in good("completions", shell)


# --- The API ---


def test_a_document_has_a_version_that_a_change_may_name(api):
    created = api("PUT", "/custom-domains/etag.example.com", with_jwt("etag.example.com"), if_none_match="*")
    assert created.status_code == 201
    tag = created.headers["etag"]
    assert tag == f'"{created.json()["version"]}"'
    again = api("PUT", "/custom-domains/etag.example.com", with_jwt("etag.example.com"), if_none_match="*")
    assert (again.status_code, again.json()["Code"]) == (412, "PreconditionFailed")
    changed = api("PUT", "/custom-domains/etag.example.com", with_jwt("etag.example.com", OTHER), if_match=tag)
    assert changed.status_code == 200 and changed.headers["etag"] != tag
    conflict = api("PUT", "/custom-domains/etag.example.com", with_jwt("etag.example.com"), if_match=tag)
    assert conflict.status_code == 412
    current = conflict.json()["current"]
    assert current["version"] == changed.json()["version"] and current["document"]["authConfig"]
    assert api("DELETE", "/custom-domains/etag.example.com", if_match=tag).status_code == 412
    assert api("DELETE", "/custom-domains/etag.example.com", if_match=changed.headers["etag"]).status_code == 204
    assert api("GET", "/custom-domains/etag.example.com").status_code == 404


@pytest.mark.parametrize("condition", ["if-match", "if-none-match"])
def test_a_condition_has_to_be_signed_and_cannot_be_taken_away(gateway, condition, monkeypatch):
    """Whatever is done to it on the way, no update is made that its sender did not ask for."""
    name = f"{condition}.example.com"
    api, sent = Api(gateway), []
    assert api("PUT", f"/custom-domains/{name}", with_jwt(name)).status_code == 201
    stale = {"if-match": '"1000000"', "if-none-match": "*"}[condition]
    with monkeypatch.context() as patched:
        patched.setattr(httpx, "request", lambda method, url, content, headers: sent.append((method, url, content, headers)))
        api("PUT", f"/custom-domains/{name}", with_jwt(name, OTHER), **{condition.replace("-", "_"): stale})
    method, url, content, headers = sent[0]
    taken_away = {key: value for key, value in headers.items() if key != condition}
    answer = httpx.request(method, url, content=content, headers=taken_away)
    assert (answer.status_code, answer.json()["Code"]) == (403, "SignatureNotMatch")
    assert httpx.request(method, url, content=content, headers=headers).status_code == 412

    with monkeypatch.context() as patched:
        patched.setattr(httpx, "request", lambda method, url, content, headers: sent.append((method, url, content, headers)))
        api("PUT", f"/custom-domains/{name}", with_jwt(name, OTHER))
    method, url, content, headers = sent[1]
    answer = httpx.request(method, url, content=content, headers={**headers, condition: stale})
    assert answer.status_code == 403 and f"{condition} is not signed" in answer.json()["Message"]


def test_the_command_line_changes_no_other_version_than_the_one_that_is_named(run, api, tmp_path):
    name = "version.example.com"
    file = tmp_path / "domain.yaml"
    file.write_text(yaml.safe_dump(with_jwt(name)))
    apply = ("domain", "apply", "-f", file, "--if-version")
    run(*apply, "0")
    assert "exists already" in run(*apply, "0", code=1).err
    taken = api("GET", f"/custom-domains/{name}").json()["version"]
    api("PUT", f"/custom-domains/{name}", with_jwt(name, OTHER))
    assert "was changed meanwhile" in run(*apply, str(taken), code=1).err
    assert "was changed meanwhile" in run("domain", "delete", name, "--if-version", str(taken), code=1).err
    now = api("GET", f"/custom-domains/{name}").json()["version"]
    run(*apply, str(now))
    assert "one document" in run("domain", "delete", name, "other.example.com", "--if-version", "1", code=2).err


def test_what_is_wrong_is_told_as_for_the_file(api):
    wrong = with_jwt("wrong.example.com")
    wrong["routeConfig"]["routes"] = [{"path": "orders", "functionName": "nobody"}]
    wrong["protocl"] = "HTTP"
    answer = api("PUT", "/custom-domains/wrong.example.com", wrong)
    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidArgument")
    assert {problem["field"] for problem in answer.json()["problems"]} == {"routeConfig.routes[0].path", "protocl"}
    assert answer.headers["x-fc-request-id"] == answer.json()["RequestId"]


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "word"),
    [
        ("GET", "/customDomains", "", None, "custom-domains"),
        ("GET", "/custom-domains", "limit=many", None, "limit"),
        ("GET", "/custom-domains", "limit=0", None, "limit"),
        ("GET", "/custom-domains", "size=1", None, "size"),
        ("POST", "/custom-domains/declared.example.com/rollback", "", {"version": "x"}, "expected u64"),
        ("POST", "/apply", "", b"{", "the body"),
    ],
)
def test_what_does_not_fit_is_told_as_json(api, method, path, query, body, word):
    answer = api(method, path, body, query=query)
    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidArgument")
    assert word in answer.json()["Message"]


def test_what_is_declared_is_read_only(api):
    declared = api("GET", "/custom-domains/declared.example.com").json()
    assert declared["source"] == "declared" and declared["place"].startswith("on line ")
    answer = api("PUT", "/custom-domains/declared.example.com", domain("declared.example.com"))
    assert (answer.status_code, answer.json()["Code"]) == (409, "Declared")


def test_secrets_are_told_to_editors_alone_and_private_keys_to_nobody(api, viewer, gateway):
    hmac_key = {"kty": "oct", "kid": "h", "alg": "HS256", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}
    document = domain("secret.example.com", auth=jwt({"keys": [hmac_key]}))
    assert api("PUT", "/custom-domains/secret.example.com", document).status_code == 201
    assert hmac_key["k"] in api("GET", "/custom-domains/secret.example.com").text
    for path in ("", "/history"):
        masked = viewer("GET", f"/custom-domains/secret.example.com{path}").text
        assert hmac_key["k"] not in masked and "***" in masked
    listed = viewer("GET", "/custom-domains", query="prefix=secret")
    assert hmac_key["k"] not in listed.text
    assert viewer("PUT", "/custom-domains/secret.example.com", document).status_code == 403

    masked = viewer("GET", "/custom-domains/secret.example.com").json()["document"]
    assert api("PUT", "/custom-domains/secret.example.com", masked).status_code == 200
    assert hmac_key["k"] in api("GET", "/custom-domains/secret.example.com").text
    api("DELETE", "/custom-domains/secret.example.com")
    database = (gateway.file.parent / "claimgate.db").read_bytes()
    write_ahead = gateway.file.parent / "claimgate.db-wal"
    database += write_ahead.read_bytes() if write_ahead.exists() else b""
    assert hmac_key["k"].encode() not in database and b"secret.example.com" in database


def test_private_members_of_keys_are_not_stored(api):
    private = {**jwks(KEY)["keys"][0], "d": "cHJpdmF0ZS1wcml2YXRlLXByaXZhdGUtcHJpdmF0ZS0"}
    for auth in (jwt({"keys": [private]}), json.dumps(jwt({"keys": [private]}))):
        answer = api("PUT", "/custom-domains/private.example.com", domain("private.example.com", auth=auth))
        assert answer.status_code in (200, 201), answer.text
        warning = answer.json()["warnings"][0]
        assert warning["field"] == "authConfig.authInfo.jwks.keys[0]" and not warning["isError"]
        assert private["d"] not in answer.text
        assert private["d"] not in api("GET", "/custom-domains/private.example.com").text
    api("DELETE", "/custom-domains/private.example.com")


def test_pages_are_in_the_order_of_names(api):
    names = [f"page{number:02}.example.com" for number in range(7)]
    changes = [{"kind": "custom-domains", "name": name, "document": domain(name)} for name in names]
    assert api("POST", "/apply", {"changes": changes}).status_code == 200
    found, query = [], "limit=3&prefix=page"
    while True:
        page = api("GET", "/custom-domains", query=query).json()
        found.append([document["name"] for document in page["documents"]])
        if "nextToken" not in page:
            break
        query = f"limit=3&nextToken={quote(page['nextToken'])}&prefix=page"
    assert found == [names[:3], names[3:6], names[6:]]
    changes = [{"kind": "custom-domains", "name": name, "document": None} for name in names]
    assert api("POST", "/apply", {"changes": changes, "dryRun": True}).status_code == 200
    assert api("GET", f"/custom-domains/{names[0]}").status_code == 200
    assert api("POST", "/apply", {"changes": changes}).status_code == 200
    assert api("GET", f"/custom-domains/{names[0]}").status_code == 404


def test_a_request_is_tried_without_being_served(api, viewer, gateway):
    api("PUT", "/custom-domains/try.example.com", with_jwt("try.example.com"))
    request = {"host": "try.example.com", "target": "/orders?a=1", "headers": []}
    refused = viewer("POST", "/try", request).json()
    assert (refused["outcome"], refused["refusal"]["reason"]) == ("refused", "missing_token")
    token = KEY.token({"sub": "ann"})
    before = gateway.reached()
    request["headers"].append(["Authorization", f"Bearer {token}"])
    accepted = viewer("POST", "/try", request)
    assert accepted.json()["outcome"] == "accepted" and ["x-user", "ann"] in accepted.json()["request"]["headers"]
    assert token not in accepted.text
    assert token in viewer("POST", "/try", {**request, "showToken": True}).text
    assert gateway.reached() == before
    wrong = viewer("POST", "/try", {"hosst": "x"})
    assert (wrong.status_code, wrong.json()["Code"]) == (400, "InvalidArgument") and "hosst" in wrong.json()["Message"]
    api("DELETE", "/custom-domains/try.example.com")


def test_who_does_not_sign_is_told_nothing(gateway, api):
    url = f"http://{gateway.admin[0]}:{gateway.admin[1]}/api/v1"
    for path in ("/custom-domains", "/custom-domains/declared.example.com", "/apply"):
        answer = httpx.get(url + path) if path != "/apply" else httpx.post(url + path, content=b"{}")
        assert answer.status_code in (400, 403) and answer.json()["Code"] in ("MissingRequiredHeader",), answer.text
    wrong = Api(gateway, "id-of-editor", "wrong" * 8)("GET", "/custom-domains")
    assert (wrong.status_code, wrong.json()["Code"]) == (403, "SignatureNotMatch")
    assert api("GET", "/nothing").status_code in (400, 404)
    assert httpx.get(url + "/openapi.json").json()["info"]["title"] == "claimgate"


# --- The description of the API ---

#: What clients may rely on. It grows with the API (`curl …/api/v1/openapi.json`), and loses nothing.
CONTRACT = Path(__file__).parent / "openapi-v1.json"


def broken(before, now, path="") -> list[str]:
    """Where clients of one description could no longer rely on the other."""
    if isinstance(before, dict):
        if not isinstance(now, dict):
            return [f"{path}: {now}"]
        gone = [f"{path}/{name} is gone" for name in before if name not in now]
        if path.endswith("/properties") or path.endswith("/paths"):
            now = {name: now[name] for name in now if name in before}
        more = [f"{path}: required is new" for name in now if name == "required" and name not in before]
        return gone + more + [
            line for name in before if name in now for line in broken(before[name], now[name], f"{path}/{name}")
        ]
    if isinstance(before, list):
        if path.endswith("/parameters"):
            before, now = ({parameter["name"]: parameter for parameter in listed} for listed in (before, now))
            new = [name for name in now if name not in before and now[name].get("required")]
            return [f"{path}: {name} is required now" for name in new] + broken(before, now, path + " by name")
        if path.endswith("/required"):
            return [f"{path}: {name} is required now" for name in now if name not in before]
        return [f"{path}: {item} is gone" for item in before if item not in now]
    is_text = path.rpartition("/")[2] in ("description", "summary", "version", "title")
    return [] if before == now or is_text else [f"{path}: {before} became {now}"]


def test_clients_can_rely_on_the_api_as_it_was(gateway):
    now = httpx.get(f"http://{gateway.admin[0]}:{gateway.admin[1]}/api/v1/openapi.json").json()
    assert broken(json.loads(CONTRACT.read_text()), now) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda api: api["paths"].pop("/api/v1/apply"),
        lambda api: api["paths"]["/api/v1/{kind}"]["get"]["responses"].pop("200"),
        lambda api: api["components"]["schemas"]["Shown"]["properties"].pop("version"),
        lambda api: api["components"]["schemas"]["OneChange"]["required"].append("version"),
        lambda api: api["components"]["schemas"]["Kind"]["enum"].remove("triggers"),
    ],
)
def test_a_change_that_breaks_clients_is_noticed(change):
    now = json.loads(CONTRACT.read_text())
    change(now)
    assert broken(json.loads(CONTRACT.read_text()), now) != []
