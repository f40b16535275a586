"""Methods, the other position of a name, and everything at once."""

from harness import spelling
from harness.case import EVIL, FORM, MULTIPART, ODD, OTHER, URLENCODED, Case, content_type, field, multipart, part
from harness.cases.body_type import body_of
from harness.generator import TOKEN_CHARACTERS, Generator, escaped, fits_a_target, kind


@kind(8)
def method(g: Generator) -> Case:
    name = g.name(b"fuid", b"uid")
    label, verb, query, lines = g.take(
        "methods",
        [
            ("GET with a body", b"GET", None, ()),
            ("DELETE with a body", b"DELETE", None, ()),
            ("OPTIONS with a body", b"OPTIONS", None, ()),
            ("PUT", b"PUT", None, ()),
            ("PATCH", b"PATCH", None, ()),
            ("GET that says POST", b"GET", None, (b"X-HTTP-Method-Override: POST",)),
            ("POST that says GET", b"POST", None, (b"X-HTTP-Method-Override: GET",)),
            ("POST that says PUT", b"POST", None, (b"X-Method-Override: PUT",)),
            ("POST that says PATCH", b"POST", None, (b"X-HTTP-Method: PATCH",)),
            ("POST with _method", b"POST", b"_method=PUT", ()),
            ("GET with _method", b"GET", b"_method=POST", ()),
            ("POST with _method in the body", b"POST", None, ()),
            ("QUERY", b"QUERY", None, ()),
            ("PROPFIND", b"PROPFIND", None, ()),
            ("SEARCH", b"SEARCH", None, ()),
            ("REPORT", b"REPORT", None, ()),
        ],
    )
    shape = g.take("method shape", ["form", "form", "multipart", "json", "no type"])
    boundary = g.boundary()
    kind = {"form": URLENCODED, "multipart": MULTIPART + b"; boundary=" + boundary, "json": b"application/json"}.get(shape)
    body = body_of(g, "form" if shape == "no type" else shape, name, boundary)
    if "in the body" in label and shape == "form":
        body = b"_method=GET&" + body
    body_kind = {"form": FORM, "multipart": FORM, "json": OTHER}.get(shape, ODD)
    lines = (*lines, *((content_type(kind),) if kind else ()))
    return g.form(body, f"{label}: {shape}", method=verb, query=query, lines=lines, body_kind=body_kind)


@kind(6)
def other_position(g: Generator) -> Case:
    """The name that is mapped to the query in a form, and the other way round."""
    where = g.take("other position", ["form", "multipart", "query", "both", "file", "cookie names", "header names", "query beside a form"])
    odd, decoration = (b"N", b"N") if g.rng.random() < 0.5 else g.decorated("other position", b"N")
    well_formed = decoration == b"N"
    # Names of Unicode letters have no N.
    odd = odd if b"N" in odd else b"N"

    def written(name: bytes) -> bytes:
        return spelling.minimal(odd.replace(b"N", name)) if not well_formed else name

    note = f"{where} {escaped(decoration)}"
    match where:
        case "form":
            return g.form(b"a=1&" + written(b"uid") + b"=EVIL", note, well_formed)
        case "multipart":
            return g.multi([field(odd.replace(b"N", b"uid"))], note, well_formed)
        case "file":
            return g.multi([part(b'name="' + odd.replace(b"N", b"uid") + b'"; filename="x"', EVIL)], note)
        case "query":
            return Case("", note, query=b"a=1&" + written(b"fuid") + b"=EVIL", must_pass=well_formed, hosts=("query",))
        case "both":
            body = written(b"uid") + b"=EVIL&" + written(b"fuid") + b"=EVIL"
            return g.form(body, note, well_formed, query=written(b"fuid") + b"=EVIL&" + written(b"uid") + b"=EVIL")
        case "cookie names":
            return g.form(b"a=1", note, lines=(content_type(URLENCODED), b"Cookie: uid=EVIL; fuid=EVIL"))
        case "header names":
            return g.form(b"a=1", note, lines=(content_type(URLENCODED), b"Uid: EVIL", b"Fuid: EVIL", b"X-Fuid: EVIL"))
        case _:
            return g.form(b"a=1", note, well_formed, query=written(b"fuid") + b"=EVIL")


@kind(6)
def everywhere(g: Generator) -> Case:
    """Several positions at once, each in a spelling by chance."""
    query, note, _ = g.pair(b"uid", "everywhere query")
    if not fits_a_target(query):
        query = b"uid=EVIL"
    cookie, decoration = g.decorated("everywhere cookie", b"cuid")
    between = g.take("everywhere header", [bytes((c,)) for c in TOKEN_CHARACTERS])
    lines = (b"X" + between + b"Uid: EVIL", b"Cookie: a=1; " + cookie.translate(None, b"\r\n\x00") + b"=EVIL")
    if g.rng.random() < 0.5:
        body, note2, _ = g.pair(b"fuid", "everywhere form")
        kind, body_kind = URLENCODED, FORM
    else:
        boundary = g.boundary()
        odd, changed = g.decorated("everywhere multipart", b"fuid")
        note2 = escaped(changed)
        body, kind, body_kind = multipart([field(odd)], boundary), MULTIPART + b"; boundary=" + boundary, FORM
    note = f"query {note}; cookie {escaped(decoration)}; header {escaped(between)}; form {note2}"
    return g.form(body, note, query=query, lines=(*lines, content_type(kind)), body_kind=body_kind)
