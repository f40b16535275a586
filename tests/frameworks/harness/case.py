"""One request of an attacker, and how it is written as bytes."""

import random
from dataclasses import dataclass, replace

EVIL = b"EVIL"
URLENCODED = b"application/x-www-form-urlencoded"
MULTIPART = b"multipart/form-data"

#: Kinds of body: none, one that the gateway reads as a form, one of a type that is clearly no form
#: (which `otherBodies: forward` lets pass), and any other.
NONE, FORM, OTHER, ODD = "none", "form", "other", "odd"


@dataclass(frozen=True)
class Case:
    kind: str
    note: str
    method: bytes = b"GET"
    path: bytes = b"/p"
    query: bytes | None = None
    #: Header lines without their end.
    lines: tuple[bytes, ...] = ()
    body: bytes | None = None
    #: The size of chunks; a Content-Length when it is None.
    chunks: int | None = None
    trailers: tuple[bytes, ...] = ()
    body_kind: str = NONE
    #: Whether it is well-formed, so that the gateway must let it pass with the claim in it.
    must_pass: bool = False
    #: The hosts besides `all` on which it means something.
    hosts: tuple[str, ...] = ()

    def request(self, host: str, token: bytes | None = None, exempt: bool = False) -> bytes:
        """The whole request."""
        target = (b"/open" if exempt else b"") + self.path
        if self.query is not None:
            target += b"?" + self.query
        head = [self.method + b" " + target + b" HTTP/1.1", b"Host: " + host.encode()]
        if token:
            head.append(b"Authorization: Bearer " + token)
        head += self.lines
        body = self.body
        if body is None:
            return b"\r\n".join(head) + b"\r\n\r\n"
        if self.chunks is None:
            head.append(b"Content-Length: %d" % len(body))
        else:
            head.append(b"Transfer-Encoding: chunked")
            body = chunked(body, self.chunks, self.trailers)
        return b"\r\n".join(head) + b"\r\n\r\n" + body

    def but(self, **changes) -> "Case":
        return replace(self, **changes)


def chunked(body: bytes, size: int, trailers: tuple[bytes, ...] = ()) -> bytes:
    size = max(size, len(body) // 500)  # Thousands of chunks take long and show nothing more.
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    text = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return text + b"0\r\n" + b"".join(line + b"\r\n" for line in trailers) + b"\r\n"


def content_type(value: bytes) -> bytes:
    return b"Content-Type: " + value


def part(disposition: bytes, content: bytes, *more: bytes, end: bytes = b"\r\n") -> bytes:
    """A part without its delimiters."""
    lines = [b"Content-Disposition: form-data; " + disposition, *more]
    return end.join(lines) + end + end + content


def field(name: bytes, value: bytes = EVIL) -> bytes:
    return part(b'name="' + name + b'"', value)


def multipart(parts: list[bytes], boundary: bytes, end: bytes = b"\r\n") -> bytes:
    delimiter = b"--" + boundary
    return b"".join(delimiter + end + one + end for one in parts) + delimiter + b"--" + end


class Deck:
    """Gives each of its values once, in an order by chance, before it gives any again."""

    def __init__(self, values, rng: random.Random):
        self.values, self.rng, self.left = list(values), rng, []

    def __call__(self):
        if not self.left:
            self.left = self.values[:]
            self.rng.shuffle(self.left)
        return self.left.pop()
