"""No secret of a document shows to anyone who may not see it, by any route; and history can be removed for good."""

import json
import re
import sqlite3
import subprocess
from html import unescape

import httpx
import pytest

from support.acs3 import Signer
from support.api import SECRET, Api, with_access_keys
from support.certificates import Authority
from support.command import check_refusal, claimgate, good
from support.configuration import configuration, domain, function, jwt
from support.gateway import BINARY
from support.tokens import b64u, key

PASSWORD = "a password for looking"
HMAC = b64u(b"a secret that is shared by two parties")
OTHER_HMAC = b64u(b"the secret that was shared before that one")
VARIABLE = "value-of-a-variable"
UNKNOWN = "what-no-one-knows"
PRIVATE = b64u(b"a private member of a key, not stored")
EC = key("ES256", "one")
#: `1e999` is a number of JSON that many readers refuse.
HUGE = "n1-is-huge"


def text(document) -> bytes:
    return json.dumps(document).replace(f'"{HUGE}"', "1e999").encode()


def keys(secret: str) -> dict:
    private = {**EC.public_jwk, "d": PRIVATE, "n1": HUGE}
    return {"keys": [{"kty": "oct", "kid": "two", "k": secret, "n1": HUGE, "note": UNKNOWN}, private]}


def in_text(value) -> str:
    return text(value).decode()


#: The same `authInfo` in every form in which it is accepted.
FORMS = {
    "plain": lambda jwks: jwt(jwks),
    "text": lambda jwks: in_text(jwt(jwks)),
    "text-in": lambda jwks: jwt(in_text(jwks)),
    "both": lambda jwks: in_text(jwt(in_text(jwks))),
    "case": lambda jwks: {"JWKS": jwks, "TOKENLOOKUP": "header:Authorization:Bearer"},
}


@pytest.fixture(scope="module")
def gateway(serve, recorder, tmp_path_factory):
    trigger = {"authType": "jwt", "authConfig": jwt({"keys": [{"kty": "oct", "k": HMAC}]})}
    declared = configuration(
        [domain("declared.example.com", auth=jwt({"keys": [{"kty": "oct", "kid": "two", "k": HMAC}]}))],
        [function(recorder.url), {**function(recorder.url, "declared"), "httpTrigger": trigger}],
    )
    with_access_keys(declared, tmp_path_factory.mktemp("secrets"))
    allow = {"processes": True, "users": ["root"]}
    return serve({**declared, "store": {"sqlite": "claimgate.db"}, "control": {"allow": allow}}, recorder)


@pytest.fixture(scope="module")
def private_key(gateway, tmp_path_factory):
    """Stores hostile documents, each in two versions and one of them deleted; gives the key of a certificate."""
    editor, certificates = Api(gateway, "id-of-admin"), Authority(tmp_path_factory.mktemp("authority"))
    chain, private = certificates.pair("plain.example.com")
    for name, form in FORMS.items():
        for secret in (OTHER_HMAC, HMAC):
            document = domain(f"{name}.example.com", auth=form(keys(secret)))
            if name == "plain":
                # Some keep both in one text.
                document |= {"certConfig": {"certName": "c", "certificate": chain + private, "privateKey": private}}
            changed = editor("PUT", f"/custom-domains/{name}.example.com", text(document))
            assert changed.status_code in (200, 201), changed.text
            assert any("private members" in warning["message"] for warning in changed.json()["warnings"])
    unused = {"authType": "anonymous", "authInfo": '{"jwks": {"keys": [{"k": "' + HMAC}
    put = editor("PUT", "/custom-domains/unused.example.com", {**domain("unused.example.com"), "authConfig": unused})
    assert put.status_code == 201, put.text
    trigger = {"authType": "jwt", "authConfig": jwt(keys(HMAC))}
    process = {"command": ["true"], "env": {"TOKEN": VARIABLE, "KEY": in_text({"kty": "oct", "k": HMAC})}}
    for name in ("running", "deleted"):
        document = {"functionName": name, "process": process, "httpTrigger": trigger}
        assert editor("PUT", f"/functions/{name}", text(document)).status_code == 201
    assert editor("DELETE", "/functions/deleted").status_code == 204
    return private


@pytest.fixture(scope="module")
def pages(gateway):
    """The console as a viewer has it."""
    command = [str(BINARY), "user", "add", "vic", "--role", "viewer", "--config", str(gateway.file)]
    subprocess.run(command, input=PASSWORD, text=True, check=True, cwd=gateway.file.parent)
    base = f"http://{gateway.admin[0]}:{gateway.admin[1]}"
    with httpx.Client(base_url=base) as client:
        signed_in = client.post("/console/sign-in", data={"name": "vic", "password": PASSWORD})
        assert signed_in.status_code == 303, signed_in.text
        yield client


def plain(content: str) -> str:
    """What is written, without what hides it: escapes of JSON and HTML."""
    content = re.sub(r"\\+u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), unescape(content))
    return content.replace("\\", "")


def lines_of(pem: str) -> list[str]:
    return pem.split("\n")[1:-2]


def check(content: str, where: str, hidden: list[str]):
    content = plain(content)
    for secret in hidden:
        assert secret not in content, f"{where}: {secret}"


DOMAINS = [f"{name}.example.com" for name in [*FORMS, "unused", "declared"]]
V1 = ["/custom-domains", "/functions", "/triggers"]
V1 += [f"/custom-domains/{name}{end}" for name in DOMAINS for end in ("", "/history")]
V1 += [f"/{kind}/{name}{end}" for kind in ("functions", "triggers") for name in ("running", "declared") for end in ("", "/history")]
V1 += ["/functions/deleted/history", "/triggers/deleted/history"]
FUNCTION_COMPUTE = ["/custom-domains", "/functions", "/functions/running/triggers", "/functions/declared/triggers"]
FUNCTION_COMPUTE += [f"/custom-domains/{name}" for name in DOMAINS]
FUNCTION_COMPUTE += ["/functions/running", "/functions/declared", "/functions/running/triggers/defaultTrigger"]
CONSOLE = ["/console/custom-domains", "/console/functions", "/console/traffic", "/console/test"]
CONSOLE += [f"/console/custom-domains/{name}{end}" for name in DOMAINS for end in ("", "/history", "/json", "/modify")]
CONSOLE += [f"/console/functions/running{end}" for end in ("", "/history", "/json", "/modify", "/state")]
CONSOLE += ["/console/functions/declared", "/console/functions/deleted/history"]


def test_a_viewer_sees_no_secret_by_any_route(gateway, private_key, pages):
    hidden = [HMAC, OTHER_HMAC, PRIVATE, VARIABLE, UNKNOWN, *lines_of(private_key)]
    viewer = Api(gateway, "id-of-viewer")
    shown = {}
    for path in V1:
        query = "limit=1000" if path.count("/") == 1 else ""
        answer = viewer("GET", path, query=query)
        assert answer.status_code == 200 or "declared" in path and path.endswith("history"), (path, answer.text)
        shown[f"/api/v1{path}"] = answer.text
    signer = Signer(gateway, {"accessKeyId": "id-of-viewer", "accessKeySecret": SECRET})
    for path in FUNCTION_COMPUTE:
        answer = signer.call("GET", path)
        assert answer.status == 200, (path, answer.body)
        shown[f"Function Compute {path}"] = answer.body.decode()
    for path in [*CONSOLE, *(f"/api/v1{path}" for path in V1)]:
        answer = pages.get(path)
        assert answer.status_code in (200, 403, 404), (path, answer.text)
        shown[f"console {path}"] = answer.text
    # What a viewer may not do is refused without a word of what is stored.
    for path in ("/custom-domains/plain.example.com", "/functions/running"):
        for method in ("PUT", "DELETE"):
            shown[f"{method} {path}"] = viewer(method, path, b"{}", If_Match='"1"').text
        shown[f"rollback {path}"] = viewer("POST", f"{path}/rollback", {"version": 1}).text
    shown["metrics"] = httpx.get(f"http://{gateway.admin[0]}:{gateway.admin[1]}/metrics").text
    for where, content in shown.items():
        check(content, where, hidden)
    # The documents themselves are there.
    assert plain(shown["/api/v1/custom-domains/both.example.com"]).count("***") >= 3
    assert "TOKEN" in shown["/api/v1/functions/running"] and "***" in shown["console /console/functions/running"]
    check("".join(gateway.lines), "log", hidden)


def test_an_editor_reads_no_private_key_and_loses_nothing(gateway, private_key):
    hidden = [PRIVATE, *lines_of(private_key)]
    editor = Api(gateway)
    signer = Signer(gateway, {"accessKeyId": "id-of-editor", "accessKeySecret": SECRET})
    # A partial PUT of another field.
    put = signer.call("PUT", "/custom-domains/plain.example.com", {"protocol": "HTTP,HTTPS"})
    assert put.status == 200, put.body
    check(put.body.decode(), "PUT", hidden)
    for path in V1:
        check(editor("GET", path).text, path, hidden)
    for path in FUNCTION_COMPUTE:
        check(signer.call("GET", path).body.decode(), path, hidden)
    for path in ("custom-domains/plain.example.com", "functions/running"):
        read = editor("GET", f"/{path}")
        assert HMAC in plain(read.text)
        # As it was read, in the same bytes: no reader of this test's knows the number.
        document = re.search(rb'"document":(\{.*\})\}$', read.content)[1]
        assert editor("PUT", f"/{path}", document).status_code == 200
        assert editor("GET", f"/{path}").content.split(b'"document":')[1] == read.content.split(b'"document":')[1]
    conflict = editor("PUT", "/custom-domains/plain.example.com", b"{}", If_Match='"1"')
    assert conflict.status_code in (400, 412)
    check(conflict.text, "conflict", hidden)


@pytest.mark.parametrize("secret", ["a-text", '{"kty":"EC","d":"a-text"}', ["a-text"], {"k": ["a-text"]}])
@pytest.mark.parametrize("field", ["certConfig", "authConfig.authInfo", "process", "process.env", "corsConfig"])
def test_no_error_quotes_what_may_be_a_secret(gateway, field, secret, tmp_path):
    document = {"functionName": "wrong", "process": {"command": ["true"]}}
    kind, name = ("functions", "wrong") if field.startswith("process") else ("custom-domains", "wrong.example.com")
    if kind == "custom-domains":
        document = {**domain(name), "authConfig": {"authType": "jwt"}}
    outer, _, inner = field.partition(".")
    (document[outer] if inner else document)[inner or outer] = secret
    answer = Api(gateway)("PUT", f"/{kind}/{name}", document)
    assert answer.status_code == 400 and "a-text" not in answer.text, answer.text
    file = tmp_path / "claimgate.yaml"
    lists = {"functions": [document]} if kind == "functions" else {"customDomains": [document]}
    file.write_text(json.dumps(lists))
    refused = claimgate("check", "--config", file)
    assert refused.code != 0 and "a-text" not in refused.out.decode() + refused.err


# --- Removing history ---


def stored_values(file, prefix: str) -> list[bytes]:
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        query = "SELECT value FROM records WHERE key GLOB ? AND value IS NOT NULL"
        return [value for (value,) in connection.execute(query, (f"{prefix}*",))]


def is_in_files(file, values: list[bytes]) -> bool:
    content = b"".join(part.read_bytes() for part in file.parent.glob("claimgate.db*"))
    return any(value[16:48] in content for value in values)


@pytest.fixture
def purged(serve, recorder, tmp_path_factory):
    declared = with_access_keys(configuration([], [function(recorder.url)]), tmp_path_factory.mktemp("secrets"))
    gateway = serve({**declared, "store": {"sqlite": "claimgate.db"}}, recorder)
    api = Api(gateway)
    for name in ("one", "two", "gone"):
        for audience in ("a", "b"):
            auth = jwt({"keys": [{"kty": "oct", "k": HMAC}]}, audiences=[audience])
            assert api("PUT", f"/custom-domains/{name}.example.com", domain(f"{name}.example.com", auth=auth)).is_success
    assert api("DELETE", "/custom-domains/gone.example.com").status_code == 204
    return gateway, api


def versions(api, name: str) -> int:
    answer = api("GET", f"/custom-domains/{name}.example.com/history")
    return len(answer.json()["versions"]) if answer.status_code == 200 else 0


@pytest.mark.parametrize("through", ["command", "api"])
def test_history_is_removed_for_good(purged, through):
    gateway, api = purged
    database = gateway.file.parent / "claimgate.db"

    def purge(**options):
        if through == "api":
            names = {"kind": lambda value: {"kind": {"domain": "custom-domains", "function": "functions"}[value]}}
            body = {}
            for name, value in options.items():
                body |= names.get(name, lambda value, name=name: {name: value})(value)
            if older := body.pop("older_than", None):
                body["olderThanSeconds"] = int(older.removesuffix("d")) * 86400
            if "dry_run" in body:
                body["dryRun"] = body.pop("dry_run")
            answer = api("POST", "/purge-history", body)
            assert answer.status_code == 200, answer.text
            return answer.json()["versions"], answer.json()["documents"]
        arguments = []
        for name, value in options.items():
            arguments += [f"--{name.replace('_', '-')}"] + ([] if value is True else [value])
        told = good("store", "purge-history", "--config", gateway.file, *arguments).split()
        return int(told[0]), int(told[3])

    assert purge(older_than="1d") == (0, 0)
    assert purge(kind="function") == (0, 0)
    assert purge(name="gone.example.com", dry_run=True) == (3, 1)
    assert versions(api, "gone") == 3
    gone = stored_values(database, "history/customDomains/gone.")
    assert len(gone) == 3 and is_in_files(database, gone)
    assert purge(kind="domain", name="GONE.example.com") == (3, 1)
    assert versions(api, "gone") == 0 and not is_in_files(database, gone)
    rest = stored_values(database, "history/")
    assert purge(all=True) == (2, 2)
    left = stored_values(database, "history/")
    assert (versions(api, "one"), versions(api, "two"), len(left)) == (1, 1, 2)
    assert not is_in_files(database, [value for value in rest if value not in left])
    # What is served is untouched, and goes on having a history.
    assert api("PUT", "/custom-domains/one.example.com", domain("one.example.com")).status_code == 200
    assert versions(api, "one") == 2


def test_history_is_removed_by_editors_who_say_which(purged):
    gateway, api = purged
    viewer = Api(gateway, "id-of-viewer")
    assert viewer("POST", "/purge-history", {"all": True}).status_code == 403
    for body in ({}, {"kind": "triggers"}, {"dryRun": True}, {"older": 1}):
        assert api("POST", "/purge-history", body).status_code == 400
    assert versions(api, "one") == 2
    check_refusal(claimgate("store", "purge-history", "--config", gateway.file), 2, "--older-than")
    help_text = good("store", "purge-history", "--help")
    for option in ("--kind", "--name", "--older-than", "--all", "--dry-run"):
        assert option in help_text
