"""Requests signed with ACS3-HMAC-SHA256, by hand, so that each part can be what a test wants."""

import hashlib
import hmac
import json
import secrets
import time
from urllib.parse import quote

from support import http1
from support.gateway import Gateway

VERSION = "2023-03-30"


class Signer:
    """Signs requests to a gateway's admin listener and sends them."""

    def __init__(self, gateway: Gateway, key: dict):
        self.gateway = gateway
        self.id, self.secret = key["accessKeyId"], key["accessKeySecret"]

    @property
    def host(self) -> str:
        return f"{self.gateway.admin[0]}:{self.gateway.admin[1]}"

    def call(self, method: str, path: str, body=None, query: dict | None = None, **more) -> http1.Response:
        """Sends a signed request below `/2023-03-30`; the answer is JSON, whatever it is."""
        return self.send(self.request(method, f"/{VERSION}{path}", body, query, **more), method)

    def request(self, method: str, path: str, body=None, query: dict | None = None, **more) -> bytes:
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        pairs = [f"{quote(name, '')}={quote(value, '')}" for name, value in sorted((query or {}).items())]
        headers = {
            "host": self.host,
            "x-acs-version": VERSION,
            "x-acs-action": "Any",
            "x-acs-date": more.pop("date", None) or now(),
            "x-acs-signature-nonce": more.pop("nonce", None) or secrets.token_hex(16),
            "x-acs-content-sha256": more.pop("sha256", None) or hashlib.sha256(content).hexdigest(),
            **({"content-type": "application/json"} if content else {}),
        }
        signed = sorted(set(headers) - more.pop("unsigned", set()))
        lines = [method, path, "&".join(pairs), *(f"{name}:{headers[name]}" for name in signed), "", ";".join(signed)]
        lines.append(headers["x-acs-content-sha256"])
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256("\n".join(lines).encode()).hexdigest()
        signature = hmac.new(self.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
        credential = f"Credential={self.id},SignedHeaders={';'.join(signed)},Signature={signature}"
        headers["authorization"] = f"ACS3-HMAC-SHA256 {credential}"
        headers |= more.pop("changed", {})
        assert not more, more
        content = headers.pop("body", content)
        headers["content-length"] = str(len(content))
        target = path + ("?" + "&".join(pairs) if pairs else "")
        return http1.head(method, target, list(headers.items())) + content

    def send(self, data: bytes, method: str = "GET") -> http1.Response:
        with http1.Connection(self.gateway.admin) as connection:
            connection.send(data)
            response = connection.receive(method)
        assert response is not None
        ids = response.values("x-fc-request-id")
        assert len(ids) == 1 and response.values("x-acs-request-id") == ids
        if response.status >= 400:
            content = response.json()
            assert set(content) == {"RequestId", "Code", "Message"} and content["RequestId"] == ids[0]
        return response


def now(offset: float = 0) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))
