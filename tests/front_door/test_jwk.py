"""`claimgate jwk`: against OpenSSL and jwcrypto, byte for byte."""

import json
import os
import stat
import subprocess

import pytest
from jwcrypto.jwk import JWK, JWKSet

from support.command import check_refusal, claimgate, good
from support.gateway import BINARY
from support.issuers import ALGORITHMS
from support.openssl import KINDS, certificate, forms, openssl, private_pem

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "k"}
CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}


def by_jwcrypto(pem: bytes, private: bool) -> dict:
    """The JWK that jwcrypto makes, with what claimgate adds."""
    key = JWK.from_pem(pem)
    jwk = {**json.loads(key.export(private_key=private)), "kid": key.thumbprint(), "use": "sig"}
    if jwk["kty"] != "RSA":
        jwk["alg"] = CURVES[jwk["crv"]]
    return jwk


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_becomes_the_jwk_that_jwcrypto_makes(kind):
    for form, content in forms(kind).items():
        pem = private_pem(kind)
        public = json.loads(good("jwk", "convert", "--to", "jwk", stdin=content))
        assert public == by_jwcrypto(pem, private=False), form
        jwks = json.loads(good("jwk", "convert", "-", "--to", "jwks", stdin=content))
        assert jwks == {"keys": [public]}, form
        if "private" in form:
            private = json.loads(good("jwk", "convert", "--to", "jwk", "--private", stdin=content))
            assert private == by_jwcrypto(pem, private=True), form
        else:
            check_refusal(claimgate("jwk", "convert", "--to", "jwk", "--private", stdin=content), 1, "no private key")


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_is_written_as_openssl_writes_it(kind):
    made = forms(kind)
    private_jwk = good("jwk", "convert", "--to", "jwk", "--private", stdin=private_pem(kind))
    public_jwks = good("jwk", "convert", "--to", "jwks", stdin=private_pem(kind))
    for form, content in made.items():
        if "certificate" in form:
            continue
        options = ["--to", form.split()[-1].lower()]
        options += ["--traditional"] if "SEC1" in form or "PKCS#1" in form else []
        if "private" in form:
            assert claimgate("jwk", "convert", *options, "--private", stdin=private_jwk).out == content, form
        else:
            assert claimgate("jwk", "convert", *options, stdin=public_jwks).out == content, form
            assert claimgate("jwk", "convert", *options, stdin=private_jwk).out == content, form


@pytest.mark.parametrize("kind", KINDS)
def test_jwks_of_jwcrypto_become_pem_of_openssl(kind):
    key = JWK.from_pem(private_pem(kind))
    assert good("jwk", "convert", "--to", "pem", "--private", stdin=key.export()).encode() == private_pem(kind)
    assert good("jwk", "convert", "--to", "pem", stdin=key.export_public()).encode() == forms(kind)["public SPKI PEM"]


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_other_spellings_of_ec_keys_are_read(curve):
    private = private_pem(curve)
    expected = json.loads(good("jwk", "convert", "--to", "jwk", "--private", stdin=private))
    for spelling in (["-conv_form", "compressed"], ["-no_public"], ["-conv_form", "hybrid"]):
        sec1 = openssl("ec", *spelling, stdin=private)
        assert json.loads(good("jwk", "convert", "--to", "jwk", "--private", stdin=sec1)) == expected, spelling
    compressed = openssl("ec", "-pubout", "-conv_form", "compressed", stdin=private)
    public = json.loads(good("jwk", "convert", "--to", "jwk", stdin=compressed))
    assert (public["x"], public["y"]) == (expected["x"], expected["y"])
    with_parameters = openssl("ecparam", "-genkey", "-name", {"P-256": "prime256v1"}.get(curve, curve.replace("P-", "secp") + "r1"))
    assert b"EC PARAMETERS" in with_parameters
    assert good("jwk", "convert", "--to", "pem", "--private", stdin=with_parameters)


def test_a_key_with_text_around_it_is_read():
    text = openssl("x509", "-text", stdin=certificate(private_pem("P-256")))
    assert text.startswith(b"Certificate:")
    expected = good("jwk", "convert", "--to", "jwks", stdin=private_pem("P-256"))
    assert good("jwk", "convert", "--to", "jwks", stdin=text) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_is_made_of_a_private_key_in_any_form(kind, tmp_path):
    made = forms(kind)
    private_jwk = good("jwk", "convert", "--to", "jwk", "--private", stdin=private_pem(kind))
    for source in [private_jwk, *(content for form, content in made.items() if "private" in form)]:
        written = good("jwk", "convert", "--to", "certificate", "--certificate-name", "Ünï", stdin=source).encode()
        assert openssl("x509", "-noout", "-pubkey", stdin=written) == made["public SPKI PEM"]
        subject = openssl("x509", "-noout", "-subject", "-nameopt", "utf8", stdin=written)
        assert "Ünï" in subject.decode()
    (tmp_path / "cert.pem").write_bytes(written)
    assert openssl("verify", "-CAfile", str(tmp_path / "cert.pem"), str(tmp_path / "cert.pem"))
    assert good("jwk", "convert", "--to", "jwks", stdin=written) == good("jwk", "convert", "--to", "jwks", stdin=private_jwk)
    check_refusal(claimgate("jwk", "convert", "--to", "certificate", stdin=made["public SPKI PEM"]), 1, "no private key")


def test_of_several_blocks_one_is_read_and_it_is_said():
    leaf, root = certificate(private_pem("P-256")), certificate(private_pem("P-384"))
    result = claimgate("jwk", "convert", "--to", "jwk", stdin=leaf + root)
    assert json.loads(result.out)["crv"] == "P-256"
    assert "only the first X.509 certificate in PEM is read, 1 more" in result.err
    result = claimgate("jwk", "convert", "--to", "jwk", "--private", stdin=root + private_pem("P-256"))
    assert json.loads(result.out)["crv"] == "P-256"


def test_sets_keep_all_their_keys():
    kinds = ["P-256", "RSA-2048", "Ed25519"]
    jwks = json.dumps({"keys": [by_jwcrypto(private_pem(kind), True) for kind in kinds]})
    result = claimgate("jwk", "convert", "--to", "pem", stdin=jwks)
    assert result.out == b"".join(forms(kind)["public SPKI PEM"] for kind in kinds)
    public = json.loads(good("jwk", "convert", "--to", "jwks", stdin=jwks))
    assert public == {"keys": [by_jwcrypto(private_pem(kind), False) for kind in kinds]}
    assert json.loads(good("jwk", "convert", "--to", "jwks", "--private", stdin=jwks)) == json.loads(jwks)
    check_refusal(claimgate("jwk", "convert", "--to", "der", stdin=jwks), 2, "3 keys")
    check_refusal(claimgate("jwk", "convert", "--to", "jwks", "--kid", "a", stdin=jwks), 2, "one key")

    with_others = json.dumps({"keys": [*json.loads(jwks)["keys"], {"kty": "OKP", "crv": "X25519", "x": "AA"}]})
    result = claimgate("jwk", "convert", "--to", "jwks", stdin=with_others)
    assert json.loads(result.out) == public
    assert "key 3" in result.err and "left out" in result.err


def test_alg_and_kid_are_set_where_asked():
    pem = private_pem("RSA-2048")
    jwk = json.loads(good("jwk", "convert", "--to", "jwk", "--alg", "PS384", "--kid", "mine", stdin=pem))
    assert (jwk["alg"], jwk["kid"]) == ("PS384", "mine")
    back = json.loads(good("jwk", "convert", "--to", "jwk", stdin=json.dumps(jwk)))
    assert back == jwk
    assert "kid" not in json.loads(good("jwk", "convert", "--to", "jwk", "--kid", "none", stdin=json.dumps(jwk)))
    named = json.loads(good("jwk", "convert", "--to", "jwk", "--kid", "thumbprint", stdin=json.dumps(jwk)))
    assert named["kid"] == JWK.from_pem(pem).thumbprint()
    check_refusal(claimgate("jwk", "convert", "--to", "jwk", "--alg", "ES256", stdin=pem), 1, "ES256 needs")


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_generated_files_hold_the_same_key(alg, tmp_path):
    folder = tmp_path / "new" / "keys"
    symmetric = alg.startswith("HS")
    options = [] if symmetric else ["--certificate", "Ünï 東"]
    result = claimgate("jwk", "generate", "--alg", alg, "--out", folder, *options)
    assert (result.code, result.out) == (0, b""), result
    read = {file.name: file.read_bytes() for file in folder.iterdir()}
    private = json.loads(read["private.jwk.json"])
    published = json.loads(read["jwks.json"])
    assert private["alg"] == alg and private["use"] == "sig"
    if symmetric:
        assert set(read) == {"private.jwk.json", "jwks.json"}
        assert "secret" in private["comment"] and "secret" in published["comment"]
        assert "kid" not in private and published["keys"][0]["k"] == private["k"]
        JWKSet.from_json(read["jwks.json"].decode())
        return
    assert set(read) == {"private.pem", "private.jwk.json", "public.pem", "jwks.json", "cert.pem"}
    key = JWK.from_pem(read["private.pem"])
    assert private == {**json.loads(key.export()), "alg": alg, "use": "sig", "kid": key.thumbprint()}
    public = {name: value for name, value in private.items() if name not in PRIVATE_MEMBERS}
    assert published == {"keys": [public]}
    assert read["public.pem"] == openssl("pkey", "-pubout", stdin=read["private.pem"])
    assert read["private.pem"] == openssl("pkcs8", "-topk8", "-nocrypt", stdin=read["private.pem"])

    cert = str(folder / "cert.pem")
    assert openssl("x509", "-in", cert, "-noout", "-pubkey") == read["public.pem"]
    assert openssl("verify", "-CAfile", cert, "-check_ss_sig", cert)
    assert "Ünï 東" in openssl("x509", "-in", cert, "-noout", "-subject", "-nameopt", "utf8").decode()
    assert subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-checkend", str(364 * 86400)]).returncode == 0
    assert subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-checkend", str(366 * 86400)]).returncode == 1


@pytest.mark.parametrize(
    ("alg", "size"),
    [("RS256", 2048), ("PS256", 3072), ("RS512", 4096), ("ES256", 256), ("ES384", 384), ("ES512", 521),
     ("EdDSA", 256), ("HS256", 256), ("HS256", 2048), ("HS512", 520)],
)  # fmt: skip
def test_keys_have_the_size_that_was_asked_for(alg, size):
    jwk = json.loads(good("jwk", "generate", "--alg", alg, "--size", size))
    described = json.loads(good("jwk", "inspect", "--json", stdin=json.dumps(jwk)))["keys"][0]
    assert described["bits"] == (255 if alg == "EdDSA" else size)
    assert described["algorithms"] == [alg]


@pytest.mark.long
def test_the_largest_rsa_key():
    pem = good("jwk", "convert", "--to", "pem", "--private", stdin=good("jwk", "generate", "--alg", "RS256", "--size", 8192))
    assert b"8192 bit" in openssl("pkey", "-noout", "-text", stdin=pem.encode())


def test_without_a_folder_the_private_jwk_is_printed():
    result = claimgate("jwk", "generate", "--alg", "EdDSA")
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out).keys() == {"kty", "kid", "use", "alg", "crv", "x", "d"}
    assert result.out.count(b"\n") == 1
    assert json.loads(good("jwk", "generate", "--alg", "Ed25519"))["alg"] == "EdDSA"
    assert json.loads(good("jwk", "generate", "--alg", "ES256", "--kid", "a b"))["kid"] == "a b"
    assert "kid" not in json.loads(good("jwk", "generate", "--alg", "ES256", "--kid", "none"))
    assert json.loads(good("jwk", "generate", "--alg", "HS256", "--kid", "mine"))["kid"] == "mine"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_private_files_are_their_owners_alone(umask, tmp_path):
    def run(*arguments):
        return good(*arguments, preexec_fn=lambda: os.umask(umask))

    (tmp_path / "pair").mkdir()
    (tmp_path / "secret").mkdir()
    run("jwk", "generate", "--alg", "ES256", "--out", tmp_path / "pair", "--certificate")
    run("jwk", "generate", "--alg", "HS256", "--out", tmp_path / "secret")
    run("jwk", "convert", tmp_path / "pair/private.pem", "--to", "jwk", "--private", "--out", tmp_path / "private")
    run("jwk", "convert", tmp_path / "pair/private.pem", "--to", "jwk", "--out", tmp_path / "public")

    def mode(name):
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    private = ["pair/private.pem", "pair/private.jwk.json", "secret/private.jwk.json", "secret/jwks.json", "private"]
    assert {name: mode(name) for name in private} == dict.fromkeys(private, 0o600)
    public = ["pair/public.pem", "pair/jwks.json", "pair/cert.pem", "public"]
    assert {name: mode(name) for name in public} == dict.fromkeys(public, 0o644 & ~umask)


@pytest.mark.parametrize("name", ["private.pem", "private.jwk.json", "public.pem", "jwks.json", "cert.pem"])
def test_nothing_is_overwritten(name, tmp_path):
    (tmp_path / name).write_text("mine")
    for alg in ("ES256", "HS256"):
        check_refusal(claimgate("jwk", "generate", "--alg", alg, "--out", tmp_path), 2, name, "there already")
    convert = ["jwk", "convert", "--to", "pem", "--out", tmp_path / name]
    check_refusal(claimgate(*convert, stdin=private_pem("P-256")), 2, name)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_dangling_link_is_not_written_through(tmp_path):
    (tmp_path / "private.pem").symlink_to(tmp_path / "elsewhere")
    check_refusal(claimgate("jwk", "generate", "--alg", "ES256", "--out", tmp_path), 2, "private.pem")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    check_refusal(claimgate("jwk", "generate", "--alg", "ES256", "--out", tmp_path / "file/x"), 2, "cannot make the folder")
    check_refusal(claimgate("jwk", "generate", "--alg", "ES256", "--out", tmp_path / "file"), 2, "cannot")


def test_inspect_tells_what_each_key_is():
    jwks = {
        "keys": [
            by_jwcrypto(private_pem("RSA-2048"), False),
            {**by_jwcrypto(private_pem("P-384"), True), "kid": "b\u009b\u202e"},
            {**by_jwcrypto(private_pem("Ed25519"), False), "use": "enc"},
            {"kty": "oct", "k": "AA" * 40, "kid": "d", "alg": "HS256"},
        ]
    }
    result = claimgate("jwk", "inspect", stdin=json.dumps(jwks))
    assert result.code == 0, result
    rsa, ec, okp, oct_ = result.text.split("\nkey ")[1:]
    assert "RSA, 2048 bits" in rsa and JWK.from_pem(private_pem("RSA-2048")).thumbprint() in rsa
    assert "RS256, RS384, RS512, PS256, PS384, PS512" in rsa and "warning" not in rsa
    assert "EC, P-384, 384 bits" in ec and "private     d" in ec and "THIS KEY IS PRIVATE" in ec
    assert "\u009b" not in ec and "\u202e" not in ec and "b\\u{9b}\\u{202e}" in ec
    assert "left out:   `use` is not `sig`" in okp
    assert "oct, 480 bits" in oct_ and "thumbprint" not in oct_ and "warning" in oct_
    assert "AAAA" not in result.text and jwks["keys"][1]["d"] not in result.text

    report = json.loads(good("jwk", "inspect", "--json", stdin=json.dumps(jwks)))
    assert report["form"] == "JWK set" and report["accepted"] is True
    assert [key["kty"] for key in report["keys"]] == ["RSA", "EC", "OKP", "oct"]
    assert [key["algorithms"] for key in report["keys"]][1:] == [["ES384"], [], ["HS256"]]
    assert [[problem["effect"] for problem in key["problems"]] for key in report["keys"]] == [
        [], ["warning"], ["left out"], ["warning"],
    ]  # fmt: skip


def test_inspect_refuses_what_check_refuses(tmp_path):
    weak = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
    for content in (weak, JWK.from_pem(weak).export_public(), openssl("rsa", "-pubout", stdin=weak)):
        result = claimgate("jwk", "inspect", stdin=content)
        assert result.code == 1 and "RSA, 1024 bits" in result.text
        assert "refused:    an RSA key of 1024 bits is too weak; 2048 is the least" in result.text
        assert len(result.err.splitlines()) == 1 and "too weak" in result.err
    jwks = {"keys": [json.loads(JWK.from_pem(weak).export_public()), {"kty": "oct", "kid": "b", "k": ""}, 5]}
    result = claimgate("jwk", "inspect", "--json", stdin=json.dumps(jwks))
    report = json.loads(result.out)
    assert result.code == 1 and report["accepted"] is False and "and 2 more" in result.err

    config = {
        "functions": [{"functionName": "f", "builtin": "echo"}],
        "customDomains": [{
            "domainName": "a.example.com", "protocol": "HTTP",
            "routeConfig": {"routes": [{"path": "/*", "functionName": "f"}]},
            "authConfig": {"authType": "jwt", "authInfo": {"jwks": jwks, "tokenLookup": "header:Authorization:Bearer"}},
        }],
    }  # fmt: skip
    (tmp_path / "claimgate.json").write_text(json.dumps(config))
    check = claimgate("check", "--config", tmp_path / "claimgate.json").err
    for key in report["keys"]:
        for problem in key["problems"]:
            assert problem["message"] in check


def test_inspect_says_why_a_set_without_usable_keys_is_refused():
    jwks = {"keys": [{"kty": "OKP", "crv": "X25519", "x": "AA"}]}
    result = claimgate("jwk", "inspect", stdin=json.dumps(jwks))
    assert result.code == 1 and "no key that can verify" in result.err
    assert "left out:" in result.text and "refused: this set has no key" in result.text


ENCRYPTED = "the private key is encrypted; decrypt it first"


def bad_content() -> dict[str, tuple[bytes, str]]:
    pem = private_pem("RSA-2048")
    encrypted = ["-passout", "pass:secret", "-aes-128-cbc"]
    return {
        "nothing": (b"", "this is no key"),
        "words": (b"hello", "this is no key"),
        "zeros": (bytes(1000), "this is no key"),
        "JSON": (b'{"a":1}', "neither JWK nor JWK set"),
        "half JSON": (b'{"keys":[', "not acceptable JSON"),
        "twice": (b'{"kty":"RSA","kty":"RSA"}', "two members of this name"),
        "half a block": (pem[:200], "no END line"),
        "broken base64": (pem.replace(b"A", b"!"), "not base64"),
        "broken DER": (pem.replace(b"MIIE", b"MIID"), "malformed PKCS#8 private key"),
        "wrong label": (pem.replace(b"PRIVATE KEY", b"CERTIFICATE"), "malformed X.509 certificate"),
        "encrypted PKCS#8": (openssl("pkcs8", "-topk8", "-passout", "pass:secret", stdin=pem), ENCRYPTED),
        "encrypted DER": (openssl("pkcs8", "-topk8", "-passout", "pass:secret", "-outform", "DER", stdin=pem), ENCRYPTED),
        "encrypted PKCS#1": (openssl("rsa", "-traditional", *encrypted, stdin=pem), ENCRYPTED),
        "request": (openssl("req", "-new", "-key", "/dev/stdin", "-subj", "/CN=a", stdin=pem), "CERTIFICATE REQUEST"),
        "X25519": (openssl("genpkey", "-algorithm", "X25519"), "another algorithm than RSA, EC and Ed25519"),
        "Ed448": (openssl("genpkey", "-algorithm", "ED448"), "another algorithm than RSA, EC and Ed25519"),
        "secp256k1": (openssl("ecparam", "-genkey", "-name", "secp256k1", "-noout"), "P-256, P-384 and P-521"),
        "RSA-PSS": (openssl("genpkey", "-algorithm", "RSA-PSS"), "restricted to RSASSA-PSS"),
        "three primes": (
            openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_primes:3"),
            "more than two primes",
        ),
        "weak": (openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"), "too weak"),
        "another half": (mixed_pair(), "do not belong"),
    }  # fmt: skip


def mixed_pair() -> bytes:
    jwk = by_jwcrypto(private_pem("P-256"), True)
    return json.dumps({**jwk, "d": json.loads(JWK.generate(kty="EC", crv="P-256").export())["d"]}).encode()


def test_bad_content_is_refused_in_one_line(tmp_path):
    for name, (content, message) in bad_content().items():
        file = tmp_path / "key"
        file.write_bytes(content)
        out = tmp_path / "out"
        for source in ([], [file]):
            for command in (["--to", "jwk"], ["--to", "pem"], ["--to", "der", "--private"]):
                if name == "another half" and "--private" not in command:
                    continue
                result = claimgate("jwk", "convert", *source, *command, "--out", out, stdin=b"" if source else content)
                check_refusal(result, 1, message)
                assert ("key" if source else "standard input") in result.err
                assert not out.exists(), name
        result = claimgate("jwk", "inspect", stdin=content)
        assert result.code == (0 if name == "another half" else 1), (name, result)
        if name not in ("weak", "another half"):
            check_refusal(result, 1, message)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate"], ["--alg"]),
        (["generate", "--alg", "rs256"], ["rs256"]),
        (["generate", "--alg", "none"], ["none"]),
        (["generate", "--alg", "RS256", "--size", "1024"], ["2048, 3072, 4096 or 8192 bits, not 1024"]),
        (["generate", "--alg", "RS256", "--size", "many"], ["many"]),
        (["generate", "--alg", "ES256", "--size", "384"], ["has 256 bits, not 384"]),
        (["generate", "--alg", "HS512", "--size", "504"], ["512 to 8192 bits in whole bytes, not 504"]),
        (["generate", "--alg", "ES256", "--kid", ""], ["--kid"]),
        (["generate", "--alg", "HS256", "--kid", "thumbprint"], ["thumbprint", "--kid ID"]),
        (["generate", "--alg", "ES256", "--certificate"], ["--out"]),
        (["generate", "--alg", "HS256", "--certificate", "--out", "x"], ["no certificate"]),
        (["generate", "--alg", "ES256", "--certificate", "", "--out", "x"], ["common name"]),
        (["generate", "--alg", "ES256", "--certificate", "a" * 65, "--out", "x"], ["common name"]),
        (["generate", "--alg", "ES256", "--certificate-days", "5", "--out", "x"], ["--certificate"]),
        (["generate", "--alg", "ES256", "--certificate", "--certificate-days", "0", "--out", "x"], ["0"]),
        (["convert"], ["--to"]),
        (["convert", "--to", "xml"], ["xml"]),
        (["convert", "--to", "jwk", "--traditional"], ["--traditional"]),
        (["convert", "--to", "certificate", "--private"], ["--private"]),
        (["convert", "--to", "certificate", "--certificate-name", ""], ["common name"]),
        (["convert", "nothing-here", "--to", "jwk"], ["cannot read nothing-here"]),
        (["convert", ".", "--to", "jwk"], ["cannot read ."]),
        (["convert", "/dev/zero", "--to", "jwk"], ["larger than 1 MiB"]),
        (["inspect", "nothing-here"], ["cannot read nothing-here"]),
        (["inspect", "a", "b"], ["b"]),
        ([], []),
        (["burn"], ["burn"]),
    ],
)
def test_wrong_usage_is_told(arguments, words, tmp_path):
    result = claimgate("jwk", *arguments, cwd=tmp_path)
    if not arguments:
        assert result.code == 2 and "Usage" in result.err
        return
    check_refusal(result, 2, *words)
    assert list(tmp_path.iterdir()) == []


def test_forms_that_a_key_has_not(tmp_path):
    secret = json.dumps({"kty": "oct", "k": "A" * 43})
    ed25519 = private_pem("Ed25519")
    for stdin, options, message in (
        (secret, ["--to", "jwks"], "an HMAC secret has no public key"),
        (secret, ["--to", "pem"], "an HMAC secret has no public key"),
        (secret, ["--to", "pem", "--private"], "an HMAC secret has no PKCS#8 form"),
        (secret, ["--to", "pem", "--private", "--traditional"], "traditional"),
        (ed25519, ["--to", "pem", "--private", "--traditional"], "only RSA and EC keys"),
        (private_pem("P-256"), ["--to", "pem", "--traditional"], "only RSA public keys"),
        ('{"keys":[]}', ["--to", "jwks"], "no key"),
        ('{"keys":[]}', ["--to", "jwks", "--private"], "no key"),
    ):
        check_refusal(claimgate("jwk", "convert", *options, stdin=stdin), 1, message)
    assert json.loads(good("jwk", "convert", "--to", "jwk", "--private", stdin=secret))["k"] == "A" * 43


def test_a_closed_pipe_is_no_failure():
    jwks = json.dumps({"keys": [{"kty": "RSA", "n": "A" * 300_000, "kid": str(n)} for n in range(3)]})
    process = subprocess.Popen(
        [BINARY, "jwk", "inspect", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    process.stdin.write(jwks.encode())
    process.stdin.close()
    assert b"panicked" not in process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 1
