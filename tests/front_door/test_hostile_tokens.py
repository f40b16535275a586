"""Tokens that must be refused, and the odd ones that must not. Each case is named after the attack."""

import re
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from support.configuration import configuration, domain, function, jwt
from support.http1 import head
from support.tokens import Key, b64u, compact_json, in_an_hour, jwks, key, signature

RSA, EC, ED, HS = key("RS256", "rsa"), key("ES256", "ec"), key("EdDSA", "ed"), key("HS256", "hs")
EC384, EC521 = key("ES384", "ec384"), key("ES512", "ec521")
SINGLE = key("ES256")  # no kid, alone in its set
OTHER = Key("ES256", "ec")  # an attacker's, with a kid that is configured
KEYS = [RSA, EC, ED, HS, EC384, EC521]
NOW = int(time.time())


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    def auth(keys, **more):
        return jwt(jwks(*keys), claim_pass_by="header:sub:x-sub", **more)

    no_alg = {**EC.public_jwk}
    del no_alg["alg"]
    domains = [
        domain("api.example.com", auth=auth(KEYS)),
        domain("single.example.com", auth=auth([SINGLE])),
        domain("one-kid.example.com", auth=auth([EC])),
        domain("mixed.example.com", auth=auth([SINGLE, RSA])),
        domain("no-alg.example.com", auth=jwt({"keys": [no_alg]}, claim_pass_by="header:sub:x-sub")),
        domain("leeway.example.com", auth=auth([SINGLE], leewaySeconds=300)),
        domain("who.example.com", auth=auth([SINGLE], issuers=["https://a", "b"], audiences=["x", "y"])),
    ]
    return serve(configuration(domains, [function(recorder.url)]), recorder)


def unsigned(header: dict, claims: dict | None = None) -> str:
    return b64u(compact_json(header)) + "." + b64u(compact_json(claims or {"exp": in_an_hour()}))


def public_pem(private) -> bytes:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hmac_token(secret: bytes, **header) -> str:
    signing_input = unsigned({"alg": "HS256", **header})
    return f"{signing_input}.{b64u(signature(secret, 'HS256', signing_input.encode()))}"


def with_signature(signer: Key, raw: bytes) -> str:
    return signer.token().rpartition(".")[0] + "." + b64u(raw)


def der_signature() -> str:
    signing_input, _, _ = EC.token().rpartition(".")
    raw = EC.sign(signing_input.encode())
    r, s = (int.from_bytes(part, "big") for part in (raw[:32], raw[32:]))
    return f"{signing_input}.{b64u(utils.encode_dss_signature(r, s))}"


def ed_signature(change) -> str:
    signing_input, _, _ = ED.token().rpartition(".")
    return f"{signing_input}.{b64u(change(ED.sign(signing_input.encode())))}"


def plus_order(raw: bytes) -> bytes:
    """The same signature with S + L, which RFC 8032 section 5.1.7 refuses."""
    order = 2**252 + 27742317777372353535851937790883648493
    return raw[:32] + (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")


def claims(**members) -> str:
    return EC.token(members)


def raw_claims(text: str | bytes) -> str:
    return EC.token(text)


def raw_header(text: str) -> str:
    return EC.token({"sub": "x"}, header=text.encode())


def as_alg(signer: Key, alg: str) -> str:
    """A good token of the key, but for an algorithm that is not the key's."""
    signing_input, _, _ = signer.token(header={"alg": alg}).rpartition(".")
    return f"{signing_input}.{b64u(signature(signer.private, alg, signing_input.encode()))}"


def with_trailing_bit(text: str) -> str:
    """The same bytes in base64url that is not canonical: the last character's unused bits are not zero."""
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) | 1]


def segments(change) -> str:
    """A good token whose segments were changed, and signed again where the change is before the signature."""
    header, payload, _ = EC.token({"sub": "x"}).split(".")
    return EC.seal(*change(header, payload))


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
STANDARD = str.maketrans("-_", "+/")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

REFUSED = {
    # No signature, or another algorithm than the key's
    **{f"alg {alg!r}": unsigned({"alg": alg, "kid": "ec"}) + "." for alg in ["none", "None", "NONE", "nOnE", ""]},
    "none with a good signature": EC.token(header={"alg": "none"}),
    "none without kid": unsigned({"alg": "none"}) + ".",
    "two segments": unsigned({"alg": "ES256", "kid": "ec"}),
    "two segments, none": unsigned({"alg": "none"}),
    "an empty signature": unsigned({"alg": "ES256", "kid": "ec"}) + ".",
    "an empty HMAC signature": unsigned({"alg": "HS256", "kid": "hs"}) + ".",
    "no alg": raw_header('{"kid":"ec"}'),
    **{f"alg {alg!r} ": EC.token(header={"alg": alg}) for alg in ["es256", " ES256", "ES256 ", "ES256\x00", "ES256K"]},
    **{f"alg as {value!r}": EC.token(header={"alg": value}) for value in [None, 1, True, ["ES256"], {"a": "ES256"}]},
    "RS512 with a key for RS256": as_alg(RSA, "RS512"),
    "PS256 with a key for RS256": as_alg(RSA, "PS256"),
    "HS384 with a secret for HS256": as_alg(HS, "HS384"),
    # A public key as HMAC secret
    "confusion: PEM of the RSA key": hmac_token(public_pem(RSA.private), kid="rsa"),
    "confusion: PEM without its last newline": hmac_token(public_pem(RSA.private).strip(), kid="rsa"),
    "confusion: PEM of the EC key": hmac_token(public_pem(EC.private), kid="ec"),
    "confusion: JWK as JSON": hmac_token(compact_json(EC.public_jwk), kid="ec"),
    "confusion: modulus": hmac_token(RSA.public_jwk["n"].encode(), kid="rsa"),
    "confusion: raw Ed25519 key": hmac_token(
        ED.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), kid="ed"
    ),
    "an empty secret": hmac_token(b"", kid="hs"),
    # Signatures
    "ECDSA: r = s = 0 (CVE-2022-21449)": with_signature(EC, bytes(64)),
    "ECDSA: the DER of zeros": EC.token().rpartition(".")[0] + ".MAYCAQACAQA",
    "ECDSA: r = s = order": with_signature(EC, P256_ORDER.to_bytes(32, "big") * 2),
    "ECDSA: all bits set": with_signature(EC, b"\xff" * 64),
    "ECDSA: r = 1, s = 1": with_signature(EC, (bytes(31) + b"\x01") * 2),
    "ECDSA: DER": der_signature(),
    "ECDSA: a byte short": with_signature(EC, EC.sign(b"x")[:-1]),
    "ECDSA: a byte more": EC.token() + "AA",
    "ECDSA: a zero in front": with_signature(EC, b"\x00" + EC.sign(b"x")),
    "ES256 by a P-384 key": as_alg(EC384, "ES256"),
    "ES384 by a P-521 key": as_alg(EC521, "ES384"),
    "EdDSA: S not reduced": ed_signature(plus_order),
    "EdDSA: 63 bytes": ed_signature(lambda raw: raw[:-1]),
    "EdDSA: 65 bytes": ed_signature(lambda raw: raw + b"\x00"),
    "EdDSA: 32 bytes": ed_signature(lambda raw: raw[:32]),
    "EdDSA: zeros": ed_signature(lambda raw: bytes(64)),
    "EdDSA: R = identity, S = 0": ed_signature(lambda raw: b"\x01" + bytes(63)),
    "RSA: zero": with_signature(RSA, bytes(256)),
    "RSA: one": with_signature(RSA, bytes(255) + b"\x01"),
    "RSA: a zero in front": with_signature(RSA, b"\x00" + RSA.sign(RSA.token().rpartition(".")[0].encode())),
    "RSA: signature of another token": with_signature(RSA, RSA.sign(b"x")),
    # Keys that the token brings along, and names for keys
    "jwk in the header (CVE-2018-0114)": OTHER.token(header={"jwk": OTHER.public_jwk}),
    "jwk in the header, unknown kid": OTHER.token(header={"kid": "mine", "jwk": OTHER.public_jwk}),
    "jku in the header": OTHER.token(header={"jku": "http://127.0.0.1:1/jwks.json"}),
    "x5u in the header": OTHER.token(header={"x5u": "http://127.0.0.1:1/cert.pem"}),
    "x5c in the header": OTHER.token(header={"x5c": ["MIIB"]}),
    "a foreign key": OTHER.token(),
    "unknown kid": EC.token(header={"kid": "nobody"}),
    "kid in another case": EC.token(header={"kid": "EC"}),
    "kid with a NUL": EC.token(header={"kid": "ec\x00"}),
    "kid as a path": EC.token(header={"kid": "../../../../dev/null"}),
    "kid as SQL": EC.token(header={"kid": "ec' UNION SELECT 'AA"}),
    "kid of 10 KB": EC.token(header={"kid": "k" * 10_000}),
    **{f"kid as {value!r}": EC.token(header={"kid": value}) for value in [1, None, True, ["ec"], {}]},
    "the kid of another key": EC.token(header={"kid": "ec384"}),
    "no kid, and no key without one": EC.token(header=b'{"alg":"ES256"}'),
    "empty kid, and no key without one": EC.token(header={"kid": ""}),
    # Extensions
    "crit: unknown (RFC 7515 section 4.1.11)": EC.token(header={"crit": ["x"], "x": 1}),
    "crit: empty": EC.token(header={"crit": []}),
    "crit: alg": EC.token(header={"crit": ["alg"]}),
    "crit: exp": EC.token(header={"crit": ["exp"], "exp": in_an_hour()}),
    "crit: twice the same": EC.token(header={"crit": ["x", "x"], "x": 1}),
    **{f"crit as {value!r}": EC.token(header={"crit": value}) for value in ["b64", None, {}, 1, [1], False]},
    "b64: false in crit (RFC 7797)": EC.token(header={"crit": ["b64"], "b64": False}),
    "b64: true in crit": EC.token(header={"crit": ["b64"], "b64": True}),
    "b64: false": EC.token(header={"b64": False}),
    # Base64url
    "padded signature": EC.token() + "==",
    "padded header": segments(lambda h, p: (h + "=" * (-len(h) % 4 or 4), p)),
    "padded payload": segments(lambda h, p: (h, p + "=" * (-len(p) % 4 or 4))),
    "= inside": segments(lambda h, p: (h, p[:4] + "=" + p[4:])),
    "+ and / instead of - and _": segments(lambda h, _: (h, b64u(b'{"sub":"x","a":">>>???"}').translate(STANDARD))),
    "standard alphabet in the signature": EC.token().rpartition(".")[0] + "." + "+" * 43 + "/" * 43,
    "a length of 1 modulo 4": segments(lambda h, p: (h, p + "A" * ((1 - len(p)) % 4))),
    "trailing bits set": segments(lambda h, _: (h, with_trailing_bit(b64u(b'{"sub":"x"}')))),
    "trailing bits of the signature": with_trailing_bit(EC.token()),
    "an empty header": segments(lambda h, p: ("", p)),
    "an empty payload": segments(lambda h, p: (h, "")),
    "a space inside": segments(lambda h, p: (h, p[:4] + " " + p[4:])),
    "two tokens with a space": EC.token() + " " + EC.token(),
    "two tokens with a comma": EC.token() + "," + EC.token(),
    "a tab inside": segments(lambda h, p: (h, p[:4] + "\t" + p[4:])),
    "not ASCII": segments(lambda h, p: (h, p[:4] + "é" + p[4:])),
    "percent-encoded": EC.token().replace(".", "%2E"),
    "quoted": f'"{EC.token()}"',
    "nothing but dots": "..",
    "four dots": "....",
    "one word": "token",
    "a fourth segment": EC.token() + ".AA",
    "a dot more": EC.token() + ".",
    "a dot in front": "." + EC.token(),
    # JSON
    "header: no object": raw_header('["ES256"]'),
    "header: null": raw_header("null"),
    "header: alg twice": raw_header('{"alg":"none","alg":"ES256","kid":"ec"}'),
    "header: kid twice": raw_header('{"alg":"ES256","kid":"x","kid":"ec"}'),
    "header: kid twice, once escaped": raw_header('{"alg":"ES256","\\u006bid":"x","kid":"ec"}'),
    "header: a comment": raw_header('{"alg":"ES256","kid":"ec"}//'),
    "header: more behind it": raw_header('{"alg":"ES256","kid":"ec"}{}'),
    "header: BOM": raw_header('\ufeff{"alg":"ES256","kid":"ec"}'),
    "header: nested twice": raw_header('{"alg":"ES256","kid":"ec","x":{"a":1,"a":2}}'),
    "payload: array": raw_claims("[]"),
    "payload: string": raw_claims('"x"'),
    "payload: null": raw_claims("null"),
    "payload: no JSON": raw_claims("sub=x"),
    "payload: BOM": raw_claims('\ufeff{"sub":"x"}'),
    "payload: not UTF-8": raw_claims(b'{"sub":"\xff\xfe"}'),
    "payload: overlong UTF-8": raw_claims(b'{"sub":"\xc0\xaf"}'),
    "payload: UTF-16": raw_claims('{"sub":"x"}'.encode("utf-16-le")),
    "payload: lone surrogate": raw_claims('{"sub":"\\ud800"}'),
    "payload: NaN": raw_claims('{"x":NaN}'),
    "payload: Infinity": raw_claims('{"x":Infinity}'),
    "payload: leading zero": raw_claims('{"x":01}'),
    "payload: trailing comma": raw_claims('{"sub":"x",}'),
    "payload: single quotes": raw_claims("{'sub':'x'}"),
    "payload: raw control character": raw_claims('{"sub":"a\nb"}'),
    "payload: more behind it": raw_claims('{"sub":"x"} x'),
    "payload: NUL behind it": raw_claims('{"sub":"x"}\x00'),
    "payload: sub twice": raw_claims('{"sub":"x","sub":"y"}'),
    "payload: exp twice": raw_claims('{"exp":1,"exp":%d}' % in_an_hour()),
    "payload: twice, once escaped": raw_claims('{"sub":"x","\\u0073ub":"y"}'),
    "payload: twice in a nested object": raw_claims('{"a":[{"b":1,"b":1}]}'),
    "payload: nested too deep": raw_claims('{"a":' + "[" * 200 + "]" * 200 + "}"),
    "payload: nested far too deep": raw_claims("[" * 5000 + "]" * 5000),
    "a JWT inside (cty)": EC.token(EC.token().encode()),
    # Other serializations
    "JWE: five segments": unsigned({"alg": "dir", "enc": "A128GCM", "kid": "hs"}) + ".AAAA.AAAA",
    "JWE: zip bomb header": unsigned({"alg": "dir", "enc": "A128GCM", "zip": "DEF"}) + ".AAAA.AAAA",
    "JWE: PBES2": unsigned({"alg": "PBES2-HS256+A128KW", "p2c": 2**31, "p2s": "AA", "enc": "A128GCM"}) + ".AAAA.AAAA",
    "flattened JSON": compact_json(
        dict(zip(("protected", "payload", "signature"), EC.token().split("."), strict=True))
    ).decode(),
    "general JSON": '{"payload":"e30","signatures":[]}',
    # Times (NumericDate, RFC 7519 section 2)
    "exp: past": claims(exp=NOW - 1),
    "exp: now": claims(exp=NOW),
    "exp: a fraction of a second ago": claims(exp=NOW - 0.5),
    "exp: zero": claims(exp=0),
    "exp: negative": claims(exp=-1),
    "nbf: in an hour": claims(nbf=in_an_hour()),
    "nbf: after exp": claims(exp=in_an_hour() + 60, nbf=in_an_hour()),
    **{
        f"{name} as {value}": raw_claims(f'{{"exp":{in_an_hour()},"{name}":{value}}}')
        for name in ["nbf", "iat"]
        for value in ['"0"', "null", "true", "[0]", "{}", "1e400", "-1e400", "1e19", "1e50"]
    },
    **{
        f"exp as {value}": raw_claims(f'{{"exp":{value}}}')
        for value in ['"4100000000"', "null", "true", "[4100000000]", "{}", "1e400", "1e19", "1e309", '""']
    },
    "exp of 50 digits": raw_claims('{"exp":%d}' % 10**50),
    # Size
    "longer than the limit": EC.token({"pad": "x" * 16_384}),
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED.keys())
def test_refused(gateway, token):
    response = gateway.get(token=token)
    assert response.status == 401
    assert response.json()["Message"] == "invalid or expired jwt"
    line = gateway.access_line(response)
    assert (line["outcome"], line["status"]) == ("refused", 401)
    assert re.fullmatch("[a-z0-9_]+", line["reason"]) and line["reason"] != "missing_token"


ACCEPTED = {
    "no times at all": raw_claims('{"sub":"x"}'),
    "white space": raw_claims(' {\t"sub" :\r\n"x" } '),
    "white space in the header": raw_header('{ "alg" : "ES256",\n"kid":"ec" }'),
    "escapes": raw_claims('{"\\u0073ub":"\\u0078"}'),
    "exp with a fraction": raw_claims('{"sub":"x","exp":%d.5}' % in_an_hour()),
    "exp with an exponent": raw_claims('{"sub":"x","exp":4.1e9}'),
    "nbf: now": claims(sub="x", nbf=NOW),
    "nbf: a fraction ago": claims(sub="x", nbf=NOW - 0.5),
    "nbf: zero": claims(sub="x", nbf=0),
    "iat: a minute ahead is another clock": claims(sub="x", iat=NOW + 60),
    "typ: anything": EC.token({"sub": "x"}, header={"typ": "at+jwt"}),
    "an unknown header parameter": EC.token({"sub": "x"}, header={"x": [1, {"y": None}]}),
    "a jwk in the header of a good token": EC.token({"sub": "x"}, header={"jwk": OTHER.public_jwk}),
    "an x5t in the header": EC.token({"sub": "x"}, header={"x5t": "AA"}),
    "a non-ASCII claim": raw_claims('{"sub":"x","name":"Jón Snær 雪"}'),
    "nested a little": raw_claims('{"sub":"x","a":' + "[" * 100 + "]" * 100 + "}"),
    "many members": EC.token({"sub": "x", **{f"m{n}": n for n in range(800)}}),
    "unknown claims": claims(sub="x", roles=["a"], address={"city": "Reykjavík"}),
}


@pytest.mark.parametrize("token", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(gateway, token):
    response = gateway.get(token=token)
    assert response.status == 200
    assert response.seen.values("x-sub") == ["x"]


@pytest.mark.parametrize(("length", "status"), [(16_384, 200), (16_385, 401)])
def test_a_token_of_16_kib_passes_and_no_longer_one(gateway, length, status):
    token = _token_of_length(length)
    assert len(token) == length
    assert gateway.get(token=token).status == status


def _token_of_length(length: int) -> str:
    """White space in the payload fills it up in steps of 4/3 bytes; one in the header does the rest."""
    for spaces in range(4):
        header = b'{"alg":"ES256","kid":"ec"' + b" " * spaces + b"}"
        rest = length - len(b64u(header)) - 86 - 2
        payload = b'{"sub":"x"' + b" " * (rest * 3 // 4 - 11) + b"}"
        if len(b64u(payload)) == rest:
            return EC.token(payload, header)
    raise AssertionError(length)


# Which key a token gets: host, token, status
KEY_CHOICE = {
    "no kid, one key without": ("single", SINGLE.token(), 200),
    "empty kid, one key without": ("single", SINGLE.token(header={"kid": ""}), 200),
    "a kid, but the only key has none": ("single", SINGLE.token(header={"kid": "x"}), 401),
    "no kid, one key with a kid": ("one-kid", EC.token(header=b'{"alg":"ES256"}'), 200),
    "the kid of the only key": ("one-kid", EC.token(), 200),
    "another kid than the only key's": ("one-kid", EC.token(header={"kid": "x"}), 401),
    "no kid, a key without among several": ("mixed", SINGLE.token(), 200),
    "no kid, signed by the key with a kid": ("mixed", RSA.token(header=b'{"alg":"RS256"}'), 401),
    "a key's kid": ("mixed", RSA.token(), 200),
    "a JWK without alg takes its curve's": ("no-alg", EC.token(), 200),
    "a JWK without alg and another curve's alg": ("no-alg", EC.token(header={"alg": "ES384"}), 401),
    "a JWK without alg as HMAC secret": ("no-alg", hmac_token(compact_json(EC.public_jwk), kid="ec"), 401),
    "a key of another domain": ("single", EC.token(), 401),
}


@pytest.mark.parametrize(("host", "token", "status"), KEY_CHOICE.values(), ids=KEY_CHOICE.keys())
def test_choice_of_the_key(gateway, host, token, status):
    assert gateway.get(host=f"{host}.example.com", token=token).status == status


def test_a_token_of_one_domain_is_none_of_another_even_when_just_accepted(gateway):
    token = SINGLE.token()
    assert gateway.get(host="single.example.com", token=token).status == 200
    assert gateway.get(host="one-kid.example.com", token=token).status == 401
    assert gateway.get(host="single.example.com", token=token).status == 200


# With 300 seconds of leeway: seconds from now for each time, and the status. The clock goes on while
# the tests run, which only ever makes tokens older.
LEEWAY = {
    "exp: ahead": ({"exp": 60}, 200),
    "exp: past, within the leeway": ({"exp": -200}, 200),
    "exp: past by the leeway": ({"exp": -300}, 401),
    "nbf: ahead by the leeway": ({"nbf": 300}, 200),
    "nbf: ahead by more": ({"nbf": 400}, 401),
}


@pytest.mark.parametrize(("times", "status"), LEEWAY.values(), ids=LEEWAY.keys())
def test_leeway(gateway, times, status):
    members = {name: int(time.time()) + seconds for name, seconds in times.items()}
    assert gateway.get(host="leeway.example.com", token=SINGLE.token(members)).status == status


ISSUER_AND_AUDIENCE = {
    "both fit": ({"iss": "b", "aud": "x"}, 200),
    "one audience of several fits": ({"iss": "https://a", "aud": ["q", "y"]}, 200),
    "no issuer": ({"aud": "x"}, 401),
    "no audience": ({"iss": "b"}, 401),
    "another issuer": ({"iss": "https://a/", "aud": "x"}, 401),
    "an issuer in another case": ({"iss": "B", "aud": "x"}, 401),
    "issuer as array": ({"iss": ["b"], "aud": "x"}, 401),
    "another audience": ({"iss": "b", "aud": "xy"}, 401),
    "empty audience": ({"iss": "b", "aud": []}, 401),
    "audience with a number": ({"iss": "b", "aud": ["x", 1]}, 401),
    "audience as object": ({"iss": "b", "aud": {"x": 1}}, 401),
    "null": ({"iss": None, "aud": None}, 401),
}


@pytest.mark.parametrize(("members", "status"), ISSUER_AND_AUDIENCE.values(), ids=ISSUER_AND_AUDIENCE.keys())
def test_issuers_and_audiences(gateway, members, status):
    assert gateway.get(host="who.example.com", token=SINGLE.token(members)).status == status


def test_a_token_with_a_nul_is_no_header_value(gateway):
    with gateway.connect() as connection:
        connection.send(head("GET", "/", [("Host", "api.example.com"), ("Authorization", f"Bearer {EC.token()}\x00")]))
        assert connection.receive().status == 400
