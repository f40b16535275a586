"""Function Compute's API, driven by the original's own SDKs, and by requests that no SDK sends."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_openapi.utils import Utils

from support.acs3 import Signer, now
from support.certificates import Authority
from support.command import check_refusal, claimgate, good
from support.configuration import configuration, domain, function, jwt
from support.gateway import Gateway
from support.tokens import jwks, key

RSA = key("RS256", "one")
GOOD = RSA.token({"name": "John Snow"})
INFO = json.dumps(jwt(jwks(RSA), "header:Authorization:Bearer ", "header:name:x-name"))
ROUTES = [{"path": "/*", "functionName": "orders"}]
NODE = Path(__file__).parent / "support/function_compute.mjs"
DECLARED = "declared.example.com"


@pytest.fixture(scope="module")
def file(tmp_path_factory, recorder):
    """A configuration with a store, a declared domain and a declared key."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "key.secret").write_text("the-secret-of-a-declared-key\n")
    declared = configuration([domain(DECLARED)], [function(recorder.url)], https="127.0.0.1:0")
    declared["store"] = {"sqlite": "claimgate.db"}
    declared["admin"]["accessKeys"] = [
        {"accessKeyId": "declared", "accessKeySecretFile": "key.secret", "role": "editor", "name": "Deployment"}
    ]
    (folder / "claimgate.yaml").write_text(json.dumps(declared))
    return folder / "claimgate.yaml"


def create_key(file: Path, *arguments: str) -> dict:
    made = json.loads(good("access-key", "create", "--config", file, *arguments))
    assert set(made) == {"accessKeyId", "accessKeySecret"}
    return made


@pytest.fixture(scope="module")
def editor(file):
    return create_key(file, "--name", "Pipeline")


@pytest.fixture(scope="module")
def viewer(file):
    return create_key(file, "--role", "viewer")


@pytest.fixture(scope="module")
def gateway(file, recorder, editor, viewer):
    gateway = Gateway(file.parent, json.loads(file.read_text()), recorder)
    yield gateway
    assert gateway.stop() == 0
    text = "".join(gateway.lines)
    assert editor["accessKeySecret"] not in text and viewer["accessKeySecret"] not in text


@pytest.fixture
def signer(gateway, editor):
    return Signer(gateway, editor)


@pytest.fixture
def reader(gateway, viewer):
    return Signer(gateway, viewer)


def sdk(gateway: Gateway, key: dict) -> Client:
    return Client(
        Config(
            access_key_id=key["accessKeyId"],
            access_key_secret=key["accessKeySecret"],
            endpoint=f"{gateway.admin[0]}:{gateway.admin[1]}",
            protocol="HTTP",
        )
    )


def domain_input(name: str, **more) -> models.CreateCustomDomainInput:
    return models.CreateCustomDomainInput(
        domain_name=name,
        protocol="HTTP",
        auth_config=models.AuthConfig(auth_type="jwt", auth_info=INFO),
        route_config=models.RouteConfig(routes=[models.PathConfig(path="/*", function_name="orders")]),
        **more,
    )


def document(name: str, **more) -> dict:
    return {"domainName": name, "routeConfig": {"routes": ROUTES}, "authConfig": {"authType": "anonymous"}, **more}


def refused(call) -> ClientException:
    with pytest.raises(ClientException) as caught:
        call()
    assert caught.value.request_id
    return caught.value


# The original's SDK for Python


def test_python_sdk_from_creation_to_deletion(gateway, editor):
    client, name = sdk(gateway, editor), "python.example.com"
    missing = refused(lambda: client.get_custom_domain(name))
    assert (missing.code, missing.status_code) == ("DomainNameNotFound", 404)
    request = models.CreateCustomDomainRequest(body=domain_input(name))
    created = client.create_custom_domain(request)
    assert created.status_code == 200
    assert created.headers["x-fc-request-id"] == created.headers["x-acs-request-id"]
    body = created.body
    assert body.domain_name == name and body.protocol == "HTTP" and body.api_version == "2023-03-30"
    assert body.auth_config.auth_info == INFO, "it is given back as it was sent"
    assert body.waf_config.enable_waf is False and body.subdomain_count == "1"
    assert body.route_config.routes[0].qualifier == "LATEST"
    assert re.fullmatch(r"\d{16}", body.account_id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body.created_time)

    assert gateway.get(host=name).status == 401
    assert gateway.get(host=name, token=GOOD).seen.values("x-name") == ["John Snow"]

    again = refused(lambda: client.create_custom_domain(request))
    assert (again.code, again.status_code) == ("DomainNameAlreadyExists", 409)
    assert client.get_custom_domain(name).body.to_map() == body.to_map()

    update = models.UpdateCustomDomainInput(auth_config=models.AuthConfig(auth_type="anonymous"))
    updated = client.update_custom_domain(name, models.UpdateCustomDomainRequest(body=update)).body
    assert updated.auth_config.auth_info == "{}" and updated.route_config.to_map() == body.route_config.to_map()
    assert updated.created_time == body.created_time and updated.account_id == body.account_id
    assert gateway.get(host=name).status == 200

    assert client.delete_custom_domain(name).status_code == 204
    assert gateway.get(host=name).status == 404
    gone = refused(lambda: client.delete_custom_domain(name))
    assert gone.code == "DomainNameNotFound"


def test_python_sdk_lists_in_parts(gateway, editor):
    client = sdk(gateway, editor)
    names = [f"list-{letter}.example.com" for letter in "abcde"]
    for name in reversed(names):
        client.create_custom_domain(models.CreateCustomDomainRequest(body=domain_input(name)))
    found, token, parts = [], None, 0
    while parts == 0 or token:
        part = client.list_custom_domains(
            models.ListCustomDomainsRequest(limit=2, next_token=token, prefix="list-")
        ).body
        found += [item.domain_name for item in part.custom_domains]
        token, parts = part.next_token, parts + 1
    assert (found, parts) == (names, 3)
    every = client.list_custom_domains(models.ListCustomDomainsRequest()).body.custom_domains
    assert {DECLARED, *names} <= {item.domain_name for item in every}
    odd = client.list_custom_domains(models.ListCustomDomainsRequest(prefix="a b/+*'()!~")).body
    assert odd.custom_domains == []
    for name in names:
        client.delete_custom_domain(name)


def test_python_sdk_wildcard(gateway, editor):
    client = sdk(gateway, editor)
    client.create_custom_domain(models.CreateCustomDomainRequest(body=domain_input("*.wild.example.com")))
    assert client.get_custom_domain("*.wild.example.com").body.domain_name == "*.wild.example.com"
    assert gateway.get(host="x.wild.example.com", token=GOOD).status == 200
    client.delete_custom_domain("*.wild.example.com")


def test_python_sdk_wrong_secret(gateway, editor):
    wrong = {**editor, "accessKeySecret": editor["accessKeySecret"][:-1] + "x"}
    error = refused(lambda: sdk(gateway, wrong).get_custom_domain(DECLARED))
    assert (error.code, error.status_code) == ("SignatureNotMatch", 403)
    unknown = {**editor, "accessKeyId": "nobody"}
    error = refused(lambda: sdk(gateway, unknown).get_custom_domain(DECLARED))
    assert (error.code, error.status_code) == ("InvalidAccessKeyID", 403)


@pytest.mark.parametrize("offset", [-3600, 3600])
def test_python_sdk_wrong_date(gateway, editor, monkeypatch, offset):
    monkeypatch.setattr(Utils, "get_timestamp", staticmethod(lambda: now(offset)))
    error = refused(lambda: sdk(gateway, editor).get_custom_domain(DECLARED))
    assert (error.code, error.status_code) == ("InvalidTimeStamp.Expired", 400)


def test_python_sdk_replay(gateway, editor, monkeypatch):
    monkeypatch.setattr(Utils, "get_nonce", staticmethod(lambda: "the-same-nonce"))
    client = sdk(gateway, editor)
    client.get_custom_domain(DECLARED)
    error = refused(lambda: client.get_custom_domain(DECLARED))
    assert (error.code, error.status_code) == ("SignatureNonceUsed", 400)


def test_python_sdk_trigger(gateway, editor, signer):
    assert signer.call("POST", "/functions", {"functionName": "hooked", "builtin": "echo"}).status == 200
    client = sdk(gateway, editor)
    config = {"authType": "jwt", "authConfig": INFO, "methods": ["GET"]}
    request = models.CreateTriggerRequest(
        body=models.CreateTriggerInput(
            trigger_name="web", trigger_type="http", trigger_config=json.dumps(config), description="of the test"
        )
    )
    trigger = client.create_trigger("hooked", request).body
    assert json.loads(trigger.trigger_config) == config
    assert (trigger.trigger_name, trigger.trigger_type, trigger.description) == ("web", "http", "of the test")
    assert trigger.http_trigger.url_internet == "http://hooked.fc.localhost"
    host = "hooked.fc.localhost"
    assert gateway.get(host=host).status == 401
    assert gateway.get(host=host, token=GOOD).status == 200
    assert refused(lambda: client.create_trigger("hooked", request)).code == "TriggerAlreadyExists"
    changed = models.UpdateTriggerInput(trigger_config=json.dumps({"authType": "anonymous"}))
    updated = client.update_trigger("hooked", "web", models.UpdateTriggerRequest(body=changed)).body
    assert updated.description == "of the test" and json.loads(updated.trigger_config) == {"authType": "anonymous"}
    assert gateway.get(host=host).status == 200
    assert [item.trigger_name for item in client.list_triggers("hooked", models.ListTriggersRequest()).body.triggers] == ["web"]
    assert refused(lambda: client.get_trigger("hooked", "other")).code == "TriggerNotFound"
    assert client.delete_trigger("hooked", "web").status_code == 204
    assert gateway.get(host=host).status == 404
    assert client.delete_function("hooked").status_code == 204
    assert refused(lambda: client.get_function("hooked", models.GetFunctionRequest())).code == "FunctionNotFound"


# The original's SDK for Node


def node(gateway: Gateway, key: dict, *calls: list) -> list[dict]:
    task = {**key, "endpoint": f"{gateway.admin[0]}:{gateway.admin[1]}", "calls": calls}
    done = subprocess.run(["node", NODE], input=json.dumps(task), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_node_sdk(gateway, editor, signer):
    name = "node.example.com"
    body = {
        "domainName": name,
        "protocol": "HTTP",
        "authConfig": {"authType": "jwt", "authInfo": INFO},
        "routeConfig": {"routes": ROUTES},
    }
    create = ["createCustomDomain", {"type": "CreateCustomDomainInput", "body": body}]
    update = {"type": "UpdateCustomDomainInput", "body": {"authConfig": {"authType": "anonymous"}}}
    created, again, read, listed = node(
        gateway,
        editor,
        create,
        create,
        ["getCustomDomain", name],
        ["listCustomDomains", {"query": {"prefix": "node.", "limit": 1}}],
    )
    assert created["status"] == 200 and created["body"]["authConfig"]["authInfo"] == INFO, created
    assert (again["code"], again["status"]) == ("DomainNameAlreadyExists", 409)
    assert read == created and listed["body"]["customDomains"] == [created["body"]]
    assert gateway.get(host=name).status == 401
    assert gateway.get(host=name, token=GOOD).seen.values("x-name") == ["John Snow"]
    updated, deleted, gone = node(
        gateway,
        editor,
        ["updateCustomDomain", name, update],
        ["deleteCustomDomain", name],
        ["getCustomDomain", name],
    )
    assert updated["status"] == 200 and deleted["status"] == 204
    assert (gone["code"], gone["status"]) == ("DomainNameNotFound", 404)
    [wrong] = node(gateway, {**editor, "accessKeySecret": "wrong"}, ["getCustomDomain", name])
    assert (wrong["code"], wrong["status"]) == ("SignatureNotMatch", 403)


# Requests by hand


def test_replay_byte_for_byte(gateway, signer):
    request = signer.request("GET", f"/2023-03-30/custom-domains/{DECLARED}")
    assert signer.send(request).status == 200
    response = signer.send(request)
    assert (response.status, response.json()["Code"]) == (400, "SignatureNonceUsed")


def test_replay_at_another_gateway_of_the_store(gateway, file, recorder, editor, signer):
    nonce = "shared-by-two-gateways"
    assert signer.call("DELETE", "/custom-domains/nobody.example.com", nonce=nonce).status == 404
    other = Gateway(file.parent, json.loads(file.read_text()), recorder)
    try:
        response = Signer(other, editor).call("DELETE", "/custom-domains/nobody.example.com", nonce=nonce)
        assert response.json()["Code"] == "SignatureNonceUsed"
        assert Signer(other, editor).call("GET", f"/custom-domains/{DECLARED}").status == 200
    finally:
        assert other.stop() == 0


CHANGED = {
    "body": ({"body": b'{"domainName":"evil.example.com"}'}, 403, "SignatureNotMatch"),
    "date": ({"x-acs-date": now(60)}, 403, "SignatureNotMatch"),
    "nonce": ({"x-acs-signature-nonce": "another"}, 403, "SignatureNotMatch"),
    "action": ({"x-acs-action": "Other"}, 403, "SignatureNotMatch"),
    "host": ({"host": "other.example.com"}, 403, "SignatureNotMatch"),
    "unsigned": ({"x-acs-security-token": "token"}, 403, "SignatureNotMatch"),
    "bad date": ({"x-acs-date": "yesterday"}, 400, "InvalidTimeStamp.Format"),
    "no signature": ({"authorization": "Bearer x"}, 400, "InvalidArgument"),
}


@pytest.mark.parametrize(("changed", "status", "code"), CHANGED.values(), ids=CHANGED.keys())
def test_changed_after_signing(gateway, signer, changed, status, code):
    response = signer.call("POST", "/custom-domains", document("evil.example.com"), changed=changed)
    assert (response.status, response.json()["Code"]) == (status, code)
    assert gateway.get(host="evil.example.com").status == 404


@pytest.mark.parametrize("unsigned", ["host", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256", "x-acs-action"])
def test_what_matters_has_to_be_signed(signer, unsigned):
    response = signer.call("GET", "/custom-domains", unsigned={unsigned})
    assert (response.status, response.json()["Code"]) == (403, "SignatureNotMatch")
    assert unsigned in response.json()["Message"]


def test_without_signature(signer):
    response = signer.send(b"GET /2023-03-30/custom-domains HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (response.status, response.json()["Code"]) == (400, "MissingRequiredHeader")


def test_every_error_is_json(signer):
    for method, path, status in [
        ("GET", "/2023-03-30/nothing", 404),
        ("GET", "/nothing", 404),
        ("PATCH", "/2023-03-30/custom-domains", 405),
        ("POST", "/2023-03-30/custom-domains/a.example.com", 405),
    ]:
        assert signer.send(signer.request(method, path), method).status == status, path
    large = signer.call("POST", "/custom-domains", b" " * (1024 * 1024 + 1))
    assert (large.status, large.json()["Code"]) == (413, "EntityTooLarge")


INVALID = {
    "no JSON": (b"{", "JSON"),
    "no object": (b"[]", "object"),
    "twice": (b'{"domainName":"a.example.com","domainName":"b.example.com"}', "two members of this name"),
    "no name": ({"routeConfig": {"routes": ROUTES}}, "domainName"),
    "name": (document("a_b.example.com"), "domainName: "),
    "function": (
        document("a.example.com", routeConfig={"routes": [{"path": "/*", "functionName": "missing"}]}),
        "routeConfig.routes[0].functionName: ",
    ),
    "method": (
        document("a.example.com", routeConfig={"routes": [{**ROUTES[0], "methods": ["FETCH"]}]}),
        "routeConfig.routes[0].methods[0]: ",
    ),
    "weak key": (
        document(
            "a.example.com",
            authConfig={"authType": "jwt", "authInfo": json.dumps(jwt({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}))},
        ),
        "authConfig.authInfo.jwks.keys[0]",
    ),
    "several": (document("a_b.example.com", protocol="FTP"), "(and 1 more)"),
}


@pytest.mark.parametrize(("body", "words"), INVALID.values(), ids=INVALID.keys())
def test_invalid(signer, body, words):
    response = signer.call("POST", "/custom-domains", body)
    assert (response.status, response.json()["Code"]) == (400, "InvalidArgument"), response.json()
    assert words in response.json()["Message"]


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"nextToken": "?"}])
def test_invalid_paging(signer, query):
    response = signer.call("GET", "/custom-domains", query=query)
    assert (response.status, response.json()["Code"]) == (400, "InvalidArgument")
    assert response.json()["Message"].startswith(next(iter(query)))


def test_fields_of_newer_sdks_are_left_out(gateway, signer):
    response = signer.call("POST", "/custom-domains", document("newer.example.com", newField={"a": 1}))
    assert response.status == 200 and "newField" not in response.json()
    gateway.wait_for_log(lambda line: "newField" in json.dumps(line) and line["level"] == "WARN")
    signer.call("DELETE", "/custom-domains/newer.example.com")


def test_declared_documents_are_read_only(signer):
    shown = signer.call("GET", f"/custom-domains/{DECLARED}").json()
    assert shown["domainName"] == DECLARED and "createdTime" not in shown
    update = signer.call("PUT", f"/custom-domains/{DECLARED}", {"protocol": "HTTP"})
    assert (update.status, update.json()["Code"]) == (403, "AccessDenied")
    assert "configuration file" in update.json()["Message"]
    assert signer.call("DELETE", f"/custom-domains/{DECLARED}").status == 403
    created = signer.call("POST", "/custom-domains", document(DECLARED))
    assert (created.status, created.json()["Code"]) == (409, "DomainNameAlreadyExists")


def test_viewers_read_only(gateway, signer, reader):
    name = "viewed.example.com"
    secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC0xMjM0"
    key_set = {"keys": [{"kty": "oct", "alg": "HS256", "kid": "a", "k": secret}, {**RSA.public_jwk, "d": "AQAB"}]}
    auth = {"authType": "jwt", "authInfo": json.dumps(jwt(key_set))}
    assert signer.call("POST", "/custom-domains", document(name, authConfig=auth)).status == 200
    for method, path, body in [
        ("POST", "/custom-domains", document("new.example.com")),
        ("PUT", f"/custom-domains/{name}", {"protocol": "HTTP"}),
        ("DELETE", f"/custom-domains/{name}", None),
    ]:
        response = reader.call(method, path, body)
        assert (response.status, response.json()["Code"]) == (403, "AccessDenied")
    for path in [f"/custom-domains/{name}", "/custom-domains"]:
        seen, changeable = reader.call("GET", path), signer.call("GET", path)
        assert secret not in seen.body.decode() and "***" in seen.body.decode()
        assert secret in changeable.body.decode()
    info = json.loads(signer.call("GET", f"/custom-domains/{name}").json()["authConfig"]["authInfo"])
    assert "d" not in info["jwks"]["keys"][1], "private members are not even stored"
    written_back = json.loads(reader.call("GET", f"/custom-domains/{name}").body)
    assert signer.call("PUT", f"/custom-domains/{name}", written_back).status == 200
    info = json.loads(signer.call("GET", f"/custom-domains/{name}").json()["authConfig"]["authInfo"])
    assert info["jwks"]["keys"][0]["k"] == secret
    signer.call("DELETE", f"/custom-domains/{name}")


def test_certificate_keeps_its_key(gateway, signer, tmp_path):
    name, authority = "tls.example.com", Authority(tmp_path)
    chain, private = authority.pair(name)
    config = {"certName": "first", "certificate": chain, "privateKey": private}
    created = signer.call("POST", "/custom-domains", document(name, protocol="HTTP,HTTPS", certConfig=config))
    assert created.status == 200, created.json()
    shown = created.json()["certConfig"]
    assert shown == {"certName": "first", "certificate": chain}
    renamed = signer.call("PUT", f"/custom-domains/{name}", {"certConfig": {**shown, "certName": "second"}})
    assert renamed.json()["certConfig"] == {"certName": "second", "certificate": chain}
    other, _ = authority.pair(name)
    refused_change = signer.call("PUT", f"/custom-domains/{name}", {"certConfig": {"certificate": other}})
    assert (refused_change.status, refused_change.json()["Code"]) == (400, "InvalidArgument")
    assert "certConfig.privateKey" in refused_change.json()["Message"]
    assert "PRIVATE" not in "".join(gateway.lines)
    signer.call("DELETE", f"/custom-domains/{name}")


def test_functions(gateway, signer, recorder):
    made = signer.call("POST", "/functions", {"functionName": "extra", "url": recorder.url})
    assert made.status == 200 and made.json()["url"] == recorder.url
    assert signer.call("POST", "/functions", {"functionName": "extra", "url": recorder.url}).json()["Code"] == "FunctionAlreadyExists"
    routed = document("extra.example.com", routeConfig={"routes": [{"path": "/*", "functionName": "extra"}]})
    assert signer.call("POST", "/custom-domains", routed).status == 200
    assert gateway.get(host="extra.example.com").status == 200
    used = signer.call("DELETE", "/functions/extra")
    assert (used.status, used.json()["Code"]) == (400, "InvalidArgument")
    assert "customDomains/extra.example.com" in used.json()["Message"]
    moved = signer.call("PUT", "/functions/extra", {"builtin": "echo"}).json()
    assert moved["builtin"] == "echo" and "url" not in moved
    names = [item["functionName"] for item in signer.call("GET", "/functions", query={"prefix": "e"}).json()["functions"]]
    assert names == ["extra"]
    assert signer.call("DELETE", "/custom-domains/extra.example.com").status == 204
    assert signer.call("DELETE", "/functions/extra").status == 204
    assert signer.call("GET", "/functions/extra").json()["Code"] == "FunctionNotFound"


# Access keys


def test_declared_key(gateway):
    declared = {"accessKeyId": "declared", "accessKeySecret": "the-secret-of-a-declared-key"}
    assert Signer(gateway, declared).call("GET", f"/custom-domains/{DECLARED}").status == 200


def test_keys_end_at_once(gateway, file):
    made = create_key(file, "--name", "Short", "--role", "viewer")
    signer, id = Signer(gateway, made), made["accessKeyId"]
    listed = json.loads(good("access-key", "list", "--config", file))
    [entry] = [entry for entry in listed if entry["accessKeyId"] == id]
    assert (entry["name"], entry["role"], entry["disabled"]) == ("Short", "viewer", False)
    assert made["accessKeySecret"] not in json.dumps(listed)
    assert made["accessKeySecret"].encode() not in (file.parent / "claimgate.db").read_bytes()

    def status() -> int:
        return signer.call("GET", f"/custom-domains/{DECLARED}").status

    assert status() == 200
    assert good("access-key", "disable", "--config", file, id) == ""
    assert status() == 403
    good("access-key", "enable", "--config", file, id)
    assert status() == 200
    good("access-key", "delete", "--config", file, id)
    assert status() == 403
    check_refusal(claimgate("access-key", "delete", "--config", file, id), 1, id)


def test_keys_need_a_store(tmp_path):
    file = tmp_path / "claimgate.yaml"
    file.write_text("functions: [{functionName: a, builtin: echo}]\n")
    check_refusal(claimgate("access-key", "create", "--config", file), 2, "store")
    check_refusal(claimgate("access-key", "create", "--config", tmp_path / "missing.yaml"), 2, "no such file")


def test_without_a_store_all_is_read_only(serve, tmp_path, recorder):
    secret = tmp_path / "secret"
    secret.write_text("the-secret-of-a-declared-key")
    declared = configuration([domain()], [function(recorder.url)])
    declared["admin"]["accessKeys"] = [{"accessKeyId": "a", "accessKeySecretFile": str(secret), "role": "editor"}]
    signer = Signer(serve(declared, recorder), {"accessKeyId": "a", "accessKeySecret": secret.read_text()})
    request = signer.request("GET", "/2023-03-30/custom-domains")
    assert [item["domainName"] for item in signer.send(request).json()["customDomains"]] == ["api.example.com"]
    assert signer.send(request).json()["Code"] == "SignatureNonceUsed"
    response = signer.call("POST", "/custom-domains", document("new.example.com"))
    assert (response.status, response.json()["Code"]) == (403, "AccessDenied")
    assert "store" in response.json()["Message"]
