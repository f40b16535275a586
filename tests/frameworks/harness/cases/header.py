"""Header fields."""

from harness.case import FORM, NONE, URLENCODED, Case, content_type
from harness.generator import TOKEN_CHARACTERS, Generator, escaped, kind


@kind(8)
def header_name(g: Generator) -> Case:
    between = g.take("header between", [bytes((c,)) for c in TOKEN_CHARACTERS] + [b"", b"--", b"-_", b"__", b"0", b"-.", b"~~"])
    template = g.take("header template", [b"X@Uid"] * 6 + [b"x@uid", b"X@UID", b"@X@Uid", b"X@Uid@", b"HTTP@X@Uid", b"X@u@id", b"X-@Uid", b"Http@X@Uid", b"x@UiD"])
    name = template.replace(b"@", between)
    label, lines = header_lines(g, name)
    well_formed = name in (b"X-Uid", b"x-uid", b"X-UID", b"x-UiD") and label in ("once", "twice", "with another")
    return Case("", f"{escaped(name)} {label}", lines=lines, must_pass=well_formed, hosts=("header",))


def header_lines(g: Generator, name: bytes) -> tuple[str, tuple[bytes, ...]]:
    label, *lines = g.take(
        "header lines",
        [
            ("once", b"N: EVIL"),
            ("once", b"N:EVIL"),
            ("twice", b"N: EVIL", b"N: EVIL"),
            ("with another", b"A: 1", b"N: EVIL", b"B: 2"),
            ("empty before", b"N:", b"N: EVIL"),
            ("ann before", b"N: ann", b"N: EVIL"),
            ("ann, EVIL", b"N: ann, EVIL"),
            ("usual before", b"X-Uid: x", b"N: EVIL"),
            ("usual behind", b"N: EVIL", b"X-Uid: x"),
            ("tab", b"N:\tEVIL\t"),
        ],
    )
    return label, tuple(line.replace(b"N", name, 1) if line.startswith(b"N") else line for line in lines)


@kind(4)
def header_structure(g: Generator) -> Case:
    label, lines, more = g.take(
        "header structure",
        [
            ("hop-by-hop", (b"Connection: x-uid", b"X-Uid: EVIL"), {}),
            ("hop-by-hop of another", (b"Connection: keep-alive, x-uid",), {}),
            ("hop-by-hop cookie", (b"Connection: cookie", b"Cookie: cuid=EVIL"), {}),
            ("hop-by-hop type", (b"Connection: content-type", content_type(URLENCODED)), {"body": b"fuid=EVIL", "method": b"POST"}),
            ("hop-by-hop length", (b"Connection: content-length", content_type(URLENCODED)), {"body": b"fuid=EVIL", "method": b"POST"}),
            ("hop-by-hop authorization", (b"Connection: authorization",), {"query": b"uid=EVIL"}),
            ("keep-alive named", (b"Keep-Alive: x-uid", b"Proxy-Connection: x-uid"), {}),
            ("trailer", (b"Trailer: X-Uid", content_type(URLENCODED)), {"body": b"a=1", "chunks": 9, "trailers": (b"X-Uid: EVIL",), "method": b"POST"}),
            ("trailer not announced", (content_type(URLENCODED),), {"body": b"a=1", "chunks": 9, "trailers": (b"X_Uid: EVIL", b"Cookie: cuid=EVIL"), "method": b"POST"}),
            ("folded", (b"A: 1\r\n X-Uid: EVIL",), {}),
            ("folded value", (b"X-Uid:\r\n EVIL",), {}),
            ("space before the colon", (b"X-Uid : EVIL",), {}),
            ("space before the name", (b"A: 1", b" X-Uid: EVIL"), {}),
            ("no value", (b"X-Uid",), {}),
            ("line end by LF", (b"A: 1\nX-Uid: EVIL",), {}),
            ("line end by CR", (b"A: 1\rX-Uid: EVIL",), {}),
            ("NUL", (b"A: 1\x00X-Uid: EVIL",), {}),
            ("NUL in the name", (b"X-Uid\x00: EVIL",), {}),
            ("letters of Latin-1", (b"X\xadUid: EVIL",), {}),
            ("letters of UTF-8", ("X‐Uid: EVIL".encode(),), {}),
            ("colon within", (b"X:Uid: EVIL", b":X-Uid: EVIL"), {}),
            ("quotes", (b'"X-Uid": EVIL',), {}),
            ("slash", (b"X/Uid: EVIL", b"X(Uid: EVIL", b"X@Uid: EVIL"), {}),
            ("original URL", (b"X-Original-URL: /p?uid=EVIL", b"X-Rewrite-URL: /p?uid=EVIL"), {}),
            ("original URL, odd", (b"X_Original_Url: /p?uid=EVIL", b"X~Rewrite~Url: /p?uid=EVIL"), {}),
            ("query in a header", (b"Query-String: uid=EVIL", b"QUERY_STRING: uid=EVIL", b"X-Forwarded-Query: uid=EVIL"), {}),
            ("script in a header", (b"Script-Name: /x?uid=EVIL", b"Path_Info: /p?uid=EVIL", b"Request_Uri: /p?uid=EVIL"), {}),
            ("remote user", (b"Remote-User: EVIL", b"Remote_User: EVIL", b"X-Remote-User: EVIL"), {}),
            ("proxy", (b"Proxy: http://EVIL.test", b"Http_Proxy: EVIL"), {}),
            ("length in another spelling", (b"Content_Length: 0", content_type(URLENCODED)), {"body": b"fuid=EVIL", "method": b"POST"}),
            ("transfer coding in another spelling", (b"Transfer_Encoding: chunked", content_type(URLENCODED)), {"body": b"9\r\nfuid=EVIL\r\n0\r\n\r\n", "method": b"POST"}),
            ("length in tildes", (b"Content~Length: 3", content_type(URLENCODED)), {"body": b"fuid=EVIL", "method": b"POST"}),
            ("forwarded prefix", (b"X-Forwarded-Prefix: /p?uid=EVIL&", b"X-Forwarded-Path: /?uid=EVIL"), {}),
            ("very long before", (b"A: " + b"x" * 6000, b"X-Uid: EVIL"), {}),
            ("ninety before", tuple(b"A%d: 1" % i for i in range(90)) + (b"X.Uid: EVIL",), {}),
            ("value of bytes", (b"X-Uid: EVIL\xff\xfe",), {}),
            ("value of UTF-8", ("X-Uid: EVILé".encode(),), {}),
        ],
    )  # fmt: skip
    case = Case("", label, lines=lines, hosts=("header",) if not more else ("query",))
    kind = FORM if "body" in more else NONE
    return case.but(body_kind=kind, **more)
