"""Clients of HTTPS that trust a test's authority and show what they negotiate."""

import ssl
import subprocess

from support import http1
from support.certificates import Authority
from support.gateway import Gateway


def context(authority: Authority, *protocols: str, version: ssl.TLSVersion | None = None, ciphers: str | None = None):
    """What clients that trust an authority open connections with."""
    context = ssl.create_default_context(cafile=authority.file)
    if protocols:
        context.set_alpn_protocols(protocols)
    if version:
        context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    return context


def connect(
    gateway: Gateway, context: ssl.SSLContext, name: str | None, session: ssl.SSLSession | None = None
) -> http1.Connection:
    """A connection for a name, which nothing else leads to the gateway."""
    if name is None:
        context.check_hostname = False
    return http1.Connection(
        gateway.https, wrap=lambda tcp: context.wrap_socket(tcp, server_hostname=name, session=session)
    )


def get(gateway: Gateway, context: ssl.SSLContext, name: str, target: str = "/", **headers: str) -> http1.Response:
    """Asks for something over a connection of its own."""
    with connect(gateway, context, name) as connection:
        return exchange(gateway, connection, name, target, **headers)


def exchange(
    gateway: Gateway, connection: http1.Connection, host: str, target: str = "/", **headers: str
) -> http1.Response:
    """Asks for something over a connection."""
    before = gateway.reached()
    lines = [("Host", host)] + [(name.replace("_", "-"), value) for name, value in headers.items()]
    connection.send(http1.head("GET", target, lines))
    response = connection.receive()
    gateway.check(response, before)
    return response


def names(connection: http1.Connection) -> list[str]:
    """Whom the certificate is for that the client was shown."""
    return [name for _, name in connection.socket.getpeercert()["subjectAltName"]]


def curl(gateway: Gateway, authority: Authority, name: str, *options: str) -> str:
    """What curl prints of a name's front page, and which version of HTTP and status it got."""
    host, port = gateway.https
    command = [
        "curl", "-sS", "--noproxy", "*", "--cacert", str(authority.file), "--resolve", f"{name}:{port}:{host}",
        "-w", "|%{http_version} %{http_code}", *options, f"https://{name}:{port}/",
    ]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True, timeout=30, text=True).stdout
