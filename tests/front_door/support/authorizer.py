"""`claimgate authorizer` as a process, and a client for it that keeps every secret in mind."""

import functools
import json
import re
import time
from pathlib import Path

import httpx
import jwt

from support.command import claimgate, good
from support.gateway import Process

#: Parameters that make a login cheap; the tests are not about how long Argon2 takes.
CHEAP = ("--memory-kib", "64", "--iterations", "1")


@functools.cache
def password_hash(password: str, *options: str) -> str:
    """A password's hash, made once per run."""
    return good("authorizer", "hash", *(options or CHEAP), stdin=password).strip()


def user(username: str, password: str = "winter is coming", **fields) -> dict:
    return {"username": username, "passwordHash": password_hash(password), **fields}


SNOW = user("snow", name="John Snow", roles=["ranger", "steward"], age=17, admin=False)


class Authorizer(Process):
    """An authorizer whose log, at its most talkative, must hold no secret of the test."""

    def __init__(self, folder: Path, users: list[dict] | dict = (SNOW,), **configuration):
        self.folder = folder
        self.secrets: set[str] = set()
        self.file = folder / "authorizer.yaml"
        self.configuration = {
            "listen": "127.0.0.1:0",
            "admin": {"listen": "127.0.0.1:0"},
            "issuer": "http://login.localhost/auth",
            "keys": {"folder": "keys", "algorithm": "EdDSA"},
            "users": users if isinstance(users, dict) else {"file": "users.yaml"},
            **configuration,
        }
        self.keys = folder / self.configuration["keys"]["folder"]
        if not isinstance(users, dict):
            self.write_users(users)
        self.file.write_text(json.dumps(self.configuration, indent=1))
        arguments = ["authorizer", "--config", str(self.file), "--log-format", "json"]
        super().__init__(*arguments, env={"CLAIMGATE_LOG": "trace"})
        try:
            self.scheme = "https" if "tls" in self.configuration else "http"
            self.port = self._listening(self.scheme)
            self.admin_port = self._listening("admin")
        except BaseException:
            self.process.kill()
            raise

    def _listening(self, listener: str) -> int:
        line = self.wait_for_log(
            lambda line: line.get("message") == "listening" and line.get("listener") == listener
        )
        return int(line["address"].rpartition(":")[2])

    def write_users(self, users: list[dict] | str):
        """Replaces the file of the users as an editor does: in one step."""
        if not isinstance(users, str):
            self.secrets |= {user["passwordHash"] for user in users if isinstance(user.get("passwordHash"), str)}
            users = json.dumps({"users": list(users)}, indent=1)
        new = self.folder / "users.new"
        new.write_text(users)
        new.replace(self.folder / "users.yaml")

    @staticmethod
    def wait_until(holds, timeout: float = 60):
        """Waits until `holds()`, which is asked again and again."""
        end = time.monotonic() + timeout
        while not (found := holds()):
            assert time.monotonic() < end, "it did not come to pass"
            time.sleep(0.02)
        return found

    def url(self, path: str = "") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def post(self, path: str = "/token", **more) -> httpx.Response:
        return httpx.post(self.url(path), timeout=60, trust_env=False, **more)

    def get(self, path: str, **more) -> httpx.Response:
        return httpx.get(self.url(path), timeout=20, trust_env=False, **more)

    def log_in(self, username: str = "snow", password: str = "winter is coming", **more) -> httpx.Response:
        """A login; whatever was typed is a secret from now on, but the names of users who exist."""
        self.secrets.add(password)
        response = self.post(data={"grant_type": "password", "username": username, "password": password}, **more)
        if response.status_code == 200:
            self.secrets.add(response.json()["access_token"])
        return response

    def token(self, *arguments, **more) -> str:
        response = self.log_in(*arguments, **more)
        assert response.status_code == 200, response.text
        return response.json()["access_token"]

    def jwks(self) -> dict:
        return self.get("/.well-known/jwks.json").json()

    def key_ids(self) -> list[str]:
        return [key["kid"] for key in self.jwks()["keys"]]

    def claims(self, token: str, **more) -> dict:
        """The claims of a token, verified by PyJWT with the keys that are published."""
        key = jwt.PyJWKClient(self.url("/.well-known/jwks.json")).get_signing_key_from_jwt(token)
        algorithms = ["RS256", "PS384", "ES256", "ES512", "EdDSA"]
        return jwt.decode(token, key, algorithms=algorithms, issuer=self.configuration["issuer"], **more)

    def metrics(self) -> dict[str, float]:
        text = httpx.get(f"http://127.0.0.1:{self.admin_port}/metrics", trust_env=False).text
        return {name: float(value) for name, value in re.findall(r"^([a-z_]\S*) (\S+)$", text, re.MULTILINE)}

    def argon2_runs(self) -> int:
        return int(self.metrics()["claimgate_authorizer_argon2_runs_total"])

    def rotate(self, *options: str):
        return claimgate("authorizer", "rotate", "--config", self.file, *options)

    def private_members(self) -> set[str]:
        files = self.keys.glob("*.jwk.json")
        keys = [json.loads(file.read_text()) for file in files]
        return {key[member] for key in keys for member in ("d", "p", "q", "dp", "dq", "qi") if member in key}

    def stop(self) -> int:
        self.secrets |= self.private_members()
        code = super().stop()
        text = "".join(self.lines)
        assert "panicked" not in text, text
        for secret in self.secrets:
            # Very short ones would be found by chance.
            assert len(secret) < 5 or secret not in text, f"{secret} is in the log"
        for line in self.lines:
            assert isinstance(json.loads(line), dict)
        return code
