"""The `claimgate` binary as a process, and a client for it that checks every answer."""

import atexit
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from support import http1
from support.recorder import Recorder

REPOSITORY = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("CLAIMGATE") or REPOSITORY / "target/debug/claimgate").absolute()

PUBLIC_MESSAGES = ("missing or malformed jwt", "invalid or expired jwt")
#: Answers to requests that must not have reached a function.
UNFORWARDED = {400, 401, 403, 404, 405, 408, 413, 414, 415, 421, 431}
ANY_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.")


class Process:
    """A running `claimgate` command whose log lines are read as they come."""

    binary = BINARY

    def __init__(
        self,
        *arguments: str,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        launcher: Sequence[str] = (),
    ):
        self.lines: list[str] = []
        self.output: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [*launcher, str(self.binary), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=cwd,
            env={**os.environ, **(env or {})},
            pass_fds=pass_fds,
        )
        atexit.register(self.process.kill)  # Nothing is left running, whatever becomes of the tests.
        self._ended = 0
        streams = [(self.process.stderr, self.lines), (self.process.stdout, self.output)]
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in streams]
        for reader in self._readers:
            reader.start()

    def _read(self, stream, lines: list[str]):
        for line in stream:
            with self._changed:
                lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    @property
    def log(self) -> list[dict]:
        """The log lines so far; a configuration that is refused at the start is explained in plain text."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def wait_for_log(self, wanted, start: int = 0, timeout: float = 60) -> dict:
        """The first log line from `start` on for which `wanted(line)` holds."""
        return self.wait_for(lambda: next((line for line in self.log[start:] if wanted(line)), None), timeout)

    def wait_for(self, look, timeout: float = 60):
        """What `look()` finds in the lines, asked again with each new line until it finds something."""
        with self._changed:
            self._changed.wait_for(lambda: look() or self._ended == len(self._readers), timeout)
            found = look()
        assert found, "not found in:\n" + "".join(self.output) + "".join(self.lines)
        return found

    @staticmethod
    def poll(look, timeout: float = 60):
        """What `look()` finds, asked again and again until it finds something."""
        end = time.monotonic() + timeout
        while not (found := look()):
            assert time.monotonic() < end, "it did not come to pass"
            time.sleep(0.02)
        return found

    def stop(self) -> int:
        """Stops the process as an operator does and gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            for reader in self._readers:
                reader.join(5)


class Gateway(Process):
    """`claimgate serve` with a configuration, and a recorder behind it."""

    def __init__(self, folder: Path, configuration: dict | str, recorder: Recorder | None = None, **process):
        self.file = folder / "claimgate.yaml"
        self.write(configuration)
        super().__init__("serve", "--config", str(self.file), cwd=folder, **process)
        self.recorder = recorder
        try:
            self.address = self._listening("http")
            self.admin = self._listening("admin")
        except BaseException:
            self.process.kill()
            raise

    def write(self, configuration: dict | str):
        """Replaces the configuration file as an editor does: in one step."""
        text = configuration if isinstance(configuration, str) else json.dumps(configuration, indent=1)
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.replace(self.file)

    def _listening(self, listener: str) -> tuple[str, int]:
        line = self.wait_for_log(
            lambda line: line.get("message") == "listening" and line.get("listener") == listener
        )
        host, _, port = line["address"].rpartition(":")
        return host, int(port)

    @property
    def https(self) -> tuple[str, int]:
        """The address of the listener for HTTPS."""
        return self._listening("https")

    def url(self, path: str = "") -> str:
        return f"http://{self.address[0]}:{self.address[1]}{path}"

    def connect(self) -> http1.Connection:
        return http1.Connection(self.address)

    def get(self, target: str = "/", **more) -> http1.Response:
        return self.request("GET", target, **more)

    def post(self, target: str = "/", **more) -> http1.Response:
        return self.request("POST", target, **more)

    def request(
        self,
        method: str,
        target: str,
        *,
        host: str = "api.example.com",
        token: str | None = None,
        headers: list[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> http1.Response:
        """Sends one request; `token` goes where most tests have it: `Authorization: Bearer`."""
        lines = [("Host", host)]
        if token is not None:
            lines.append(("Authorization", f"Bearer {token}"))
        lines += headers
        names = {name.lower() for name, _ in headers}
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            lines.append(("Content-Length", str(len(body))))
        response = self.raw(http1.head(method, target, lines) + (body or b""), method)
        assert response is not None, "the gateway closed the connection without an answer"
        return response

    def raw(self, data: bytes, method: str = "GET") -> http1.Response | None:
        """Sends bytes on a connection of their own and checks the first answer."""
        before = self.reached()
        with self.connect() as connection:
            try:
                connection.send(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # A gateway may answer and close before it has read everything.
            response = connection.receive(method)
        if response is not None:
            self.check(response, before, method)
        return response

    def memory(self) -> int:
        """What the process holds in memory, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def reached(self) -> int:
        return len(self.recorder.requests) if self.recorder else 0

    def check(self, response: http1.Response, before: int, method: str = "GET"):
        """What holds of every answer, wherever a test meets it."""
        if (number := response.header("x-recorded")) is not None:
            response.seen = self.recorder.requests[int(number)]
            return
        if response.status in UNFORWARDED:
            # By its id, as what an earlier test has sent may be recorded late.
            number = response.header("x-fc-request-id")
            recorded = self.recorder.requests[before:] if self.recorder else []
            its = [one for one in recorded if number is None or one.values("x-fc-request-id") in ([], [number])]
            assert not its, f"{response.status}, yet the function was contacted"
        if response.status >= 400 and method != "HEAD":
            check_own_answer(response)

    def access_line(self, response: http1.Response) -> dict:
        """The log line of a request that was answered."""
        wanted = response.header("x-fc-request-id")
        return self.wait_for_log(
            lambda line: line.get("message") == "request" and line.get("request_id") == wanted
        )

    def stop(self) -> int:
        code = super().stop()
        text = "".join(self.lines)
        assert "panicked" not in text, text
        assert not ANY_TOKEN.search(text), "a token is in the log"
        for line in self.lines:
            assert isinstance(json.loads(line), dict)
        return code


def check_own_answer(response: http1.Response):
    """The shape of every answer that claimgate makes itself."""
    content = response.json()
    assert set(content) == {"RequestId", "Code", "Message"}, content
    assert all(isinstance(value, str) and value for value in content.values()), content
    assert response.values("x-fc-request-id") == [content["RequestId"]]
    assert response.header("content-type").split(";")[0] == "application/json"
    if response.status == 401:
        assert response.header("www-authenticate").startswith("Bearer")
        assert content["Message"] in PUBLIC_MESSAGES
        check_no_reason(response)


def check_no_reason(response: http1.Response):
    """The reason of a refusal is for the operator, never for the client."""
    reasons = (
        "signature", "algorithm", "alg", "kid", "issuer", "audience", "claim", "prefix", "ambiguous",
        "unsupported", "unknown", "duplicate", "crit", "base64", "json", "expiry", "not_yet", "nbf", "exp_",
    )
    content = response.json()
    challenge = re.sub(r'realm="[^"]*"', "", response.header("www-authenticate"))
    said = (content["Code"] + challenge.replace(content["Message"], "")).lower()
    said = said.replace("invalid_token", "").replace("invalid_request", "")
    assert not [word for word in reasons if word in said], said
