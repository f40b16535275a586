"""Calls claimgate's own API, `/api/v1`, with signed requests."""

import hashlib
import hmac
import json
import secrets
import time
from pathlib import Path

import httpx

SECRET = "the-secret-of-an-editor-0123456789"


def with_access_keys(configuration: dict, folder: Path) -> dict:
    """Adds a key of each role to a configuration."""
    keys = []
    for role in ("admin", "editor", "viewer"):
        (folder / role).write_text(SECRET)
        file = str(folder / role)
        keys.append({"accessKeyId": f"id-of-{role}", "accessKeySecretFile": file, "role": role, "name": role})
    configuration["admin"]["accessKeys"] = keys
    return configuration


class Api:
    """Calls `/api/v1` with signed requests."""

    def __init__(self, gateway, key_id: str = "id-of-editor", secret: str = SECRET):
        self.host, self.id, self.secret = f"{gateway.admin[0]}:{gateway.admin[1]}", key_id, secret

    def __call__(self, method: str, path: str, body=None, query: str = "", **headers) -> httpx.Response:
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = {
            "host": self.host,
            "x-acs-content-sha256": hashlib.sha256(content).hexdigest(),
            "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "x-acs-signature-nonce": secrets.token_hex(16),
        }
        named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        signed |= {name: value for name, value in named.items() if name in ("if-match", "if-none-match")}
        names = ";".join(sorted(signed))
        lines = [method, f"/api/v1{path}", query, *(f"{name}:{signed[name]}" for name in sorted(signed)), "", names]
        lines.append(signed["x-acs-content-sha256"])
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256("\n".join(lines).encode()).hexdigest()
        signature = hmac.new(self.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        authorization = f"ACS3-HMAC-SHA256 Credential={self.id},SignedHeaders={names},Signature={signature}"
        url = f"http://{self.host}/api/v1{path}" + ("?" + query if query else "")
        return httpx.request(method, url, content=content, headers={**signed, "authorization": authorization, **named})
