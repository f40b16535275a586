"""Tokens of three independent issuers, in all algorithms, and the same tokens with one byte changed."""

import pytest

from support.configuration import configuration, domain, function, jwt
from support.issuers import ALGORITHMS, issuer
from support.tokens import b64u_decode

ISSUERS = ["pyjwt", "jwcrypto", "jose"]
# RFC 9864 names the curve in `alg`; PyJWT cannot write that yet.
CASES = [(name, alg) for name in ISSUERS for alg in ALGORITHMS]
FULLY_SPECIFIED = [("jwcrypto", "Ed25519"), ("jose", "Ed25519")]


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    domains = [
        domain(f"{name}.example.com", auth=jwt(issuer(name).jwks, claim_pass_by="header:name:x-name"))
        for name in ISSUERS
    ]
    return serve(configuration(domains, [function(recorder.url)]), recorder)


@pytest.mark.parametrize(("name", "alg"), CASES + FULLY_SPECIFIED)
def test_a_token_is_accepted(gateway, name, alg):
    response = gateway.get(host=f"{name}.example.com", token=issuer(name).tokens[alg])
    assert response.status == 200
    assert response.seen.values("x-name") == [f"{alg} by {name}"]


@pytest.mark.parametrize(("name", "alg"), CASES + FULLY_SPECIFIED)
def test_a_token_with_a_changed_byte_is_refused(gateway, name, alg):
    token = issuer(name).tokens[alg]
    host = f"{name}.example.com"
    # Before and after, so that no memory of the good token helps a bad one, or the other way round.
    assert gateway.get(host=host, token=token).status == 200
    for changed in changed_tokens(token):
        response = gateway.get(host=host, token=changed)
        assert response.status == 401, changed
        assert response.json()["Message"] == "invalid or expired jwt"
    assert gateway.get(host=host, token=token).status == 200


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_of_another_issuer_is_refused(gateway, alg):
    response = gateway.get(host="jose.example.com", token=issuer("pyjwt").tokens[alg])
    assert response.status == 401


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_the_algorithm_is_the_keys_and_not_the_tokens(gateway, alg):
    """The header of one token before the payload and signature of another."""
    tokens = issuer("pyjwt").tokens
    other = tokens["ES256" if alg != "ES256" else "RS256"]
    mixed = ".".join([other.split(".")[0], *tokens[alg].split(".")[1:]])
    assert gateway.get(host="pyjwt.example.com", token=mixed).status == 401


def changed_tokens(token: str):
    """The token with one character changed: begin, middle and end of each segment."""
    segments = token.split(".")
    for index, segment in enumerate(segments):
        for position in {0, 1, len(segment) // 3, len(segment) // 2, len(segment) - 2, len(segment) - 1}:
            for replacement in "AQ-":
                if segment[position] != replacement:
                    changed = segment[:position] + replacement + segment[position + 1 :]
                    yield ".".join([*segments[:index], changed, *segments[index + 1 :]])
        assert b64u_decode(segment)
