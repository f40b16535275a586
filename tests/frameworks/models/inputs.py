"""A generator of hostile queries, forms and cookies."""

import random
from collections.abc import Callable
from typing import Any

from harness.spelling import DECORATIONS

from models.libraries import Input

NAMES = [b"uid", b"fuid", b"u_id", b"0", b"a.b"]
VALUES = [b"EVIL", b"", b"E=VIL", b"E%20V+IL", b"[EVIL]", b"EV]=IL", b"%45VIL", b"EV\xc3\xa9IL", b"%C3%A9VIL", b"E\\VIL"]
PIECES = [
    b"[", b"]", b"[]", b"][", b".", b" ", b"+", b"%20", b"%5B", b"%5d", b"%00", b"%2E", b"=", b"]=", b"%3D", b"&", b";", b"%26",
    b"?", b'"', b"%22", b"'", b"\\", b"%", b"%%", b"%zz", b"%C3", b"\xc3\xa9", b"\xa0", b"\x85", b"\xef\xbb\xbf", b"_", b"%0a", b":",
    b",", b"*", b"$", b"x", b"0",
]  # fmt: skip
BOUNDARIES = [b"b", b"b", b"b", b"b=c", b"b:c", b"'b'", b"b b", b"b--", b"----x"]


class Generator:
    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def inputs(self, count: int) -> list[Input]:
        """As many for each position, half of all bodies multipart."""
        make: list[Callable[[], Input]] = [self.query, self.cookies, self.form, self.multipart]
        return [each() for _ in range(count) for each in make]

    def choice(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def one_in(self, number: int) -> bool:
        return self.random.randrange(number) == 0

    def name(self) -> bytes:
        name = self.random.choice(NAMES)
        if self.one_in(2):
            name = self.random.choice(DECORATIONS).replace(b"N", name)
        while self.one_in(3):
            at = self.random.randint(0, len(name))
            name = name[:at] + self.random.choice(PIECES) + name[at:]
        return name

    def encoded(self, name: bytes) -> bytes:
        """Sometimes with escapes of some bytes; always where a request target cannot hold them."""
        share = self.choice(0.0, 0.0, 0.3, 1.0)
        return b"".join(
            b"%%%02x" % byte if byte <= 0x20 or byte in b"#\x7f" or self.random.random() < share else bytes((byte,)) for byte in name
        )

    def pair(self) -> bytes:
        value = self.random.choice(VALUES)
        return self.encoded(self.name()) + self.choice(b"=", b"=", b"=", b"=", b"", b"==") + value

    def pairs(self) -> bytes:
        pairs = [self.pair() for _ in range(self.random.randint(1, 4))]
        if self.one_in(40):
            pairs[self.random.randrange(len(pairs)) : 0] = [self.choice(b"a", b"a[]=", b"")] * self.random.randint(990, 1010)
        separator = self.choice(b"&", b"&", b"&", b"&", b"&&", b";", b",", b"&%20")
        return self.choice(b"", b"", b"", b"?", b"&") + separator.join(pairs)

    def query(self) -> Input:
        return Input("query", None, self.pairs())

    def form(self) -> Input:
        content_type = self.choice(
            b"application/x-www-form-urlencoded", b"application/x-www-form-urlencoded", b"application/x-www-form-urlencoded",
            b"Application/X-WWW-Form-Urlencoded; charset=utf-8", b"application/x-url-encoded", b"application/x-www-form-urlencoded ;",
            b"multipart/mixed", b"text/plain", None,
        )  # fmt: skip
        text = self.pairs()
        if self.one_in(4):
            text = text.replace(b"%20", b" ").replace(b"%00", b"\x00").replace(b"%0a", b"\n")
        return Input("body", content_type, self.choice(b"", b"", b"", b"", b"\xef\xbb\xbf") + text + self.choice(b"", b"", b"", b"\x00"))

    def cookies(self) -> Input:
        pairs = [self.cookie() for _ in range(self.random.randint(1, 4))]
        separator = self.choice(b"; ", b"; ", b"; ", b";", b", ", b" ", b";;")
        text = self.broken(separator.join(pairs), b' \t;,="\\$&\xa0\x85\xff%')
        return Input("cookies", None, text.translate(None, b"\r\n\x00").strip(b" \t"))

    def cookie(self) -> bytes:
        name = self.choice(
            self.random.choice(NAMES), self.name(), self.choice(b"__Host-", b"__Secure-", b"$", b"=", b'a="b"') + self.random.choice(NAMES),
            self.choice(b"$Version", b"path", b"Secure", b"expires", b"HttpOnly"),
        )  # fmt: skip
        value = self.choice(
            self.random.choice(VALUES), b'"EVIL"', b'"E\\"VIL"', b'"E\\105VIL"', b'"EVIL', b"Mon, 01-Jan-2024 00:00:00 GMT", b"[EVIL]", b"a b",
        )  # fmt: skip
        return name + self.choice(b"=", b"=", b"=", b"=", b" = ", b"= ", b" =", b"") + value

    def multipart(self) -> Input:
        boundary = self.random.choice(BOUNDARIES)
        shown = self.choice(boundary, boundary, b'"' + boundary + b'"')
        content_type = self.choice(
            b"multipart/form-data; boundary=", b"multipart/form-data; boundary=", b"multipart/form-data; boundary=",
            b"multipart/form-data; charset=utf-8; Boundary=", b"multipart/mixed; boundary=", b"multipart/form-data;x=y;boundary=",
            b"Multipart/Form-Data;boundary=", b'multipart/form-data; x="boundary=z"; boundary=', b"multipart/form-data ; boundary=",
        ) + shown + self.choice(b"", b"", b"", b"; charset=utf-8", b" ", b"; boundary=z")  # fmt: skip
        line_end = self.choice(b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r")
        body = self.choice(b"", b"", b"", line_end, b"preamble" + line_end, b"preamble")
        for _ in range(self.random.randint(1, 3)):
            body += b"--" + boundary + self.choice(b"", b"", b"", b"", b" ", b"\t", b"--", b"x") + line_end + self.part(line_end)
        if self.one_in(60):
            part = b"--" + boundary + b'\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
            body = part * self.random.randint(990, 1010) + body
        body += b"--" + boundary + self.choice(b"--", b"--", b"--", b"--", b"-- ", b"--x", b"") + self.choice(line_end, b"", line_end + b"x")
        return Input("body", content_type, self.broken(body, b'\r\n-:;="\\ \t\x00\x0b%*[]b\xc3'))

    def part(self, line_end: bytes) -> bytes:
        fields = [self.disposition()]
        while self.one_in(2):
            other = self.choice(
                b"Content-Type: text/plain", b"Content-Type: uid", b"Content-ID: uid", b"X: y", b"Content-Length: 3", self.disposition(),
                b"X: Content-Disposition: form-data; name=uid", b"", b"no field", b" folded", b"Content-Type: text/plain; charset=utf-8",
                b"From x", b": y",
            )  # fmt: skip
            fields.insert(self.random.randint(0, len(fields)), other)
        empty = self.choice(line_end, line_end, line_end, line_end, b"", line_end + b" ")
        content = self.choice(self.random.choice(VALUES), b"two" + line_end + b"lines", b"--b", line_end + b"--")
        return line_end.join(fields) + line_end + empty + content + self.choice(line_end, line_end, line_end, line_end, b"")

    def disposition(self) -> bytes:
        field = self.choice(*[b"Content-Disposition: "] * 5, b"content-disposition:", b"Content-Disposition : ", b"Content-Disposition:\t")
        value = self.choice(b"form-data", b"form-data", b"form-data", b"form-data", b"attachment", b"", b"form-data ")
        parameters = [self.parameter()]
        while self.one_in(3):
            parameters.append(self.choice(self.parameter(), b"filename=x", b'filename="x"', b'filename=""', b"x", b'x="; name=uid"', b"filename=uid"))
        self.random.shuffle(parameters)
        return field + value + b"".join(self.choice(b"; ", b"; ", b"; ", b";", b" ; ", b";\r\n ", b", ", b";;") + each for each in parameters)

    def parameter(self) -> bytes:
        name = self.name()
        quoted = name.replace(b'"', self.choice(b'"', b'\\"', b"%22"))
        key = self.choice(*[b"name="] * 8, b"Name=", b"name =", b"name= ", b'"name"=', b"xname=")
        return self.choice(
            *[key + b'"' + quoted + b'"'] * 6, key + quoted, key + b"'" + quoted + b"'", key + b'"' + quoted, b"name*=utf-8''" + self.encoded(name),
            b"name*=us-ascii'en'" + self.encoded(name), b'name*0="u"; name*1="id"', b"name*0*=utf-8''%75; name*1=id", b"name*=uid", b"name",
        )  # fmt: skip

    def broken(self, text: bytes, with_bytes: bytes) -> bytes:
        """With some bytes put in, left out or repeated."""
        while self.one_in(4):
            at = self.random.randint(0, len(text))
            length = self.choice(0, 0, 1, 2)
            text = text[:at] + self.choice(b"", bytes((self.random.choice(with_bytes),)), text[at : at + length] * 2) + text[at + length :]
        return text
