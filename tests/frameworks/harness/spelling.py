"""Spellings of a parameter's name: what is put around it, and how it is encoded."""

import random
from urllib.parse import quote_from_bytes

#: What is put around, into or behind a name, as bytes with N for the name.
DECORATIONS: list[bytes] = [
    b"N",
    # Brackets, which qs, PHP and Rack read as nesting.
    b"[N]", b"[N", b"N]", b"]N", b"[]N", b"[[N]]", b"[[N", b"[N]]", b"[N][]", b"[N][0]", b"[N][a]", b"[N]x", b"x[N]",
    b"N[", b"N[]", b"N[0]", b"N[a]", b"N[][]", b"N[a][b]", b"N[]x", b"N][", b"N[[]]", b"[][N]", b"[ N]", b"[N ]",
    b"N[__proto__]", b"__proto__[N]", b"constructor[prototype][N]", b"N[length]", b"N[0", b"N]x", b"[N].x", b"{N}",
    b"(N)", b"<N>", b"N{}", b"N()", b"N(0)", b"N{0}", b"[[[N]]]", b"[N[x]]", b"[x]N", b"[N]=x",
    # Dots.
    b".N", b"..N", b"N.", b"N..", b"N.x", b"N.0", b".N.", b"[.N]", b"[N.x]", b"N[.x]", b".[N]", b"x.N",
    # What begins a query, separates or assigns.
    b"?N", b"??N", b"/N", b"/?N", b"#N", b"&N", b";N", b",N", b"=N", b"==N", b":N", b"|N", b"N=", b"N==", b"N?", b"N:",
    b"N|", b"N,", b"N;", b"amp;N", b"&amp;N", b"$N", b"@N", b"!N", b"*N", b"N*", b"~N", b"^N", b"-N", b"N-", b"`N`",
    # Quotes and backslashes.
    b'"N"', b'"N', b'N"', b"'N'", b"'N", b"N'", b"\\N", b"N\\", b'\\"N\\"', b'N"x', b'x"N', b'""N', b'N""', b"\\\\N",
    # White space and control characters.
    b" N", b"N ", b"\tN", b"N\t", b"  N  ", b"\nN", b"N\n", b"\r\nN", b"N\r\n", b"\rN", b"N\r", b"\x00N", b"N\x00",
    b"N\x00x", b"x\x00N", b"\x01N", b"N\x01", b"\x0bN", b"N\x0b", b"\x0cN", b"N\x0c", b"\x08N", b"N\x08", b"\x1bN",
    b"\x1cN", b"N\x1c", b"\x1dN", b"\x1eN", b"\x1fN", b"N\x1f", b"\x7fN", b"N\x7f", b"x\x08N", b"N\x1a",
    # White space of Unicode, marks that are not seen, bytes that are no UTF-8.
    b"\xef\xbb\xbfN", b"N\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbfN", b"\xfe\xffN", b"\xff\xfeN", b"\xc2\xa0N",
    b"N\xc2\xa0", b"\xa0N", b"N\xa0", b"\x85N", b"N\x85", b"\xc2\x85N", b"N\xc2\x85", b"\xe2\x80\x8bN",
    b"N\xe2\x80\x8b", b"\xe2\x80\xa8N", b"N\xe2\x80\xa9", b"\xe2\x81\xa0N", b"\xe3\x80\x80N", b"N\xe3\x80\x80",
    b"\xc2\xadN", b"\xffN", b"N\xff", b"\x80N", b"N\xc3", b"\xc3N", b"N\xed\xa0\x80", b"\xed\xbf\xbfN", b"\xe1\xa0\x8eN",
    b"\xf0\x9f\x98\x80N", b"N\xf4\x90\x80\x80", b"\xc0\x80N", b"N\xc0\x80", b"\xc0\xaeN", b"\xc0\xa0N", b"N\xf8\x88\x80\x80\x80",
    # Percent signs that begin no escape.
    b"%N", b"N%", b"%%N", b"N%%", b"%2N", b"%zzN", b"N%zz", b"N%4", b"N%u", b"%uN", b"\\xN", b"N%00", b"%00N",
    # Prefixes.
    b"__Host-N", b"__Secure-N", b"__host-N", b"__SECURE-N", b"__Host-__Secure-N", b"$N", b"_N", b"+N", b"N+", b"++N",
    b"HTTP_N", b"params[N]", b"form[N]", b"query.N",
]  # fmt: skip

#: Other letters that some comparisons take for the same.
LETTERS = {
    "upper": lambda name: name.upper(),
    "capital": lambda name: name[:1].upper() + name[1:],
    "last upper": lambda name: name[:-1] + name[-1:].upper(),
    "full width": lambda name: "".join(chr(0xFEE0 + ord(c)) for c in name),
    "dotless i": lambda name: name.replace("i", "ı"),
    "dotted I": lambda name: name.replace("i", "İ"),
    "combining mark": lambda name: name.replace("i", "i\u0307"),
    "soft hyphen inside": lambda name: name[:1] + "\u00ad" + name[1:],
    "zero width inside": lambda name: name[:2] + "\u200b" + name[2:],
    "NUL inside": lambda name: name[:1] + "\x00" + name[1:],
    "tab inside": lambda name: name[:1] + "\t" + name[1:],
    "line end inside": lambda name: name[:2] + "\r\n" + name[2:],
    "circled": lambda name: "".join(chr(0x24D0 + ord(c) - 97) for c in name),
    "mathematical": lambda name: "".join(chr(0x1D41A + ord(c) - 97) for c in name),
    "Cyrillic": lambda name: name.replace("u", "ц").replace("i", "і"),
}

_UNRESERVED = b"-._~"


def letters(name: str) -> dict[str, bytes]:
    return {label: change(name).encode() for label, change in LETTERS.items()}


def overlong(name: bytes) -> bytes:
    """Each letter in two bytes of UTF-8 where one would do."""
    return b"".join(bytes((0xC0 | c >> 6, 0x80 | c & 0x3F)) for c in name)


def overlong3(name: bytes) -> bytes:
    return b"".join(bytes((0xE0, 0x80 | c >> 6, 0x80 | c & 0x3F)) for c in name)


def percent(data: bytes, upper: bool = True) -> bytes:
    text = b"".join(b"%%%02X" % c for c in data)
    return text if upper else text.lower()


def minimal(data: bytes) -> bytes:
    return quote_from_bytes(data, "-._~").encode()


def readable(data: bytes) -> bytes:
    """Escaped is only what cannot stand in a request's target at all."""
    return b"".join(
        bytes((c,)) if 0x20 < c < 0x7F and c not in b"#" or c >= 0x80 else b"%%%02X" % c for c in data
    )


def visible(data: bytes) -> bytes:
    """Brackets, quotes and the like as they are, all else escaped."""
    return b"".join(bytes((c,)) if 0x20 < c < 0x7F and c not in b"#&+=;%" else b"%%%02X" % c for c in data)


def some(data: bytes, rng: random.Random) -> bytes:
    return b"".join(
        b"%%%02x" % c if rng.random() < 0.4 or not (0x20 < c < 0x7F) or c in b"#&+=;%" else bytes((c,)) for c in data
    )


def unicode_escapes(data: bytes) -> bytes:
    return b"".join(b"%%u%04x" % c for c in data)


def mixed_hex(data: bytes) -> bytes:
    return b"".join(b"%%%02X" % c if i % 2 else b"%%%02x" % c for i, c in enumerate(data))


#: Each takes bytes and a source of chance.
ENCODINGS = {
    "visible": lambda data, rng: visible(data),
    "minimal": lambda data, rng: minimal(data),
    "readable": lambda data, rng: readable(data),
    "all upper": lambda data, rng: percent(data),
    "all lower": lambda data, rng: percent(data, False),
    "mixed hex": lambda data, rng: mixed_hex(data),
    "some": some,
    "first letter": lambda data, rng: percent(data[:1]) + visible(data[1:]),
    "last letter": lambda data, rng: visible(data[:-1]) + percent(data[-1:], False),
    "plus": lambda data, rng: visible(data).replace(b"%20", b"+"),
    "double": lambda data, rng: percent(data).replace(b"%", b"%25"),
    "double some": lambda data, rng: minimal(some(data, rng)),
    "%u": lambda data, rng: unicode_escapes(data),
    "%U": lambda data, rng: unicode_escapes(data).upper().replace(b"%U", b"%u"),
    "HTML": lambda data, rng: b"".join(b"%%26%%23%d%%3B" % c for c in data),
    "broken before": lambda data, rng: b"%" + visible(data),
    "broken behind": lambda data, rng: visible(data) + rng.choice((b"%", b"%2", b"%zz", b"%u12", b"%%")),
    "overlong": lambda data, rng: percent(overlong(data)),
    "overlong 3": lambda data, rng: percent(overlong3(data)),
    "overlong raw": lambda data, rng: overlong(data),
    # Some decoders of ASCII drop the highest bit.
    "high bit": lambda data, rng: bytes(c | 0x80 for c in data),
    "high bit of the first": lambda data, rng: bytes((data[0] | 0x80,)) + visible(data[1:]),
    "high bit escaped": lambda data, rng: percent(bytes(c | 0x80 for c in data)),
    "escapes of letters": lambda data, rng: b"".join(b"\\x%02x" % c for c in data),
}

#: Those in which the name is well-formed, so that the request must not be refused for it.
WELL_FORMED = {"visible", "minimal", "all upper", "all lower", "mixed hex", "some", "first letter", "last letter"}
