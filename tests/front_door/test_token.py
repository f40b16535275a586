"""`claimgate token`: signs and verifies with PyJWT and the npm package `jose` on the other side."""

import json
import re
import subprocess
import time
from pathlib import Path

import jwt
import pytest

from support.command import check_refusal, claimgate, good
from support.configuration import configuration, domain, function
from support.configuration import jwt as auth_info
from support.gateway import BINARY
from support.issuers import ALGORITHMS, issuer
from support.openssl import KINDS, forms, openssl, private_pem
from support.tokens import b64u, b64u_decode, compact_json, key


def now() -> int:
    return int(time.time())


class Keys:
    """What `claimgate jwk generate` writes for an algorithm."""

    def __init__(self, folder: Path, alg: str):
        good("jwk", "generate", "--alg", alg, "--out", folder)
        self.alg, self.folder = alg, folder
        self.jwks_file, self.jwk_file = folder / "jwks.json", folder / "private.jwk.json"
        self.jwks = json.loads(self.jwks_file.read_text())
        self.private_jwk = json.loads(self.jwk_file.read_text())
        self.kid = self.private_jwk.get("kid")

    def pem(self, name: str) -> str | None:
        file = self.folder / f"{name}.pem"
        return file.read_text() if file.exists() else None

    def sign(self, *options) -> str:
        return good("token", "sign", "--key", self.jwk_file, *options).removesuffix("\n")

    def verify(self, token: str, *options):
        return claimgate("token", "verify", "--jwks", self.jwks_file, *options, token)


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> dict[str, Keys]:
    folder = tmp_path_factory.mktemp("keys")
    return {alg: Keys(folder / alg, alg) for alg in ALGORITHMS}


def put_together(header: bytes, payload: str | bytes, signature: str = "AAAA") -> str:
    """A token of a header as it is, and a payload as it is or encoded already."""
    return ".".join([b64u(header), b64u(payload) if isinstance(payload, bytes) else payload, signature])


def parts(token: str) -> tuple[dict, dict]:
    header, payload, _ = token.split(".")
    return json.loads(b64u_decode(header)), json.loads(b64u_decode(payload))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_pyjwt_verifies_what_is_signed_and_the_other_way_round(keys, alg):
    made = keys[alg]
    token = made.sign("--claim", "name=Zoë", "--expires-in", "1h")
    published = jwt.PyJWKSet.from_dict(made.jwks).keys[0]
    assert jwt.decode(token, published.key, algorithms=[alg])["name"] == "Zoë"
    if pem := made.pem("public"):
        assert jwt.decode(token, pem, algorithms=[alg])["name"] == "Zoë"

    headers = {"kid": made.kid} if made.kid else {}
    claims = {"name": "Zoë", "exp": now() + 3600}
    for private in filter(None, [jwt.PyJWK(made.private_jwk).key, made.pem("private")]):
        result = made.verify(jwt.encode(claims, private, alg, headers=headers))
        assert (result.code, json.loads(result.out)) == (0, claims)


def test_jose_verifies_what_is_signed_and_the_other_way_round(keys):
    tasks = [
        {
            "alg": alg,
            "privatePem": made.pem("private"),
            "publicPem": made.pem("public"),
            "privateJwk": made.private_jwk,
            "jwks": made.jwks,
            "token": made.sign("--claim", "name=Zoë", "--expires-in", "1h"),
        }
        for alg, made in keys.items()
    ]
    script = Path(__file__).parent / "support/jose_keys.mjs"
    done = subprocess.run(["node", script], input=json.dumps(tasks), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for task, result in zip(tasks, json.loads(done.stdout), strict=True):
        assert result["claims"]["name"] == "Zoë"
        assert len(result["tokens"]) == (2 if task["privatePem"] else 1)
        for token in result["tokens"]:
            verified = keys[task["alg"]].verify(token)
            assert (verified.code, json.loads(verified.out)["by"]) == (0, "jose"), task["alg"]


@pytest.mark.parametrize("name", ["pyjwt", "jwcrypto", "jose"])
def test_tokens_of_every_issuer_are_verified(name, tmp_path):
    (tmp_path / "jwks.json").write_text(json.dumps(issuer(name).jwks))
    for alg, token in issuer(name).tokens.items():
        claims = json.loads(good("token", "verify", "--jwks", tmp_path / "jwks.json", token))
        assert claims["name"] == f"{alg} by {name}"
        wrong = token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)
        result = claimgate("token", "verify", "--jwks", tmp_path / "jwks.json", wrong)
        check_refusal(result, 1, "bad_signature")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "RSA-3072"])
def test_private_keys_in_every_form_sign(kind, tmp_path):
    (tmp_path / "public").write_bytes(forms(kind)["public SPKI PEM"])
    for form, content in forms(kind).items():
        (tmp_path / "key").write_bytes(content)
        result = claimgate("token", "sign", "--key", tmp_path / "key", "--claim", "a=1")
        if "private" not in form:
            check_refusal(result, 1, "private")
            continue
        assert "a" in json.loads(good("token", "verify", "--jwks", tmp_path / "public", stdin=result.out)), form


def test_rsa_keys_sign_with_each_of_their_algorithms(tmp_path):
    (tmp_path / "key").write_bytes(private_pem("RSA-2048"))
    assert parts(good("token", "sign", "--key", tmp_path / "key"))[0] == {"alg": "RS256", "typ": "JWT"}
    for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
        token = good("token", "sign", "--key", "-", "--alg", alg, stdin=private_pem("RSA-2048"))
        assert parts(token)[0]["alg"] == alg
        good("token", "verify", "--jwks", tmp_path / "key", stdin=token)


def test_claims_are_signed_as_they_are_given(keys, tmp_path):
    (tmp_path / "claims.json").write_text('{"sub": "file", "n": 1.10, "big": 123456789012345678901234567890, "iat": 5}')
    token = keys["ES256"].sign(
        "--claims-file", tmp_path / "claims.json", "--claim", "sub=option", "--claim", "list=[1,{\"a\":null}]",
        "--claim", "yes=true", "--claim", 'text="true"', "--claim", "id=007", "--claim", "empty=", "--claim", "e=a=b",
        "--claim", "exact=9007199254740993", "--claim", "https://example.com/x=Zoë", "--expires-in", "1day 1h",
    )  # fmt: skip
    payload = b64u_decode(token.split(".")[1]).decode()
    exp = json.loads(payload)["exp"]
    assert abs(exp - time.time() - 25 * 3600) < 60
    assert payload == (
        '{"sub":"option","n":1.10,"big":123456789012345678901234567890,"iat":5,"list":[1,{"a":null}],"yes":true,'
        '"text":"true","id":"007","empty":"","e":"a=b","exact":9007199254740993,"https://example.com/x":"Zoë",'
        f'"exp":{exp}}}'
    )
    assert keys["ES256"].verify(token).text == payload + "\n"


def test_iat_and_header(keys):
    made = keys["RS256"]
    header, claims = parts(made.sign())
    assert header == {"alg": "RS256", "typ": "JWT", "kid": made.kid}
    assert claims.keys() == {"iat"} and abs(claims["iat"] - time.time()) < 60
    assert parts(made.sign("--no-iat"))[1] == {}
    assert parts(made.sign("--claim", "iat=7"))[1] == {"iat": 7}
    header, _ = parts(made.sign("--header", "typ=at+jwt", "--header", "x=[1]"))
    assert header == {"alg": "RS256", "typ": "at+jwt", "kid": made.kid, "x": [1]}
    assert "kid" not in parts(made.sign("--kid", "none"))[0]
    pem = made.folder / "private.pem"
    assert parts(good("token", "sign", "--key", pem, "--kid", "thumbprint"))[0]["kid"] == made.kid
    assert parts(good("token", "sign", "--key", pem, "--kid", "mine"))[0]["kid"] == "mine"
    assert parts(good("token", "sign", "--key", keys["EdDSA"].folder / "private.pem"))[0]["alg"] == "EdDSA"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--claim", "a=1", "--claim", "a=2"], 2, ['--claim gives "a" twice']),
        (["--claim", "exp=1", "--expires-in", "1h"], 2, ["--expires-in and --claim both set `exp`"]),
        (["--header", "x=1", "--header", "x=1"], 2, ['--header gives "x" twice']),
        (["--header", "alg=none"], 2, ["`alg`"]),
        (["--header", 'crit=["x"]'], 2, ["`crit`"]),
        (["--header", "b64=false"], 2, ["`b64`"]),
        (["--header", "kid=x"], 2, ["--kid"]),
        (["--claim", "a"], 2, ["NAME=VALUE"]),
        (["--claim", "=a"], 2, ["name"]),
        (["--claim", 'a={"b":1,"b":2}'], 2, ["not acceptable JSON"]),
        (["--claim", "a=[1"], 2, ["not acceptable JSON"]),
        (["--claim", 'a="x'], 2, ["not acceptable JSON"]),
        (["--expires-in", "soon"], 2, ["soon"]),
        (["--expires-in", "-1h"], 2, ["-1"]),
        (["--expires-in", "0s"], 2, ["a second at least"]),
        (["--expires-in", "500000000000years"], 1, ["invalid_time"]),
        (["--claim", "exp=tomorrow"], 1, ["invalid_time", "`exp`"]),
        (["--claim", "nbf=1800000000000"], 1, ["invalid_time", "`nbf`"]),
        (["--claim", "iat=null"], 1, ["invalid_time", "`iat`"]),
        (["--claim", "deep=" + "[" * 128 + "]" * 128], 1, ["nested too deeply"]),
        (["--alg", "RS512"], 1, ["own `alg`", "RS256"]),
        (["--alg", "none"], 2, ["none"]),
        (["--claims-file", "nothing-here"], 2, ["cannot read nothing-here"]),
        (["--claims-file", "list.json"], 1, ["list.json: no JSON object"]),
        (["--claims-file", "twice.json"], 1, ["twice.json: ", "two members"]),
        (["--claims-file", "/dev/zero"], 2, ["larger than 1 MiB"]),
    ],
)
def test_what_cannot_be_signed_is_refused(keys, options, code, words, tmp_path):
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "twice.json").write_text('{"a":1,"a":1}')
    result = claimgate("token", "sign", "--key", keys["RS256"].jwk_file, *options, cwd=tmp_path)
    check_refusal(result, code, *words)


def test_keys_that_cannot_sign_are_refused(keys, tmp_path):
    made = keys["ES256"]
    private = made.private_jwk
    for content, message in (
        (json.dumps({**private, "use": "enc"}), "`use` is not `sig`"),
        (json.dumps({**private, "key_ops": ["verify"]}), "`key_ops` does not hold `sign`"),
        (json.dumps(made.jwks), "missing"),
        (json.dumps({"keys": [private, private]}), "2 keys"),
        (json.dumps({"keys": []}), "0 keys"),
        (json.dumps({"keys": [5]}), "must be an object"),
        ('{"kty":"oct","k":"c2hvcnQ"}', "5 bytes"),
        ("", "this is no key"),
        (openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"), "1024 bits is too weak"),
    ):
        result = claimgate("token", "sign", "--key", "-", stdin=content)
        check_refusal(result, 1, "standard input", message)
        assert private["d"] not in result.err
    check_refusal(claimgate("token", "sign", "--key", "nothing-here", cwd=tmp_path), 2, "cannot read")
    check_refusal(claimgate("token", "sign", "--key", "-", "--claims-file", "-"), 2, "standard input")
    check_refusal(claimgate("token", "sign"), 2, "--key")


def test_the_token_stands_alone_on_one_line(keys):
    result = claimgate("token", "sign", "--key", keys["HS256"].jwk_file)
    assert re.fullmatch(rb"[\w-]+\.[\w-]+\.[\w-]+\n", result.out) and result.err == ""
    result = claimgate("token", "sign", "--key", keys["HS256"].jwk_file, "--claim", "exp=1")
    assert result.code == 0 and result.err == "note: this token is expired\n"


# verify


def test_the_reason_is_that_of_the_gateway(serve, recorder, keys):
    """One token for each reason: the command and the gateway's log agree."""
    made = keys["ES256"]
    other = Keys(made.folder / "other", "ES256")
    auth = auth_info(made.jwks, issuers=["us"], audiences=["here"], leewaySeconds=300)
    config = configuration(
        [domain("*.example.com", auth=auth), domain("open.example.com")],
        [function(recorder.url)],
        limits={"tokenBytes": 2000},
    )
    gateway = serve(config, recorder)
    fine = ["--claim", "iss=us", "--claim", 'aud=["there","here"]']
    good_token = made.sign(*fine)
    header, payload, signature = good_token.split(".")
    tokens = {
        None: [good_token, made.sign(*fine, "--claim", f"exp={now() - 30}"), made.sign(*fine, "--claim", f"nbf={now() + 30}")],
        "expired": [made.sign(*fine, "--claim", f"exp={now() - 3600}")],
        "not_yet_valid": [made.sign(*fine, "--claim", f"nbf={now() + 3600}")],
        "wrong_issuer": [made.sign("--claim", "iss=them", "--claim", "aud=here")],
        "wrong_audience": [made.sign("--claim", "iss=us")],
        "unknown_key_id": [other.sign(*fine)],
        "bad_signature": [other.sign(*fine, "--kid", made.kid), f"{header}.{payload}A.{signature}"],
        "algorithm_mismatch": [keys["RS256"].sign(*fine, "--kid", made.kid)],
        "token_too_long": [made.sign(*fine, "--claim", "a=" + "x" * 2000)],
        "not_compact": ["abc", f"{header}.{payload}"],
        "encrypted": [f"{header}.a.b.c.d"],
        "invalid_base64": [f"{header}=.{payload}.{signature}"],
        "unsupported_algorithm": [put_together(b'{"alg":"none"}', payload, "")],
        "critical_header": [put_together(b'{"alg":"ES256","crit":["a"]}', payload, signature)],
        "invalid_json": [put_together(b"{", payload, signature)],
        "not_an_object": [put_together(b"[]", payload, signature)],
        "missing_algorithm": [put_together(b"{}", payload, signature)],
        "invalid_key_id": [put_together(b'{"alg":"ES256","kid":1}', payload, signature)],
        "wrong_signature_length": [f"{header}.{payload}.AAAA"],
        "invalid_time": [key_token(made, {"exp": "soon"})],
    }
    for reason, list_ in tokens.items():
        for token in list_:
            answer = gateway.get(host="a.example.com", token=token)
            result = claimgate("token", "verify", "--config", gateway.file, "--domain", "a.example.com", token)
            if reason is None:
                assert answer.status == 200 and result.code == 0, result
                assert json.loads(result.out) == parts(token)[1]
            else:
                assert answer.status == 401 and gateway.access_line(answer)["reason"] == reason
                check_refusal(result, 1, f"claimgate: {reason}: ")
                assert token not in result.err


def key_token(made: Keys, claims: dict) -> str:
    """A token that `token sign` would refuse."""
    return jwt.api_jws.encode(compact_json(claims), jwt.PyJWK(made.private_jwk).key, made.alg, headers={"kid": made.kid})


def test_the_domain_is_found_as_the_gateway_finds_it(keys, tmp_path):
    first, second = keys["ES256"], keys["RS256"]
    config = configuration(
        [domain("*.example.com", auth=auth_info(first.jwks)), domain("x.example.com", auth=auth_info(second.jwks)),
         domain("open.example.com")],
        [function("http://127.0.0.1:9")],
    )  # fmt: skip
    file = tmp_path / "claimgate.json"
    file.write_text(json.dumps(config))

    def verify(name, token):
        return claimgate("token", "verify", "--config", file, "--domain", name, token)

    for name in ("a.example.com", "A.Example.COM.", "*.example.com"):
        assert verify(name, first.sign()).code == 0, name
        check_refusal(verify(name, second.sign()), 1, "unknown_key_id")
    assert verify("x.example.com", second.sign()).code == 0
    check_refusal(verify("x.example.com", first.sign()), 1, "unknown_key_id")
    check_refusal(verify("open.example.com", first.sign()), 2, "open.example.com is anonymous")
    for name in ("example.com", "a.b.example.com", "", "nowhere.example"):
        check_refusal(verify(name, first.sign()), 2, "no custom domain has the host")


def test_rules_are_options_beside_a_key_set(keys):
    made = keys["EdDSA"]
    token = made.sign("--claim", "iss=us", "--claim", "aud=here", "--claim", f"exp={now() - 65}")
    assert made.verify(token, "--leeway-seconds", "300").code == 0
    assert made.verify(token, "--leeway-seconds", "300", "--issuer", "them", "--issuer", "us").code == 0
    assert made.verify(token, "--leeway-seconds", "300", "--audience", "here").code == 0
    check_refusal(made.verify(token, "--leeway-seconds", "300", "--issuer", "them"), 1, "wrong_issuer")
    check_refusal(made.verify(token, "--leeway-seconds", "300", "--audience", "there"), 1, "wrong_audience")
    check_refusal(made.verify(token), 1, "expired: `exp` is ", "Z, expired 1 minute ago")
    token = made.sign("--claim", f"nbf={now() + 7200}")
    check_refusal(made.verify(token), 1, "not_yet_valid: `nbf` is ", "valid in 1 hour")


def test_the_token_comes_from_standard_input(keys):
    made = keys["HS384"]
    token = made.sign()
    for content in (token, token + "\n", token + "\r\n"):
        for arguments in ([], ["-"]):
            good("token", "verify", "--jwks", made.jwks_file, *arguments, stdin=content)
    result = claimgate("token", "verify", "--jwks", made.jwks_file, stdin=token + "\n\n")
    check_refusal(result, 1, "invalid_base64")
    check_refusal(claimgate("token", "verify", "--jwks", made.jwks_file, stdin=b"a" * 2_000_000), 2, "1 MiB")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["--jwks"]),
        (["--jwks", "nothing-here"], ["cannot read nothing-here"]),
        (["--jwks", "empty.json"], ["empty.json", "no key that can verify"]),
        (["--jwks", "bad.json"], ["bad.json", "too weak"]),
        (["--jwks", "words"], ["words: this is no key"]),
        (["--config", "claimgate.yaml"], ["--domain"]),
        (["--config", "nothing-here", "--domain", "a"], ["nothing-here", "no such file"]),
        (["--config", "words", "--domain", "a"], ["words:1:1: error: "]),
        (["--jwks", "good.json", "--config", "claimgate.yaml", "--domain", "a"], ["cannot be used with"]),
        (["--jwks", "good.json", "--domain", "a"], ["cannot be used with"]),
        (["--config", "words", "--domain", "a", "--issuer", "b"], ["cannot be used with"]),
        (["--config", "words", "--domain", "a", "--leeway-seconds", "1"], ["cannot be used with"]),
        (["--jwks", "good.json", "--leeway-seconds", "301"], ["301"]),
        (["--jwks", "good.json", "--leeway-seconds", "-1"], ["-1"]),
    ],
)
def test_what_cannot_verify_is_wrong_usage(options, words, tmp_path):
    (tmp_path / "empty.json").write_text('{"keys":[]}')
    weak = {"kty": "RSA", "e": "AQAB", "n": "_" * 170 + "8"}
    (tmp_path / "bad.json").write_text(json.dumps({"keys": [weak, weak]}))
    (tmp_path / "good.json").write_text(json.dumps({"keys": [key("ES256").public_jwk]}))
    (tmp_path / "words").write_text("words")
    result = claimgate("token", "verify", *options, key("ES256").token(), cwd=tmp_path)
    check_refusal(result, 2, *words)


# inspect


def test_inspect_shows_what_a_token_says_and_that_it_is_not_verified():
    exp, nbf = now() + 3590, now() - 86400 * 2
    token = key("ES256", "a").token({"sub": "a", "exp": exp, "nbf": nbf, "n": {"x": [1.0]}, "c": "\u009b\u202e"})
    result = claimgate("token", "inspect", token)
    assert (result.code, result.err) == (0, "")
    assert result.text.startswith("NOT VERIFIED")
    assert '  kid        "a"\n' in result.text and '  n          {"x":[1.0]}\n' in result.text
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(exp)) + ", expires in 59 minutes" in result.text
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(nbf)) + ", valid since 2 days" in result.text
    assert "64 bytes" in result.text and "refuses" not in result.text
    assert "\u009b" not in result.text and "\u202e" not in result.text
    forged = token[:-10] + "AAAAAAAAAA"
    assert claimgate("token", "inspect", stdin=forged + "\n").code == 0

    result = claimgate("token", "inspect", "--json", token)
    told = json.loads(result.out)
    assert told["verified"] is False and told["problems"] == []
    assert told["header"]["kid"] == "a" and told["payload"]["n"] == {"x": [1.0]}


def test_inspect_shows_what_is_wrong():
    es256, payload = b'{"alg":"ES256"}', b64u(b'{"sub":"me","exp":5}')
    header = b64u(es256)
    for token, code, shown, reasons in (
        ("", 1, [], ["not_compact", "invalid_json"]),
        ("hello", 1, [], ["not_compact", "invalid_base64"]),
        (f"{header}.{payload}", 1, ["ES256", '"me"', "expired 5"], ["not_compact"]),
        (f"{header}.{payload}.AAAA.", 1, ["ES256", '"me"'], ["not_compact"]),
        (f"{header}.a.b.c.d", 1, ["ES256"], ["encrypted"]),
        (f"{header}==.{payload}.AAAA", 1, ["ES256", '"me"'], ["invalid_base64"]),
        (f"{header} .{payload}.AAAA", 1, ["ES256", '"me"'], ["invalid_base64"]),
        (f"{header}.{payload}.A", 1, ["ES256", '"me"'], ["invalid_base64"]),
        (put_together(es256, b'{"a":1,"a":2}'), 1, ['{"a":1,"a":2}'], ["invalid_json"]),
        (put_together(es256, b"text \x1b[31m"), 1, ["text \\u{1b}[31m"], ["invalid_json"]),
        (put_together(es256, b"\xff\xfe"), 1, ["(unreadable)"], ["invalid_json"]),
        (put_together(es256, b"[1]"), 1, ["[1]"], ["not_an_object"]),
        (put_together(b"{}", payload), 0, ['"me"'], ["missing_algorithm"]),
        (put_together(b'{"alg":"none"}', payload, ""), 0, ["0 bytes"], ["unsupported_algorithm"]),
        (put_together(b'{"alg":"\\u001b[31m"}', payload), 0, [], ["unsupported_algorithm"]),
        (put_together(b'{"alg":"ES256","crit":["a"]}', payload), 0, [], ["critical_header"]),
    ):
        result = claimgate("token", "inspect", token)
        assert result.code == code, (token, result)
        assert result.text.startswith("NOT VERIFIED") and "\x1b" not in result.text
        for text in [*shown, "claimgate refuses this token", *(f"  {reason}: " for reason in reasons)]:
            assert text in result.text, (token, text, result)
        assert len(result.err.splitlines()) == code and (code == 0 or reasons[0] in result.err)
        told = claimgate("token", "inspect", "--json", token)
        assert [problem["reason"] for problem in json.loads(told.out)["problems"]] == reasons


def test_times_beyond_all_sense_are_told():
    claims = b'{"exp":1700000000000,"nbf":1e300,"iat":-1e300,"auth_time":1}'
    result = claimgate("token", "inspect", put_together(b'{"alg":"ES256"}', claims))
    assert result.code == 0 and result.text.count("are these milliseconds?") == 3


def test_a_closed_pipe_is_no_failure():
    process = subprocess.Popen([BINARY, "token", "inspect"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stdin.write(key("ES256").token({"a": "x" * 300_000}).encode())
    process.stdin.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 0
