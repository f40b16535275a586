"""The steps of the original description, with its own script, its own words and its own names.

Everything here is written as its user writes it: the configuration as YAML text, the token from
PyJWT, the request from curl.
"""

import json
import subprocess
import sys
from textwrap import indent

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from support.tokens import key

# Step "Generate a test token", as printed; only the placeholder of the private key is filled in.
SCRIPT = '''\
import jwt
import time

private_key = """
-----BEGIN PRIVATE KEY-----
<Your X.509 PEM private key>
-----END PRIVATE KEY-----
"""

headers = {
    "alg": "RS256",
    "typ": "JWT"
}

payload = {
    "sub": "1234567890",
    "name": "John Snow",
    "iat": int(time.time()),  # Token issuance time
    "exp": int(time.time()) + 60 * 60,  # Token expires in 1 hour
}

encoded = jwt.encode(payload=payload, key=private_key.encode(), headers=headers)
print("Generated token: %s" % encoded)
'''

# The public key as in step 3: no `kid`, and the members in the order in which mkjwk.org prints them.
JWKS = """\
{
  "keys": [
    {
      "alg": "RS256",
      "e": "%(e)s",
      "kty": "RSA",
      "n": "%(n)s",
      "use": "sig"
    }
  ]
}
"""

CONFIGURATION = """\
gateway:
  http: 127.0.0.1:0
admin:
  listen: 127.0.0.1:0
functions:
  - functionName: my-function
    url: {url}
customDomains:
  - domainName: www.example.com
    protocol: HTTP
    routeConfig:
      routes:
        - {{path: /*, functionName: my-function}}
    authConfig:
      authType: jwt
      authInfo:
        jwks:
{jwks}
        tokenLookup: "header:Authentication:Bearer"
        claimPassBy: "header:name:nametofunction"
"""


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    members = key("RS256").public_jwk
    jwks = indent(JWKS % members, " " * 10)
    return serve(CONFIGURATION.format(url=recorder.url, jwks=jwks), recorder)


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    """What the description's script prints."""
    pem = key("RS256").private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    base64 = "\n".join(pem.strip().splitlines()[1:-1])
    script = tmp_path_factory.mktemp("script") / "generate_token.py"
    script.write_text(SCRIPT.replace("<Your X.509 PEM private key>", base64))
    printed = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True).stdout
    prefix, _, token = printed.strip().rpartition(" ")
    assert prefix == "Generated token:"
    return token


def curl(gateway, *arguments: str) -> tuple[int, dict | str]:
    """What a user sees who types curl: the status and the body."""
    resolve = f"www.example.com:{gateway.address[1]}:{gateway.address[0]}"
    url = f"http://www.example.com:{gateway.address[1]}/"
    command = ["curl", "-sS", "--noproxy", "*", "--resolve", resolve, "-w", "\n%{http_code}", *arguments, url]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
    body, _, status = output.rpartition("\n")
    return int(status), json.loads(body) if body.startswith("{") else body


def test_the_token_of_the_script_is_accepted_and_its_claim_forwarded(gateway, recorder, token):
    status, body = curl(gateway, "-H", f"Authentication: Bearer {token}")
    assert (status, body) == (200, "recorded\n")
    assert recorder.last.values("nametofunction") == ["John Snow"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "missing or malformed jwt"),
        ("{token}", "invalid or expired jwt"),
        ("Token {token}", "invalid or expired jwt"),
        ("Bearer{token}", "invalid or expired jwt"),
        ("Bearer not-a-token", "invalid or expired jwt"),
        ("Bearer {token}x", "invalid or expired jwt"),
    ],
)
def test_anything_else_is_refused_in_the_descriptions_words(gateway, recorder, token, value, message):
    before = len(recorder.requests)
    arguments = () if value is None else ("-H", f"Authentication: {value.format(token=token)}")
    status, body = curl(gateway, *arguments)
    assert (status, body["Message"]) == (401, message)
    assert len(recorder.requests) == before


def test_a_token_in_another_header_is_a_missing_token(gateway, token):
    response = gateway.get(host="www.example.com", token=token)
    assert (response.status, response.json()["Message"]) == (401, "missing or malformed jwt")


def test_the_original_answers_400_to_a_missing_token_and_so_does_claimgate_when_told(serve, recorder):
    members = key("RS256").public_jwk
    text = CONFIGURATION.format(url=recorder.url, jwks=indent(JWKS % members, " " * 10))
    gateway = serve(text.replace("gateway:\n", "gateway:\n  missingTokenStatus: 400\n"), recorder)
    missing = gateway.get(host="www.example.com")
    assert (missing.status, missing.json()["Message"]) == (400, "missing or malformed jwt")
    invalid = gateway.get(host="www.example.com", headers=[("Authentication", "Bearer x")])
    assert (invalid.status, invalid.json()["Message"]) == (401, "invalid or expired jwt")


@pytest.mark.parametrize("lookup", ["header:Authentication:Bearer ", "header:authentication:bearer"])
def test_spellings_of_the_token_configuration(serve, recorder, token, lookup):
    members = key("RS256").public_jwk
    text = CONFIGURATION.format(url=recorder.url, jwks=indent(JWKS % members, " " * 10))
    gateway = serve(text.replace("header:Authentication:Bearer", lookup), recorder)
    response = gateway.get(host="www.example.com", headers=[("Authentication", f"Bearer {token}")])
    assert response.status == 200


def test_auth_info_may_be_the_json_string_that_the_api_carries(serve, recorder, token):
    auth_info = {
        "jwks": {"keys": [key("RS256").public_jwk]},
        "tokenLookup": "header:Authentication:Bearer ",
        "claimPassBy": "header:name:nametofunction",
    }
    text = CONFIGURATION.format(url=recorder.url, jwks="")
    start = text.index("      authInfo:")
    gateway = serve(text[:start] + "      authInfo: " + json.dumps(json.dumps(auth_info)) + "\n", recorder)
    response = gateway.get(host="www.example.com", headers=[("Authentication", f"Bearer {token}")])
    assert response.status == 200
    assert response.seen.values("nametofunction") == ["John Snow"]
