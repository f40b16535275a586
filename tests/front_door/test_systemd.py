"""What systemd gives a service, and what it is told: sockets, credentials, the service's state."""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading

import pytest

from support import tls
from support.certificates import Authority
from support.configuration import configuration, domain
from support.gateway import BINARY, REPOSITORY
from support.upgrade import ACTIVATE, UpgradableGateway, launcher

ECHO = {"functionName": "orders", "builtin": "echo"}
DEPLOY = REPOSITORY / "deploy"


def message(text: str):
    return lambda line: line.get("message") == text


@pytest.fixture
def sockets():
    """Makes listening sockets."""
    made = []

    def listen() -> socket.socket:
        made.append(socket.create_server(("127.0.0.1", 0)))
        return made[-1]

    yield listen
    for listener in made:
        listener.close()


def test_sockets_that_are_handed_over_are_served_wherever_they_listen(serve, sockets, tmp_path):
    http, https, admin = sockets(), sockets(), sockets()
    authority = Authority(tmp_path)
    certificate, private_key = authority.pair("api.example.com")
    both = {"protocol": "HTTP,HTTPS", "certConfig": {"certificate": certificate, "privateKey": private_key}}
    written = configuration([domain() | both], [ECHO], http="127.0.0.9:1", https="127.0.0.9:2")
    # In another order than the program asks for them.
    gateway = serve(written, kind=UpgradableGateway, **launcher(admin=admin, https=https, http=http))
    for _ in range(2):
        assert gateway.address == http.getsockname()
        assert gateway.https == https.getsockname()
        assert gateway.admin == admin.getsockname()
        assert gateway.get().status == 200
        assert tls.get(gateway, tls.context(authority), "api.example.com").status == 200
        # They are passed on, though the configuration names other addresses.
        del gateway.lines[:]
        gateway.upgrade()


def test_a_client_that_came_before_the_program_is_served(serve, sockets):
    """As systemd starts a service for it."""
    http = sockets()
    with socket.create_connection(http.getsockname(), 20) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n")
        serve(configuration([domain()], [ECHO]), **launcher(http=http))
        assert client.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["claimgate.socket"], "expected FileDescriptorName=http, https or admin"),
        (["http", "http"], "expected FileDescriptorName=http, https or admin, each once"),
        (["https"], "there is no gateway.https"),
        ([""], "expected FileDescriptorName=http, https or admin"),
    ],
)
def test_a_socket_that_nobody_would_serve_is_an_error(tmp_path, sockets, names, said):
    (tmp_path / "c.yaml").write_text("gateway: {http: 127.0.0.1:0}\nadmin: {listen: 127.0.0.1:0}\n")
    listeners = [sockets() for _ in names]
    pairs = [f"{name}={listener.fileno()}" for name, listener in zip(names, listeners)]
    result = subprocess.run(
        [sys.executable, ACTIVATE, *pairs, "--", BINARY, "serve", "--config", "c.yaml"],
        cwd=tmp_path, pass_fds=[listener.fileno() for listener in listeners], capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (result.returncode, said in result.stderr) == (1, True), result.stderr


def test_sockets_that_are_meant_for_another_process_are_left_alone(serve):
    """As a shell may hand down the variables of the process that started it."""
    gateway = serve(configuration([domain()], [ECHO]), env={"LISTEN_PID": "1", "LISTEN_FDS": "1"})
    assert gateway.get().status == 200


# --- What systemd is told ---


class Manager:
    """The socket that systemd listens on for a service's state."""

    def __init__(self, folder):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self.env = {"NOTIFY_SOCKET": str(folder / "notify")}
        self._heard = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        # All the time: who speaks waits for that.
        while True:
            self._heard.put(self._socket.recv(4096))

    def hear(self) -> dict[str, str]:
        """The next message."""
        return dict(line.split("=", 1) for line in self._heard.get(timeout=20).decode().splitlines())


def test_systemd_is_told_of_start_reload_upgrade_and_end(serve, tmp_path):
    manager = Manager(tmp_path)
    gateway = serve(configuration([domain()], [ECHO]), kind=UpgradableGateway, env=manager.env)
    assert manager.hear() == {"READY": "1"}
    assert gateway.get().status == 200
    gateway.signal(signal.SIGHUP)
    reloading = manager.hear()
    assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) > 0
    assert manager.hear() == {"READY": "1"}
    old = gateway.upgrade()
    # Said by the old one, which systemd knows; then the new one is the service.
    assert manager.hear() == {"MAINPID": str(gateway.pid)}
    gateway.wait_for_end(old)
    gateway.signal(signal.SIGTERM)
    assert manager.hear() == {"STOPPING": "1"}


def test_the_watchdog_hears_from_the_process_that_serves(serve, tmp_path):
    manager = Manager(tmp_path)
    gateway = serve(
        configuration([domain()], [ECHO]), kind=UpgradableGateway, env=manager.env | {"WATCHDOG_USEC": "200000"}
    )
    heard = [manager.hear() for _ in range(4)]
    assert heard[0] == {"READY": "1"} and heard[1:] == [{"WATCHDOG": "1"}] * 3
    gateway.wait_for_end(gateway.upgrade())
    while manager.hear() != {"MAINPID": str(gateway.pid)}:
        pass
    assert manager.hear() == {"WATCHDOG": "1"}


# --- Credentials ---


def with_credential(file: str, certificate: str) -> dict:
    files = {"certificateFile": certificate, "privateKeyFile": file}
    return configuration([domain() | {"protocol": "HTTP,HTTPS", "certConfig": files}], [ECHO], https="127.0.0.1:0")


def test_a_private_key_is_read_from_the_credentials(serve, tmp_path):
    authority = Authority(tmp_path)
    authority.issue(tmp_path / "certificate.pem", tmp_path / "tls.key", "api.example.com")
    written = with_credential("${CREDENTIALS_DIRECTORY}/tls.key", str(tmp_path / "certificate.pem"))
    gateway = serve(written, env={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert tls.get(gateway, tls.context(authority), "api.example.com").status == 200


def test_without_credentials_it_is_said_what_is_missing(tmp_path):
    written = with_credential("${CREDENTIALS_DIRECTORY}/tls.key", "certificate.pem")
    (tmp_path / "c.json").write_text(json.dumps(written, indent=1))
    environment = {name: value for name, value in os.environ.items() if name != "CREDENTIALS_DIRECTORY"}
    result = subprocess.run(
        [BINARY, "check", "--config", "c.json"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30
    )
    assert result.returncode == 1
    assert "LoadCredential=" in result.stderr and "privateKeyFile" in result.stderr
