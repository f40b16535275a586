"""HTTP triggers: functions at `<functionName>.<triggerDomain>`, with the rules of custom domains."""

import json

import pytest

from support.command import claimgate
from support.configuration import configuration, domain, function, jwt
from support.tokens import jwks, key

RSA = key("RS256", "trigger")
OTHER = key("ES256", "domain")
GOOD = RSA.token({"name": "John Snow"})

AUTH_CONFIG = jwt(jwks(RSA), "header:Authorization:Bearer,query:token", "header:name:x-name")
HIDDEN = {**AUTH_CONFIG, "whitelist": ["/healthz", "/public/*"], "forwardToken": False}


def trigger(url: str, name: str, auth_type: str = "anonymous", **more) -> dict:
    return {**function(url, name), "httpTrigger": {"authType": auth_type, **more}}


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    functions = [
        function(recorder.url, "orders"),
        trigger(recorder.url + "/open", "Open-1", methods=["GET", "POST"]),
        trigger(recorder.url + "/closed", "closed", "jwt", authConfig=AUTH_CONFIG),
        trigger(recorder.url + "/text", "text", "jwt", authConfig=json.dumps(HIDDEN)),
        trigger(recorder.url + "/off", "off", disableURLInternet=True),
        trigger(recorder.url + "/off", "off-too", "jwt", authConfig=AUTH_CONFIG, disableURLInternet=True),
    ]
    routes = [{"path": "/off", "functionName": "off"}, {"path": "/*", "functionName": "closed"}]
    domains = [
        domain(auth=jwt(jwks(OTHER)), routes=routes),
        domain("*.localhost", routes=routes),
        domain("*.example.com"),
    ]
    return serve(configuration(domains, functions, triggerDomain="FC.example.com"), recorder)


HOSTS = {
    "open-1.fc.example.com": "/open/x?y=1",
    "OPEN-1.FC.example.com": "/open/x?y=1",
    "open-1.fc.example.com.:8080": "/open/x?y=1",
    "orders.fc.example.com": 404,
    "a.open-1.fc.example.com": 404,
    "closed.fc.example.com": 401,
    "closed.fc.localhost": 404,
    "missing.fc.example.com": 404,
    "off.fc.example.com": 403,
    "off-too.fc.example.com": 403,
    "fc.example.com": "/x?y=1",
    "closed.localhost": "/closed/x?y=1",
}


@pytest.mark.parametrize(("host", "expected"), HOSTS.items(), ids=HOSTS.keys())
def test_host(gateway, host, expected):
    response = gateway.get("/x?y=1", host=host)
    if isinstance(expected, int):
        assert response.status == expected
    else:
        assert response.status == 200 and response.seen.target == expected


def test_without_a_trigger_domain_it_is_below_localhost(serve, recorder):
    gateway = serve(configuration([], [trigger(recorder.url, "hello")]), recorder)
    assert gateway.get("/", host="hello.fc.localhost").status == 200
    assert gateway.get("/", host="hello.fc.example.com").status == 404


def test_methods(gateway):
    open_ = "open-1.fc.example.com"
    assert gateway.post("/", host=open_, body=b"").seen.method == "POST"
    refused = gateway.request("DELETE", "/", host=open_)
    assert refused.status == 405 and refused.header("allow") == "GET, POST"


def test_tokens_are_verified_as_for_custom_domains(gateway):
    closed = "closed.fc.example.com"
    missing = gateway.get(host=closed)
    assert missing.status == 401
    assert missing.header("www-authenticate") == 'Bearer realm="closed.fc.example.com"'
    good = gateway.get(host=closed, token=GOOD, headers=[("X_Name", "Night King")])
    assert good.status == 200
    assert good.seen.values_of_alias("x-name") == ["John Snow"]
    assert gateway.get(f"/?token={GOOD}", host=closed).status == 200
    assert gateway.get(host=closed, token=OTHER.token()).status == 401
    forged = GOOD.rpartition(".")[0] + "." + OTHER.token().rpartition(".")[2]
    assert gateway.get(host=closed, token=forged).status == 401
    assert gateway.access_line(good)["domain"] == closed


def test_the_trigger_and_the_domain_of_a_function_know_nothing_of_each_other(gateway):
    for _ in range(2):  # The second time the token was verified before, for the other of both.
        assert gateway.get(token=OTHER.token()).seen.target == "/closed/"
        assert gateway.get(token=GOOD).status == 401
        assert gateway.get(host="closed.fc.example.com", token=GOOD).seen.target == "/closed/"


def test_auth_config_may_be_text_and_holds_all_that_auth_info_does(gateway):
    text = "text.fc.example.com"
    assert gateway.get("/public/a", host=text, headers=[("x-name", "evil")]).seen.values("x-name") == []
    assert gateway.get("/public/%2e%2e/a", host=text).status == 401
    assert gateway.get("/healthz/", host=text).status == 401
    assert gateway.get("/", host=text, token=GOOD).seen.values("authorization") == []


@pytest.mark.parametrize("host", ["off.fc.example.com", "off-too.fc.example.com"])
def test_a_disabled_trigger_refuses_everybody(gateway, host):
    response = gateway.get(host=host, token=GOOD)
    assert (response.status, response.json()["Code"]) == (403, "AccessDenied")
    line = gateway.access_line(response)
    assert (line["outcome"], line["reason"], line["domain"]) == ("refused", "trigger_disabled", host)
    # The function is reached by its custom domains all the same.
    assert gateway.get("/off", token=OTHER.token()).seen.target == "/off/off"


def test_triggers_come_and_go_with_the_file(serve, recorder):
    with_trigger = configuration([], [trigger(recorder.url, "hello")])
    gateway = serve(with_trigger, recorder)
    assert gateway.get(host="hello.fc.localhost").status == 200
    for config, status in [(configuration([], [function(recorder.url, "hello")]), 404), (with_trigger, 200)]:
        seen = len(gateway.log)
        gateway.write(config)
        gateway.wait_for_log(lambda line: "configuration" in line.get("message", ""), seen)
        assert gateway.get(host="hello.fc.localhost").status == status


def test_metrics_name_triggers(gateway):
    gateway.get(host="open-1.fc.example.com")
    from urllib.request import urlopen

    with urlopen(f"http://{gateway.admin[0]}:{gateway.admin[1]}/metrics") as answer:
        assert 'domain="open-1.fc.example.com"' in answer.read().decode()


def test_try_shows_a_trigger(gateway):
    result = claimgate("try", "--config", gateway.file, "--json", "http://closed.fc.example.com/x", "-H", f"Authorization: Bearer {GOOD}")
    trace = json.loads(result.text)
    assert (result.code, trace["domain"], trace["route"]["functionName"]) == (0, "closed.fc.example.com", "closed")
    result = claimgate("try", "--config", gateway.file, "http://off.fc.example.com/x")
    assert result.code == 1 and "trigger_disabled" in result.text
    # A path alone goes to the only custom domain that is a name, whatever triggers there are.
    assert claimgate("try", "--config", gateway.file, "/x", "-H", f"Authorization: Bearer {OTHER.token()}").code == 0


BAD = {
    "no label": ([trigger("http://h", "a_b")], [], "functions[0].functionName"),
    "case": ([trigger("http://h", "aB"), trigger("http://h", "Ab")], [], "functions[1].functionName"),
    "no authType": ([{**function("http://h", "a"), "httpTrigger": {}}], [], "the field authType is missing"),
    "domain below": ([trigger("http://h", "a")], [domain("a.fc.localhost", [{"path": "/*", "functionName": "a"}])], "lies under fc.localhost"),
}


@pytest.mark.parametrize(("functions", "domains", "said"), BAD.values(), ids=BAD.keys())
def test_check_refuses(tmp_path, functions, domains, said):
    file = tmp_path / "claimgate.yaml"
    file.write_text(json.dumps(configuration(domains, functions), indent=1))
    result = claimgate("check", "--config", file)
    assert result.code == 1 and said in result.err, result


def test_names_that_are_no_labels_are_well_without_a_trigger(serve, recorder):
    serve(configuration([domain()], [function(recorder.url), function(recorder.url, "a_b"), function(recorder.url, "A_b")]))
