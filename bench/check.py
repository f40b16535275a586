"""The check that a proxy does its job."""

import http.client

import load
import targets
import tokens


def check(target: targets.Target, port: int, issuer: tokens.Issuer, stranger: tokens.Issuer) -> None:
    """Fails unless the target does the whole job; `stranger` signs with another key."""
    good = issuer.sign(7)
    path, claims = CLAIMS[target.claims_in]
    status, seen = request(port, good, path)
    expect(target, "a good token", status == 200, f"status {status}")
    if target.job == "plain":
        return
    expect(target, "the claims at the upstream", seen == claims, seen)
    head, payload, signature = good.split(".")
    refused = {
        "no token": None,
        "another issuer's signature": stranger.sign(7),
        "a changed signature": f"{head}.{payload}.{signature.swapcase()}",
        "another alg": issuer.mislabel(7, "HS384" if issuer.algorithm == "HS256" else "HS256"),
        "an expired token": issuer.sign(7, exp=1_000_000_000),
        "another iss": issuer.sign(7, iss="https://other.example.com"),
        "another aud": issuer.sign(7, aud="other.example.com"),
        "no iss": issuer.sign(7, iss=None),
        "no aud": issuer.sign(7, aud=None),
    }
    for what, token in refused.items():
        status, _ = request(port, token)
        expect(target, what, status == 401, f"status {status}")


def check_http2(target: targets.Target, cpu: int, port: int, issuer: tokens.Issuer, stranger: tokens.Issuer) -> None:
    """Fails unless a good token passes over HTTP/2 too, and a bad one does not."""
    status = load.http2_status(cpu, port, issuer.sign(7))
    expect(target, "a good token over HTTP/2", status == "2xx", status)
    if target.job != "plain":
        status = load.http2_status(cpu, port, stranger.sign(7))
        expect(target, "another issuer's signature over HTTP/2", status == "4xx", status)


CLAIMS = {
    "header": ("/seen", "x-sub=user-000007\nx-name=John Snow 7\n"),
    "query": ("/seen-in-query?x-sub=user-000001&%78-name=Night+King&a=1", "x-sub=user-000007&x-name=John%20Snow%207&a=1\n"),
}
"""By the position of the claims: where a client asks who also claims to be somebody else, and what the upstream sees."""


def request(port: int, token: str | None, path: str = "/seen") -> tuple[int, str]:
    """What a client gets who also claims to be somebody else."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Host": targets.HOST, "x-sub": "user-000001", "X-Name": "Night King"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def expect(target: targets.Target, what: str, is_right: bool, found: str) -> None:
    if not is_right:
        raise targets.NotTheSameJob(f"{target.proxy} {target.job}: {what}: not as it must be: {found!r}")
