"""What each role may store, and what the configuration file allows at all."""

import json
import socket
import sqlite3
import subprocess
import sys

import httpx
import pytest

from support.api import Api, with_access_keys
from support.configuration import configuration, domain
from support.gateway import BINARY, Gateway
from support.process import wait_until

PROCESS = {"functionName": "f", "process": {"command": ["true"], "user": "nobody"}}
AS_ROOT = {"functionName": "f", "process": {"command": ["true"], "user": "root"}}
SOCKET = {"functionName": "f", "url": "unix:/run/functions/a.sock"}
METADATA = {"functionName": "f", "url": "http://169.254.169.254"}
EVERYTHING = {"processes": True, "users": ["nobody"], "unixSockets": ["/run/functions"], "linkLocalAddresses": True}


def gateway_of(serve, folder, allow: dict | None = None, **more) -> Gateway:
    written = configuration([domain()], [{"functionName": "orders", "builtin": "echo"}], **more)
    written["store"] = {"sqlite": str(folder / "claimgate.db")}
    if allow is not None:
        written["control"] = {"allow": allow}
    return serve(with_access_keys(written, folder))


@pytest.fixture(scope="module")
def closed(serve, tmp_path_factory) -> Gateway:
    """Allows nothing, as it is when nothing is written."""
    return gateway_of(serve, tmp_path_factory.mktemp("closed"))


@pytest.fixture(scope="module")
def opened(serve, tmp_path_factory) -> Gateway:
    return gateway_of(serve, tmp_path_factory.mktemp("opened"), EVERYTHING)


def put(gateway: Gateway, role: str, document: dict, **headers) -> httpx.Response:
    return Api(gateway, f"id-of-{role}")("PUT", f"/functions/{document['functionName']}", document, **headers)


@pytest.mark.parametrize(
    ("document", "setting"),
    [
        (PROCESS, "control.allow.processes"),
        (AS_ROOT, "control.allow.processes"),
        (SOCKET, "control.allow.unixSockets"),
        ({"functionName": "f", "url": "unix:/var/run/docker.sock"}, "control.allow.unixSockets"),
        *(
            ({"functionName": "f", "url": f"http://{host}"}, "control.allow.linkLocalAddresses")
            for host in ("169.254.169.254", "2852039166", "0xa9fea9fe", "[fe80::1]", "[fd00:ec2::254]",
                         "[::ffff:169.254.169.254]", "100.100.100.200")
        ),
    ],
)
def test_nothing_is_allowed_by_default_and_the_refusal_names_the_setting(closed, document, setting):
    answer = put(closed, "admin", document)
    assert (answer.status_code, answer.json()["Code"]) == (400, "InvalidArgument")
    assert setting in answer.text
    assert Api(closed)("GET", "/functions/f").status_code == 404


@pytest.mark.parametrize("document", [PROCESS, SOCKET, METADATA], ids=["process", "socket", "link-local"])
def test_what_is_allowed_needs_an_admin(opened, document):
    refused = put(opened, "editor", document)
    assert (refused.status_code, refused.json()["Code"]) == (403, "AccessDenied")
    assert "needs the role admin" in refused.text
    assert put(opened, "viewer", document).status_code == 403
    assert put(opened, "admin", document).status_code in (200, 201)
    # An editor may change the rest of it, and delete it.
    trigger = document | {"httpTrigger": {"authType": "anonymous"}}
    assert put(opened, "editor", trigger).status_code == 200
    other = {**PROCESS, "process": {"command": ["false"], "user": "nobody"}}
    assert put(opened, "editor", other).status_code == 403
    assert Api(opened)("DELETE", "/functions/f").status_code in (200, 204)


@pytest.mark.parametrize(
    ("document", "setting"),
    [
        (AS_ROOT, "control.allow.users"),
        ({"functionName": "f", "process": {"command": ["true"], "user": 0}}, "control.allow.users"),
        ({"functionName": "f", "url": "unix:/run/functions/../docker.sock"}, "control.allow.unixSockets"),
        ({"functionName": "f", "url": "unix:/run/functions-of-others/a.sock"}, "control.allow.unixSockets"),
    ],
)
def test_what_is_not_listed_is_refused(opened, document, setting):
    answer = put(opened, "admin", document)
    assert answer.status_code == 400 and setting in answer.text


def test_a_process_without_a_user_would_be_the_gateways(opened):
    answer = put(opened, "admin", {"functionName": "f", "process": {"command": ["true"]}})
    import os

    if os.geteuid() == 0:
        assert answer.status_code == 400 and "run as root" in answer.text
    else:
        assert answer.status_code == 201


def test_functions_on_this_machine_and_in_private_networks_are_allowed(closed, serve):
    for host in ("127.0.0.1:1", "localhost:1", "10.0.0.1", "192.168.1.1:8080", "[::1]:1", "[fd12::1]"):
        assert put(closed, "editor", {"functionName": "g", "url": f"http://{host}"}).status_code in (200, 201), host


def addresses(port: int) -> list[str]:
    own = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    hosts = ["127.0.0.1", "localhost", "LOCALHOST", "0.0.0.0", "0", "127.1", "2130706433", "0x7f000001", "0177.0.0.1",
             "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost."]
    return [f"http://{host}:{port}/" for host in [*hosts, *own - {"127.0.1.1"}]][: len(hosts)]


def test_the_gateways_own_listeners_are_refused_in_every_spelling(opened):
    for listener in (opened.admin, opened.address):
        for url in addresses(listener[1]):
            answer = put(opened, "admin", {"functionName": "f", "url": url})
            assert answer.status_code == 400 and "own listeners" in answer.text, url


def test_a_listener_on_all_addresses_has_them_all(serve, tmp_path):
    gateway = gateway_of(serve, tmp_path, http="0.0.0.0:0")
    for host in ("127.0.0.1", "127.9.9.9", "0.0.0.0", "[::ffff:127.0.0.1]"):
        answer = put(gateway, "admin", {"functionName": "f", "url": f"http://{host}:{gateway.address[1]}"})
        assert answer.status_code == 400 and "own listeners" in answer.text, host


def test_a_name_that_leads_to_the_admin_listener_is_found_when_it_is_connected_to(closed):
    """`localhost` under another name of the machine's own resolver: what /etc/hosts calls it, if anything does."""
    names = ["ip6-localhost", "localhost.localdomain", socket.gethostname()]
    port = closed.admin[1]
    led = [name for name in names if "127.0.0.1" in resolved(name)]
    if not led:
        pytest.skip("no other name of this machine leads to 127.0.0.1")
    stored = put(closed, "editor", {"functionName": "named", "url": f"http://{led[0]}:{port}"})
    assert stored.status_code in (200, 201)
    site = {"domainName": "named.example.com", "protocol": "HTTP", "authConfig": {"authType": "anonymous"}}
    site["routeConfig"] = {"routes": [{"path": "/*", "functionName": "named"}]}
    assert Api(closed)("PUT", "/custom-domains/named.example.com", site).status_code in (200, 201)
    answer = closed.get("/healthz", host="named.example.com")
    assert answer.status == 502
    assert closed.access_line(answer)["reason"] == "address_not_allowed"


def resolved(name: str) -> set[str]:
    try:
        return {info[4][0] for info in socket.getaddrinfo(name, None)}
    except OSError:
        return set()


def test_what_the_file_declares_is_not_bounded(serve, tmp_path):
    """It is the operator's own."""
    functions = [
        {"functionName": "orders", "process": {"command": ["true"]}},
        {"functionName": "socket", "url": "unix:/run/any.sock"},
        {"functionName": "metadata", "url": "http://169.254.169.254"},
    ]
    gateway = serve(configuration([domain()], functions))
    assert gateway.process.poll() is None


@pytest.mark.parametrize(
    ("allow", "said"),
    [
        ({"proceses": True}, "did you mean processes?"),
        ({"processes": "yes"}, "control.allow.processes"),
        ({"unixSockets": ["run/a.sock"]}, "control.allow.unixSockets[0]"),
        ({"unixSockets": ["/"]}, "control.allow.unixSockets[0]"),
        ({"unixSockets": ["/run/../var"]}, "control.allow.unixSockets[0]"),
        ({"users": [True]}, "control.allow.users[0]"),
        ({"linkLocalAddresses": 1}, "control.allow.linkLocalAddresses"),
    ],
)
def test_check_reads_the_settings_strictly(tmp_path, allow, said):
    file = tmp_path / "c.json"
    file.write_text(json.dumps(configuration([], []) | {"control": {"allow": allow}}))
    checked = subprocess.run([BINARY, "check", "--config", file], capture_output=True, text=True)
    assert checked.returncode == 1 and said in checked.stderr


# --- Users ---


def test_commands_know_the_three_roles(tmp_path):
    written = configuration([], []) | {"store": {"sqlite": "claimgate.db"}}
    (tmp_path / "c.json").write_text(json.dumps(written))

    def claimgate(*arguments, password=""):
        command = [BINARY, *arguments, "--config", "c.json"]
        return subprocess.run(command, cwd=tmp_path, input=password, capture_output=True, text=True)

    password = "correct horse battery staple"
    for role in ("viewer", "editor", "admin"):
        assert claimgate("user", "add", f"the-{role}", "--role", role, password=password).returncode == 0
        assert claimgate("access-key", "create", "--role", role).returncode == 0
    listed = claimgate("user", "list").stdout.splitlines()
    assert listed == ["the-admin\tadmin", "the-editor\teditor", "the-viewer\tviewer"]
    assert {key["role"] for key in json.loads(claimgate("access-key", "list").stdout)} == {"viewer", "editor", "admin"}
    assert claimgate("user", "delete", "the-editor").returncode == 0
    only = claimgate("user", "delete", "the-admin")
    assert only.returncode == 1 and "only admin" in only.stderr
